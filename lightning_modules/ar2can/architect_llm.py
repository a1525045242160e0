"""Ar2Can's Architect-A: a language model that answers a prompt with face boxes (section 3.3.1, Algorithm 2)."""

import math
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import lightning as L
import torch
from jaxtyping import Float, Int
from lightning.pytorch.utilities import rank_zero_only
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Generator, Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torchvision.ops import box_convert

from datamodules.plans.datamodule import PlanBatch
from datamodules.plans.tally_counts import tally_counts
from lightning_modules.ar2can.architect_recipe import (
    ArchitectRecipe,
    check_architecture,
    check_half,
    training_card,
)
from lightning_modules.ar2can.layout_decoding import MENDED, REFUSED, Answer, decode, faults
from lightning_modules.ar2can.layout_heads import CoordinateEmbedding, ValueHead, coordinate_loss
from lightning_modules.ar2can.layout_targets import Targets, answer_entropy
from lightning_modules.ar2can.layout_tokens import LAYOUT_TOKENS, LayoutTokens, refusal_of, words_of_tallies
from lightning_modules.ar2can.tally_prior import TallyPrior
from lightning_modules.language.model import LanguageModel
from rewards.weights import load_weights, save_weights


class ArchitectLLMModule(L.LightningModule):
    """Decoder language model with ``<SoL> <EoL> <C>``, f_value and f_embed.

    Args:
        language: the language model.
        recipe: optimisation and export.
        tally: let the answer begin with how the count comes about ("3 + 2 = 5"); the paper's answer is the bare layout.
        decode_batch: prompts decoded together.
        validated: validation prompts that are decoded and counted.
        prior_share: how much of the corpus' own preference among tallies is taken off the scores of an answer
            (:class:`TallyPrior`), 0 to 1; training knows nothing of it.

    Raises:
        ValueError: if ``prior_share`` is out of range, or answers have no tally that it could be of.
    """

    def __init__(
        self,
        language: LanguageModel,
        recipe: ArchitectRecipe | None = None,
        tally: bool = True,
        decode_batch: int = 64,
        validated: int = 500,
        prior_share: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= prior_share <= 1 or (prior_share and not tally):
            raise ValueError(
                f"prior_share: {prior_share} must lie in 0..1, and be 0 where answers have no tally"
            )
        self.language, self.recipe, self.tally = language, recipe or ArchitectRecipe(), tally
        self.decode_batch, self.validated, self.prior_share = decode_batch, validated, prior_share
        self.tokens = LayoutTokens(0)
        self.heads = nn.ModuleDict()
        self.seed = torch.initial_seed()
        self._exact: list[bool] = []
        self._refused: list[bool] = []
        self._faults: Counter[str] = Counter()

    def configure_model(self) -> None:
        """Build the language model, the layout tokens' embeddings and the two heads; read the weights to go on from.

        Raises:
            ValueError: if those are missing or of another model.
        """
        if self.heads:
            return
        self.language.configure()
        spoken = words_of_tallies(self.write) if self.tally else ()
        self.tokens = LayoutTokens(self.language.words, spoken)
        self.layout_rows = nn.Parameter(self.language.draw_rows(LAYOUT_TOKENS))
        self.heads["value"] = ValueHead(self.language.width)
        self.heads["embed"] = CoordinateEmbedding(self.language.width)
        if self.recipe.start is not None:
            self.load_trained(Path(self.recipe.start))

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW with linear warm-up and cosine decay to zero."""
        trainable = [p for p in self.parameters() if p.requires_grad]
        optimizer = AdamW(trainable, self.recipe.learning_rate, weight_decay=self.recipe.weight_decay)
        total = int(self.trainer.estimated_stepping_batches)
        schedule = LambdaLR(optimizer, lambda step: warmup_cosine(step, total, self.recipe.warmup_steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, batch: PlanBatch, batch_index: int) -> Tensor:
        """Eq. (1): cross-entropy plus 0.8 times gIoU and L1."""
        return self._loss(batch, "train", self._noise(batch_index))

    def on_validation_epoch_start(self) -> None:
        """Answers are of one pass."""
        self._exact, self._refused, self._faults = [], [], Counter()

    def validation_step(self, batch: PlanBatch, batch_index: int) -> None:
        """Loss, and decoded answers: exact counts, right refusals, faults."""
        self._loss(batch, "val")
        if len(self._exact) + len(self._refused) >= self.validated:
            return
        counts = batch.valid.sum(dim=1).tolist()
        for answer, tally, count in zip(self.plan(batch.prompts), batch.tallies, counts, strict=True):
            refusal = refusal_of(tally)
            self._faults.update(faults(answer, refusal))
            if refusal is None:
                self._exact.append(len(answer.boxes) == count)
            else:
                self._refused.append(answer.refusal == refusal)

    def on_validation_epoch_end(self) -> None:
        """Log exact counts where people can be counted, right refusals where not, and every fault, zero or not."""
        self.log("val/exact_count", _share(self._exact), prog_bar=True, sync_dist=True)
        self.log("val/refused", _share(self._refused), sync_dist=True)
        total = max(1, len(self._exact) + len(self._refused))
        for fault in (*MENDED, *REFUSED):
            self.log(f"val/fault_{fault}", self._faults[fault] / total, sync_dist=True)

    def on_validation_end(self) -> None:
        """Export what was just validated."""
        if not self.trainer.sanity_checking and self.recipe.export_folder is not None:
            self.export(Path(self.recipe.export_folder))

    def plan(self, prompts: Sequence[str]) -> list[Answer]:
        """Greedy answers to prompts."""
        answers: list[Answer] = []
        for start in range(0, len(prompts), self.decode_batch):
            answers += decode(self, prompts[start : start + self.decode_batch])
        return answers

    def targets(self, batch: PlanBatch) -> Targets:
        """Token sequences of a batch."""
        counts = batch.valid.sum(dim=1).tolist()
        answers = [
            self.tokens.answer(self.language.answer_ids(tally) if self.tally else [], count or None)
            for tally, count in zip(batch.tallies, counts, strict=True)
        ]
        boxes = box_convert(batch.boxes[batch.valid], "xyxy", "cxcywh")
        return Targets.lay_out([self.prompt_ids(p) for p in batch.prompts], answers, boxes, self.tokens.box)

    def loss_terms(self, targets: Targets, noise: Generator | None = None) -> dict[str, Tensor]:
        """Cross-entropy over the answers' tokens, and the two coordinate terms over their boxes.

        Args:
            targets: of a batch.
            noise: source, on the CPU, of the recipe's noise on the boxes that are fed back; none without it.

        Returns:
            The terms ``ce``, ``giou`` and ``l1`` of Eq. (1), and ``tally``, the part of the tallies in the first.
        """
        fed = targets.boxes
        if noise is not None:
            drawn = torch.randn(fed.shape, generator=noise).to(fed.device)
            fed = fed + self.recipe.box_jitter * drawn
        hidden = self.hidden(self.embed(targets.ids, fed), None, None)[:, :-1]
        asked = targets.answers[:, 1:]
        chosen, wanted, true = hidden[asked], targets.ids[:, 1:][asked], targets.boxes[:, 1:][asked]
        weight = self.recipe.tally_weight
        entropy, tally = answer_entropy(self.scores(chosen), wanted, self.tokens, weight)
        is_box = wanted == self.tokens.box
        overlap, distance = coordinate_loss(self.value(chosen[is_box]), true[is_box])
        return {"ce": entropy, "giou": overlap, "l1": distance, "tally": tally}

    def prompt_ids(self, prompt: str) -> list[int]:
        """A prompt's tokens."""
        return self.language.prompt_ids(prompt)

    def write(self, text: str) -> list[int]:
        """The word tokens of a text."""
        return self.language.answer_ids(text)

    def read(self, ids: Sequence[int]) -> str:
        """The text of word tokens."""
        return self.language.read(ids)

    def embed(self, ids: Int[Tensor, "b s"], boxes: Float[Tensor, "b s 4"]) -> Float[Tensor, "b s d"]:
        """Words by their embeddings, layout tokens by ours, ``<C_i>`` with its place added."""
        ids, boxes = ids.to(self.layout_rows.device), boxes.to(self.layout_rows.device)
        words = self.language.embed(ids.clamp(max=self.tokens.words - 1))
        own = self.layout_rows[(ids - self.tokens.words).clamp(min=0)].to(words.dtype)
        found = torch.where((ids >= self.tokens.words)[..., None], own, words)
        placed = ids == self.tokens.box
        places = self.heads["embed"](boxes[placed]).to(words.dtype)
        return found.index_put((placed,), places, accumulate=True)

    def hidden(self, embeddings: Tensor, valid: Tensor | None, cache: Any) -> Float[Tensor, "b s d"]:
        """Last hidden states of the language model."""
        return self.language.hidden(embeddings, None if valid is None else valid.to(embeddings.device), cache)

    def scores(self, hidden: Float[Tensor, "*s d"]) -> Float[Tensor, "*s v"]:
        """f_token: logits over what an answer may hold, the words of tallies and then the layout tokens."""
        words = self.tokens.said[:-LAYOUT_TOKENS].to(hidden.device)
        own = hidden @ self.layout_rows.T.to(hidden.dtype)
        return torch.cat([self.language.logits(hidden, words), own], dim=-1)

    @cached_property
    def prior(self) -> TallyPrior:
        """What the corpus prefers among tallies."""
        return TallyPrior(tally_counts(), self.tokens, self.write)

    def unbiased(self, scores: Float[Tensor, " v"], before: Sequence[int]) -> Float[Tensor, " v"]:
        """Scores of a tally's next word, less ``prior_share`` of what the corpus prefers there."""
        return self.prior.without(scores, before, self.prior_share) if self.prior_share else scores

    def value(self, hidden: Float[Tensor, "*s d"]) -> Float[Tensor, "*s 4"]:
        """f_value, in the precision of its weights whatever surrounds it: 1/1024 is less than bfloat16 can tell."""
        with torch.autocast(hidden.device.type, enabled=False):
            boxes: Tensor = self.heads["value"](hidden.to(self.layout_rows.dtype))
        return boxes.float()

    @rank_zero_only
    def export(self, folder: Path) -> None:
        """Write what was trained, and its card.

        Raises:
            ValueError: if a weight is not finite in half precision.
        """
        state = self.trained()
        check_half(state)
        card = training_card(self.trainer, self.recipe.export_name, self.seed, self.language.architecture)
        save_weights(state, card, folder)

    def trained(self) -> dict[str, Tensor]:
        """The state of everything that is trained."""
        wanted = {name for name, parameter in self.named_parameters() if parameter.requires_grad}
        return {name: value for name, value in self.state_dict().items() if name in wanted}

    def load_trained(self, path: Path) -> None:
        """Restore what :meth:`export` wrote.

        Raises:
            ValueError: if the file is not the one its card describes, or belongs to another model.
        """
        state, card = load_weights(path.parent, path.stem)
        check_architecture(card, self.language.architecture, path)
        expected = self.trained()
        wrong = sorted(
            set(state) ^ set(expected) or {k for k in state if state[k].shape != expected[k].shape}
        )
        if wrong:
            raise ValueError(
                f"{path}: belongs to another model than the configuration's, for example {wrong[0]}"
            )
        self.load_state_dict(state, strict=False)

    def _loss(self, batch: PlanBatch, stage: str, noise: Generator | None = None) -> Tensor:
        terms = self.loss_terms(self.targets(batch), noise)
        loss = terms["ce"] + self.recipe.coordinate_weight * (terms["giou"] + terms["l1"])
        named = {f"{stage}/{name}": value.detach() for name, value in (terms | {"loss": loss}).items()}
        self.log_dict(named, batch_size=len(batch), sync_dist=stage == "val", prog_bar=stage == "train")
        return loss

    def _noise(self, batch_index: int) -> Generator:
        """Randomness that depends on seed, batch and process alone: runs resume exactly."""
        accumulated = self.trainer.accumulate_grad_batches
        number = self.trainer.global_step * accumulated + batch_index % accumulated
        number = number * self.trainer.world_size + self.trainer.global_rank
        return Generator().manual_seed((self.seed * 1_000_003 + number) % 2**63)


def _share(hits: Sequence[bool]) -> float:
    """Share of hits; 1 of none."""
    return sum(hits) / len(hits) if hits else 1.0


def warmup_cosine(step: int, total: int, warmup: int) -> float:
    """Share of the peak rate after ``step`` of ``total`` steps: linear from zero, then a cosine to zero."""
    if step < warmup:
        return step / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))
