"""Sentences that give a total: explained by its parts, of which only a part counts, or from which some are taken away.

{T} how many can be seen, {N} the same with a noun; {=g} a part of them, told a second time, {=n} its number alone,
{part} a smaller number of them; {more} a larger number; {M} the noun phrase of more people, {m} their number, {k}
how many of them cannot be seen, {M+1} one more; {few} a number of things; {isk}, {kids}, {objects} agree with the
number before; {names}, {each}, {pair}, {mixed} and {family} everybody one by one (``listings.py``), {band} a word
for as many ("a trio"), {several} and {whom} people whose number follows.
"""

ELABORATED = """
{N}, one {ing}, the other {ing}
{T} people, {=g} and {=g}
{T} people: {=g} and {=g}
{N} {place}, {=n} {ing} and {=n} {ing}
{N}: {=n} {look}, {=n} {look}
{N}: {=n} {ing}, {=n} {ing} and {=n} {look}
{N}, {=n} in front and {=n} behind
{N}, {=n} on the left and {=n} on the right {place}
{T} people, {=n} {ing}, {=n} {ing}
{T} people {place}: {=n} of them {look}, {=n} {look}
a family of {T}: {=g} and {=g}
a group of {T} {place}: {=g}, {=g}
a group of {T} people, {=n} {adj} and {=n} {adj}
{N}, {=n} {adj}, {=n} {adj}
{N} {ing}, {=n} of them {adj} and {=n} {adj}
not {few} {kids} but {N} {place}
instead of {few} {kids}, {N} {do}
{N}, no {whom}, and {few} {animals}
{N}, {part} of them with {few} {objects} each
{N} and their {few} {animals}
{N}, one {ing}, the other {ing}
{N}: one {look}, the other {ing}
{N}. One is {ing}, the other is {ing}
{N} {place}, one with {thing}, the other without
{N} facing each other, one {ing}, the other {ing}
{N}: one {ing}, one {ing} and one {ing}
{N}: the first {ing}, the second {ing}, the third {ing}
{N} {place}. The first one is {ing}, the second {ing} and the third {ing}
{T} people {place}: {=g}, {=g} and {=g}
{T} people {place}: {=g} and {=g}
{T} people: {=g} and {=g}
{T} people, {=g} and {=g}
{T} people in all: {=g}, {=g} and {=g}
there are {T} people {place}: {=g} and {=g}
{N}: {=g} and {=g}
a team of {T} people: {=g} and {=g}
{N}, {part} of them {ing}
{N}, {part} of them {ing} and the others {ing}
{N} {place}, {part} of them {look}
{N} {do}. {part} of them {isk} {ing}
{N} {do}; {part} of them {isk} {ing}
{N}, {part} {ing}, the rest {ing}
{N}, {part} of whom {isk} {ing}
{N}, including {part} {kids}
{N}, among them {part} {kids}
{N} ({part} {kids}) {place}
{N} {do}, {part} with {thing}
{N} {place}, each with {thing}
{N} on {T} {objects}
{N} with {T} {objects} between them
{N} sharing {few} {objects}
{N} and {few} {objects}
{N} {place} with {few} {objects} and {thing}
{N} {do}. They have {few} {objects}
{N} {do}, {few} {objects} behind them
{few} {objects} and {N} {place}
{few} {objects} stand around, {N} {do}
next to {few} {objects}, {N} {do}
{few} {objects}, {few} {objects} and {N}
{N}: the first is {ing}, the others {do}
{N}. One is {ing}, the others are {ing}
{N}. The tallest is {ing}
{N}, the youngest in front
{N}, one behind the other
{N}, all of them {ing}, {style}
{N} seen from behind, one of them turning around
{N} forming two lines
{N} split into two teams
{N} in {few} rows of {objects}
{N} {do} {time}, {part} of them for the first time
{N} {do}, {part} at a time
all {T} of the {kids} {do}
all {T} friends {do} {place}
{media} {N}, {part} of them {ing}
{media} {T} people, {part} of them {look}
{media} {N} with {few} {objects}
{ask} {N} with {few} {objects}
{ask} {N}, {part} of them {ing}
{few} {animals} and {N}
{N} {toward} {few} {animals}
{N} feeding {few} {animals} {place}
{few} {animals} run past {N}
{N} with their {few} {animals}
{N} {place}; {few} {animals} watch them
no {whom}, just {N} {place}
there is nobody here but {N}
{T} people, {each}
{T} people, {each}
{T} people: {each} {place}
{T} people {place}, {each}
{T} friends, {names}
{T} friends {place}: {names}
{N}, {names}
{N}: {names} {place}
{N} called {names}
{N}, whose names are {names}, {do}
{N} ({names}) {ing}
{N}. Their names are {names}
a group of {T}: {each}
a group of {T}: {names}
{band} of {each}
{band} of {each} {place}
{band}: {each}
{band}: {names}, {style}
{band}, {names}, {ing} {place}
a couple, {pair}
a couple, {pair}, {ing} {place}
an elderly couple, {pair}, {place}
twins, {pair}
twins {place}: {pair}
newlyweds, {pair}, {ing}
both of them, {pair}, {do}
the two of them, {pair}, {ing}
a family of {T}: {family}
a family of {T}, {family}
a family of {T} {place}: {family}
a family of {T} ({family}) {ing}
{T} relatives: {family}
{T} people: {mixed}
{T} people, {mixed}, {place}
{T} people {place}: {mixed}
a team of {T}, {mixed}
a group of {T} people made up of {mixed}
{media} {T} people: {mixed}
{ask} {T} people, {each}
{media} {N}, {names}
{several} {place}, {T} in all
{several}, {T} in all
{several} {do}, {T} altogether
{several}, {T} of them
a group of {whom}, {T} in total, {ing}
some {whom}, {T} to be exact
the {whom} {do}; there are {T} of them
{media} {whom}, {T} in number
how many {whom}? {T}, {ing} {place}
all the {whom} of the village, {T} in number, {do}
the {T} of them, all {whom}, {do} {place}
{N}, all {T} of them {look}
{N} waiting for {away}
{N} in front of {trace}
"""

