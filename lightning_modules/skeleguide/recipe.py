"""How LoRA sets are trained, and how pictures are drawn with them."""

from dataclasses import dataclass, field
from typing import Literal

from lightning_modules.backbone.guidance import KVCache
from lightning_modules.flow.timesteps import SigmaSampler, SigmaShift, UniformSigmas


@dataclass(frozen=True)
class InPlaceRecipe:
    """How LoRA sets are trained.

    Attributes:
        learning_rate: of AdamW, constant in all phases.
        weight_decay: of AdamW.
        guidance: the guidance scale that models embed, in training.
        text_dropout: share of samples that get the empty prompt.
        people_weight: a token full of people counts ``1 + people_weight`` times an empty one.
        sigmas: distribution of training times; uniform by default.
        layout_words: stand before the reasoner's prompt, in training and at inference, for a base that knows by them
            that skeletons are to be drawn (the shipped one: ``backbone.contexts.LAYOUT_WORDS``); none for FLUX.
        seed: of noise, times and dropped prompts.
    """

    learning_rate: float = 1e-4
    weight_decay: float = 0.0
    guidance: float = 1.0
    text_dropout: float = 0.0
    people_weight: float = 0.0
    sigmas: SigmaSampler = field(default_factory=UniformSigmas)
    layout_words: str = ""
    seed: int = 0


@dataclass(frozen=True)
class StageGuidance:
    """How hard a stage is guided.

    Attributes:
        scale: embedded scale, or of classifier-free guidance for models that embed none (1 = off).
        away_from: what the other side of classifier-free guidance is shown: ``nothing``, neither prompt nor picture, so
            that both count more; ``picture``, the picture alone, so that the prompt counts more.
    """

    scale: float = 3.5
    away_from: Literal["nothing", "picture"] = "nothing"


@dataclass(frozen=True)
class InPlaceSampling:
    """How pictures are drawn.

    Attributes:
        steps: Euler steps per stage.
        guidance: of each stage, by the name of its LoRA set; FLUX's usual embedded scale where left out.
        shift: how the schedule leans towards noise; FLUX's resolution shift by default.
        kv_cache: whether the condition's keys and values are kept over the steps of a stage.
    """

    steps: int = 25
    guidance: dict[str, StageGuidance] = field(default_factory=dict)
    shift: SigmaShift | None = None
    kv_cache: KVCache = "auto"
