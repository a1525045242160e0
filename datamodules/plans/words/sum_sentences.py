"""Sentences that name several groups, which must be added up; slots are those of ``group_sentences``."""

SUM = """
{s} brings {g} {thing}
{s} gives {thing} to {g}
{s} throws {thing} to {g} {place}
{s} takes {thing} from {g}
{p} bring {g} {thing}
{p} give {thing} to {g}
{p} steal {thing} from {g}
{g} and {g} {do} around {thing}
{p} {do} with {g}
{g}, {g}
{g} and {g} {place}
{g} with {g} {place}
{g} next to {g}
{media} {g} and {g}
{g}, {g} and {g} {place}
{g} and {g}
{g} and {g}
{g}, {g}
{g} and {g} {ing}
{g}, {g} and {g}
{g} & {g} {place}
{g} and {g}, {g}
{g} w/ {g}
{g}, {g} {place}
{g}, {g}, {g}, {style}
{g} and {others} {place}
{g} and {others}
{g} {does} with {others}
{g} with {others} {place}
{g} {does} while {others} {does}
{p} {do} and {others} {does}
{p} {do}. {others} {does} nearby
{g} {does}; {others} {is} {ing}
{s}, {p} and {others} {ing}
{p} {look} and {n} {look}
{p} {ing} and {n} {ing}
{p} on the left and {n} on the right
people {place}: {n} {ing}, {n} {ing}
people {place}: {n} {look}, {n} {look} and {n} {ing}
{n} {ing}, {n} {ing}
{s} between {p}
{s} {ing} between {p} {place}
{p} with {s} in the middle
{p} standing over {s}
{g}, who {is} {toward} {g}
{g} {does}. Next to them, {g} {does}
{g} (left) and {g} (right)
{g} to the left of {g}, {ing}
{g} carrying {s} {place}
there {are} {g}. There {are} also {g}. They are all {place}
{g}. Also {g}
I see {g}, {g} and {g}
{g}, no {whom}, and {g}
{g} and {g}, but no {whom}
{g} and {g} {place}, no one else
only {g} and {g} {place}, nobody else around
{g} and {g} with {pet}
{g}, {g} and {pet} {place}
{g}, {g}, {g} and {g} {ing}
{g}, {g}, {g}, {g} and {g}
{g} who {does} with {g}
a scene in which {g} {does} and {g} {does}
could you show {g} {toward} {g}
an image where {g} {does} while {g} {does}
in the center, {g} {does}. to the left, {g}; to the right, {g}
in the center of the picture {g}; around them {g}
{g} {ing}. next to them, {g} {look}. further back, {g} {ing}
the main figures are {g} and {g}
{s}, {p} and {s} {place}
{p} share the room with {g}
{g} {ing} as {p} arrive
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
{g} {does}. {s} joins in
{g}, joined by {g}, {ing}
{g} {does}, followed by {g} and {things}
{things}, {g} and {g} {place}
{g} with {thing} and {g} with {thing}
{g} holding {thing}, {g} holding {thing}
{g} and {thing} {place}; {g} {does}
there {are} {g} and {g} {place}
there {are} {g}, {g} and also {g}
{place} there {are} {g}, and {g} {is} {ing}
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
to the left of {g} {are} {g}
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
{p} meet {g} {place}
{g} and {g} exchange {things}
a meeting of {g} and {g}
a duel: {s} against {s}, {g} watching
a conversation between {g} and {g} {place}
a race between {s} and {s}, refereed by {g}
one photo, two worlds: {g} here, {g} there
first {g}, then {g}, last {g}
{p} sit in the boat and {g} in the canoe
{g} on horses, {g} on foot
{g} at one table, {g} at another
besides {g} there {are} {g} {place}
in addition to {g}, {g} {does}
{g} got company from {g}
{g} {does} from afar as {g} {does} with {g}
{g}, {g}, {tag}, {style}
{g}, {g}, {tag}, {style}
{g}, {g}, {tag}
{g}, {g}, {g}, {tag}, {style}, {style}
{tag}, {g}, {g}
a few {whom}: {g} and {g}
some people {place}: {g}, {g} and {g}
several {whom}, {n} in all, and {g}
{g} and some {whom}, {n} altogether
{n} {ing}, {n} {look}
{g} {ing} and {g} {look}
{g} {does}. A moment later {g} and {g} arrive
the photo shows {g} in front and {g} at the back
{g} side by side with {g}
{g} {does}, and behind a window {g} {does}
{g} {ing} with {g} and {g}
{g} {look} and {g} {look}
{g} {look}, {g} {look}, {style}
{s}, {s} and {p} {place}
{s} and {p}
{p} and {s}
{p} and {p}
{p} and {p} {place}
{p} {toward} {p}
{p}, {p} and {s} {ing}
{p}, {p}, {p}
{g} {ing}, {g} waiting for {away}
{g} and {g} below a portrait of {away}
{g} {does} while {g} {does}. Nobody knows {away} yet
{g}, {thing}, {thing} and {g}
{g} with {thing}, and {g} with {thing} and {thing}
"""
