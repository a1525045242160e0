"""How prompts are worded: agreement, length, keywords, words that hold a number."""

import random
import re
from collections import Counter

import numpy as np

from datamodules.plans import phrases
from datamodules.plans.words import captions
from datamodules.plans.words.grammar import NUMBERS, plural
from datamodules.plans.words.known_groups import ALONE_BY_COUNT, KNOWN_BY_COUNT
from datamodules.plans.words.people import COMMON, ELDERS, KIN, ROLES

NOUNS = (*ROLES, *COMMON, *KIN, *ELDERS)
PLURALS = "|".join(sorted(set(map(plural, NOUNS)), key=len, reverse=True))
SINGULARS = "|".join(sorted(set(NOUNS), key=len, reverse=True))


def test_verbs_articles_and_looks_agree_with_their_number(drawn):
    several = rf"\b(?:{'|'.join(NUMBERS[2:13])}|[2-9]) (?:[\w-]+ )?(?:{PLURALS})"
    wrong = {
        "two nurses is": rf"(?<!one of the )(?<!left of ){several} (?:is|has|was)\b",
        "a nurse are": rf"^(?:a|an|one) (?:[\w-]+ )?(?:{SINGULARS}) (?:are|have|hold|wave|sit|carry)\b",
        "there is two": rf"\bthere is (?:the )?(?:{'|'.join(NUMBERS[2:13])}|[2-9])\b",
        "they is": r"\b(?:they (?:is|has)|(?:he|she) (?:are|have))\b",
        "a apple": r"\ba (?!one|uni|eu|use)[aeiou]\w*|\ban (?!8|11|18)[^aeiou\W]",
        "marks": r"\?\.|\.\.\w|\s,|  |[{}\0]",
        "they are with": r"\b(?:is|are) with\b",
        "a nurse in hats": rf"^an? (?:{SINGULARS}) (?:in (?:hats|helmets|suits)|wearing (?:masks|aprons))\b",
        "a nurse hugs": rf"^an? (?:{SINGULARS}) (?:hugs|gathers|shakes hands|holds hands|lines up)\b",
    }
    for name, pattern in wrong.items():
        found = [
            e.prompt for e in drawn if re.search(pattern, e.prompt.lower()) and e.construction != "{text}"
        ]
        assert not found, (name, found[:3])


def test_captions_are_long_and_mention_their_people_again(drawn):
    lengths = np.array([len(e.prompt.split()) for e in drawn])
    assert np.mean(lengths <= 4) > 0.02
    assert np.mean(lengths >= 40) > 0.06
    assert 70 <= lengths.max() <= 130
    again = (
        r"the (?:tall|short|old)er (?:one|of)|the tallest one|the one (?:in|on)|the two of them|both of them"
    )
    assert sum(bool(re.search(again, e.prompt.lower())) for e in drawn) > 60
    said = " ".join((*captions.ATMOSPHERE, *captions.TECHNIQUE))
    assert set(re.findall(rf"\b(?:{SINGULARS}|{PLURALS})\b", said)) <= {"photographer", "queen", "people"}


HAND_CHECKED = {
    2: ("an elderly couple", "newlyweds", "twins", "both parents", "a duo"),
    3: ("triplets", "a trio", "the three of us"),
    4: ("a quartet", "a family of four", "quadruplets", "a couple and their twins"),
    5: ("a quintet", "a couple with triplets", "a five-piece band"),
    6: ("a sextet", "half a dozen people", "three couples"),
}


def test_words_that_hold_a_number(drawn):
    beside = {phrase for known in KNOWN_BY_COUNT.values() for phrase, _ in known}
    assert not [phrase for phrase in beside if re.search(r"of (us|them)$", phrase)], (
        "who else would be there?"
    )
    for total, told in HAND_CHECKED.items():
        assert set(told) <= {phrase for phrase, _ in ALONE_BY_COUNT[total]}
    pairs = {
        rf"^(?:the )?half a dozen (?:{PLURALS})$": "6",
        r"^a (?:3|three)-(?:person|member|piece|strong) \w+$": "3",
        r"^a (?:4|four)-(?:person|member|piece|strong) \w+$": "4",
        rf"^both (?:{PLURALS})$": "2",
        rf"^a handful of (?:{PLURALS})$": "some",
        rf"^(?:a|one) dozen (?:{PLURALS})$": "many",
        rf"^(?:a|the) (?:mother|father|aunt) and (?:her|his|their) (?:3|three) (?:{PLURALS})$": "1 + 3 = 4",
    }
    seen = Counter()
    for example in drawn:
        for pattern, tally in pairs.items():
            start = re.split(r"[,.]| (?:in|on|at|with) ", example.prompt.lower())[0]
            if re.match(pattern, start) and "+" not in example.tally.replace("1 + 3", ""):
                assert example.tally == tally or example.family == "many", example
                seen[pattern] += 1
    assert len(seen) >= 4, seen


def test_keywords_capitals_and_marks_vary(drawn):
    assert sum("{tag}" in e.construction for e in drawn) > 0.02 * len(drawn)
    ends = Counter(e.prompt[-1] in ".?!" for e in drawn)
    assert 0.2 < ends[False] / len(drawn) < 0.7
    assert sum(e.prompt.endswith(",") for e in drawn) > 10
    assert 0.1 < np.mean([e.prompt == e.prompt.lower() for e in drawn]) < 0.5
    rng = random.Random(0)
    assert {phrases.number(rng, 3) for _ in range(40)} == {"3", "three"}
