"""What people do, and the posture it asks for."""

from datamodules.plans.words.grammar import barred, listed

ACTIVITIES = barred("""
wait | talk | laugh | smile | - / argue | whisper | dance | sing | read a newspaper / read newspapers | drink coffee |
sip tea | eat lunch | - / share a pizza | cook dinner | wash dishes | chop vegetables | bake bread | set the table |
sit on a bench | sit on the floor | sit at a table | sit on the stairs | - / sit in a circle | sit by a campfire / sit
around a campfire | - / stand in line | - / stand side by side | - / stand back to back | stand under an umbrella |
stand by the window | lean against a wall | walk | walk along the shore | walk through the rain | - / walk hand in
hand | run | run a race | jog | jump | jump over puddles | jump for joy | kneel | kneel in prayer | crouch behind a
wall | crouch over a map / crouch around a map | lie on the grass | lie in the sun | sleep | nap under a tree | wave |
wave goodbye | wave at a ship | cheer | clap | applaud | raise a hand / raise their hands | raise a glass / raise
their glasses | celebrate | celebrate a birthday | blow out candles | open presents | take a selfie | take pictures |
pose | pose for a photo | pose with a trophy | hold a banner | - / hold hands | hold an umbrella / hold umbrellas |
hold a lantern / hold lanterns | carry a box / carry boxes | carry a backpack / carry backpacks | carry a canoe | push
a broken car | pull a rope | paint a fence | paint a wall | plant a tree | plant flowers | water plants | pick apples
| pick grapes | harvest wheat | feed ducks | feed pigeons | walk a dog | wash a car | repair a bicycle | repair a roof
| build a sandcastle | build a snowman | fly a kite / fly kites | play chess | play cards | play football | play
basketball | play the guitar | play drums | play video games | - / play hide and seek | practice yoga | practice
karate | lift weights | stretch | meditate | pray | study | study a map | study for an exam | write letters | write on
a board | look at the stars | look out of the window | look at a painting | look through a telescope | watch a film |
watch the sunset | watch television | listen to music | listen carefully | - / discuss a plan | - / discuss the news |
plan a trip | - / debate | - / negotiate | - / shake hands | - / hug | - / high-five | - / chat | - / gossip | tell
stories | tell jokes | cry | shiver in the cold | warm both hands / warm their hands | huddle under a blanket | toast
marshmallows | grill sausages | have a picnic | have breakfast | - / have a meeting | - / have a snowball fight | shop
for clothes | try on a hat / try on hats | buy fruit | sell vegetables | - / queue for tickets | board a train | wait
for a bus | ride a bicycle / ride bicycles | ride a horse / ride horses | row a boat | paddle a raft | surf | swim |
dive | fish | ski | skate | climb a ladder | climb a rock face | hike | pitch a tent | gather firewood | dig a hole |
sweep the floor | mop the floor | fold laundry | knit | sew | weave baskets | make pottery | carve wood | sculpt |
sketch | draw with chalk | juggle | - / perform a play | rehearse | - / act out a scene | march | salute | guard a
gate | inspect an engine | weld metal | examine samples | take notes | give a speech | present a project | type on a
laptop / type on laptops | answer the phone / answer phones | sort mail | load a truck | unload crates | stack bricks
| pour concrete | measure a plank | polish shoes | cut hair | arrange flowers | decorate a cake | decorate a tree |
hang pictures | light candles | pour wine | serve soup | taste wine | blow bubbles | throw confetti | catch a ball |
kick a ball | stare into the distance | point at the sky | point at a map | bow | curtsy | yawn | frown | grin | think
| relax | rest | exercise | train | - / compete | race | - / wrestle | fence | hum a tune | beatbox | rap | play the
violin / play violins | play the piano | tune a guitar / tune their instruments | - / line up | - / gather | eat fish
and chips | eat bread and cheese | - / play rock, paper, scissors | walk up and down | practice scales and chords |
sell apples, pears and plums | pack a hat, a coat and gloves / pack hats, coats and gloves | buy milk, eggs and butter
| mix salt, flour and water | play cat's cradle | - / play tug of war | put on a hat and a scarf / put on hats and
scarves | beat eggs and sugar | sing a song about rain and wind | read a children's book | watch a puppet show |
admire a flock of birds | pick a bunch of flowers | pack a couple of suitcases | carry a pair of boots | photograph a
herd of sheep | feed a family of ducks | build a snow castle | dress a mannequin | polish a pair of shoes
""")
"""Verb phrases without subject. Two forms are for one and for several people; "-" is what nobody does alone."""

HELD_AT = listed("""
interviewed by, photographed by, watched by, guarded by, surrounded by, served by, taught by, accompanied
by, flanked by, led by, followed by, joined by, greeted by, guided by, entertained by, comforted by, coached
by, filmed by
""")
"""What others do to somebody."""

TOWARDS = listed("""
talking to, looking at, listening to, waving at, arguing with, dancing with, laughing with, sitting next to,
standing behind, kneeling before, walking past, running after, helping, teaching, serving, interviewing,
photographing, chasing, greeting, hugging, pointing at, playing with, standing opposite, leaning on, shaking
hands with, drawing, standing in front of, sharing a table with, performing for, cooking for, carrying,
applauding, bowing to, singing for
""")
"""What somebody does to others."""

TOWARDS_FINITE = listed("""
watch, teach, serve, interview, photograph, greet, help, comfort, applaud, guard, examine, hug, chase, feed,
paint, welcome, thank, follow, lead, entertain, train, join, coach, film, ask, kiss, push, catch, visit,
warn, scold, praise, sketch, measure, dress, wake, rescue, arrest, judge, bless, pay, beat, fight, lift, tickle,
console, instruct, advise, direct, bandage, massage, carry, protect, hand out tea to, sing to, read to, shout at,
bump into, dance around, play music for, take a picture of, look after, deliver a parcel to, argue with, wave to
""")

_POSTURES = (
    ("sitting", ("sit", "read", "eat", "have", "study", "play chess", "play cards", "drink", "sip", "type", "meditate",
                 "share", "knit", "sew", "row", "paddle", "watch television", "watch a film", "play video")),
    ("kneeling", ("kneel", "pray", "plant", "propose")),
    ("crouching", ("crouch", "huddle", "dig", "draw with", "build a s", "gather fire")),
    ("lying", ("lie", "sleep", "nap")),
    ("walking", ("walk", "march", "hike", "carry")),
    ("running", ("run", "jog", "race", "chase")),
    ("jumping", ("jump",)),
    ("dancing", ("dance", "perform", "skate")),
    ("waving", ("wave",)),
    ("arms_raised", ("cheer", "raise", "celebrate", "throw")),
    ("bowing", ("bow", "curtsy")),
    ("pointing", ("point",)),
)  # fmt: skip


def posture(activity: str) -> str:
    """The tiny world's action that looks most like an activity; most people stand.

    >>> posture("sit on a bench"), posture("wave goodbye"), posture("sing")
    ('sitting', 'waving', 'standing')
    """
    return next((name for name, starts in _POSTURES if activity.startswith(starts)), "standing")
