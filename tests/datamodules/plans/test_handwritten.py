"""Prompts written by hand: what they mean, and that no sentence of the corpus is among them."""

import re

from datamodules.plans.constructions import CONSTRUCTIONS, REFUSED, SLOT
from datamodules.plans.first_number import first_number
from datamodules.plans.handwritten import HANDWRITTEN, handwritten_examples


def test_they_are_a_hundred_of_every_number_and_reason():
    meant = [count for _, count in HANDWRITTEN]
    assert set(meant) == {*range(1, 8), "nobody", "many", "open"}
    assert len(HANDWRITTEN) == len({prompt.lower() for prompt, _ in HANDWRITTEN}) >= 100
    for example, (prompt, count) in zip(handwritten_examples(), HANDWRITTEN, strict=True):
        assert example.prompt == prompt
        assert example.count == (count if isinstance(count, int) else None)
        assert example.tally == {"nobody": "0", "many": "many", "open": "some"}.get(count, str(count))


def test_the_first_number_is_no_answer_to_them():
    counted = [first_number(prompt) == count for prompt, count in HANDWRITTEN if isinstance(count, int)]
    assert sum(counted) / len(counted) < 0.5


def test_the_corpus_has_none_of_its_own_wordings_in_them():
    """No construction that says something between its slots is in a prompt word by word."""
    said = {
        text.strip().lower()
        for constructions in CONSTRUCTIONS.values()
        for construction in constructions
        for text in SLOT.split(construction.text)[::2]
        if construction.family not in REFUSED and len(re.findall(r"\w+", text)) >= 4
    }
    assert len(said) > 30
    assert [(text, p) for text in said for p, _ in HANDWRITTEN if text in p.lower()] == []
