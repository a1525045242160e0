"""Sentences of nobody, of too many, and of people whose number is left open.

Slots are those of ``group_sentences`` and ``total_sentences``, and: {creature} animals or machines that do
something, {trace} what is left of people or tells of them, {design} logos and maps, {text} no picture at all;
{several} people of no number ("some nurses"), {theirs} the same as relatives ("her children"), {eight} words for
more than seven ("an octet of singers"), {big} and {half} numbers that lead beyond seven.
"""

NONE = """
{empty}
{empty}
{empty}, {style}
{media} {empty}
{ask} {empty}
{empty} {time}
{empty} and {thing}
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
{creature} {does}
{creature} {does} {place}
{creature} {ing}
{creature} {ing} {place}
{creature} {ing} {place}, {style}
{creature} {does} while {creature} {does}
{creature} and {creature} {do} {place}
{creature} and {creature}
{creature} with {thing}
{media} {creature} {ing}
{ask} {creature} {ing} {place}
{creature}, {thing} and {things}
{creature} {look}
{creature} {look} {place}
{creature} next to {trace}
{design}
{design}
{design}, {style}
{ask} {design}
{media} {design}
{design} with {things}
{text}
{text}
{text}
{text}
{text}
{trace}
{trace} {place}
{trace} and {thing}
{trace}, {style}
{thing} next to {trace}
{trace} on an empty wall
{media} {thing} and {trace}
there is nobody {place}, only {thing}
the people have left, only {things} remain {place}
{several} were here yesterday, now only {thing} is left
no {whom}, only {things}
neither {whom} nor animals, just {empty}
{empty} before {several} arrive
{empty}, where {several} will meet tomorrow
{tag}, nobody, {style}
{tag}, {style}, {style}, no people
{thing}, {tag}, {style}
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
{big} {kids}
{big} {kids} {do}
{big} {kids}, {tag}, {style}
{eight}
{eight} {place}
{eight} {ing}
{media} {eight}
{g} and {eight}
{several}, {big} in all
{several} {place}, {big} altogether
"""

OPEN = """
{s} in front of {crowd}
{g} and {vague} {place}
{s} surrounded by {vague}
{g} performing for {crowd}
{vague} and {g} {ing}
{s} {toward} {vague}
{crowd} {place}
{crowd} moving slowly {place}
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
{several}
{several}
{several} {place}
{several} {place}
{several} {ing}
{several} {ing} {place}
{several} {do}
{several} {do} {place}
{several} {do} while {meanwhile}
{several}, {style}
{several}, {tag}, {style}
{media} {several}
{media} {several} {ing} {place}
{ask} {several} {place}
{several} with {thing}
{several} with {few} {animals}
{place}, {several} {do}
{several} and {several} {place}
{several} and {several}
{several}, {several} and {g}
{several} {toward} {several}
{several} {toward} {g}
{several} {do} while {g} {does}
{several} and {g}
{several} with {g} {place}
{several}, {few} of them {look}
{several}, one of them {ing}
{several} and {g}, {few} {objects}
{g} and {several} {place}
{g} and {several}
{g} with {several} {ing}
{g} {toward} {several}
{g} {toward} {several} {place}
{g} {does} while {several} {do}
{g}, {g} and {several}
{g}, {several}
{g} next to {several} and {g}
{g} among {several} {place}
{g} {look}, {several} {look}
the {whom} {do} {place}
the {whom} and {g}
{s} and {theirs}
{s} and {theirs} {place}
{s} with {theirs}
{s} {toward} {theirs} {place}
{s}, {theirs} and {g}
{person} and {theirs} {place}
{owner} {whom} {ing}
{part2} or six {kids} {place}
at least {part2} {kids} {place}
more than {part2} {kids}
about {part2} {kids} {ing}
"""
