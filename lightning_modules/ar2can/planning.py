"""Both Architects with one interface: a prompt in, an answer out, and from it the same ``Layout``."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from datamodules.geometry.ordering import reading_order
from datamodules.geometry.skeleton import KEYPOINT_NAMES
from datamodules.plan_files import MAX_PEOPLE, PlanError
from datamodules.plans.first_number import named_number
from datamodules.schema.layout import Layout
from lightning_modules.ar2can.architect_flow import ArchitectFlowModule, Draft
from lightning_modules.ar2can.architect_llm import ArchitectLLMModule
from lightning_modules.ar2can.layout_decoding import Answer
from lightning_modules.backbone.shipped_lora import shipped_loras
from lightning_modules.configured import CONFIGS, configured, trained_policy

Kind = Literal["llm", "flow"]
DEFAULTS: dict[str, Path] = {
    "llm": CONFIGS / "ar2can" / "architect_tiny.yaml",
    "flow": CONFIGS / "ar2can" / "architect_b_tiny.yaml",
}
"""Configurations of Architect-A and Architect-B."""
WEIGHTS = Path(__file__).parent / "weights"
MAX_CHARACTERS = 2000
REASONS = {
    "nobody": "names nobody who can be seen; say who is in the picture, for example 'two nurses'",
    "many": f"asks for more people than a plan holds; ask for 1 to {MAX_PEOPLE}",
    "open": f"does not say how many people there are; give a number from 1 to {MAX_PEOPLE}",
    "unreadable": "was not understood; say it more simply, for example 'three friends on a beach'",
    "overlapping": "led to two people in the same place; say it differently, or write the plan by hand",
}
"""What a refused prompt's user is told, where the answer itself does not say it."""


@dataclass(frozen=True)
class Request:
    """How a prompt is planned.

    Attributes:
        kind: which Architect: ``llm`` is Architect-A, ``flow`` Architect-B.
        config: its training configuration; the tiny one if None.
        weights: what it was trained to: a safetensors file with its card for Architect-A; a LoRA file, the name of a
            shipped one or ``none`` for Architect-B. The shipped file of the configuration's name if None.
        people: how many people the plan must hold; None leaves it to the prompt.
        seed: of Architect-B's drafts; Architect-A is not random.
        redraws: how often Architect-B draws anew what cannot be used.
    """

    kind: Kind = "llm"
    config: Path | None = None
    weights: str | Path | None = None
    people: int | None = None
    seed: int = 0
    redraws: int = 0

    @property
    def file(self) -> Path:
        """The training configuration."""
        return self.config or DEFAULTS[self.kind]


Architect = ArchitectLLMModule | ArchitectFlowModule


def architect(request: Request) -> Architect:
    """The Architect of a request, trained.

    Raises:
        ValueError: if the configuration trains something else, or a file is missing or belongs to another model.
    """
    if request.kind == "llm":
        module = language_architect(request.file, request.weights)
        module.language.merge()
        return module
    return flow_architect(request.file, request.weights)


def language_architect(
    config: Path, weights: str | Path | None = None, changes: Sequence[str] = ()
) -> ArchitectLLMModule:
    """Architect-A of a training configuration, with ``key=value`` changes and trained weights.

    Raises:
        ValueError: as :func:`architect`.
    """
    module = untrained(config, changes)
    path = weights_file(config, weights)
    module.load_trained(path)
    module.prompt_ids("")  # reads the tokenizer: seconds that no prompt is to wait for
    return module


def weights_file(config: Path, weights: str | Path | None = None) -> Path:
    """Where trained weights of Architect-A are: in the file given, or in the shipped one of the configuration's name.

    Raises:
        ValueError: if there is no such file.
    """
    path = Path(weights) if weights else WEIGHTS / f"{config.stem}.safetensors"
    if not path.is_file():
        raise ValueError(f"--weights: there is no file {path}; train it as {config} says, or give another")
    return path


