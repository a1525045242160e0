"""Sentences that give a total of which only a part counts, or nothing that can be counted.

{T} how many can be seen, {N} the same with a noun; {=g} a part of them, told a second time, {=n} its number alone,
{part} a smaller number of them; {more} a larger number; {M} the noun phrase of more people, {m} their number, {k} how
many of them cannot be seen, {M+1} one more; {few} a number of things; {big} and {half} numbers that lead beyond seven;
{isk}, {kids}, {objects} agree with the number before.
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
{N}, no {kids}, and {few} {animals}
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
no {kids}, just {N} {place}
there is nobody here but {N}
"""

PART = """
{+1:the tallest} of {more} {kids}, alone {place}
{+1:the fastest} of {more} {kids} {place}
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
everyone of the {M+1} but the tallest, who is outside
{M+1} {place}, one of them completely hidden behind a door
{M+1}, all in view except one
{ask} {M}, {k} of whom {isk} out of view
{media} {M}, {k} of them missing
{media} {M+1}, taken by one of them
"""

NONE = """
{empty}
{empty}, {style}
{media} {empty}
{ask} {empty}
{empty} {time}
{things} {place}
{thing} {place}, {style}
{things} and {things}
{media} {things} {place}
{ask} {thing} and {things}
{place}, nobody, just {things}
{thing} {place} with no one around
zero people {place}
0 people, {place}
no people, only {things}
{few} {animals} {ing2} {place}
{media} {few} {animals} without any humans
{place} {time}
{place}, without people
"""

MANY = """
{big} {kids} {ing} {place}
{big} {kids} {place}
{big} people {ing}
{media} {big} {kids}
{ask} {big} people {place}
{big} {kids} and {few} {kids} {place}
{few} {kids} with {big} {kids}
{half} {kids} and {half} {kids} {place}
{half} {kids} {toward} {half} {kids}
{half} {kids}, {half} {kids} and {half} {kids}
a choir of {big} {kids}
a group of {big} {kids}, {part2} of them {ing}
a family of {big} at dinner
{media} {half} {kids} with {half} {kids}
{s} in front of {big} {kids}
{big} people, {few} {animals}
"""

OPEN = """
{s} in front of {crowd}
{g} and {vague} {place}
{s} surrounded by {vague}
{g} performing for {crowd}
{vague} and {g} {ing}
{s} {toward} {vague}
{crowd} {place}
{crowd} {ing2} {place}
{crowd}
{media} {crowd}
{media} {vague} {place}
{ask} {vague} {ing}
{ask} {crowd}
{vague} {ing} {place}
{vague} {place}
{vague}, {style}
{vague} with {few} {animals}
{vague} around {few} {objects}
{crowd} {time}
{vague} {ing}
"""
