"""Greedy decoding of layouts: batched, with cached keys and values; what is malformed is mended or refused.

Mended, and named in ``Answer.mended``:

    sum        the tally's sum is wrong: that of its terms is written, before the layout begins
    start      a box before ``<SoL>``: the layout is opened
    stray      a word inside the layout: the likelier of ``<C>`` and ``<EoL>`` takes its place
    short      ``<EoL>`` before the tally's people are placed: the next box is asked for
    long       a box after the tally's people are placed: the layout is closed
    outside    a box leaves the image: it is cut off at the border
    small      a box is smaller than a plan allows: it is widened

Refused, in ``Answer.refusal``: ``nobody``, ``many`` (more than seven), ``open`` (a number is not said), ``unreadable``
(no tally, or no end within the length of an answer), ``overlapping`` (two people in the same place).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torchvision.ops import box_convert
from transformers import DynamicCache

from datamodules.plan_files import MAX_OVERLAP, MAX_PEOPLE, MIN_SIDE
from lightning_modules.ar2can.layout_tokens import LayoutTokens, Tally, read_tally, sum_of
from rewards.functional.boxes import pairwise_iou

MENDED = ("sum", "start", "stray", "short", "long", "outside", "small")
REFUSED = ("nobody", "many", "open", "unreadable", "overlapping")
MAX_TALLY = 24
"""Words in front of a layout, at most."""


@dataclass
class Answer:
    """What became of one prompt.

    Attributes:
        boxes: (n, 4) face boxes, xyxy in [0, 1]; empty if refused, but for a wrong number (``count``).
        tally: the words in front of the layout.
        refusal: why there is no plan, or None.
        mended: what had to be put right.
        keypoints: (n, 17, 3) bodies, COCO-17 (x, y, v); None from an Architect that plans faces alone.
        told: the refusal in words, where they depend on the answer.
    """

    boxes: Float[Tensor, "n 4"] = field(default_factory=lambda: torch.zeros(0, 4))
    tally: str = ""
    refusal: str | None = None
    mended: tuple[str, ...] = ()
    keypoints: Float[Tensor, "n k 3"] | None = None
    told: str = ""


def faults(answer: Answer, refusal: str | None) -> list[str]:
    """What was put right in an answer, and why it was refused unless that is the ``refusal`` asked for."""
    wrong = [answer.refusal] if answer.refusal is not None and answer.refusal != refusal else []
    return [*answer.mended, *wrong]


class Planner(Protocol):
    """What decoding needs of a model."""

    tokens: LayoutTokens
    tally: bool

    def prompt_ids(self, prompt: str) -> list[int]:
        """A prompt's tokens."""

    def read(self, ids: Sequence[int]) -> str:
        """The text of word tokens."""

    def write(self, text: str) -> list[int]:
        """The word tokens of a text."""

    def embed(self, ids: Tensor, boxes: Tensor) -> Tensor:
        """Input embeddings of tokens (b, s), those of boxes with their places (b, s, 4)."""

    def hidden(self, embeddings: Tensor, valid: Tensor | None, cache: DynamicCache | None) -> Tensor:
        """Last hidden states."""

    def scores(self, hidden: Tensor) -> Tensor:
        """Logits over what an answer may hold (``LayoutTokens.said``)."""

    def unbiased(self, scores: Tensor, before: Sequence[int]) -> Tensor:
        """Scores of the word that follows those of a tally, less what is likely there whatever the prompt says."""

    def value(self, hidden: Tensor) -> Tensor:
        """Boxes (cx, cy, w, h)."""


@dataclass
class _Row:
    """The state of one answer."""

    words: list[int] = field(default_factory=list)
    due: list[int] = field(default_factory=list)
    boxes: list[Tensor] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    tally: Tally | None = None
    text: str = ""
    inside: bool = False
    refusal: str | None = None
    done: bool = False


@torch.no_grad()
def decode(planner: Planner, prompts: Sequence[str], cached: bool = True) -> list[Answer]:
    """Answers to a batch of prompts.

    Args:
        planner: the model.
        prompts: any number of them; all are decoded together.
        cached: keep keys and values between steps; without, everything is computed again (for tests).
    """
    ids, valid = _left_padded([planner.prompt_ids(prompt) for prompt in prompts])
    embeddings = planner.embed(ids, ids.new_zeros(*ids.shape, 4).float())
    cache = DynamicCache() if cached else None
    rows = [_Row() for _ in prompts]
    hidden = planner.hidden(embeddings, valid, cache)[:, -1]
    for _ in range(MAX_TALLY + MAX_PEOPLE + 3):
        scores, values = planner.scores(hidden).float(), planner.value(hidden).float()
        chosen = [
            _advance(row, row_scores, value, planner)
            for row, row_scores, value in zip(rows, scores, values, strict=True)
        ]
        if all(row.done for row in rows):
            break
        new = planner.embed(torch.tensor(chosen)[:, None], values[:, None])
        valid = torch.cat([valid, valid.new_ones(len(rows), 1)], dim=1)
        embeddings = new if cached else torch.cat([embeddings, new], dim=1)
        hidden = planner.hidden(embeddings, valid, cache)[:, -1]
    return [_finish(row) for row in rows]


