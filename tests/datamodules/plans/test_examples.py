"""Prompts and plans: what a prompt says is what its plan holds, and whole things stay out of training."""

import random
import re
from collections import Counter

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from datamodules.plan_files import MAX_PEOPLE, MIN_SIDE
from datamodules.plans import examples, phrases
from datamodules.plans.arrangement import MAX_OVERLAP, arrange, largest_overlap
from datamodules.plans.compositions import is_held_out, tally_of
from datamodules.plans.constructions import CONSTRUCTIONS, FAMILIES, REFUSED
from datamodules.plans.examples import PLAN_SPLITS, draw_example
from datamodules.plans.first_number import first_number
from datamodules.plans.listings import BANDS
from datamodules.plans.sentences import Numbers, Sentence
from datamodules.plans.vocabulary import HELD_OUT, OPEN_WORDS, Vocabulary
from datamodules.plans.words.known_groups import ALONE, ALONE_BY_COUNT, KNOWN, TUPLES
from datamodules.plans.words.people import MEN, SURNAMES, WOMEN
from datamodules.tiny_world.scenes import draw_scene

WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
EACH = 400


@pytest.fixture(scope="module")
def drawn():
    return {split: [draw_example(seed, split) for seed in range(EACH)] for split in PLAN_SPLITS}


def everything(drawn):
    return [example for split in drawn.values() for example in split]


def ways_to_say(count):
    """Every way in which a prompt may tell this number; none is asked for one person."""
    known = [re.escape(p.lower()) for terms in (*KNOWN, *ALONE) if count in terms for p in phrases_of(terms)]
    known += [re.escape(words) for words in (*TUPLES.get(count, ()), *BANDS.get(count, ()))]
    more = {2: ["twin", "both", "parents", "grandparents", "husband and wife", "a couple"], 3: ["triplets"]}
    of_each = {2: "(pairs|duos) of", 3: "trios of"}.get(count, "-")
    return rf"\b(?:{'|'.join([WORDS[count - 1], str(count), *known, *more.get(count, [])])}|{of_each})"


def phrases_of(terms):
    return (*KNOWN.get(terms, ()), *ALONE.get(terms, ()))


def test_the_sum_of_a_tally_is_the_number_of_boxes(drawn):
    for example in everything(drawn):
        if example.count is None:
            assert example.boxes.shape == (0, 4)
            terms, _, total = example.tally.partition(" = ")
            if total:
                assert eval(terms) == int(total) > MAX_PEOPLE
                assert example.family == "many"
            else:
                assert example.tally == {"none": "0", "many": "many", "open": "some"}[example.family]
            continue
        terms, _, total = example.tally.partition(" = ")
        assert eval(terms) == example.count == len(example.boxes)
        assert total in ("", str(example.count))
        assert 1 <= example.count <= MAX_PEOPLE


def test_every_number_of_a_tally_stands_in_the_prompt(drawn):
    """As a word, in digits, as "a trio of", as "newlyweds", or as so many names."""
    names = re.compile("|".join(rf"\b{re.escape(n.lower())}\b" for n in (*WOMEN, *MEN)))
    checked = Counter()
    for example in everything(drawn):
        text = example.prompt.lower()
        if example.count is None:
            continue
        terms = [int(term) for term in re.findall(r"\d+", example.tally.partition(" = ")[0])]
        wanted = terms[:1] if example.family == "excluded" else [t for t in terms if t > 1]
        for term in wanted:
            told = re.search(ways_to_say(term), text) or len(names.findall(text)) >= term
            assert told or "tallest of" in text or "fastest of" in text, (example.tally, example.prompt)
            checked[example.family] += 1
    assert set(checked) == set(FAMILIES) - REFUSED


def test_families_mean_what_they_say(drawn):
    for example in everything(drawn):
        assert (example.count is None) == (example.family in REFUSED)
        assert ("-" in example.tally) == (example.family == "excluded")
        if example.family in ("elaborated", "part"):
            assert "+" not in example.tally
    assert {e.family for e in drawn["train"]} == set(FAMILIES)
    assert {e.count for e in drawn["train"]} == {None, *range(1, MAX_PEOPLE + 1)}


def test_the_rule_is_often_wrong_and_right_on_simple_prompts(drawn):
    kept = [e for e in drawn["train"] if e.count is not None]
    right = sum(first_number(e.prompt) == e.count for e in kept) / len(kept)
    assert 0.2 < right < 0.6
    assert first_number("Route 66, two-storey house, four friends") == 66


