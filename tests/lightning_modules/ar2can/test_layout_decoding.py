"""Decoding: caches and batches change nothing, and what is malformed is mended or refused with a reason."""

from collections.abc import Sequence

import pytest
import torch
from small_architects import known_examples
from torch import Tensor
from torch.nn import functional
from torchvision.ops import box_convert

from lightning_modules.ar2can.layout_decoding import MAX_TALLY, decode
from lightning_modules.ar2can.layout_tokens import LayoutTokens

SAY = "0123456789+-="
S, E, C = len(SAY), len(SAY) + 1, len(SAY) + 2
PLACES = torch.linspace(0.1, 0.9, 9)


class Script:
    """A planner that says what it was told to, box by box from left to right."""

    def __init__(self, said: str, boxes: Sequence[Sequence[float]] = (), tally: bool = True) -> None:
        letters = {"S": S, "E": E, "C": C}
        self.said = [letters[s] if s in letters else SAY.index(s) for s in said]
        self.boxes, self.tally = [list(b) for b in boxes], tally
        self.tokens = LayoutTokens(len(SAY), tuple(range(len(SAY))))
        self.preferred: dict[str, str] = {}
        self.asked: list[str] = []
        self.step = -1
        self.fed: list[int] = []

    def prompt_ids(self, prompt: str) -> list[int]:
        return [0]

    def read(self, ids: Sequence[int]) -> str:
        return "".join(SAY[i] for i in ids)

    def write(self, text: str) -> list[int]:
        return [SAY.index(letter) for letter in text if letter != " "]

    def embed(self, ids: Tensor, boxes: Tensor) -> Tensor:
        self.fed += ids.flatten().tolist()
        return boxes

    def hidden(self, embeddings: Tensor, valid: Tensor | None, cache: object) -> Tensor:
        self.step += 1
        return torch.zeros(1, 1, 1)

    def scores(self, hidden: Tensor) -> Tensor:
        scores = torch.zeros(1, len(SAY) + 3)
        # What follows a mended token still prefers what was said, then the end.
        scores[0, self.said[min(self.step, len(self.said) - 1)]] = 2
        scores[0, E] += 1
        return scores

    def unbiased(self, scores: Tensor, before: Sequence[int]) -> Tensor:
        self.asked.append(self.read(before))
        preferred = self.preferred.get(self.asked[-1])
        return (
            scores
            if preferred is None
            else functional.one_hot(torch.tensor(SAY.index(preferred)), len(scores))
        )

    def value(self, hidden: Tensor) -> Tensor:
        box = (
            self.boxes[self.step]
            if self.step < len(self.boxes)
            else [float(PLACES[self.step % 9]), 0.4, 0.1, 0.2]
        )
        return torch.tensor([box])


def answer(said, **options):
    return decode(Script(said, **options), ["a prompt"])[0]


def test_a_plain_answer_is_taken_as_it_is():
    plan = answer("3+1=4SCCCCE")
    assert (plan.tally, plan.refusal, plan.mended) == ("3+1=4", None, ())
    assert plan.boxes.shape == (4, 4)
    bare = answer("SCCE", tally=False)
    assert (bare.tally, bare.refusal, len(bare.boxes)) == ("", None, 2)


@pytest.mark.parametrize(
    ("said", "mended", "count"),
    [
        ("2+1=5SCCCE", ("sum",), 3),
        ("2CCCE", ("start",), 2),
        ("2SC7CE", ("stray", "short"), 2),
        ("2SC7E", ("stray", "short"), 2),
        ("3SCE", ("short", "short"), 3),
        ("1SCCCE", ("long",), 1),
    ],
)
def test_what_can_be_put_right_is_and_is_named(said, mended, count):
    plan = answer(said)
    assert plan.refusal is None
    assert plan.mended[: len(mended)] == mended
    assert len(plan.boxes) == count


@pytest.mark.parametrize(
    ("said", "written", "refusal"),
    [("2+1=5SCCCE", "2+1=3", None), ("5+4=7SCE", "5+4=9", "many"), ("5+5=1SCE", "5+5=10", "many"),
     ("8-3=8SCE", "8-3=5", None), ("2+1SCCCE", "2+1", None)],
)  # fmt: skip
def test_a_layout_goes_on_from_the_right_sum(said, written, refusal):
    planner = Script(said)
    plan = decode(planner, ["a prompt"])[0]
    assert planner.read([token for token in planner.fed[1:] if token < len(SAY)]) == written
    assert (plan.tally, plan.refusal) == (written, refusal)
    assert plan.mended.count("sum") == ("=" in written)


