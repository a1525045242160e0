"""Stands for a trained Architect-A where the job around it is tested: knows the answers, or all but one person."""

import torch

from benchmarks.training_log import Training
from datamodules.plans.examples import draw_example
from lightning_modules.ar2can.layout_decoding import Answer

PROMPTS = {
    e.prompt: e for split in ("val", "test_compositions") for e in (draw_example(s, split) for s in range(20))
}


class KnownPlanner:
    """Args: missing: people left out of every plan. losses: of training."""

    def __init__(self, missing=0, losses=(3.0, 1.0)):
        self.missing, self.losses, self.training = missing, losses, Training()

    def check(self):
        if self.missing < 0:
            raise ValueError(f"missing: {self.missing} must be 0 or more")

    def train(self, seed, tell):
        tell("step 2 of 2, loss 1.000")
        curve = [(20 * (k + 1), loss + seed) for k, loss in enumerate(self.losses)]
        self.training = Training(60.0, {"train/l1": curve, "val/loss": curve}, "steps")

    def plan(self, prompts):
        return [self._answer(PROMPTS[prompt]) for prompt in prompts]

    def _answer(self, example):
        boxes = torch.from_numpy(example.boxes)[self.missing :].flip(0)  # in another order than the truth
        return Answer(boxes) if len(boxes) else Answer(refusal="nobody")
