"""Human studies: the file, blind plans, ratings with intervals."""

import json
from collections import Counter

import pytest
import torch

from rewards.evaluation.judgements import (
    Judgement,
    main,
    plan_pairs,
    rate,
    read_judgements,
    win_table,
)
from rewards.functional.elo import UnratableError, elo_ratings


@pytest.fixture
def judgements():
    """Three methods whose true odds are 1 : 2 : 4, each pair twice on 60 items."""
    strength = {"weak": 1.0, "middle": 2.0, "strong": 4.0}
    rng = torch.Generator().manual_seed(0)
    rows = []
    for pair in plan_pairs(tuple(strength), [f"{k}" for k in range(60)]) * 2:
        chance = strength[pair["a"]] / (strength[pair["a"]] + strength[pair["b"]])
        won = float(torch.rand((), generator=rng)) < chance
        rows.append(Judgement(pair["item"], pair["a"], pair["b"], "a" if won else "b"))
    return rows


def test_ratings_are_those_of_the_win_table(judgements):
    rows = rate(judgements, resamples=200)
    assert [row.method for row in rows] == ["strong", "middle", "weak"]
    names = ["middle", "strong", "weak"]
    wins = win_table(judgements, names)
    assert wins.sum() == len(judgements)
    ratings = dict(zip(names, elo_ratings(wins).tolist(), strict=True))
    for row in rows:
        assert row.elo == pytest.approx(ratings[row.method])
        assert row.low < row.elo < row.high
        assert row.pairs == 240
        assert 0.5 < (row.high - row.low) / (2 * 1.96 * row.standard_error) < 1.5
    assert rows[0].wins + rows[1].wins + rows[2].wins == len(judgements)
    assert rate(judgements, resamples=20) == rate(judgements, resamples=20)


def test_items_are_resampled_together(judgements):
    """Ten copies of the same answers about an item say no more than one."""
    copies = [row for row in judgements for _ in range(10)]
    once, often = rate(judgements, resamples=200), rate(copies, resamples=200)
    for a, b in zip(once, often, strict=True):
        assert b.high - b.low == pytest.approx(a.high - a.low, rel=0.05)
        assert b.standard_error < 0.4 * a.standard_error


def test_ties_are_half_a_win_each():
    rows = [Judgement("1", "x", "y", "tie"), Judgement("2", "y", "x", "tie")]
    assert win_table(rows, ["x", "y"]).tolist() == [[0, 1], [1, 0]]
    assert [row.elo for row in rate(rows, resamples=0)] == pytest.approx([1000, 1000])


def test_a_plan_has_every_pair_once_and_hides_nobody():
    pairs = plan_pairs(("a", "b", "c"), [str(k) for k in range(100)], seed=1)
    assert Counter((p["item"], frozenset((p["a"], p["b"]))) for p in pairs) == dict.fromkeys(
        {(str(k), frozenset(c)) for k in range(100) for c in (("a", "b"), ("a", "c"), ("b", "c"))}, 1
    )
    left = Counter(p["a"] for p in pairs)
    assert all(70 < left[name] < 130 for name in "abc"), "sides are drawn by chance"
    assert pairs != sorted(pairs, key=lambda p: p["item"])
    with pytest.raises(ValueError, match="each once"):
        plan_pairs(("a", "a"), ["1"])


def test_who_won_everything_is_named():
    with pytest.raises(UnratableError, match="0 = x, 1 = y"):
        rate([Judgement("1", "x", "y", "a")])
    with pytest.raises(ValueError, match="none"):
        rate([])


def test_the_file_and_the_command(tmp_path, capsys, judgements):
    plan = tmp_path / "pairs.jsonl"
    main(["plan", "--methods", "x", "y", "--items", "1", "2", "3", "--out", str(plan)])
    assert len(plan.read_text().splitlines()) == 3
    path = tmp_path / "judgements.jsonl"
    path.write_text("".join(json.dumps(vars(row)) + "\n" for row in judgements))
    assert read_judgements(path) == judgements
    main(["rate", str(path), "--resamples", "20"])
    assert "strong" in capsys.readouterr().out
    for line, fault in (
        ('{"item": "1", "a": "x", "b": "x", "choice": "a"}', "line 1: 'x' is compared with itself"),
        ('{"item": "1", "a": "x", "b": "y", "choice": "x"}', "line 1: choice 'x'"),
        ('{"item": "1", "a": "x", "b": "y"}', "line 1: choice None"),
        ('{"item": 1, "a": "x", "b": "y", "choice": "a"}', "line 1: expected texts"),
        ('{"item": "1", "a": "x", "b": "y", "choice": "a", "vote": 1}', "line 1: expected texts"),
    ):
        path.write_text(line + "\n")
        with pytest.raises(ValueError, match=fault):
            read_judgements(path)
    with pytest.raises(SystemExit):
        main(["rate", str(path)])


def test_a_reviewer_judges_a_pair_once(tmp_path, capsys):
    lines = [
        {"item": "1", "a": "x", "b": "y", "choice": "a", "reviewer": "ann"},
        {"item": "1", "a": "y", "b": "x", "choice": "a", "reviewer": "bob"},
        {"item": "1", "a": "y", "b": "x", "choice": "tie", "reviewer": "ann"},
    ]
    file = tmp_path / "judged.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(ValueError, match="line 3: ann has judged this pair of '1' in line 1 already"):
        read_judgements(file)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines[:2]))
    main(["rate", str(file), "--resamples", "20"])
    shown = capsys.readouterr().out
    assert "nan" not in shown
    with pytest.raises(SystemExit):
        main(["rate", str(file), "--resamples", "-1"])
    assert "resamples: -1" in capsys.readouterr().err
