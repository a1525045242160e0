"""What a prompt means, read by a second counter: a few lines that know nouns and numbers and nothing of the corpus."""

import random
import re
from collections import Counter

import numpy as np
import pytest

from datamodules.plan_files import MAX_PEOPLE
from datamodules.plans import uncounted
from datamodules.plans.constructions import CONSTRUCTIONS, Construction
from datamodules.plans.doings import deeds
from datamodules.plans.listings import BANDS, LISTS, listing
from datamodules.plans.sentences import Numbers, Sentence
from datamodules.plans.vocabulary import Vocabulary
from datamodules.plans.words import absent, activities, looks, no_people, things
from datamodules.plans.words.grammar import NUMBERS, plural
from datamodules.plans.words.people import COMMON, ELDERS, KIN, MEN, ROLES, WOMEN

WORDS = Vocabulary(held_out=False)
NUMBER = rf"(?:{'|'.join(NUMBERS[1:])}|\d+)"
NOUNS = (*ROLES, *COMMON, *KIN, *ELDERS)
PLURALS = "|".join(sorted(set(map(plural, NOUNS)), key=len, reverse=True))
SINGULARS = "|".join(sorted(set(NOUNS), key=len, reverse=True))
RESOLVED = r"in all|altogether|of them|in total|to be exact|in number|on the left|on the right"


def value(word):
    return int(word) if word.isdigit() else NUMBERS.index(word.lower())


def count(phrase):
    """People in a noun phrase of everyday words; 0 for anything this counter has never heard of."""
    phrase = phrase.lower().strip(" .,")
    if found := re.match(rf"(?:the )?({NUMBER})\b", phrase):
        return value(found.group(1))
    if re.match(r"(both|twins|newborn twins|twin girls|the parents)\b", phrase):
        return 2
    named = "|".join(n.lower() for n in (*WOMEN, *MEN))
    return int(bool(re.match(rf"an? (?:[\w-]+,? )*?(?:{SINGULARS})\b|mrs?\b|.*\b(?:{named})\b", phrase)))


def written(text, numbers, seed):
    """A construction's sentence and the terms of its tally."""
    family = next(f for f, some in CONSTRUCTIONS.items() if text in {c.text for c in some})
    sentence = Sentence(random.Random(seed), WORDS, numbers)
    return sentence.write(Construction(text, family, False)), [t for group in sentence.terms for t in group]


def test_the_counter_counts():
    told = {
        "two tall nurses": 2,
        "7 cooks": 7,
        "a tired, wet nurse": 1,
        "an old woman": 1,
        "both guards": 2,
        "some": 0,
    }
    assert {phrase: count(phrase) for phrase in told} == told


def test_people_of_no_number_are_refused_unless_the_number_follows(drawn):
    start = re.compile(
        rf"^(several|some|many|a few|a handful of|a group of|numerous|various) (?!toy )(\w+ )?({PLURALS})\b"
    )
    open_, resolved = 0, 0
    for example in drawn:
        text = example.prompt.lower()
        if not start.match(text) or re.match(rf"a group of {NUMBER}\b", text):
            continue
        if example.count is None:
            open_ += example.tally == "some"
        else:
            assert re.search(rf"\b{NUMBER}\b|({PLURALS})[^:]*:", text), example
            resolved += 1
    assert open_ > 60
    assert resolved > 15
    rng = random.Random(0)
    for _ in range(500):
        said = uncounted.several(rng, WORDS)
        assert not re.search(rf"\b{NUMBER}\b(?! of )", said), said
        assert re.search(rf"\b({PLURALS})\b", said), said


@pytest.mark.parametrize(
    "text", [c.text for c in CONSTRUCTIONS["elaborated"] if re.search(r"{(several|whom)}.*{T}", c.text)]
)
def test_a_number_that_follows_is_the_count(text):
    for total in range(2, 8):
        said, terms = written(text, Numbers((total,)), total)
        assert terms == []
        assert total in {value(word) for word in re.findall(NUMBER, said.lower())}, said


