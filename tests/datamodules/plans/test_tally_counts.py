"""The file of counted tallies is what the corpus draws today."""

from datamodules.plans.compositions import HELD_OUT_COMPOSITIONS
from datamodules.plans.tally_counts import COUNTED, count_tallies, tally_counts


def test_the_file_is_what_the_corpus_draws():
    """If the corpus was changed on purpose: python -m datamodules.plans.tally_counts."""
    assert tally_counts() == count_tallies()
    assert sum(tally_counts().values()) == COUNTED


def test_no_combination_of_a_test_is_counted():
    held_out = [" + ".join(map(str, c[1:])) for c in HELD_OUT_COMPOSITIONS if c[0] == "sum"]
    assert len(held_out) > 10
    assert {tally.split(" = ")[0] for tally in tally_counts()}.isdisjoint(held_out)