def test_constructions_of_a_test_are_not_trained(drawn):
    trained = {
        e.construction for s in ("train", "val", "test_vocabulary", "test_compositions") for e in drawn[s]
    }
    assert not trained & {e.construction for e in drawn["test_templates"]}
    for family in FAMILIES:
        kept_out = [c.held_out for c in CONSTRUCTIONS[family]]
        assert 2 <= sum(kept_out) < len(kept_out) / 3
        times = Counter(c.text for c in CONSTRUCTIONS[family])
        assert not [c.text for c in CONSTRUCTIONS[family] if c.held_out and times[c.text] > 1], (
            "everyday speech"
        )


def test_words_of_a_test_are_not_trained(drawn):
    seen, unseen = Vocabulary(held_out=False), Vocabulary(held_out=True)
    for kind in OPEN_WORDS:
        assert not set(seen.lists[kind]) & set(unseen.lists[kind])
        assert len(unseen.lists[kind]) >= 2
    trained = " ".join(e.prompt.lower() for e in drawn["train"])
    tested = " ".join(e.prompt.lower() for e in drawn["test_vocabulary"])
    places = [place.lower() for place in HELD_OUT["place"]]
    assert not any(re.search(rf"{re.escape(place)}\b", trained) for place in places)
    assert sum(place in tested for place in places) > len(places) / 2
    everyday = "|".join(
        [r"man", r"woman", r"men", r"women", r"person", r"friend", r"friends", r"boys", r"boy"]
    )
    known = sorted((p.lower() for some in ALONE_BY_COUNT.values() for p, _ in some), key=len, reverse=True)
    fixed = "|".join(rf"\b{re.escape(phrase)}" for phrase in known)
    left = re.sub(fixed, "", tested)
    assert len(re.findall(rf"\ba ({everyday})\b(?!')", left)) == 0


def test_combinations_of_a_test_are_not_trained(drawn):
    def sums(examples):
        return {e.tally for e in examples if e.family in ("sum", "relation", "excluded")}

    assert not sums(drawn["test_compositions"]) & (sums(drawn["train"]) | sums(drawn["val"]))
    assert len(sums(drawn["test_compositions"])) >= 6
    assert {e.count for e in drawn["test_compositions"]} == {1, 3, 4, 5, 6, 7}
    assert not is_held_out((1, 1, 1), Numbers((1, 1, 1)))
    assert not is_held_out((4,), Numbers((4,)))
    assert any(is_held_out((a, b), Numbers((a, b))) for a in range(1, 6) for b in range(2, 6))


def test_training_and_validation_share_no_prompt(drawn):
    more = {draw_example(seed, "train").prompt for seed in range(EACH, 3 * EACH)}
    assert not (more | {e.prompt for e in drawn["train"]}) & {e.prompt for e in drawn["val"]}
    assert len(more) > 2 * EACH * 0.98


def test_sixty_thousand_prompts_differ_and_contradict_each_other_nowhere(monkeypatch):
    monkeypatch.setattr(examples, "arrange", lambda rng, actions: np.zeros((len(actions), 4), np.float32))
    tallies: dict[str, set[str]] = {}
    for seed in range(61_000):
        example = draw_example(seed, "train")
        tallies.setdefault(example.prompt, set()).add(example.tally)
    assert len(tallies) >= 60_000
    assert [prompt for prompt, said in tallies.items() if len(said) > 1] == []


def test_an_example_depends_on_split_and_seed_alone(drawn):
    for split in PLAN_SPLITS:
        again = draw_example(7, split)
        assert again.prompt == drawn[split][7].prompt
        assert np.array_equal(again.boxes, drawn[split][7].boxes)
    assert draw_example(0, "train").prompt != draw_example(0, "val").prompt
    with pytest.raises(ValueError, match="test_templates"):
        draw_example(0, "test")


def test_faces_are_as_large_and_as_far_apart_as_in_rendered_scenes(drawn):
    scenes = [draw_scene(seed, "train") for seed in range(60)]
    true = torch.stack([p.box for scene in scenes for p in scene.persons])
    ours = torch.cat([torch.from_numpy(e.boxes) for e in drawn["train"]])
    assert bool(((ours >= 0) & (ours <= 1)).all())
    assert float((ours[:, 2:] - ours[:, :2]).min()) > MIN_SIDE
    for part in (0, 1):
        sides = [
            (b[:, 2 + part] - b[:, part]).quantile(torch.tensor([0.05, 0.5, 0.95])) for b in (ours, true)
        ]
        torch.testing.assert_close(sides[0], sides[1], atol=0.02, rtol=0)
    overlaps = [largest_overlap(e.boxes) for e in drawn["train"] if e.count]
    assert np.mean(np.array(overlaps) <= MAX_OVERLAP) > 0.97


