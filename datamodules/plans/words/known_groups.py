"""Whole phrases whose number of people must be known, under the terms of their tally; and words in front of plurals.

"A couple with twins" is 2 + 2, as it would be in a sentence that names the groups one by one: everybody named by a word
of their own is a term of their own.
"""

from datamodules.plans.words.grammar import barred

KNOWN: dict[tuple[int, ...], tuple[str, ...]] = {
    (1,): barred("""
an only child | a soloist | somebody in a raincoat | a bride | a groom | a solo violinist | a newborn baby |
the birthday girl | a self-portrait of a painter | the second runner in the race | the third man from the left
| the first woman on the moon | the last guest | the youngest of the brothers | one of the twins | a twin | one
half of a duo | a mother of three | a father of two | the seventh son of a seventh son | the only survivor | a
mother-to-be | the fourth musketeer | a man wearing a shirt with two women on it | somebody | someone in a hat
| a stranger
"""),
    (2,): barred("""
a couple | an elderly couple | a young couple | a married couple | newlyweds | a pair of newlyweds | twins |
identical twins | twin brothers | twin sisters | a duo | a pop duo | lovers on a first date | a duet of singers
| a pair of twins | my parents | dance partners | both parents | both grandparents | a two-man crew | a couple
in love | a couple holding hands | a loving couple | an engaged couple | a couple on their honeymoon | a
married couple in their sixties | a pair of lovers | a tag team | a set of twins | her grandparents | a
same-sex couple | my mom's parents | two strangers who look alike
"""),
    (1, 1): barred("""
a bride and groom | a bride and a groom | a husband and wife | a man and his wife | a woman and her husband | a
mother and daughter | a father and son | a mother holding her baby | a mother and her newborn | a king and
queen | a boy and a girl | a brother and sister | a woman proposing to her girlfriend | a man carrying his
bride | a groom kissing his bride | a father with his daughter on his shoulders | an old man and his grandson |
a doctor examining a patient | a teacher helping a pupil | a barber and his customer | a tennis player facing
an opponent | mom and dad | grandma and grandpa | a man and a woman | a knight and a squire | a boxer and a
trainer | a pilot and a co-pilot | a patient and a nurse | a ventriloquist and a volunteer | a judge and a
lawyer | me and my brother | my friend and I | my wife and I | me and my best friend | a selfie of me and my
sister | a woman with a baby in her arms | a man with a toddler on his back | one man, one woman | a guy and a
girl | a girl hugging her mother | a boy on his father's lap | a mother breastfeeding her infant | a bride
dancing with her father | Mr. and Mrs. Claus | a hero and a villain | a master and a pupil | a girl with her
boyfriend | a nurse pushing a man in a wheelchair
"""),
    (3,): barred("""
triplets | identical triplets | a trio | a jazz trio | a rock trio | a threesome of friends | a power trio | a
set of triplets | a family of three | a three-person crew | a folk trio | all three sisters | the three
brothers
"""),
    (2, 1): barred("""
parents with their only child | a couple with a baby | a couple and their waiter | newlyweds and a photographer
| grandparents with their only grandchild | twins and their babysitter | a couple adopting a child | twins and
their mother | a couple with their newborn | two men carrying a third | two friends and a stranger | a couple
with one kid
"""),
    (1, 2): barred("""
a boy between his parents | a mother with her twins | a father and his twin sons | a man and twice as many
women | a girl with both her parents | a doctor with an elderly couple | an only child with both parents | a
judge between two lawyers | a boxing referee between two fighters | me and my two friends | a baby and her
parents | a king with a guard on each side | a bride with a bridesmaid on either side | a priest marrying a
couple | a waiter serving a couple | a man with a child on each hand | a boy and his parents
"""),
    (1, 1, 1): barred("""
a bride and groom with a priest | a woman with her husband and son | a mother, father and child | a
grandmother, her daughter and her granddaughter | a man, his wife and their baby | a king, a queen and a jester
| a patient with a doctor and a nurse | a man, a woman and a child | a man, woman and child | a mom, a dad and
a kid | a boy, his mother and her sister | a girl, her brother and his friend | a doctor, a nurse and a patient
| a waiter, a cook and a guest
"""),
    (4,): barred("""
a quartet | a string quartet | a barbershop quartet | quadruplets | a foursome of golfers | a mixed doubles
tennis match | a family of four | a four-person crew | a bridge party of four | a rock band of four
"""),
    (2, 2): barred("""
two couples | two pairs of twins | a couple and their twins | parents with their two children | a couple with
twin girls | both sets of parents | two couples on a double date | two pairs of dancers | two men and as many
women | two pairs of skaters | twins with their parents | two pairs of newlyweds | a couple with two kids | two
pairs of brothers
"""),
    (1, 3): barred("""
a mother with her triplets | a father and his triplets | a teacher and a trio of pupils | a singer and a jazz
trio | me and my three brothers
"""),
    (3, 1): barred("a jazz trio and a singer | triplets and their nanny | three brothers and their only sister"),
    (2, 1, 1): barred("""
a couple with their son and daughter | parents with a son and a daughter | newlyweds with a priest and a
witness
"""),
    (1, 1, 2): barred("a mother, a father and their twins | a bride and groom with both their mothers"),
    (1, 1, 1, 1): barred("""
two mothers each holding a baby | two fathers with one son each | a mom, a dad, a son and a daughter | a
husband and wife with a son and a daughter | a king, a queen, a knight and a jester
"""),
    (5,): barred("""
a quintet | a wind quintet | a brass quintet | quintuplets | a family of five | a five-piece band | a
five-a-side team | a five-person crew | a boy band of five
"""),
    (2, 3): barred("""
a couple with triplets | parents and their three children | parents with triplets | a newlywed couple with
three bridesmaids | a couple and three waiters
"""),
    (4, 1): barred("a string quartet and its conductor | a family of four and their guide"),
    (2, 2, 1): barred("two couples and a waiter | a couple with their twins and a nanny"),
    (6,): barred("""
a sextet | sextuplets | half a dozen people | a family of six | a volleyball team of six | half a dozen dancers
| half a dozen children | a half-dozen friends
"""),
    (2, 2, 2): barred("three couples | three pairs of twins | three pairs of skaters | three married couples"),
    (3, 3): barred("two sets of triplets | three boys and as many girls | two trios of singers | two jazz trios"),
    (2, 4): barred("a couple and their quadruplets | two men and twice as many women"),
    (4, 2): barred("a string quartet with two dancers | a family of four and both grandparents"),
    (1, 1, 4): barred("a bride and groom with all four parents"),
    (1, 1, 1, 1, 1, 1): barred("three mothers each with a baby | three fathers with one child each"),
    (7,): barred("""
a septet | seven dwarfs | a family of seven | septuplets | a seven-piece band | a seven-person crew
"""),
    (2, 2, 2, 1): barred("three couples and a dance teacher | three pairs of twins and their nanny"),
    (2, 5): barred("parents with their five children | a couple with their quintuplets"),
    (3, 3, 1): barred("two jazz trios and a presenter | two trios and a conductor"),
    (6, 1): barred("half a dozen singers and a pianist | half a dozen pupils and a teacher"),
}  # fmt: skip
"""Phrases by the terms of their tally."""

