"""Looks of people: what they wear, have with them and are like. Many hold an "and", a comma or a number and add nobody.

An entry that reads otherwise for several people has two forms, divided by a slash: "in a red jacket / in red jackets".
"""

from datamodules.plans.words.grammar import barred, listed

ADJECTIVES = listed("""
smiling, laughing, tired, happy, sad, elderly, young, tall, short, bearded, blond, red-haired, curly-haired,
serious, sleepy, elegant, muscular, masked, barefoot, uniformed, well-dressed, drenched, cheerful, nervous,
proud, curious, angry, excited, retired, famous, famous-looking, friendly, old, middle-aged, bald, freckled,
sunburned, surprised, shy, confident, Japanese, Brazilian, Nigerian, Indian, Norwegian, Mexican, French,
Korean, Egyptian, Turkish, medieval, Victorian, modern, futuristic, wet, hungry, exhausted, stylish,
bespectacled, grey-haired, thoughtful, busy, muddy, dark-skinned, pale, slim, stout, bored, relieved
""")

NUMBERED_ADJECTIVES = listed("""
30-year-old, 70-year-old, six-year-old, five-year-old, ten-year-old, three-time champion, second-year,
two-meter-tall, four-armed alien, first-class, six-foot, one-eyed, twenty-something, ninety-year-old,
2-year-old, seven-year-old, three year old, 25 year old, 6 foot tall, two-time Olympic, one-armed, third-grade,
nineteen year old, four-foot-tall
""")

LOOKS = barred("""
in blue scrubs | in a red jacket / in red jackets | in a white coat / in white coats | in evening dress | in a
raincoat / in raincoats | in a costume / in costumes | in a helmet / in helmets | in sunglasses | with long hair |
with glasses | with an umbrella / with umbrellas | with a backpack / with backpacks | with a painted face / with
painted faces | with an instrument / with instruments | in traditional clothes | in a winter coat / in winter coats |
in a hat / in hats | with flowers | from Norway | from far away / from different countries | wearing a scarf / wearing
scarves | wearing a mask / wearing masks | wearing a suit / wearing suits | wearing an apron / wearing aprons | in a
thick sweater / in matching sweaters | with a bright smile / with bright smiles | in denim | in uniform | dressed as a
pirate / dressed as pirates | dressed in black | holding a flag / holding flags | holding tools | holding a phone /
holding phones | with tattoos | with short hair | in gym clothes | in pajamas | in armor | dressed as a nurse /
dressed as nurses | in a pirate costume / in pirate costumes | in a policeman's hat / in policemen's hats | wearing a
chef's hat / wearing chef's hats | with a doctor's bag / with doctor's bags | in a football shirt / in football shirts
| in a cowboy hat / in cowboy hats | dressed like a king / dressed like kings | in a sailor's uniform / in sailors'
uniforms | with a soldier's helmet / with soldiers' helmets | in a superhero cape / in superhero capes | dressed for a
wedding | with the face of a twin / as alike as twins, though not related | in a suit and tie / in suits and ties |
with dark, curly hair and brown eyes | with braids, glasses and freckles | in jeans and a t-shirt / in jeans and
t-shirts | in a blue and yellow jersey / in blue and yellow jerseys | with a pepper-and-salt mustache / with
pepper-and-salt mustaches | in boots, gloves and a thick hat / in boots, gloves and thick hats | with a cap and gown /
in caps and gowns | with blond hair, pale skin and rosy cheeks | in black and gold | wearing a scarf, a coat and
mittens / wearing scarves, coats and mittens | with a bow and arrow / with bows and arrows | with a mug of tea and a
newspaper / with mugs of tea and newspapers | in a black-and-white dress / in black-and-white dresses | with a hat,
scarf and cane / with hats, scarves and canes | covered in mud and leaves | with wide, curious eyes | in a long,
flowing, green robe / in long, flowing, green robes | with a needle and thread / with needles and thread | with paint
on hands and face | carrying a bucket and a mop / carrying buckets and mops | with a pair of glasses / with pairs of
glasses | with a pair of binoculars / with binoculars | holding a bunch of balloons / holding bunches of balloons |
with a pair of skis / with skis and poles | with freckles and a gap between the teeth / with freckles and gaps between
the teeth | in shirt and trousers / in shirts and trousers | in a children's costume / in children's costumes | in a
men's jacket / in men's jackets | in a prince's cloak / in princes' cloaks | with a grandfather's watch / with
grandfather's watches | with a group of stars on the sleeve
""")

NUMBERED_LOOKS = barred("""
twenty-five years old / in their twenties | about fifty years old / in their fifties | in a three-piece suit / in
three-piece suits | wearing a number 10 shirt / wearing number 10 shirts | with a score of 3 to 1 on the board behind
| with one hand raised | with both arms up | on one leg | aged 40 | with two suitcases / with two suitcases each |
holding two cups / holding two cups each | at the age of six | with one shoe missing | wearing jersey number 4 /
wearing jerseys 4 to 9 | with a four-leaf clover / with four-leaf clovers | on a two-wheeled cart / on two motorbikes
| with three stars on the shoulder | in two-tone shoes | with one eye closed | in a 1950s outfit / in 1950s outfits |
carrying five bags | with a single rose / with a single rose each | age 35 | (40) / (all 40) | 8 years old | three
feet away / three feet apart | with one arm in a sling | with three horses / on three horses | in one of 2 canoes / in
2 canoes | with both hands in the pockets | with two braids | with a pair of skates / with two pairs of skates | with
half a dozen rings / with half a dozen rings each | on two crutches | with one brown and one blue eye
""")

YOUNG = frozenset(
    listed("""
baby, newborn, toddler, child, kid, boy, girl, teenager, teen, pupil, schoolboy, schoolgirl, youngster, young man, young
woman, boy scout, girl scout, child actor, altar boy, student, six-year-old, ten-year-old
""")
)
AGED = frozenset(listed("elderly, bearded, old, middle-aged, bald, retired, grey-haired, muscular"))
"""Looks that do not go with the young."""
