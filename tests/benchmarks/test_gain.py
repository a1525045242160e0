"""What is expected of a method against another, and whether it came true."""

import pytest

from benchmarks.expectation import Gain
from benchmarks.gain import with_expectations
from benchmarks.report import Outcome, Row
from benchmarks.suite import SuiteError
from benchmarks.suite_file import load_suite


@pytest.mark.parametrize(
    ("text", "value", "other", "spread", "met"),
    [
        ("+0.15", 0.66, 0.5, 0.02, True),
        ("+0.15", 0.64, 0.5, 0.02, False),
        ("+0.15", 0.66, 0.5, 0.17, False),
        ("-5%", 0.77, 0.8, 0.2, True),
        ("-5%", 0.75, 0.8, 0.0, False),
        ("-5 %", 0.9, 0.8, 0.0, True),
        ("-5%", -0.22, -0.2, 0.0, False),
        ("+10%", 0.89, 0.8, 0.0, True),
        ("-0.1", 0.75, 0.8, 0.0, True),
    ],
)
def test_a_gain_must_reach_its_bound_and_exceed_the_spread(text, value, other, spread, met):
    assert Gain.of(text).met(value, other, spread) is met


@pytest.mark.parametrize("text", ["0.15", ">= 0.1", "+much", "5%", ""])
def test_a_change_has_a_sign(text):
    with pytest.raises(ValueError, match="with its sign"):
        Gain.of(text)


def outcome(method, values):
    seeds = [Row("s", method, "", i, "identity", v, None, None, 9) for i, v in enumerate(values)]
    mean = sum(values) / len(values)
    part = Row("s", method, "", None, "identity", mean, None, None, 9, "people=2")
    return Outcome(
        method, "", {}, [Row("s", method, "", None, "identity", mean, None, None, 9), part, *seeds]
    )


def test_the_figure_over_all_seeds_carries_the_verdict():
    """Two values lie sqrt 2 of their deviation apart: the base's spread is 0.1 and so is the tuned one's."""
    apart = 0.1 * 2**0.5
    base, tuned = outcome("base", [0.5, 0.5 + apart]), outcome("tuned", [0.64, 0.64 + apart])
    judged = with_expectations(
        tuned, [outcome("x", [0.0]), base], "base", {"identity": "+0.1", "judge": "-5%"}
    )
    (row,) = judged.expectations()
    assert (row.slice, row.seed, row.met) == ("all", None, False)
    assert row.verdict == "identity ≥ +0.1 over base missed"
    (row,) = with_expectations(
        outcome("tuned", [0.7, 0.7 + apart]), [base], "base", {"identity": "+0.1"}
    ).expectations()
    assert row.met
    assert with_expectations(tuned, [], "base", {"identity": "+0.1"}) == tuned


@pytest.mark.parametrize(("bound", "met"), [(">= 0.7", False), (">= 0.6", True), ("<= 0.7", True)])
def test_a_bound_on_the_figure_itself_needs_no_other_method(bound, met):
    (row,) = with_expectations(outcome("a", [0.6, 0.7]), [], None, {"identity": bound}).expectations()
    assert (row.slice, row.seed, row.met) == ("all", None, met)
    assert row.verdict == f"identity {row.expected.split(' ', 1)[1]} {'met' if met else 'missed'}"


def test_bounds_of_both_kinds_stand_side_by_side():
    suite, _ = load_suite("artist", ["methods.tuned.expected={identity: '+0.1', judge: '>= 0.7'}"])
    assert suite.methods["tuned"].expected == {"identity": "+0.1", "judge": ">= 0.7"}
    suite, _ = load_suite(
        "artist", ["methods.tuned.expected={judge: '>= 0.7'}", "methods.tuned.against=null"]
    )
    assert suite.methods["tuned"].against is None


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("methods.tuned.against=bse", r"methods\.tuned\.against: 'bse'.*did you mean 'base'"),
        (
            "methods.tuned.expected={identity: 0.15}",
            r"methods\.tuned\.expected\.identity: '0\.15'; write a change",
        ),
        ("methods.tuned.expected={identity: '>= much'}", r"'>= much'; write a relation and a number"),
    ],
)
def test_an_expectation_that_means_nothing_is_refused(override, words):
    with pytest.raises(SuiteError, match=words):
        load_suite("artist", [override])