@pytest.mark.parametrize("slot", LISTS)
def test_a_list_names_as_many_as_its_total(slot):
    rng = random.Random(slot)
    for _ in range(200):
        total = rng.randint(*LISTS[slot])
        cuts = rng.sample(range(1, total), rng.randrange(1, min(4, total)))
        parts = np.diff([0, *sorted(cuts), total]).tolist()
        said = listing(rng, WORDS, slot, total, parts)
        assert sum(map(count, re.split(r", | and | & ", said))) == total, said


def test_a_total_is_not_added_to_what_explains_it(drawn):
    explained = [e for e in drawn if re.search(r"\{(names|each|mixed|family|pair)\}", e.construction)]
    counted = [e for e in explained if e.count is not None]
    assert len(counted) > 100
    for example in counted:
        assert example.tally == str(example.count)
        said = re.findall(rf"(?:\b{NUMBER}\b)", example.prompt.lower())
        band = BANDS.get(example.count, ("-",)) + (
            ("couple", "twins", "newlyweds", "both", "two") if example.count == 2 else ()
        )
        assert example.count in map(value, said) or any(word in example.prompt.lower() for word in band), (
            example
        )


SUMS = (
    "{p} and {p}",
    "{p}, {p}, {p}",
    "{g} and {g}",
    "{g}, {g}",
    "{g} & {g} {place}",
    "{s} and {p}",
    "{p} and {s}",
)


def test_sums_are_refused_from_eight_on_and_only_then():
    found = Counter()
    for seed in range(3000):
        rng = random.Random(seed)
        text = rng.choice(SUMS)
        slots = [slot[1] for slot in re.findall(r"\{[gps]\}", text)]
        numbers = [1 if slot == "s" else rng.randrange(1 + (slot == "p"), 7) for slot in slots]
        said, terms = written(text, Numbers(tuple(numbers)), seed)
        pieces = re.split(r", | and | & ", said)
        if len(pieces) == len(numbers) and all(
            re.match(rf"(?:the )?{NUMBER} (?:{PLURALS})$|an? ({SINGULARS})$", p) for p in pieces
        ):
            assert [count(piece) for piece in pieces] == numbers == terms, said
            found[sum(numbers)] += 1
    assert all(found[total] >= 3 for total in range(2, 13)), found


def test_every_total_from_eight_to_twelve_is_told_by_addends_that_could_be_planned(drawn):
    totals = Counter()
    for example in drawn:
        if example.construction not in {c.text for c in CONSTRUCTIONS["sum"]}:
            continue
        first = re.split(r"[.;]", example.prompt.lower())[0]
        pieces = re.findall(rf"\b({NUMBER}) (?:{PLURALS})\b", first)
        least = sum(map(value, pieces))
        if example.construction in SUMS and len(pieces) == example.construction.count("{"):
            assert (least > MAX_PEOPLE) == (example.family == "many"), example
            totals[least] += 1
    many = [e for e in drawn if e.family == "many"]
    shared = {c.text for family in ("sum", "relation") for c in CONSTRUCTIONS[family]}
    assert sum(e.construction in shared for e in many) > 0.35 * len(many)
    assert len(many) > 0.05 * len(drawn)
    assert any(total > MAX_PEOPLE for total in totals)


def test_and_within_a_look_or_an_activity_adds_nobody(drawn):
    phrases_ = (*looks.LOOKS, *looks.NUMBERED_LOOKS, *activities.ACTIVITIES, *things.COLLECTIONS)
    joined = [phrase for phrase in phrases_ if re.search(r" and |, ", phrase)]
    assert len(joined) > 40
    assert [
        p
        for p in joined
        if re.search(rf"(?:and|,) (?:an? |the |{NUMBER} )?(?:{SINGULARS}|{PLURALS})\b(?!')", p)
    ] == ["a chess king and queen"]
    for seed in range(200):
        said, terms = written("{g} {look}", Numbers((1 + seed % 7,)), seed)
        assert sum(terms) == 1 + seed % 7, said
    with_and = [e for e in drawn if e.tally.isdigit() and e.count == 1 and " and " in e.prompt.split(".")[0]]
    assert len(with_and) > 60
    assert len([e for e in drawn if re.search(r"\w+, \w+ and \w+ (" + PLURALS + r")\b", e.prompt)]) > 20


