"""Prompts written by hand, before any Architect was trained on the drawn ones: no sentence of the corpus made them.

Training never sees them. As far as some 170 of them can, they say how an Architect does on prompts of people who have
not read its corpus.
"""

from typing import Literal, TypeAlias

import numpy as np

from datamodules.plans.examples import PlanExample

Reason: TypeAlias = Literal["nobody", "many", "open"]

_BY_COUNT: dict[int | Reason, str] = {
    1: """
A woman in a yellow raincoat waits at a tram stop
portrait of an old fisherman, wrinkled face, dramatic light
a boy building a sandcastle
The violinist has the stage to herself tonight.
Close-up of a chef plating dessert in a three-star restaurant
an astronaut rides a horse on Mars
A girl and her two dogs run across a field
Someone is asleep on the last train home, five shopping bags beside him
a 70 year old man blowing out 70 candles
My grandmother in her kitchen, 1962
A firefighter carries a cat out of a burning two-storey house
woman with red hair, freckles, 85mm, f/1.4
She reads a letter by the window while four pigeons watch from the sill
a knight in front of a seven-headed dragon
a guy in a striped shirt and suspenders, holding a mug
The gardener hums and trims her roses, a radio on the sill
an actress beneath a huge poster of her own two sisters
A soldier reads a postcard that his three brothers sent him
She phones her mother from a booth at St. Anne's station
man, subway, rain, 35mm, grain, moody
old sailor with a white beard and a blue cap, pipe in hand, waits for his crew of five
a lone hiker
A candid portrait of a potter in her studio, hands covered in clay. Soft window light falls from the left, dozens of \
bowls and vases fill the shelves behind, and two cats sleep on the windowsill. Shot on medium format film, 80mm, \
f/2.8, with gentle grain, muted greens and a slow, quiet mood, as if nobody had entered the room for years.
a knight polishes his armor next to a suit that stands empty
""",
    2: """
two men shaking hands
Two old friends share a bench in the park and feed the ducks
A mother braids her daughter's hair
newlyweds under an umbrella
a tattoo artist at work on a customer's arm
The twins blow out their candles
Anna and Tom on a scooter in Rome
a barber shaving a man's beard
2 chess players, black and white photo
A tired nurse hands a cup of tea to a doctor in room 12
me and my girlfriend at the Eiffel tower
a couple dancing tango
Two women, one in a red dress and one in blue
A boy shows his sister a frog
a man sitting opposite a woman at a table for six
A policeman helps an old lady cross a four-lane road
two passengers, a nun and a punk
2 cooks, steam, copper pots, 24mm, high iso
Both brothers lean on the counter
Twins in raincoats, one yawning, one wide awake
An elderly couple feeding a flock of pigeons
A dark-haired woman and a tall man walk under one umbrella. The shorter one laughs, the other carries a bunch of \
flowers and a pair of shoes. Wet cobblestones mirror the shop signs, and a row of parked scooters runs along the \
left edge. Evening, 50mm lens, shallow focus, film look.
two chefs
the two of them on a swing
a clown and his double bass player
""",
    3: """
three nurses
three siblings on a swing
A couple walks along the beach with their little son
Two girls whisper while a boy pretends not to listen
a teacher and two pupils look through a microscope
Julia, Mark and Ahmed are stuck in an elevator
The king sits between two guards
Anna, her brother and his friend at a concert
One man sings, one plays the piano and another one listens
a trio of street musicians in the 1920s
a waiter taking the order of an elderly couple
A father teaches his two daughters how to ride bicycles
three out of five dancers are on stage, the rest are not in the picture
Two cooks and a waitress argue about one broken plate
three travelers: a monk, a merchant and a thief
Three cousins, Mia, Otto and Kasimir, on one bicycle
a trio of a fiddler, a piper and a dancer
A three-person crew repairs a sail
several plumbers, three to be precise, under one sink
a widow and her two lodgers at breakfast
3 women, kitchen, candles, 50mm, bokeh,
""",
    4: """
four teenagers share a pizza
a family of four on the sofa
Two couples play cards on a camping trip
A guide explains a painting to three tourists
A string quartet rehearses in an empty hall
two boys and two girls build a snowman
Mum, dad and their two kids in front of the tent
Five friends went hiking, but one of them is taking the picture
a nurse, a doctor, a patient and his wife
a rock band: a singer, a drummer and two guitarists
4 women doing yoga at sunrise
Three judges listen to a nervous singer
Four colleagues around a laptop, two of them standing
Emma holds her baby while Paul plays football with his son
a mother and her three sons at the dentist
four guests: two bankers, a poet and a spy
a family of four, both parents and a boy and a girl
A quartet tunes up backstage
Four surfers at dawn
wet, muddy and happy rugby players, four of them, near the statue of two generals
Four climbers rest on a ledge high above a valley. One of them points at a flock of geese, the tallest checks a \
rope, and the others share bread and cheese. Far below lie a river, a road and six tiny barns. Wide angle, crisp \
morning light, long shadows, deep blue sky, very detailed, in the style of a 1950s travel magazine.
""",
    5: """
three nurses talk while two patients wait
five kids jump into a lake
a group of five hikers crossing a rope bridge
A teacher reads to four children
Five astronauts float in a space station, one of them upside down
Two police officers question three suspects
a quintet playing in front of an empty theatre
A grandmother with her two daughters and two granddaughters
a basketball team of 5, team photo
Three boys sit up front, two girls right behind them
one coach and four rowers
Two bakers, two customers and a delivery boy
a five-piece brass band under an arch
Five candidates, two of them in a suit and tie, the rest in jeans
three bakers, a dairymaid and a butcher
a couple, their two girls and a grandmother
""",
    6: """
six monks walking in a line
half a dozen students cram for an exam
Three couples waltz in a ballroom
Two mechanics look at an engine while four drivers wait
A conductor and five musicians tune their instruments
three fishermen, two tourists and a boy on a pier
6 surfers with 6 boards
A family: grandfather, grandmother, mother, father and two kids
half a dozen acrobats on a pyramid of chairs
Two fishwives haggle with four sailors
6 monks & 3 bells
a bus driver and his five last passengers
""",
    7: """
seven scientists around one table
Four firefighters hold a net for three climbers
a bride, a groom and five guests throw rice
Seven people wait for the bus, two of them under one umbrella
two trainers and five athletes stretch before the 100 meter race
A queen with her six maids
seven jurors
a nurse, two patients and four visitors
Seven scouts huddle around a map. The smallest holds a lamp, two whisper, and nobody watches the pot.
""",
    "nobody": """
a bowl of oranges on a wooden table
an empty subway station at 3 am
The five-storey building at the corner, no people
Two dogs and three cats on a sofa
mountain lake, sunrise, mist, 8k
nobody is at the playground
two tin robots arm-wrestle
a dog rides a skateboard
minimalist logo for a tea house, two leaves, flat colors
the footprints of two children in wet sand
a nurse's cape on a rusty nail
asdf jkl qwert
mannequins in ball gowns behind a shop window
a snowman with a broom and a scarf
world map, sepia, hand-drawn, no text
the portrait of a duchess above an empty fireplace
""",
    "many": """
twenty dancers on a stage
fifty people on a beach
a choir of 30 singers
Nine friends around a campfire
five teachers with five pupils
five dancers and four drummers
a dozen sailors
Six farmers, a priest and two nuns
three pairs of skaters and a team of four hockey players
a teacher and his nine pupils
""",
    "open": """
a crowd watches the fireworks
some friends having dinner
people crossing a street in Tokyo
a singer in front of a huge audience
tourists take pictures of a statue
a handful of surfers
engineers around a turbine
A group of pilgrims at a well
two guards and some prisoners
the baker and her apprentices
many nurses, one doctor
""",
}

HANDWRITTEN: tuple[tuple[str, int | Reason], ...] = tuple(
    (prompt, meant) for meant, prompts in _BY_COUNT.items() for prompt in prompts.strip().splitlines()
)
"""Prompts, and how many people they mean, or why nobody can be counted."""
_TALLIES = {"nobody": "0", "many": "many", "open": "some"}


def handwritten_examples() -> list[PlanExample]:
    """The same as examples of a split; they have no layouts, and all of them go by the family "simple"."""
    nowhere = np.zeros((0, 4), np.float32)
    return [
        PlanExample(prompt, meant, str(meant), nowhere, "simple", "")
        if isinstance(meant, int)
        else PlanExample(prompt, None, _TALLIES[meant], nowhere, "simple", "")
        for prompt, meant in HANDWRITTEN
    ]
