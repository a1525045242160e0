"""Sentences that name everybody, group by group.

{g} a group of any size, {s} one person, {p} two or more, {person} somebody by name, {+2:both parents} these people;
{rel} "her two sons", {kin} "two sons"; {ing}, {does}, {do} an activity; {is} and {does} agree with the group before;
{T} the number of everybody and {N} the same with a noun, where no group is named.
"""

SIMPLE = """
could you show {g} {ing} {place}?
a scene in which {g} {does}
an image where {g} {does}
{g} who {does} {place}
{g} that {is} {ing}
{g} alone {place}
{g} in the center of the picture
{g}, nobody else in sight
{g} {ing} {place}
{g} {ing} {place}
{g} {ing}
{g} {place}
{g} {is} {ing} {place}
{g} {does} {place}
{g} {does} while {meanwhile}
{g}, {ing}, {place}
{place}, {g} {is} {ing}
{place} {g} {does}
{place}: {g} {ing}
{time}, {g} {does} {place}
{media} {g} {ing} {place}
{media} {g} {place}
{media} {g}
{ask} {g} {ing}
{ask} {g} {place}
there {is} {g} {place}
{place} there {is} {g} {ing}
{g} with {thing} {place}
{g} and {thing} {place}
{thing} next to {g}
{things} and {g} {place}
{things} surround {g}
{g} {ing} among {things}
{g} holding {thing}
{g} {does}, {things} in the background
{g}. {place}. {style}, {style}
{g}, {place}, {style}
{style} {media} {g}
a scene {place} {time}: {g} {ing}
exactly {T} people {place}
we see {g} {ing}
the camera shows {g} {ing} {place}
{g} dressed for winter, {ing}
only {g} can be seen {place}
{g} in front of {things}
{g} {does} and then {does}
{g} {ing} like in a film, {style}
while {meanwhile}, {g} {does} {place}
{T} people {ing} {place}
{T} people {place}
{T} people, {place}, {style}
people {ing} {place}, {T} of them
a table for {T} people, every seat taken
a band with exactly {T} members on stage, {style}
group shot, {T} people, {style}
number of people: {T}. They {do} {place}
{N} {do} {place}
the {N} {do}
{N}, {ing}, nobody else
a selfie of {N} {place}
"""