def test_group_words_stand_for_people_and_for_things(drawn):
    for word in (
        "a pair of",
        "a couple of",
        "a group of",
        "a trio of",
        "half a dozen",
        "a team of",
        "a dozen",
    ):
        rest = [e.prompt.lower().split(word, 1)[1] for e in drawn if word in e.prompt.lower()]
        people = sum(bool(re.match(rf" (?:\S+ ){{0,4}}?(?:{PLURALS})\b", text)) for text in rest)
        assert people > 2, word
        assert len(rest) - people > 0, word
    nouns = {"chess king and queen", "mother hen"}
    for phrase in things.COLLECTIONS:
        assert not re.search(rf"\b(?:{PLURALS}|{SINGULARS})\b", phrase) or any(n in phrase for n in nouns), (
            phrase
        )
    for seed in range(100):
        said, terms = written("{g} and {thing}", Numbers((3,)), seed)
        assert sum(terms) == 3, said


def test_pictures_of_nobody_are_of_many_kinds(drawn):
    none = [e for e in drawn if e.family == "none"]
    for slot in ("creature", "design", "text", "empty", "trace", "thing"):
        assert sum(f"{{{slot}" in e.construction for e in none) > 0.05 * len(none), slot
    acting = [
        e for e in none if "{creature}" in e.construction and re.search(r"\{(ing|does|do)\}", e.construction)
    ]
    nouns = "|".join([*things.ANIMALS, *things.MACHINES, *map(plural, (*things.ANIMALS, *things.MACHINES))])
    assert acting
    assert not [e for e in acting if not re.search(rf"\b(?:{nouns})\b", e.prompt, re.IGNORECASE)]
    assert len({e.prompt for e in none}) > 0.9 * len(none)
    scenes = " | ".join(p for p in (*no_people.EMPTY, *no_people.DESIGNS) if not re.search("no|without|'", p))
    assert set(re.findall(rf"\b(?:{SINGULARS})\b", scenes)) <= {"queen", "lawyer", "baby"}


def test_people_who_are_elsewhere_add_nobody(drawn):
    told = ("{g} with a photo of {away}", "{g} waiting for {away} {place}", "{g} on the phone with {away}")
    more = 0
    for seed in range(300):
        total = 1 + seed % 7
        said, terms = written(told[seed % 3], Numbers((total,)), seed)
        assert sum(terms) == total, said
        more += len(re.findall(rf"\b{NUMBER} (?:\S+ )?(?:{PLURALS})\b", said.lower())) > (total > 1)
    assert more > 60
    places = [
        p for p in absent.NAMED_PLACES if re.search(rf"\b(?:{SINGULARS}|{PLURALS}|{NUMBER})\b", p.lower())
    ]
    assert len(places) > 12
    assert sum(" on the phone" in e.prompt or "statue of" in e.prompt for e in drawn) > 60


def test_deeds_that_name_absent_people_come_last():
    """Who is there would not be told by "a cook waiting for two guests and a nurse sleeping"."""
    begins = {deed.split(" {away}")[0].split()[0] for deed in absent.ABSENT_DEEDS}
    assert {"phone", "wait", "dream"} <= begins
    for seed in range(400):
        rng = random.Random(seed)
        assert "{" not in "".join(deeds(rng, WORDS, 2))
        said, _ = written("{g} {ing}, {g} {ing}", Numbers((2, 3)), seed)
        elsewhere = (
            r"(statue|photo|portrait|poster) of|letters? (to|from)|the phone|waiting for (?!a bus)|dreaming"
        )
        assert not re.search(elsewhere, said.split(",")[0]), said
