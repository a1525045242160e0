"""Per-image figures: each a function from what was observed to named values, NaN where a figure is undefined.

A suite lists these functions by dotted path under ``metrics``; a later method adds its own in a file of its own.
The mathematics lives in ``rewards.functional``; here it is only pointed at images.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from benchmarks.published.asked import Asked
from datamodules.schema.interfaces import Scorer
from rewards import observation
from rewards.body_pose import BodyPoseReward
from rewards.copy_paste import CopyPasteReward
from rewards.count import CountReward
from rewards.face_match import FaceMatchReward
from rewards.functional.counts import count_error
from rewards.functional.retrieval import top1_credit

CANDIDATES = 32
OTHERWISE_USED = {"image_text", "actions"}
"""Scorers that metrics of their own ask."""
Values = dict[str, Float[Tensor, " b"]]


@dataclass(frozen=True)
class Observation(observation.Observation):
    """What rewards see, and what only a benchmark needs.

    Attributes:
        scorers: scorers by name.
        distractors: other prompts of the same set, for retrieval.
        asked: what a published benchmark asks of each image, where the images belong to one.
        notes: what metrics have to say about their figures; they append to it.
    """

    scorers: Mapping[str, Scorer] = field(default_factory=dict)
    distractors: tuple[str, ...] = ()
    asked: tuple[Asked, ...] | None = None
    notes: list[str] = field(default_factory=list)


class Metric(Protocol):
    """The signature of every function named under ``metrics``."""

    def __call__(self, seen: Observation) -> Values:
        """Named values, one per image; an empty dictionary where the figure cannot be had at all."""
        ...


def count(seen: Observation) -> Values:
    """``faces``, and where the number asked for is known ``count_exact`` and ``count_error``."""
    if seen.detections is None:
        return {}
    pred = torch.tensor([len(d) for d in seen.detections])
    values = {"faces": pred.float()}
    if any(n is not None for n in seen.people):
        unknown = torch.tensor([n is None for n in seen.people])
        gt = torch.tensor([0 if n is None else n for n in seen.people])
        values["count_exact"] = CountReward().score(seen)
        values["count_error"] = count_error(pred, gt).masked_fill(unknown, torch.nan)
    return values


def identity(seen: Observation) -> Values:
    """``identity``: mean over people of Ar2Can Algorithm 4, a missing person counting 0."""
    if seen.scenes is None or seen.detections is None or seen.references is None:
        return {}
    if any(faces.embeddings is None for faces in seen.detections):
        return {}
    return {"identity": FaceMatchReward().score(seen)}


def copy_paste(seen: Observation) -> Values:
    """``copy_paste``: mean over people of WithAnyone's measure; undefined where nobody is matched."""
    if seen.targets is None or seen.references is None or seen.detections is None:
        return {}
    return {"copy_paste": CopyPasteReward().score(seen)}


def body_pose(seen: Observation) -> Values:
    """``oks``: mean over matched people (Ar2Can Eq. 9 and Appendix C.3); undefined where nobody is matched.

    The scale is the person's area as the keypoints' extent gives it.
    """
    if seen.scenes is None or seen.detections is None or any(d.keypoints is None for d in seen.detections):
        return {}
    nobody = torch.tensor(
        [
            not people or not len(d)
            for people, d in zip(seen.scenes.layout.counts().tolist(), seen.detections, strict=True)
        ]
    )
    return {"oks": BodyPoseReward().score(seen).masked_fill(nobody, torch.nan)}


def image_text(seen: Observation) -> Values:
    """``image_text`` and ``image_text_top1``: the scorer of that name, and whether it finds the image's own prompt.

    Candidates are the own prompt and 31 others of the same set, the same 31 for every image that does not have one
    of them for its own; with fewer than 32 prompts in the set the retrieval figure is left out.
    """
    scorer = seen.scorers.get("image_text")
    known = [i for i, prompt in enumerate(seen.prompts) if prompt]
    if scorer is None or not known:
        return {}
    prompts = [seen.prompts[i] or "" for i in known]
    images = seen.images[known]
    values = {"image_text": _spread(scorer.score(images, prompts), known, len(seen))}
    if len(seen.distractors) >= CANDIDATES:
        candidates = [[own, *[p for p in seen.distractors if p != own][: CANDIDATES - 1]] for own in prompts]
        credit = top1_credit(
            _candidate_scores(scorer, images, candidates), torch.zeros(len(known), dtype=torch.long)
        )
        values["image_text_top1"] = _spread(credit, known, len(seen))
    return values


def scores(seen: Observation) -> Values:
    """Every other scorer of the suite under its own name; images without a prompt are scored against an empty one."""
    prompts = [prompt or "" for prompt in seen.prompts]
    return {
        name: scorer.score(seen.images, prompts).cpu()
        for name, scorer in seen.scorers.items()
        if name not in OTHERWISE_USED
    }


def _candidate_scores(
    scorer: Scorer, images: Float[Tensor, "b 3 h w"], candidates: list[list[str]]
) -> Float[Tensor, "b k"]:
    """Each image against its candidates; scorers with separate towers embed each image and prompt once."""
    embed_images, embed_prompts = (getattr(scorer, n, None) for n in ("embed_images", "embed_prompts"))
    if embed_images is None or embed_prompts is None:
        rows = [
            scorer.score(image.expand(len(c), -1, -1, -1), c)
            for image, c in zip(images, candidates, strict=True)
        ]
        return torch.stack(rows).cpu()
    different = list(dict.fromkeys(p for c in candidates for p in c))
    place = {prompt: i for i, prompt in enumerate(different)}
    similarity = embed_images(images) @ embed_prompts(different).to(images.device).T
    wanted = torch.tensor([[place[p] for p in c] for c in candidates], device=similarity.device)
    return similarity.gather(1, wanted).cpu()


def _spread(values: Float[Tensor, " m"], places: list[int], size: int) -> Float[Tensor, " b"]:
    """Values of some images in a vector for all, NaN elsewhere."""
    out = torch.full((size,), torch.nan)
    out[places] = values.float().cpu()
    return out
