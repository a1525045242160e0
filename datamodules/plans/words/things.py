"""What may be counted and is nobody: animals, objects, likenesses; and looks of people that hold numbers."""

from datamodules.plans.words.grammar import listed

ANIMALS = listed("""
dog, cat, horse, puppy, kitten, parrot, pigeon, duck, goose, swan, cow, sheep, goat, donkey, camel,
elephant, lion, tiger, bear, wolf, fox, rabbit, owl, falcon, penguin, dolphin, turtle, butterfly, chicken,
rooster, pony, llama, monkey, peacock, hamster, squirrel, deer, seal, flamingo, husky, poodle, goldfish,
sled dog, seagull, police dog, guide dog, shepherd dog, rescue dog
""")

OBJECTS = listed("""
balloon, umbrella, suitcase, bicycle, chair, table, lamp, candle, book, guitar, violin, piano, camera,
microphone, laptop, telescope, map, kite, surfboard, skateboard, scooter, car, truck, tent, boat, canoe,
ladder, bucket, basket, box, crate, barrel, flag, banner, lantern, mirror, clock, painting, vase, teapot,
cup of tea, bowl of fruit, cake, pizza, apple, pumpkin, sunflower, rose, tree, bench, sofa, rug, window,
door, column, trophy, medal, ball, drum, trumpet, kettle, backpack, helmet, tractor, wheelbarrow, snowman,
scarecrow, mannequin, statue, robot, doll, teddy bear, puppet, garden gnome, sword, shield, chess board,
newspaper, glass of wine, loaf of bread, computer, wheel, rocket, helicopter, parachute, toy soldier, baby
carriage, wedding dress, chef's hat, doctor's bag, fire engine, police car, ice cream cone, director's
chair, portrait of a queen, wax figure, action figure, cardboard cutout
""")

COLORS = listed(
    "red, blue, green, yellow, white, black, purple, orange, old, small, huge, wooden, golden, broken, striped"
)

ADJECTIVES = listed("""
smiling, laughing, tired, happy, sad, elderly, young, tall, short, bearded, blond, red-haired, curly-haired,
serious, sleepy, elegant, muscular, masked, barefoot, uniformed, well-dressed, drenched, cheerful, nervous,
proud, curious, angry, excited, retired, famous, famous-looking, friendly, old, middle-aged, bald, freckled,
sunburned, surprised, shy, confident, Japanese, Brazilian, Nigerian, Indian, Norwegian, Mexican, French,
Korean, Egyptian, Turkish, medieval, Victorian, modern, futuristic
""")

NUMBERED_ADJECTIVES = listed("""
30-year-old, 70-year-old, six-year-old, five-year-old, ten-year-old, three-time champion, second-year,
two-meter-tall, four-armed alien, first-class, six-foot, one-eyed, twenty-something, ninety-year-old,
2-year-old, seven-year-old, three year old, 25 year old, 6 foot tall, two-time Olympic, one-armed, third-grade,
nineteen year old, four-foot-tall
""")

LOOKS = listed("""
in blue scrubs, in red jackets, in white coats, in evening dress, in raincoats, in costumes, in helmets, in
sunglasses, with long hair, with glasses, with umbrellas, with backpacks, with painted faces, with
instruments, in traditional clothes, in winter coats, in hats, with flowers, from Norway, from different
countries, wearing scarves, wearing masks, wearing suits, wearing aprons, in matching sweaters, with bright
smiles, in denim, in uniform, dressed as pirates, dressed in black, holding flags, holding tools, holding
phones, with tattoos, with short hair, in gym clothes, in pajamas, in armor, dressed as a nurse, in a pirate
costume, in a policeman's hat, wearing a chef's hat, with a doctor's bag, in a football shirt, in a cowboy
hat, dressed like kings, in a sailor's uniform, with a soldier's helmet, in a superhero cape, dressed for a
wedding, who look like twins but are not
""")

NUMBERED_LOOKS = listed("""
in their twenties, in their fifties, in three-piece suits, wearing number 10 shirts, with a score of 3 to 1
on the board behind, with one hand raised, with both arms up, on one leg, aged 40, with two suitcases each,
holding two cups each, at the age of six, with one shoe missing, wearing jersey number 4, with four-leaf
clovers, on two motorbikes, with three stars on the shoulder, in two-tone shoes, with one eye closed, in
1950s outfits, carrying five bags, with a single rose, age 35, (40), 8 years old, three feet apart, with one arm in a
sling, on three horses, in 2 canoes
""")

EMPTY = listed("""
an empty street at night, an empty beach, a landscape without people, mountains at dawn, a still life with
three apples, a bowl of fruit on a table, a five-star hotel lobby with nobody in it, a deserted train
station, an abandoned factory, a two-storey house by a lake, a snowy forest, a bouquet of seven roses, a
city skyline, a vintage car, a red bicycle against a wall, a desert with cacti, a lighthouse in a storm, a
kitchen with nobody in it, an empty classroom, a stage without actors, four empty chairs around a table, a
doctor's office with no one inside, a library after closing time, a plate of pasta, a sports car on Route
66, a castle on a hill, a field of sunflowers, a cup of coffee, the Milky Way, an unmanned spaceship, a
chess board, a playground with no children, a restaurant before opening, an uninhabited island, a waterfall,
a sailing boat
""")
"""Pictures with nobody in them."""
