"""People who are told of and cannot be seen: on the phone, in a picture on the wall, in somebody's mind, in a name.

{away} are people who are not there.
"""

from datamodules.plans.words.grammar import barred

ABSENT_DEEDS = barred("""
phone {away} | talk to {away} on the phone | think of {away} | dream of {away} | wait for {away} | miss {away} | write
a letter to {away} | read a letter from {away} | read a book about {away} | look at a photo of {away} | hold a framed
photo of {away} | carry a portrait of {away} | stand next to a statue of {away} | lean against a statue of {away} |
hang up a poster of {away} | point at a poster of {away} | follow the footprints of {away} | pray for {away} |
remember {away} | search for {away} | buy a present for {away} | bake a cake for {away} | listen to a record by {away}
| visit the grave of {away} | knit a scarf for {away} | write a song about {away} | stare at a painting of {away} |
send a postcard to {away} | tell a story about {away} | sit below a portrait of {away} | unwrap a gift from {away} |
scroll through pictures of {away} | watch a film about {away} | worry about {away} | pack a bag for {away} | set the
table for {away}, who will come later
""")
"""What people do with others who are elsewhere."""

ABSENT_THINGS = barred("""
a statue of {away} | a framed photo of {away} | a poster of {away} | a painting of {away} | a letter from {away} | the
footprints of {away} | a bust of {away} | the shadow of a statue of {away} | a book about {away} | a newspaper with a
photo of {away} | the luggage of {away} | a mural of {away} | a puppet of {away} | a wax figure of {away} | a chair
reserved for {away} | a postcard from {away} | a screen that shows {away} | a stamp with the face of {away}
""")
"""Things that tell of people."""

NAMED_PLACES = barred("""
at St. John's Hospital | in front of St. Mary's Church | at Brothers & Sons Bakery | at Three Sisters Pizza | at Two
Guys Burgers | in the Seven Sisters Inn | at King's Cross station | at the Queen's Theatre | in Prince's Park | in
front of the Four Fathers Monument | at Mother Teresa School | in the Twin Cities | at Old Man's Creek | at Lady Lake
| at the Crazy Cook Diner | in a pub called The Two Monks | in a bar named Five Friends | on Doctors' Square | at the
Singing Sailor hotel | at Children's Corner | in a shop called Mr. and Mrs. Green | on Fisherman's Quay | at Boys &
Girls Club Number 6 | at Maria's Cafe | in Abraham Lincoln High School | on Martin Luther King Street | at Dr. Weber's
Clinic | in front of the Three Kings Hotel | at Grandma's Kitchen restaurant | in the Hall of Heroes
""")
"""Places with people in their names."""
