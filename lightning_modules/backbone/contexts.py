"""Which pictures a model is shown beside the prompt, and as which tokens.

A context is a Kontext-style condition: encoded by the codec's mode, placed on plane 1 at its own rows and columns,
with the noise's time and visible to all. Canvases feed only the tokens that a face touches (Ar2Can, section 3.5).
"""

from collections.abc import Sequence
from enum import StrEnum

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from datamodules.geometry.draw import draw_layouts
from datamodules.schema.scene import SceneBatch
from lightning_modules.backbone.canvas_tokens import CanvasRecipe, canvas_tokens
from lightning_modules.backbone.latents import LatentCodec, token_grid
from lightning_modules.backbone.positions import CONTEXT_PLANE, grid_ids
from lightning_modules.backbone.tokens import TokenGroup

LAYOUT_WORDS = "a drawing of the skeletons of"
"""Before the prompt where the shipped base is to draw the layout, skeletons over the scene, and not the photograph."""


class Context(StrEnum):
    """What is shown.

    Attributes:
        TEXT: nothing but the prompt.
        CANVAS: one canvas per person with the reference face pasted in its box (Ar2Can's Artist).
        SINGLE_CANVAS: the canvas of one person only, whoever else the prompt names (a single-reference model's task).
        POSE: skeletons on black.
        SCENE: the empty scene (SkeleGuide's reasoner).
        LAYOUT: skeletons over the empty scene (SkeleGuide's renderer).
    """

    TEXT = "text"
    CANVAS = "canvas"
    SINGLE_CANVAS = "single_canvas"
    POSE = "pose"
    SCENE = "scene"
    LAYOUT = "layout"


def full_group(tokens: Float[Tensor, "b s c"], rows: int, columns: int) -> TokenGroup:
    """A whole context image."""
    return TokenGroup(tokens, grid_ids(rows, columns, plane=CONTEXT_PLANE).to(tokens.device))


def ragged_group(tokens: Sequence[Float[Tensor, "_ c"]], ids: Sequence[Float[Tensor, "_ 3"]]) -> TokenGroup:
    """Kept tokens of different number per sample, padded; ``ids`` are their (plane, row, column)."""
    lengths = torch.tensor([len(t) for t in tokens])
    padded = pad_sequence(list(tokens), batch_first=True)
    places = pad_sequence(list(ids), batch_first=True).to(padded.device)
    valid = (torch.arange(padded.shape[1])[None] < lengths[:, None]).to(padded.device)
    return TokenGroup(padded, places, None if bool(valid.all()) else valid)


def context_image(context: Context, batch: SceneBatch) -> Float[Tensor, "b 3 h w"]:
    """The full-size context image of each scene: pose, scene or layout.

    Raises:
        ValueError: for contexts that are not one full image, or that show a background which the scenes do not have.
    """
    if context not in (Context.POSE, Context.SCENE, Context.LAYOUT):
        raise ValueError(f"context: {context.value} is not one full image; expected pose, scene or layout")
    over = None
    if context is not Context.POSE:
        if batch.backgrounds is None:
            raise ValueError(
                f"context: {context.value} shows the empty scene, but scene {batch.scene_ids[0]!r} has no background; "
                "use data with backgrounds, or the contexts text, canvas or pose"
            )
        if context is Context.SCENE:
            return batch.backgrounds
        over = batch.backgrounds
    return draw_layouts(batch.layout, batch.size, over)


def context_group(
    context: Context, batch: SceneBatch, codec: LatentCodec, canvas: CanvasRecipe | None = None
) -> TokenGroup | None:
    """The condition tokens of a batch; None for text alone, and for canvases of scenes without people.

    Args:
        context: what is shown.
        batch: the scenes it is taken from.
        codec: encodes it.
        canvas: how canvases become tokens, for the two contexts that show them.
    """
    if context is Context.TEXT:
        return None
    if context in (Context.CANVAS, Context.SINGLE_CANVAS):
        if not bool(batch.layout.valid.any()):
            return None
        scenes = canvas_tokens(batch, codec, canvas)
        if context is Context.SINGLE_CANVAS:
            scenes = [scene.of(0) for scene in scenes]
        return ragged_group([s.latents for s in scenes], [s.ids for s in scenes])
    rows, columns = token_grid(batch.size)
    return full_group(codec.encode(context_image(context, batch)), rows, columns)
