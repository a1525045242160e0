"""Human studies: blind pairs to judge, the file of judgements, and the ratings with intervals (SkeleGuide, Table 1).

    python -m rewards.evaluation.judgements plan --methods skeleguide kontext --items 1 2 3 --out pairs.jsonl
    python -m rewards.evaluation.judgements rate judgements.jsonl

A line of either file is one pair: ``{"item": "000042", "a": "skeleguide", "b": "kontext"}``; a is shown on the left. A
judgement adds ``"choice"``, one of ``a``, ``b`` and ``tie``, and may add ``"reviewer"``. Which side a method is on is
drawn by chance when the pairs are planned; the page that shows them must not show the names. Intervals are of other
items judged by the same reviewers.
"""

import argparse
import itertools
import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from rich.console import Console
from rich.table import Table
from torch import Tensor

from datamodules.jsonl import json_lines
from rewards.functional.elo import UnratableError, elo_ratings, elo_standard_errors

Choice = Literal["a", "b", "tie"]
_SHARE = {"a": 1.0, "b": 0.0, "tie": 0.5}
_LEAST = 0.9


@dataclass(frozen=True)
class Judgement:
    """One answer.

    Attributes:
        item: what was judged (a prompt, a scene); all answers about it are resampled together.
        a: method shown on the left.
        b: method shown on the right.
        choice: which was preferred.
        reviewer: who judged; empty where unknown.
    """

    item: str
    a: str
    b: str
    choice: Choice
    reviewer: str = ""


@dataclass(frozen=True)
class Rating:
    """One method's strength.

    Attributes:
        method: its name.
        elo: maximum-likelihood rating; the mean of all methods is 1000.
        low: lower bound of the bootstrap interval; NaN where too few resamples could be rated.
        high: upper bound.
        standard_error: from the Fisher information, taking all judgements for independent.
        wins: pairs won, ties counting half.
        pairs: pairs judged.
    """

    method: str
    elo: float
    low: float
    high: float
    standard_error: float
    wins: float
    pairs: int


def read_judgements(path: str | Path) -> list[Judgement]:
    """The judgements of a JSONL file.

    Raises:
        ValueError: naming the line that is none.
    """
    found: list[Judgement] = []
    answered: dict[tuple[str, str, frozenset[str]], int] = {}
    for number, row in json_lines(Path(path)):
        where = f"{path}, line {number}"
        unknown = sorted(set(row) - {"item", "a", "b", "choice", "reviewer"})
        names = [row.get(key) for key in ("item", "a", "b")]
        if unknown or not all(isinstance(name, str) and name for name in names):
            raise ValueError(
                f"{where}: expected texts item, a and b, choice, perhaps reviewer; got {sorted(row)}"
            )
        if row["a"] == row["b"]:
            raise ValueError(f"{where}: {row['a']!r} is compared with itself")
        if row.get("choice") not in _SHARE:
            raise ValueError(f"{where}: choice {row.get('choice')!r}; give a, b or tie")
        found.append(Judgement(row["item"], row["a"], row["b"], row["choice"], str(row.get("reviewer", ""))))
        pair = found[-1].reviewer, row["item"], frozenset((row["a"], row["b"]))
        if pair[0] and pair in answered:
            raise ValueError(
                f"{where}: {pair[0]} has judged this pair of {row['item']!r} in line {answered[pair]} already"
            )
        answered[pair] = number
    return found


def win_table(judgements: Sequence[Judgement], methods: Sequence[str]) -> Float[Tensor, "m m"]:
    """How often the row's method was preferred to the column's, ties counting half on either side."""
    place = {method: index for index, method in enumerate(methods)}
    wins = torch.zeros(len(methods), len(methods), dtype=torch.float64)
    for judged in judgements:
        i, j, share = place[judged.a], place[judged.b], _SHARE[judged.choice]
        wins[i, j] += share
        wins[j, i] += 1 - share
    return wins


