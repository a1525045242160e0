"""Training prompts for the tests that read them; drawing boxes would take most of the time."""

import numpy as np
import pytest

from datamodules.plans import examples
from datamodules.plans.examples import draw_example


@pytest.fixture(scope="package")
def drawn():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examples, "arrange", lambda rng, actions: np.zeros((len(actions), 4), np.float32))
        return [draw_example(seed, "train") for seed in range(8000)]
