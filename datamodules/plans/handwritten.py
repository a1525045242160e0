"""Prompts written by hand, before any Architect was trained on the drawn ones: no sentence of the corpus made them.

Training never sees them. As far as a hundred of them can, they say how an Architect does on prompts of people who have
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
""",
    7: """
seven scientists around one table
Four firefighters hold a net for three climbers
a bride, a groom and five guests throw rice
Seven people wait for the bus, two of them under one umbrella
two trainers and five athletes stretch before the 100 meter race
A queen with her six maids
""",
    "nobody": """
a bowl of oranges on a wooden table
an empty subway station at 3 am
The five-storey building at the corner, no people
Two dogs and three cats on a sofa
mountain lake, sunrise, mist, 8k
nobody is at the playground
""",
    "many": """
twenty dancers on a stage
fifty people on a beach
a choir of 30 singers
Nine friends around a campfire
five teachers with five pupils
""",
    "open": """
a crowd watches the fireworks
some friends having dinner
people crossing a street in Tokyo
a singer in front of a huge audience
tourists take pictures of a statue
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
