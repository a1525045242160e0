"""From canvases to condition tokens: encode every person's canvas, keep what its face touches, place it."""

from dataclasses import dataclass, replace
from typing import Literal, Self

import torch
from jaxtyping import Float, Int
from torch import Tensor

from datamodules.geometry.canvas import scene_canvases
from datamodules.schema.scene import SceneBatch
from lightning_modules.backbone.canvas_positions import ShareIds, canvas_ids, hidden_tokens
from lightning_modules.backbone.latents import LatentCodec


@dataclass(frozen=True)
class CanvasRecipe:
    """How canvases become tokens.

    Attributes:
        share_ids: what tokens of overlapping faces do; see ``canvas_ids``.
        behind: what becomes of tokens at a place where somebody nearer has one (depth control): ``shared`` feeds both
            at one place and leaves the order to the model, ``drop`` leaves them out, ``own_plane`` moves them to a
            plane of their own, one behind all others.
        pose: draw each person's skeleton on their canvas, fainter over the face.
    """

    share_ids: ShareIds = "cellwise"
    behind: Literal["shared", "drop", "own_plane"] = "shared"
    pose: bool = False


@dataclass(frozen=True)
class CanvasTokens:
    """Kept canvas tokens of one scene.

    Attributes:
        latents: packed latents.
        ids: (plane, row, column) of each.
        position: (row, column) of each on its canvas.
        person: whose canvas each comes from.
    """

    latents: Float[Tensor, "t c"]
    ids: Float[Tensor, "t 3"]
    position: Int[Tensor, "t 2"]
    person: Int[Tensor, " t"]

    def of(self, person: int) -> Self:
        """The tokens of one person's canvas."""
        return self._only(self.person == person)

    def behind(self, depth: Int[Tensor, " n"], rule: Literal["drop", "own_plane"]) -> Self:
        """With the tokens that somebody nearer hides dropped or moved; nobody loses their last token."""
        hidden = hidden_tokens(self.position, self.person, depth)
        if rule == "own_plane":
            ids = self.ids.clone()
            ids[hidden, 0] = self.ids[:, 0].amax() + 1
            return replace(self, ids=ids)
        for person in self.person.unique():
            own = self.person == person
            if hidden[own].all():
                hidden = hidden & ~own
        return self._only(~hidden)

    def _only(self, kept: Tensor) -> Self:
        return replace(
            self,
            latents=self.latents[kept],
            ids=self.ids[kept],
            position=self.position[kept],
            person=self.person[kept],
        )


def canvas_tokens(
    batch: SceneBatch, codec: LatentCodec, recipe: CanvasRecipe | None = None
) -> list[CanvasTokens]:
    """Kept canvas tokens of every scene; all canvases go through the codec in one call.

    Raises:
        ValueError: if the recipe asks who is behind and the layout does not say.
    """
    recipe = recipe or CanvasRecipe()
    counts = batch.layout.counts().tolist()
    drawn = [scene_canvases(batch, i, pose=recipe.pose) for i in range(len(batch))]
    latents = codec.encode(torch.cat([canvases.images for canvases in drawn])).split(counts)
    scenes = []
    for i, (tokens, canvases) in enumerate(zip(latents, drawn, strict=True)):
        person, row, column = canvases.keep.nonzero(as_tuple=True)
        position = torch.stack([row, column], dim=1)
        ids = canvas_ids(position, person, recipe.share_ids)
        kept = tokens.view(*canvases.keep.shape, tokens.shape[-1])[canvases.keep]
        scene = CanvasTokens(kept, ids.to(kept), position, person)
        if recipe.behind != "shared":
            if batch.layout.depths is None:
                raise ValueError(
                    f"behind: {recipe.behind!r} needs to know who is nearer; give the layout depths, or choose shared"
                )
            scene = scene.behind(batch.layout.depths[i], recipe.behind)
        scenes.append(scene)
    return scenes