PART = """
{+1:the tallest} of {more} {kids}, alone {place}
{+1:the fastest} of {more} {kids} {place}
{+1:only one} of {more} {kids} came
{+1:just one} of the {more} {kids} is left {place}
{more} tickets, {s}
of {more} {kids}, {+1:one} {does} {place}; the others have gone home
{T} of the {more} {kids} {do} {place}
{T} of {more} {kids} {ing}
{T} out of {more} {kids} made it and {do}
of the {more} {kids}, {T} {do} {place}; the others stayed at home
a table set for {more}, but only {N} sit at it
{more} seats, {T} people sitting
{more} tickets were sold but just {N} came
only {T} of the {more} expected guests {do}
{more} chairs, {N} and {thing}
a boat for {more} people with only {N} in it
{more} were invited, {T} came: they {do} {place}
room for {more}, yet {N} {do} {place}
{N} next to a sign that says "no more than {more} people"
{N} playing on a court made for {more} players
an office with {more} desks where {N} {do}
{N} win, ahead of {more} other teams who are not shown
{N} remember their {more} lost comrades {place}
{N} look at a photo on the wall
{N}, waiting for {k} more to arrive
{N} {do}; {k} more will come later
{N} thinking of {more} years of work
{N} search for {k} missing {kids}
{N} rehearse a play for {more} actors
at a desk for {more}, {N} {do}
"""

EXCLUDED = """
{M}, {k} of whom {isk} behind the camera
{M}, {k} of whom {isk} out of the picture
{M}, but {k} of them {isk} hidden from view
{M} {place}, {k} of them outside the frame
{M}, minus {k}
{M}, except {k} who stayed at home
all but {k} of the {M} {do}
{M} went hiking; {k} went home early and the rest {do}
{M}; {k} of them {isk} taking the photo
{M} without the {k} who left
{M}, {k} missing
out of {M}, {k} {isk} absent
{M}, {k} of them not in the picture
the {M} {do}, though {k} of them {isk} not to be seen
{M}, of whom {k} cannot be seen
{M} started, {k} gave up, the others {do} {place}
{M} on a bus; {k} got off; show those who are still there
{m} people minus {k}, {place}
a team of {m}, {k} of them off the pitch and out of view
a group of {m} with {k} absent
a family of {m}, but {k} of them {isk} away on a trip
a band of {m}, {k} ill at home, the others on stage
{m} people were in the room, {k} left, draw who stays
show {M}, leaving out {k}
{M}, {k} of them already gone
{M}; leave {k} of them out of the frame
one of {M+1} takes the picture, the others {do}
a photo that one of {M+1} took of the others
{M+1}, one of whom is behind the camera
{M+1}, one of them holding the camera unseen
{M+1}, one just out of shot
{M+1} minus the photographer
{M+1}, but the last of them has not arrived yet
all of the {M+1} but the tallest, who is outside
{M+1} {place}, one of them completely hidden behind a door
{M+1}, all in view except one
{ask} {M}, {k} of whom {isk} out of view
{media} {M}, {k} of them missing
{media} {M+1}, taken by one of them
"""