def rate(
    judgements: Sequence[Judgement], level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> list[Rating]:
    """Elo ratings, best first, with percentile bootstrap intervals over items.

    Args:
        judgements: at least one.
        level: coverage in (0, 1).
        resamples: of the items; 0 leaves the intervals out (NaN). Resamples that cannot be rated are left out, and if
            they are more than a tenth, there is no interval.
        seed: of the resampling.

    Raises:
        UnratableError: if somebody won or lost everything; naming the methods.
        ValueError: if there are no judgements, or ``level`` or ``resamples`` is out of range.
    """
    if not judgements:
        raise ValueError("judgements: none; give at least one")
    if not 0 < level < 1:
        raise ValueError(f"level: {level} must lie in (0, 1)")
    if resamples < 0:
        raise ValueError(f"resamples: {resamples}; give 0 or more")
    methods = sorted({name for judged in judgements for name in (judged.a, judged.b)})
    wins = win_table(judgements, methods)
    try:
        elo = elo_ratings(wins)
    except UnratableError as error:
        names = ", ".join(f"{index} = {method}" for index, method in enumerate(methods))
        raise UnratableError(f"{error} ({names})") from error
    errors = elo_standard_errors(wins, elo)
    low, high = _bounds(judgements, methods, level, resamples, seed)
    rows = [
        Rating(
            method=method,
            elo=float(elo[k]),
            low=float(low[k]),
            high=float(high[k]),
            standard_error=float(errors[k]),
            wins=float(wins[k].sum()),
            pairs=int(wins[k].sum() + wins[:, k].sum()),
        )
        for k, method in enumerate(methods)
    ]
    return sorted(rows, key=lambda row: -row.elo)


def plan_pairs(methods: Sequence[str], items: Sequence[str], seed: int = 0) -> list[dict[str, str]]:
    """Every pair of methods on every item, in random order, sides drawn by chance.

    Raises:
        ValueError: for fewer than two methods, or a name given twice.
    """
    if len(methods) < 2 or len(set(methods)) < len(methods) or len(set(items)) < len(items):
        raise ValueError(
            f"methods, items: {list(methods)}, {len(items)} items; give two or more methods, each once"
        )
    rng = np.random.default_rng(seed)
    pairs = []
    for item in items:
        for one, other in itertools.combinations(methods, 2):
            a, b = (one, other) if rng.random() < 0.5 else (other, one)
            pairs.append({"item": item, "a": a, "b": b})
    return [pairs[k] for k in rng.permutation(len(pairs))]


def main(args: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tasks = parser.add_subparsers(dest="task", required=True)
    plan = tasks.add_parser("plan", help="write pairs to be judged")
    plan.add_argument("--methods", nargs="+", required=True)
    plan.add_argument("--items", nargs="+", required=True)
    plan.add_argument("--out", type=Path, required=True)
    plan.add_argument("--seed", type=int, default=0)
    score = tasks.add_parser("rate", help="rate the methods of a file of judgements")
    score.add_argument("file", type=Path)
    score.add_argument("--resamples", type=int, default=1000)
    options = parser.parse_args(args)
    try:
        if options.task == "plan":
            pairs = plan_pairs(options.methods, options.items, options.seed)
            options.out.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
            Console().print(f"{len(pairs)} pairs in {options.out}")
            return
        rows = rate(read_judgements(options.file), resamples=options.resamples)
    except (OSError, ValueError) as error:
        parser.exit(2, f"judgements: {error}\n")
    table = Table("method", "Elo", "95 % interval", "wins", "pairs")
    for row in rows:
        between = "–" if math.isnan(row.low) else f"{row.low:.0f} to {row.high:.0f}"
        table.add_row(row.method, f"{row.elo:.0f}", between, f"{row.wins:g}", f"{row.pairs}")
    Console().print(table)
    if options.resamples and any(math.isnan(row.low) for row in rows):
        Console().print(
            "no intervals: in more than a tenth of the resamples somebody won or lost everything; judge more items"
        )


def _bounds(
    judgements: Sequence[Judgement], methods: Sequence[str], level: float, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    by_item: dict[str, list[Judgement]] = defaultdict(list)
    for judged in judgements:
        by_item[judged.item].append(judged)
    tables = torch.stack([win_table(own, methods) for own in by_item.values()])
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        try:
            drawn.append(elo_ratings(tables[rng.integers(0, len(tables), len(tables))].sum(0)).numpy())
        except UnratableError:
            continue
    if not resamples or len(drawn) < _LEAST * resamples:
        nothing = np.full(len(methods), np.nan)
        return nothing, nothing
    tail = (1 - level) / 2
    low, high = np.quantile(np.stack(drawn), [tail, 1 - tail], axis=0)
    return low, high


if __name__ == "__main__":
    main()