def _advance(row: _Row, scores: Float[Tensor, " v"], value: Float[Tensor, " 4"], planner: Planner) -> int:
    """Take the likeliest token, or what grammar makes of it; returns the token that goes on."""
    tokens = planner.tokens
    if row.done:
        return tokens.end
    asked = not row.inside and not row.due
    token = int(tokens.said[(planner.unbiased(scores, row.words) if asked else scores).argmax()])
    if not row.inside:
        return _before_layout(row, token, planner)
    if token not in (tokens.box, tokens.end):
        row.mended.append("stray")
        token = tokens.box if scores[-1] > scores[-2] else tokens.end
    wanted = None if row.tally is None else row.tally.count
    if wanted is not None and token == tokens.end and len(row.boxes) < wanted:
        row.mended.append("short")
        token = tokens.box
    elif wanted is not None and token == tokens.box and len(row.boxes) == wanted:
        row.mended.append("long")
        token = tokens.end
    if token == tokens.end:
        row.done = True
        row.refusal = None if row.boxes else "nobody"
    elif len(row.boxes) == MAX_PEOPLE:
        row.done, row.refusal = True, "many"
    else:
        row.boxes.append(value)
    return token


def _before_layout(row: _Row, token: int, planner: Planner) -> int:
    tokens = planner.tokens
    if row.due:
        if token != row.due[0] and "sum" not in row.mended:
            row.mended.append("sum")
        token = row.due.pop(0)
    if token < tokens.words:
        row.words.append(token)
        row.due = row.due or _sum_due(row.words, planner)
        if len(row.words) > MAX_TALLY:
            row.done, row.refusal = True, "unreadable"
        return token
    row.text = planner.read(row.words) if row.words else ""
    row.tally = read_tally(row.text) if row.words else None
    if row.tally is not None and row.tally.mended and "sum" not in row.mended:
        row.mended.append("sum")
    if row.tally is None and planner.tally:
        row.done, row.refusal = True, "unreadable"
    elif row.tally is not None and row.tally.refusal:
        row.done, row.refusal = True, row.tally.refusal
    elif row.tally is None and token == tokens.end:
        row.done, row.refusal = True, "nobody"
    elif token != tokens.start:
        row.mended.append("start")
    row.inside = True
    return tokens.start


def _sum_due(words: list[int], planner: Planner) -> list[int]:
    """The tokens of the sum where words end with "="; none elsewhere, or where no sum goes on from these words."""
    text = planner.read(words)
    total = sum_of(text[:-1].strip()) if text.endswith("=") else None
    if total is None:
        return []
    whole = planner.write(f"{text} {total}")
    return whole[len(words) :] if whole[: len(words)] == words else []


def _finish(row: _Row) -> Answer:
    mended = list(row.mended)
    refusal = row.refusal if row.done else "unreadable"
    if refusal:
        return Answer(tally=row.text, refusal=refusal, mended=tuple(mended))
    predicted = torch.stack(row.boxes).cpu()
    if not bool(predicted.isfinite().all()):
        return Answer(tally=row.text, refusal="unreadable", mended=tuple(mended))
    centres, sides = predicted.split(2, dim=-1)
    if bool((sides < MIN_SIDE).any()):
        mended.append("small")
    boxes = box_convert(torch.cat([centres, sides.clamp(min=MIN_SIDE * 1.01)], dim=-1), "cxcywh", "xyxy")
    if bool(((boxes < 0) | (boxes > 1)).any()):
        mended.append("outside")
        boxes = boxes.clamp(0, 1)
        if bool((boxes[:, 2:] - boxes[:, :2] < MIN_SIDE).any()):
            return Answer(tally=row.text, refusal="unreadable", mended=tuple(mended))
    if float(pairwise_iou(boxes, boxes).triu(diagonal=1).max()) > MAX_OVERLAP:
        return Answer(tally=row.text, refusal="overlapping", mended=tuple(mended))
    return Answer(boxes, row.text, None, tuple(mended))


def _left_padded(sequences: Sequence[Sequence[int]]) -> tuple[Tensor, Bool[Tensor, "b s"]]:
    longest = max(len(s) for s in sequences)
    ids = torch.tensor([[0] * (longest - len(s)) + list(s) for s in sequences])
    lengths = torch.tensor([len(s) for s in sequences])
    return ids, torch.arange(longest)[None] >= longest - lengths[:, None]