SUM = """
{g} who {does} with {g}
a scene in which {g} {does} and {g} {does}
could you show {g} {toward} {g}?
an image where {g} {does} while {g} {does}
in the center, {g} {does}. to the left, {g}; to the right, {g}
in the center of the picture {g}; around them {g}
{g} {ing}. next to them, {g} {look}. further back, {g} {ing}
the main figures are {g} and {g}
{s}, {p} and {s} {place}
{g} share the room with {g}
{g} {ing} as {g} arrive
{g} and {g} {ing} {place}
{g} and {g} {place}
{g} and {g}
{g}, {g} and {g} {place}
{g}, {g} and {g} {ing}
{g}, {g}, {g} and {g} {place}
{g} {does} while {g} {does}
{g} {does} while {g} {does} {place}
{g} {does}, {g} {does}
{g} {does} and {g} {does}
{g} {does}, and {g} {does} {place}
while {g} {does}, {g} {does}
as {g} {does}, {g} {does} {place}
{g} {toward} {g}
{g} {toward} {g} {place}
{g} {toward} {g} while {g} {does}
{g} {towards} {g}
{g} {towards} {g} {place}
{place}, {g} {towards} {g}
{g} {by} {g}
{g} {by} {g} {place}
{g} next to {g}
{g} next to {g} and behind {g}
{g} beside {g}, {place}
{g} between {g} and {g}
{g} in front of {g}
{g} behind {g} {place}
{g} with {g} {place}
{g} together with {g} {place}
{g} as well as {g} {place}
{g} plus {g} {ing}
{g} along with {g}
{g} opposite {g}
{g} across from {g}, {ing}
on the left {g}, on the right {g}
{g} on the left and {g} on the right, {place}
on the left {g}, in the middle {g}, on the right {g}
in the foreground {g} {ing}, in the background {g}
{g} in the foreground, {g} further back
front row: {g}; back row: {g}
{g} in the front row and {g} in the back row
{g} {does}. Behind them {g} {does}
{g} {does} {place}. {g} {does} nearby
{g} {is} {ing}. {g} {is} {ing}. {g} {does}
{g} {does}; {g} {is} {ing}
{g} {place}, with {g} in the distance
{g} {place} and, a little further away, {g}
{g} {ing}, {g} {ing}
{g} {ing}, {g} {ing} and {g} {ing}
{place}: {g}, {g}
{place}: {g}, {g} and {g}
{media} {g} and {g}
{media} {g} and {g} {ing} {place}
{media} {g} with {g} {place}
{media} {g}, {g} and {g}
{ask} {g} and {g} {place}
{ask} {g} {toward} {g}
{ask} {g}, {g} and {g} {ing}
not only {g} but also {g} {place}
{g} {does}. {g} joins in
{g}, joined by {g}, {ing}
{g} {does}, followed by {g} and {things}
{things}, {g} and {g} {place}
{g} with {thing} and {g} with {thing}
{g} holding {thing}, {g} holding {thing}
{g} and {thing} {place}; {g} {does}
there {is} {g} and {g} {place}
there {is} {g}, {g} and also {g}
{place} there {is} {g}, and {g} {is} {ing}
{g} {look}, {g} {look}
{time}, {g} {does} and {g} {does}
{g} + {g}, {place}, {style}
{g}, {g}, {style}
{g}, {place}, {g}, {style}
{g} {does} around {g}
{g} kneeling around {g}
{g} surrounded by {g}
{g} carrying {thing} past {g}
{g} at the counter, {g} waiting behind
{g} inside, {g} outside the door
{g} upstairs at the window, {g} down in the street
some distance from {g}, {g} {does}
to the left of {g} {is} {g}
opposite {g} sits {s}, and beside {s} stands {s}
{s} stands between {p} and {s}
{s}, {s}, {s} and {s} {ing}
{s}, {s}, {s}, {s} and {s} {place}
{s} with {p}
{s} tells {p} a story
{s} shows {p} {thing}
{s} hands {thing} to {s}
{s} is lifted up by {p}
{p} listen as {s} speaks
{p} {do} for {s}
{p} {do}, cheered on by {g}
{p} are being led {place} by {s}
{g} meet {g} {place}
{g} and {g} exchange {things}
a meeting of {g} and {g}
a duel: {s} against {s}, {g} watching
a conversation between {g} and {g} {place}
a race between {s} and {s}, with {g} as referees
one photo, two worlds: {g} here, {g} there
first comes {g}, then {g}, last {g}
{g} sit in the boat and {g} in the canoe
{g} on horses, {g} on foot
{g} at one table, {g} at another
besides {g} there {is} {g} {place}
in addition to {g}, {g} {does}
{g} got company from {g}
{g} {does} from afar as {g} {does} with {g}
"""

RELATION = """
{s} and {rel} {place}
{s} and {rel} {ing}
{s} with {rel}
{s} with {rel} {place}
{s} {ing} with {rel}
{s} {toward} {rel}
{s} {towards} {rel} {place}
{s} surrounded by {rel}
{s} hugging {rel}
{s}, {rel} and {g} {place}
{s} and {rel} {toward} {g}
{g} and {s} with {rel}
{s}, accompanied by {rel}, {ing}
{s} reads to {rel}
{s} is teaching {rel} to {do}
{s} and {rel} next to {s} and {rel}
{s} with {rel}, and {s} with {rel}
{media} {s} with {rel}
{media} {s} and {rel} {place}
{ask} {s} with {rel} {ing}
{s} holds hands with {rel} while {g} {does}
{s} together with {rel} and {thing}
{s} stands behind {rel}
{s} whose {kin} {does} {place}, all in one picture
{p}, {rel} and {thing}
{p} and {rel} {ing}
{p} with {rel} {place}
{person} and {rel}
{person} with {rel} {place}
{person}, {person} and {rel}
{person}, {person} and {g} {place}
{person} {does} with {g}
{person} {towards} {g}
{person} and {person} {do} {place}
{person} and {person} {do} while {person} {does}
{person}, {person} and {person} {ing}
{person}, {person}, {person} and {person} {place}
{media} {person} and {person}
{person} shows {person} {thing}
{person} is {by} {person} and {g}
{person} met {person} and {rel} {place}
{s} visits {rel} {place}
{s} and {rel}, all wearing hats
three generations: {s}, {s} and {s}
a family portrait: {s}, {s} and their {kin}
{+2:a mother, a father} and their {kin} {place}
{+2:both parents} with their {kin}
{+2:a couple}'s wedding day with {g} and {s}
on stage, {person} sings and {p} dance
"""
