"""The answer's grammar."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datamodules.plans.examples import draw_example
from lightning_modules.ar2can.layout_tokens import LayoutTokens, Tally, read_tally, words_of_tallies


def test_answers_are_spelled_as_in_the_paper():
    tokens = LayoutTokens(100, (7, 8, 9))
    assert tokens.answer([], 3) == [100, 102, 102, 102, 101]
    assert tokens.answer([7, 8], 1) == [7, 8, 100, 102, 101]
    assert tokens.answer([9], None) == [9, 101]
    assert tokens.said.tolist() == [7, 8, 9, 100, 101, 102]


def test_a_word_of_no_tally_is_no_answer():
    with pytest.raises(ValueError, match=r"tally: .*\[5\]"):
        LayoutTokens(100, (7, 8, 9)).answer([7, 5], 1)


@pytest.mark.parametrize("seed", range(40))
def test_words_of_tallies_are_all_that_the_corpus_needs(seed):
    spoken = words_of_tallies(lambda text: [ord(letter) for letter in text])
    assert {ord(letter) for letter in draw_example(seed, "train").tally} <= set(spoken)
    assert "".join(map(chr, spoken)) == " +-0123456789=aemnosy"
    whole = words_of_tallies(str.split)
    assert set(draw_example(seed, "train").tally.split()) <= set(whole), "numbers as words of their own"


@pytest.mark.parametrize("seed", range(60))
def test_every_tally_of_the_corpus_is_read(seed):
    example = draw_example(seed, "train")
    tally = read_tally(example.tally)
    assert tally is not None
    assert not tally.mended
    assert (tally.count, tally.refusal) == (
        (example.count, None)
        if example.count
        else (None, {"none": "nobody", "many": "many", "open": "open"}[example.family])
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(0, 5), st.integers(0, 30))
def test_terms_count_and_not_the_sum(terms, less, said):
    text = " + ".join(map(str, terms)) + (f" - {less}" if less else "")
    total = sum(terms) - less
    tally = read_tally(f"{text} = {said}")
    assert tally is not None
    assert tally.mended == (said != total)
    assert tally.count == (total if 1 <= total <= 7 else None)
    assert tally.refusal == ("nobody" if total < 1 else "many" if total > 7 else None)


@pytest.mark.parametrize("text", ["", "five", "3 +", "+ 3", "3 x 2", "3 + a = 4", "people", "3 3"])
def test_what_is_no_tally_is_not_read(text):
    assert read_tally(text) is None


def test_word_pieces_may_stand_apart():
    assert read_tally(" 3 + 2 = 5 ") == Tally(5) == read_tally("3+2=5")