def untrained(config: Path, changes: Sequence[str] = ()) -> ArchitectLLMModule:
    """Architect-A of a training configuration, with ``key=value`` changes, before training.

    Raises:
        ValueError: if there is no such file, or it trains something else.
    """
    precise = [*changes, "trainer.precision=32-true"]
    module = configured(config, ArchitectLLMModule, "an Architect-A's", precise)
    module.configure_model()
    return module.eval()


def flow_architect(config: Path, weights: str | Path | None = None) -> ArchitectFlowModule:
    """Architect-B of a training configuration with its LoRA set; ``weights`` "none" is the model training starts from.

    Raises:
        ValueError: as :func:`architect`.
    """
    chosen = config.stem if weights is None else str(weights)
    if weights is None and chosen not in shipped_loras():
        raise ValueError(
            f"--weights: no LoRA set {chosen!r} ships; train it as {config} says and give the file, or 'none' for the "
            "model that training starts from"
        )
    if chosen != "none" and chosen not in shipped_loras() and not Path(chosen).is_file():
        raise ValueError(f"--weights: there is no file {chosen}; shipped sets are {shipped_loras()}")
    return trained_policy(
        config, None if chosen == "none" else chosen, ArchitectFlowModule, "an Architect-B's"
    )


def plan_prompt(module: Architect, prompt: str, request: Request) -> Draft | Answer:
    """A prompt's answer, with its draft from Architect-B; one with another number than asked for is refused.

    Architect-B cannot say that a prompt makes no sense, so its first number word does: none or more than seven people
    are refused before anything is drawn, and one to seven must be seen where ``people`` is not given.

    Raises:
        PlanError: if the prompt is empty or too long, or ``people`` is out of range.
    """
    check_prompt(prompt)
    if request.people is not None and not 1 <= request.people <= MAX_PEOPLE:
        raise PlanError(f"--people: {request.people}; a plan holds 1 to {MAX_PEOPLE} people")
    if request.redraws < 0:
        raise PlanError(f"--redraws: {request.redraws} must be 0 or more")
    if isinstance(module, ArchitectFlowModule):
        wanted = named_number(prompt) if request.people is None else request.people
        if wanted is not None and not 1 <= wanted <= MAX_PEOPLE:
            return Answer(refusal="many" if wanted else "nobody")
        draft = module.plan([prompt], [wanted], request.seed, request.redraws)[0]
        if draft.answer.refusal != "count" or request.people is not None:
            return draft
        told = f"{draft.answer.told}; if the prompt means another number, give it (--people)"
        return draft._replace(answer=replace(draft.answer, told=told))
    answer = module.plan([prompt])[0]
    if answer.refusal is None and request.people not in (None, len(answer.boxes)):
        told = f"was planned with {len(answer.boxes)} people where {request.people} are asked for; say it differently"
        return Answer(answer.boxes, answer.tally, "count", answer.mended, told=told)
    return answer


def check_prompt(prompt: str, name: str = "prompt") -> None:
    """Whether a prompt, called ``name`` in errors, can be read at all.

    Raises:
        PlanError: if it is empty, holds no word or is too long.
    """
    if not prompt.strip():
        raise PlanError(f"{name}: is empty; say what the image shows")
    if len(prompt) > MAX_CHARACTERS:
        raise PlanError(f"{name}: has {len(prompt)} characters; at most {MAX_CHARACTERS} can be read")
    if not any(map(str.isalnum, prompt)):
        raise PlanError(f"{name}: {prompt[:40]!r} holds no word; say what the image shows")


def layout_of(prompt: str, answer: Answer) -> Layout:
    """An answer as a layout of one scene, people from left to right.

    Raises:
        PlanError: if the prompt was refused, saying why and what to do.
    """
    if answer.refusal is not None:
        shown = prompt if len(prompt) <= 80 else f"{prompt[:77]}..."
        raise PlanError(f"prompt: {shown!r} {answer.told or REASONS[answer.refusal]}")
    order = reading_order(answer.boxes)
    bodies = answer.keypoints
    return Layout(
        boxes=answer.boxes[order][None],
        keypoints=torch.zeros(1, len(order), len(KEYPOINT_NAMES), 3)
        if bodies is None
        else bodies[order][None],
        valid=torch.ones(1, len(order), dtype=torch.bool),
    )
