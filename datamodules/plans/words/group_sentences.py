"""Sentences that name everybody, group by group.

{g} a group of any size, {s} one person, {p} two or more, {person} somebody by name, {+2:both parents} these people;
{rel} "her two sons", {rel2} "his two sons" of whom the last were, {kin} "two sons", {owner} "the baker's" (who is
not there), {others} "two others", {n} a number alone; {pet} "her two dogs"; {ing}, {does}, {do} an activity; {is}
and {does} agree with the group before, {are} with the one that follows; {away} people who are not there, {trace}
what tells of them, {whom} people of no number, {creature} animals or machines, {tag} a place as a keyword; {T} the
number of everybody and {N} the same with a noun, where no group is named.
"""

SIMPLE = """
{media} {g} {ing} {place}
{g} with {thing} {place}
{g} in front of {things}
{g}
{g}
{g}
{g}
{g} {place}
{g} {place}
{g} {ing}
{g} and no one else {place}
{g}, no other people
{g} but no {whom}
{g} {ing}, no {whom} in sight
no {whom}, only {g} {place}
nobody but {g} {place}
nobody {place} except {g}
{place}, {g} and nobody else
{g} {place}, without any {whom}
no {whom} here, just {g}
{s} and {pet} {place}
{s} with {pet}
{g} walking {pet} {place}
{s} {ing} with {pet}
{s} {does} while {few} {animals} watch
{g} {does} as {few} {animals} run past
{g} {does}, {thing} on the ground
{owner} {kin} {ing} {place}
{owner} {kin} {place}
{media} {owner} {kin}
just {g}, {ing}
{g} doing something: {ing}
{g}, full body, {style}, {style}
{style}, {style}, {g}, {place}
{T} people {ing}, {style}
a crew of {T}, {ing} {place}
a group of {T} {ing} {place}
a team of {T} {kids} {ing}
a family of {T} {ing} {place}
{p}, one of them {ing}
both of them, {+2:husband and wife}, {do}
could you show {g} {ing} {place}
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
there {are} {g} {place}
{place} there {are} {g} {ing}
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
{style}, {media} {g}
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
{g} {time}
{N} {time}
{N}
{N}
{N}
{g}, {tag}, {style}
{g}, {tag}, {style}
{g}, {tag}, {style}, {style}
{g}, {tag}, {style}, {style}
{g}, {tag}
{N}, {tag}, {style}
{N}, {tag}, {style}
{N}, {tag}, {style}, {style}, {style}
{N}, {tag}, {style}, {style}, {style}
{tag}, {g}, {style}
{style}, {tag}, {N}
{g} {look}
{N} {look} {place}
{g} {look}, {ing}
{g} in front of a statue of {away}
{g} with a photo of {away}
{g} and a poster of {away} {place}
{g} next to {trace}
{trace}; beside it, {g} {place}
{g} looking at {trace}
{g} {place}; on the wall, a picture of {away}
{g} {does}, thinking of nobody
{g} on the phone with {away}
{g} waiting for {away} {place}
{g} with a letter from {away}
{g}, dreaming of {away}, {style}
a portrait of {g}, with {thing}, {thing} and {thing}
{g} with {thing}, {thing} and {thing}
{g} and {thing}
{g} beside {creature}
{creature} and {g} {place}
{g} {does} with {creature}
{s} and {creature}, {style}
"""

RELATION = """
{s} with {rel} {place}
{s} and {rel} {place}
{person}, {person} and {g} {place}
{s} and {rel}
{s} and {rel}
{person} and {person}
{person} and {person}
{s}, {rel} and {rel2}
{s}, {rel} and {rel2} {place}
{person}, {rel} and {rel2} {ing}
{person}, {rel} and {rel} {place}
{s} with {rel} and {rel}
{s} with {rel} and {rel} {place}
{s}, {rel} and {rel}
{s} and {rel} meet {s} and {rel}
{s} and {rel} with {pet}
{s}, {rel} and {pet} {place}
{person} and {rel} walk {pet}
{person} with {pet} and {rel}
{owner} {kin} and {g} {place}
{owner} {kin} with {g}
{owner} {kin} and {owner} {kin} {ing}
{s} and {rel}, no one else
{person} and {others} {place}
{person}, {person} and {others}
{person} {does} with {others}
{s} and {rel}, {g} in the background
{rel} and {rel2} {ing} {place}
a family: {s}, {rel} and {rel}
{person} and {person} with {rel}
{person}, {person}, {person}, {person} and {person}
{person} & {person} {place}
{person} + {person}, {style}
{s} holding {rel}
{s} kisses {rel} {place}
{s} says goodbye to {rel}; {g} {does}
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
{+1:a mother}, {+1:a father} and their {kin} {place}
{+2:both parents} with their {kin}
{+2:a couple}'s wedding day with {g} and {s}
on stage, {person} sings and {p} dance
"""
