"""How often each tally stands among the first training examples; counted once, since drawing them takes seconds.

After a change of the corpus ``python -m datamodules.plans.tally_counts`` writes tally_counts.json anew.
"""

import json
from collections import Counter
from pathlib import Path

from datamodules.plans.examples import draw_example

COUNTED = 10_000
_FILE = Path(__file__).with_suffix(".json")


def tally_counts() -> dict[str, int]:
    """Training examples by tally, of the first ``COUNTED``."""
    return {str(tally): int(count) for tally, count in json.loads(_FILE.read_text()).items()}


def count_tallies(examples: int = COUNTED) -> dict[str, int]:
    """The same, drawn now."""
    return dict(sorted(Counter(draw_example(seed, "train").tally for seed in range(examples)).items()))


if __name__ == "__main__":
    _FILE.write_text(json.dumps(count_tallies(), indent=0) + "\n")
