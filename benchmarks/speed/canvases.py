"""One step of the backbone that is shown faces: as boxes, on one full canvas, or on a full canvas each."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from benchmarks.speed.proxy import Proxy
from benchmarks.speed.rounds import Case
from lightning_modules.backbone.canvas_positions import canvas_ids
from lightning_modules.backbone.contexts import full_group, ragged_group
from lightning_modules.backbone.prepared import PreparedSequence
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence

# Where heads begin, as a share of the height. There, boxes of 17.5 % touch 36 or 42 tokens of a 32 x 32 canvas, about a
# quarter of the 149 they touch on average of a 64 x 64 one; elsewhere the coarser grid rounds up to as many as 49.
TOP = 0.25


def kept_tokens(people: int, side: int, face: float) -> Bool[Tensor, "people side side"]:
    """Tokens that each person's box touches: boxes in a row from edge to edge, overlapping where they must.

    Args:
        people: number of boxes.
        side: rows, and columns, of the canvas in tokens.
        face: side of a box over the side of the canvas, in (0, 1].
    """
    keep = torch.zeros(people, side, side, dtype=torch.bool)
    top = min(TOP, 1 - face)
    for person in range(people):
        left = (1 - face) * (person / (people - 1) if people > 1 else 0.5)
        keep[person, _touched(top, face, side), _touched(left, face, side)] = True
    return keep


def _touched(start: float, length: float, side: int) -> slice:
    """Tokens between ``start`` and ``start + length`` of the canvas, rounded outwards."""
    nearly = 1e-9  # an end that falls on a border stays on it whatever the rounding of floats
    return slice(math.floor(start * side + nearly), math.ceil((start + length) * side - nearly))


class CanvasSteps:
    """Cases ``one_canvas``, and for each head count n ``faces_n`` and ``canvases_n``.

    Args:
        proxy: the network and the canvas.
        face: side of the square that is kept of a person's canvas, over the side of the canvas.
        people: head counts.
    """

    def __init__(self, proxy: Mapping[str, Any], face: float, people: tuple[int, ...]) -> None:
        if not 0 < face <= 1:
            raise ValueError(f"face: {face} must lie in (0, 1], a share of the canvas's side")
        self.proxy, self.face, self.people = Proxy(**proxy), face, people

    def cases(self) -> dict[str, Case]:
        """One step each, everything that no step changes prepared before."""
        backbone = self.proxy.backbone()
        sigma = torch.full((self.proxy.batch,), 0.5)

        def step(prepared: PreparedSequence) -> dict[str, float]:
            with torch.no_grad():
                backbone(prepared.with_noise(prepared.sequence.noise.tokens[:, : prepared.drawn]), sigma)
            return {}

        def case(sequence: TokenSequence) -> Case:
            return partial(step, backbone.prepare(sequence))

        made = {"one_canvas": case(self.proxy.sequence(self.full(0)))}
        for n in self.people:
            made[f"faces_{n}"] = case(self.proxy.sequence(self.faces(n)))
            made[f"canvases_{n}"] = case(self.proxy.sequence(*map(self.full, range(n))))
        return made

    def full(self, person: int) -> TokenGroup:
        """All tokens of one person's canvas."""
        return full_group(self.proxy.canvas(person), self.proxy.side, self.proxy.side)

    def faces(self, people: int) -> TokenGroup:
        """The tokens inside everybody's box, as Ar2Can's Artist feeds them (section 3.5)."""
        keep = kept_tokens(people, self.proxy.side, self.face)
        canvases = torch.stack([self.proxy.canvas(p) for p in range(people)], dim=1)
        person, row, column = keep.nonzero(as_tuple=True)
        tokens = [canvas.view(*keep.shape, -1)[keep] for canvas in canvases]
        ids = canvas_ids(torch.stack([row, column], dim=1), person)
        return ragged_group(tokens, [ids] * len(tokens))