ALONE: dict[tuple[int, ...], tuple[str, ...]] = {
    (1,): barred("""
a lone traveler | a single dancer | nobody but a janitor | no one except an old woman | a solitary figure |
just one person | a man on his own | a woman by herself | only a caretaker | 1girl, solo | 1boy, solo | 1man |
1woman | a twin without her sister | a one-man band | a guy all by himself | a hermit alone | me | just me
"""),
    (2,): barred("2girls | 2boys | just the two of us | only us two | 2girls, duo | the two of us"),
    (1, 1): barred(
        "1girl, 1boy | 1girl 1boy | only the bride and the groom | nobody but a king and his queen"
    ),
    (3,): barred(
        "3girls | 3boys | just the three of us | the three of us | all three of us | the three of them"
    ),
    (2, 1): barred("2girls, 1boy | 2boys, 1girl"),
    (1, 2): barred("1boy, 2girls | 1girl, 2boys"),
    (4,): barred("4girls | 4boys | the four of us | all four of them"),
    (2, 2): barred("2girls, 2boys"),
    (5,): barred("5girls | 5boys | the five of us"),
    (6,): barred("6girls | 6boys | the six of us"),
    (7,): barred("the seven of us"),
}
"""The same for phrases that leave no room for anybody else."""

KNOWN_BY_COUNT: dict[int, tuple[tuple[str, tuple[int, ...]], ...]] = {
    count: tuple((phrase, terms) for terms in KNOWN if sum(terms) == count for phrase in KNOWN[terms])
    for count in range(1, 8)
}
"""The first by number: phrase and terms."""
ALONE_BY_COUNT: dict[int, tuple[tuple[str, tuple[int, ...]], ...]] = {
    count: KNOWN_BY_COUNT[count]
    + tuple((phrase, terms) for terms in ALONE if sum(terms) == count for phrase in ALONE[terms])
    for count in range(1, 8)
}
"""Both by number."""

TUPLES: dict[int, tuple[str, ...]] = {
    2: ("a pair of", "a duo of", "a couple of", "a twosome of", "a pair of", "a couple of"),
    3: ("a trio of", "a threesome of"),
    4: ("a quartet of", "a foursome of"),
    5: ("a quintet of",),
    6: ("a sextet of", "half a dozen", "a half-dozen"),
    7: ("a septet of",),
}
"""Words in front of a plural that hold its number."""
GATHERINGS = (
    "group", "group", "group", "team", "cluster", "band", "squad", "party", "circle", "crew", "row", "class", "troupe",
    "line", "gang", "family", "bunch", "huddle",
)  # fmt: skip
"""What a number of people may form: "a group of five nurses", "a five-person crew"."""
MANIFOLD = {
    2: ("pairs of", "duos of", "groups of two", "rows of two"),
    3: ("trios of", "groups of three", "rows of three"),
}
"""Words for as many twos or threes: "two pairs of nurses" are 2 + 2."""
