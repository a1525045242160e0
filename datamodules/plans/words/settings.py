"""Where and when: places, times, looks of the picture. Some hold numbers that count nobody."""

from datamodules.plans.words.grammar import listed

PLACES = listed("""
in a park, on a beach, in a kitchen, in a living room, in a library, at a bus stop, in a train station, at
the airport, in a hospital corridor, in a waiting room, in an operating theatre, in a classroom, in a
lecture hall, in a laboratory, in an office, in a meeting room, in an elevator, on a rooftop, on a balcony,
on a bridge, on a pier, on a ferry, on a sailing boat, in a harbor, in a fishing village, in a forest, in a
meadow, in a vineyard, in an orchard, in a greenhouse, in a garden, on a farm, in a barn, in a stable, in
the desert, in the jungle, in the mountains, at the edge of a canyon, beside a waterfall, by a lake, by the
sea, in the snow, on a frozen lake, on a glacier, in a cave, in a castle, in a throne room, in a cathedral,
in a temple, in a mosque, in a monastery, in a ruined city, in a museum, in an art gallery, in a theater, on
a stage, in a concert hall, in a recording studio, in a nightclub, in a cinema, in a circus tent, at a fair,
at an amusement park, at a zoo, in an aquarium, in a stadium, in a gym, in a boxing ring, on a tennis court,
on a football pitch, on a ski slope, at a swimming pool, at a golf course, in a cafe, in a restaurant, in a
diner, in a bakery, in a bar, in a brewery, at a street market, in a supermarket, in a bookshop, in a flower
shop, in a barbershop, in a tailor's workshop, in a garage, in a factory, in a shipyard, on a building site,
in a mine, at a fire station, at a police station, in a courtroom, in a prison yard, in a bank, on a city
street, in a narrow alley, on a village square, in a subway car, on a train, on an airplane, in a taxi, in a
hot-air balloon, on a spaceship, on the moon, in a control room, in a cockpit, on an oil rig, under an old
oak tree, on a staircase, in a hallway, in front of a brick wall, in front of a white background, beneath a
neon sign, at a wedding, at a birthday party, at a conference, at a carnival, at a picnic, at a campsite,
around a bonfire, in a sunlit attic, in a basement, in a bedroom, in a bathroom, on a couch, on a porch, in
a backyard, at a barbecue, in a rice field, in a tea plantation, on a tropical island, in a bamboo grove, in
a Japanese garden, in an igloo, in a teachers' lounge, at a farmers' market, in a children's hospital, in a
doctor's office, in a men's clothing store, beside a lifeguard tower, in a chef's kitchen, in a pilots'
lounge, in a students' dormitory, next to a police car, in a dentist's chair, in a soldiers' barracks,
behind a fire truck, in a kindergarten, in front of a statue of a general, in a puppet theater, in an
abandoned warehouse, in a spice bazaar, on a cobblestone street, in a botanical garden
""")

NUMBERED_PLACES = listed("""
in a five-star hotel, in a two-storey house, on the third floor, on the 21st floor, at 7 Elm Street, along
Route 66, on Fifth Avenue, in room 4, in a one-room school, at gate 12, on platform 9, in a three-bedroom
apartment, on a four-lane highway, in a six-seat airplane, under a thousand stars, in a two-car garage, in
front of a seven-arched bridge, in a three-star restaurant, at a four-way intersection, on the second floor,
in a one-horse town, in studio 54, next to a 20-foot sculpture, at the 5th hole of a golf course, in a
12th-century abbey, in front of a 3D printer, on a two-hundred-year-old farm, at number 10, on pier 39, in a
four-poster bedroom, by a two-way mirror, in hangar 7, in a first-class compartment, in a second-hand
bookshop, on a three-masted ship, on a one-way street, in lane 3, in a five-sided courtyard, at a six-burner
stove, at a round table set for eight, on a bench for four, in a double-decker bus
""")

TIMES = listed("""
at sunset, at dawn, at night, at noon, in the morning, on a rainy day, on a foggy morning, in summer, in
winter, in autumn, during a storm, after the rain, before the show, at midnight, at golden hour, on New
Year's Eve, on a windy afternoon, in the evening, during a power cut, on market day, in spring, under a full
moon, on a hot day, on a snowy day
""")

NUMBERED_TIMES = listed("""
in the 1920s, in 1999, at 5 pm, at six o'clock, at half past three, in the year 3000, on the 4th of July, in
the two-thousands, after a three-hour hike, for the first time, after 20 years, two days before Christmas,
in the seventies, at 7 in the morning, during the second act, at four in the afternoon, ten minutes before
departure, on day three of the festival, in World War II, after winning 4-2, at the 100 meter mark, in the
second half, one winter morning, in the 21st century, at one in the morning
""")

STYLES = listed("""
cinematic lighting, soft light, black and white, film grain, bokeh background, wide shot, close-up, low
angle, high contrast, photorealistic, highly detailed, studio lighting, natural light, vintage look,
documentary style, warm colors, muted colors, vivid colors, long exposure, shallow depth of field,
professional photography, hyperrealistic, dramatic shadows, pastel tones
""")

NUMBERED_STYLES = listed("""
8k, 4k resolution, 35mm film, 50mm lens, f/1.8, shot on a 6x7 camera, 16:9, ISO 400, two-tone color palette,
three-point lighting, 1970s photograph, 3D render, one-point perspective, award-winning photo of 2019, 24mm
wide angle, split in two by light
""")

MEDIA = listed("""
a photo of, a photograph of, a picture of, an image of, a painting of, an oil painting of, a watercolor of,
a sketch of, a portrait of, a group portrait of, a candid shot of, a snapshot of, a movie still of, a wide
shot of, a drawing of, an illustration of, a black-and-white photo of, a polaroid of, a close-up of, a scene
with, an old photograph of, a poster-style picture of, a comic panel with, a magazine cover with, a vintage
postcard of, a 3D render of, a 35mm photo of
""")

ASKING = listed("""
show me, draw, I want a picture of, please generate, create an image of, make a picture with, I'd like to
see, give me a photo of, can you paint, let's see, imagine, picture, paint, generate, render, depict, design
a poster with
""")

SCENERY = listed(
    """
The light is soft and warm. | Snow is falling. | A red bus passes by. | Two dogs are barking. | The sky is
full of clouds. | Rain runs down the window. | There are three empty chairs. | Seagulls circle overhead. |
Fireworks light the sky. | Four candles burn on the table. | A black cat sleeps nearby. | The clock shows
ten past two. | Autumn leaves cover the ground. | Five balloons float above. | The walls are covered with
posters. | A train rushes past. | Smoke rises from a chimney. | Two bicycles lean on the fence. | The mood
is calm. | Steam rises from six cups. | It is early in the morning. | Nobody else is around. | No one else
is there. | There is no one in the background. | The room is otherwise empty. | Seven lanterns hang from the
ceiling. | One window is open. | A sign reads "Platform 3". | The colors are vivid.
""".replace("|", ",")
)
"""Sentences that add nobody."""

MEANWHILE = listed("""
rain falls, the sun sets, a train passes, snow falls, two dogs bark, seagulls circle overhead, three horses
graze nearby, music plays, the clock strikes twelve, waves crash, leaves fall, six lanterns glow, a storm
approaches, a cat watches, fireworks explode, the wind blows, four helicopters fly by, the kettle boils,
church bells ring, a parrot screams, a dog sleeps, a horse neighs, two owls stare from a tree, five ducks swim by, a
kitten plays with yarn, a robot sweeps the floor, bats circle above
""")
"""Clauses in which nobody does anything."""