def test_words_of_a_tally_are_chosen_without_the_prior_and_sums_and_layouts_are_not():
    planner = Script("2+1=3SCCCE")
    planner.preferred = {"2+": "3", "2+3=": "7"}
    plan = decode(planner, ["a prompt"])[0]
    assert (plan.tally, len(plan.boxes)) == ("2+3=5", 5)
    assert planner.asked == ["", "2", "2+", "2+3", "2+3=5"]


def test_a_sum_that_is_right_is_not_mended():
    planner = Script("5+4=9E")
    assert decode(planner, ["a prompt"])[0].mended == ()


@pytest.mark.parametrize(
    ("said", "refusal"),
    [("0E", "nobody"), ("9SCCE", "many"), ("SCE", "unreadable"), ("3+SCE", "unreadable"), ("E", "unreadable"),
     ("7" * (MAX_TALLY + 5), "unreadable"), ("1-1=0E", "nobody")],
)  # fmt: skip
def test_what_cannot_is_refused_with_a_reason(said, refusal):
    plan = answer(said)
    assert plan.refusal == refusal
    assert len(plan.boxes) == 0


@pytest.mark.parametrize(("said", "refusal"), [("E", "nobody"), ("SE", "nobody"), ("S" + "C" * 12, "many")])
def test_without_a_tally(said, refusal):
    assert answer(said, tally=False).refusal == refusal


def test_boxes_are_brought_into_the_image_or_refused():
    word = [0.5] * 4  # said in the steps before the layout, in which no box is asked for
    out = answer("2SCCE", boxes=[word, word, [0.02, 0.4, 0.2, 0.2], [0.5, 0.4, 0.001, 0.2]])
    assert out.mended == ("small", "outside")
    assert float(out.boxes[0, 0]) == 0
    assert float(out.boxes[1, 2] - out.boxes[1, 0]) > 0.02
    assert answer("1SCE", boxes=[word, word, [0.0, 0.0, 0.021, 0.3]]).refusal == "unreadable"
    same = [0.5, 0.4, 0.2, 0.2]
    assert answer("2SCCE", boxes=[word, word, same, same]).refusal == "overlapping"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_box_that_is_no_number_is_no_plan(value):
    assert answer("1SCE", boxes=[[0.5, 0.4, value, 0.2]] * 6).refusal == "unreadable"


def test_cached_decoding_is_uncached_decoding(knowing_architect):
    prompts = [e.prompt for e in known_examples()]
    for a, b in zip(
        decode(knowing_architect, prompts), decode(knowing_architect, prompts, cached=False), strict=True
    ):
        assert (a.tally, a.refusal, a.mended) == (b.tally, b.refusal, b.mended)
        torch.testing.assert_close(a.boxes, b.boxes, atol=1e-5, rtol=0)


def test_an_answer_does_not_depend_on_the_batch(knowing_architect):
    prompts = [e.prompt for e in known_examples()]
    together = decode(knowing_architect, prompts)
    for prompt, expected in zip(prompts, together, strict=True):
        alone = decode(knowing_architect, [prompt])[0]
        assert (alone.tally, alone.refusal) == (expected.tally, expected.refusal)
        torch.testing.assert_close(alone.boxes, expected.boxes, atol=1e-5, rtol=0)


def test_every_step_takes_what_the_whole_sequence_makes_likeliest(knowing_architect):
    """The answer goes through the network at once, and each of its tokens is the argmax before it."""
    module = knowing_architect
    example = next(e for e in known_examples() if e.count == 3)
    plan = module.plan([example.prompt])[0]
    assert plan.mended == ()
    prompt = module.prompt_ids(example.prompt)
    said = module.tokens.answer(module.language.answer_ids(plan.tally), 3)
    ids = torch.tensor([[*prompt, *said]])
    boxes = torch.zeros(1, ids.shape[1], 4)
    boxes[ids == module.tokens.box] = box_convert(plan.boxes, "xyxy", "cxcywh")
    with torch.no_grad():
        hidden = module.hidden(module.embed(ids, boxes), None, None)
    likeliest = module.scores(hidden)[0, len(prompt) - 1 : -1].argmax(dim=-1)
    assert module.tokens.said[likeliest].tolist() == said
    values = module.value(hidden)[0, :-1][ids[0, 1:] == module.tokens.box]
    assert functional.l1_loss(box_convert(values, "cxcywh", "xyxy"), plan.boxes) < 1e-5
