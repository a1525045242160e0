"""The condition branch: a picture as tokens that carry a LoRA set of their own (SkeleGuide Eq. (3))."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor

from datamodules.schema.interfaces import PromptEmbedding
from lightning_modules.backbone.guidance import text_group
from lightning_modules.backbone.tokens import TokenGroup, TokenSequence, Visibility


@dataclass(frozen=True)
class ConditionBranch:
    """How condition tokens stand to the others. The paper leaves it to EasyControl, which the defaults follow.

    With ``causal`` visibility and a time and a guidance of their own, condition tokens do not depend on what is being
    drawn: their keys and values are computed once per picture, and cached exactly over all steps of a sampler.

    Attributes:
        visibility: ``causal``: conditions see themselves only, text and noise see all; ``no_cross_condition`` (with
            one condition the same as joint) and ``joint``: conditions see text and noise too.
        sigma: the conditions' time, 0 = clean; None takes the noise's.
        guidance: the guidance they embed, in models that embed one; None takes the noise's.
        plane: of their position ids, whose rows and columns are the canvas's own: 0 lies on it (EasyControl), 1 behind
            it (Kontext, and the shipped tiny base).
    """

    visibility: Literal["causal", "no_cross_condition", "joint"] = "causal"
    sigma: float | None = 0.0
    guidance: float | None = 1.0
    plane: int = 0

    def sequence(
        self,
        prompts: PromptEmbedding,
        canvas: TokenGroup,
        picture: Float[Tensor, "b s c"],
        adapter: str,
    ) -> TokenSequence:
        """A canvas under a prompt, with one picture of its size as condition.

        Only the picture's tokens pass through the LoRA set; text and noise go through the frozen weights.

        Args:
            prompts: encoded prompts.
            canvas: what is drawn.
            picture: packed latents of the condition, token by token where the canvas has its own; gradients flow into
                them.
            adapter: name of the LoRA set.
        """
        ids = canvas.ids + canvas.ids.new_tensor([self.plane, 0, 0])
        condition = TokenGroup(picture, ids, sigma=self.sigma, guidance=self.guidance, adapters=(adapter,))
        return TokenSequence(
            text_group(prompts), prompts.pooled, canvas, (condition,), Visibility(self.visibility)
        )

    def scope(self) -> dict[str, Any]:
        """How a LoRA set is meant to be used, for its file: a plain diffusers file cannot say it."""
        return {"groups": "condition", **asdict(self)}
