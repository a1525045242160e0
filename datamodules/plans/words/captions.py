"""Sentences of long captions: the mood of a scene, how it was taken, and the same people once more.

Some hold numbers, "one", "both" or "others", and none adds anybody.
"""

from datamodules.plans.words.grammar import barred

ATMOSPHERE = barred("""
The air smells of rain and wet stone. | Long shadows fall across the ground. | Dust dances in the last rays of the
sun. | The walls are painted in two shades of green. | A single lamp hangs from the ceiling. | Warm light comes in
through three tall windows. | In the distance, blue hills fade into haze. | The background is out of focus. | The
floor is wet and reflects everything. | Old posters peel off the walls. | Steam and smoke drift through the frame. | A
clock on the wall shows half past four. | The colors are faded, as in an old postcard. | Behind it all, a train waits
at platform 6. | The whole scene is calm and a little melancholy. | Everything looks as if it had been left that way
for years. | Ivy covers one side of the building. | A radio plays in the corner. | Half of the frame lies in darkness.
| Tools, ropes and buckets hang on the wall. | Fallen leaves and puddles cover the pavement. | There are five empty
bottles on the ground. | The sky is violet, with the first two stars. | Light from a neon sign turns everything pink
and blue. | Snowflakes hang in the air. | A cat watches from the roof. | Two lamps and a row of candles give the only
light. | The mood is joyful and loud. | Nothing else is in the picture. | No other people can be seen. | The place is
otherwise deserted. | A statue of a general stands in the background. | On the wall hangs a portrait of an old queen.
| A billboard with a smiling face is seen far behind. | The window shows the lights of the city, twenty floors below.
| Laundry, flags and cables cross the sky. | Red, yellow and brown leaves lie everywhere. | The table is covered with
plates, cups and six slices of cake. | A second window stands open. | Morning mist softens every edge. | One of the
doors is ajar. | It could be the last day of summer. | The scene feels like a still from a film of the 1970s. | The
wind moves the curtains. | Rain has just stopped. | A green tram stands at the corner. | The details are sharp down to
every thread of cloth. | Bread, cheese and a knife lie on a board. | A mirror on the wall repeats the lamp. | The
horizon is slightly tilted.
""")
"""What a place is like."""

TECHNIQUE = barred("""
Shot on a full-frame camera with a 50mm lens at f/2. | Taken with a 35mm lens, ISO 800, 1/125 s. | Fine grain, natural
skin tones, soft contrast. | Shallow depth of field and creamy bokeh. | Three-point lighting with a warm key light. |
Composed by the rule of thirds. | Photographed from a low angle with a wide 24mm lens. | Kodak film, slightly
overexposed. | Highly detailed, 8k, sharp focus. | Editorial style, magazine quality. | Documentary photography, no
flash. | The picture is in black and white with deep shadows. | Natural light only, late afternoon. | Aspect ratio
3:2, medium format. | The photographer stood about five meters away. | Cinematic color grading in teal and orange. |
Seen from slightly above. | A long exposure of four seconds blurs the background. | Eye-level view, centered
composition. | Painted in oil with thick strokes. | Watercolor on rough paper, two layers of wash. | In the style of a
19th-century painting. | Digital illustration with clean lines and flat colors. | Rendered in 4k with soft global
illumination. | A vintage print with one torn corner. | Backlit, with a thin rim of light. | High dynamic range, crisp
and clear. | Portrait orientation, 85mm, f/1.4. | Symmetrical framing with plenty of empty space at the top. | Gentle
vignette, muted palette.
""")
"""How a picture was taken or made."""

OF_ONE = (
    "{He} {does}.", "{He} is {ing}.", "{He} has {thing}.", "{His} face is half in shadow.", "{His} eyes are closed.",
    "Both of {his} hands can be seen.", "Two buttons of {his} coat are open.", "{He} seems lost in thought.",
    "{He} looks away from the camera.", "There is {one} at {his} feet.", "{He} is on {his} own.",
    "{He} wears a thin ring and a watch.",
)  # fmt: skip
"""About one person: {He} "She", {His} "Her", {does} and {ing} an activity, {thing} things, {one} one thing."""

OF_TWO = (
    "They {do}.", "They are {ing2}.", "Everyone is {ing2}.", "One of them {does}.", "One of them holds {thing}.",
    "Each of them has {thing}.", "Both are smiling.", "Both are {ing2}.", "One is {ing}, the other is {ing}.",
    "The taller one {does}.", "The taller one is {ing}, the shorter one {does}.", "The one on the left is {ing}.",
    "The one on the right has {thing}.", "The two of them seem to know each other.", "The two of them {do}.",
    "The older of the two {does}.", "Neither of them looks at the camera.", "Their faces are lit from the side.",
    "Between them there is {one}.", "Both of them {do}.", "One looks up, the other down.",
)  # fmt: skip
"""About two: {do} and {ing2} are what several people do."""

OF_MORE = (
    "They {do}.", "They are {ing2}.", "Everyone is {ing2}.", "One of them {does}.", "One of them holds {thing}.",
    "Each of them has {thing}.", "All {count} are {ing2}.", "{Few} of them are {ing2}.",
    "The oldest is {ing}, the others {do}.", "That makes {count} people.", "The tallest one {does}.",
    "The one in the middle is {ing}.", "The one on the far left has {thing}.", "None of them looks at the camera.",
    "The {count} of them stand close together.", "Their faces are lit from the side.", "All of them {do}.",
    "The youngest {does}.", "Two of them whisper to each other.", "The ones in front are {ing2}.",
    "The shortest one is {ing}, the rest {do}.", "The first and the last of them {do}.",
)  # fmt: skip
"""About three or more: {count} their number, {Few} a smaller one."""

OF_UNCOUNTED = (
    "They {do}.", "They are {ing2}.", "Everyone is {ing2}.", "One of them {does}.", "One of them holds {thing}.",
    "Each of them has {thing}.", "Some of them are {ing2}.", "Two of them are {ing2}.", "Three of them {do}.",
    "All of them {do}.", "The one in front is {ing}.", "Most of them are {ing2}, the others {do}.",
    "Their faces are lit from the side.", "The tallest one {does}.",
)  # fmt: skip
"""About people who are too many or cannot be counted."""