def test_people_stand_from_left_to_right(drawn):
    for example in drawn["train"]:
        centres = example.boxes[:, 0] + example.boxes[:, 2]
        assert (np.diff(centres) >= 0).all()
    boxes = arrange(random.Random(0), ["lying"] * 4)
    assert boxes.shape == (4, 4)


def test_the_largest_overlap_is_torchvisions():
    rng = torch.Generator().manual_seed(0)
    low = torch.rand(5, 2, generator=rng) * 0.6
    boxes = torch.cat([low, low + 0.1 + 0.3 * torch.rand(5, 2, generator=rng)], dim=1)
    expected = box_iou(boxes, boxes).fill_diagonal_(0).max()
    assert largest_overlap(boxes.numpy()) == pytest.approx(float(expected))
    assert largest_overlap(boxes[:1].numpy()) == 0


def test_sitting_people_are_lower():
    rng = random.Random(1)
    standing, sitting = (
        np.mean([arrange(rng, [action] * 3)[:, 1].mean() for _ in range(20)])
        for action in ("standing", "sitting")
    )
    assert sitting > standing + 0.05


def test_tallies():
    assert tally_of((2, 1, 3)) == "2 + 1 + 3 = 6"
    assert tally_of((3,), hidden=2) == "5 - 2 = 3"


def test_a_phrase_that_must_be_known_says_its_number():
    """What stands under a number was written by hand; numbers and relations in it must agree with it."""
    for terms in (*KNOWN, *ALONE):
        for phrase in phrases_of(terms):
            said = [WORDS.index(w) + 1 for w in re.findall(r"\w+", phrase.lower()) if w in WORDS[1:]]
            assert sum(terms) == 1 or not said or max(said) <= sum(terms), (terms, phrase)
            assert len(terms) == 1 or len(phrase.split()) > 1, (terms, phrase)
    assert "a man, his wife and their baby" in KNOWN[1, 1, 1]
    short = {p for known in ALONE_BY_COUNT.values() for p, terms in known if sum(terms) > 1}
    assert not short & {"a man", "a woman", "a king", "a mother", "a grandmother"}
    everyone = Counter(p for terms in {*KNOWN, *ALONE} for p in phrases_of(terms))
    assert everyone.most_common(1)[0][1] == 1, everyone.most_common(3)


def test_everybody_named_by_a_word_of_their_own_is_a_term_of_their_own():
    """The same words have the same tally, whether a slot or a phrase wrote them."""
    rng = random.Random(0)
    words = Vocabulary(held_out=False)
    lists = 0
    for _ in range(4000):
        count = rng.randrange(1, 8)
        named = phrases.people(rng, words, count, alone=rng.random() < 0.5)
        assert sum(named.terms) == count
        names = sum(len(re.findall(rf"(?<!\w){n}(?!\w)", named.text)) for n in (*WOMEN, *MEN))
        if names > 1:
            assert named.terms == (1,) * count
            lists += 1
        if named.text.startswith("two pairs of") and named.again:
            assert named.terms == (2, 2)
    assert lists > 50


def test_family_names_and_owners_add_nobody():
    rng = random.Random(1)
    words = Vocabulary(held_out=False)
    called = [phrases.name(rng, words)[0] for _ in range(400)]
    assert sum(name.split()[-1] in SURNAMES for name in called) > 30
    assert not set(SURNAMES) & {*WOMEN, *MEN}
    for text, tally in (("{owner} {kin} {place}", (3,)), ("{s} and {pet} {place}", (1,))):
        construction = next(c for c in CONSTRUCTIONS["simple"] if c.text == text)
        for seed in range(30):
            sentence = Sentence(random.Random(seed), words, Numbers(tally))
            sentence.write(construction)
            assert sentence.terms == [tally]


def test_an_owners_people_and_animals_are_told_apart():
    """The possessive stays that of the person it began with, and ``rel2`` speaks of the last one."""
    words = Vocabulary(held_out=False)
    two = next(c for c in CONSTRUCTIONS["relation"] if c.text == "{s} with {rel} and {rel}")
    for seed in range(40):
        text = Sentence(random.Random(seed), words, Numbers((1, 1, 2))).write(two)
        said = re.findall(r"\b(?:with|and) (her|his|their) ", text)
        assert len(set(said)) == 1, text


def test_bare_numbers_of_parts_add_up():
    words = Vocabulary(held_out=False)
    rows = next(c for c in CONSTRUCTIONS["elaborated"] if c.text == "{N}, {=n} in front and {=n} behind")
    text = Sentence(random.Random(0), words, Numbers((5,), (2, 3))).write(rows)
    assert re.search(r"(two|2) in front and (three|3) behind", text)
