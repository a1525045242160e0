"""Hand-made detections of scenes."""

from dataclasses import replace

import torch

from datamodules.schema.detections import Detections
from rewards.observation import Observation

DIM = 8


def perfect(scenes) -> list[Detections]:
    """What a perfect analyzer sees, with a random identity per person."""
    rng = torch.Generator().manual_seed(5)
    identities = torch.nn.functional.normalize(
        torch.randn(*scenes.layout.valid.shape, DIM, generator=rng), dim=-1
    )
    return [
        Detections(
            boxes=scenes.layout.boxes[i][v],
            scores=torch.ones(int(v.sum())),
            landmarks=scenes.landmarks[i][v],
            keypoints=scenes.layout.keypoints[i][v],
            embeddings=identities[i][v],
        )
        for i, v in enumerate(scenes.layout.valid)
    ]


def observe(scenes, detections=None, **changes) -> Observation:
    truth = perfect(scenes)
    references = torch.zeros(*scenes.layout.valid.shape, DIM)
    for i, valid in enumerate(scenes.layout.valid):
        references[i, : int(valid.sum())] = truth[i].embeddings
    seen = Observation(
        images=scenes.images,
        prompts=scenes.prompts,
        people=tuple(scenes.layout.counts().tolist()),
        detections=truth if detections is None else detections,
        scenes=scenes,
        references=references,
        targets=references,
    )
    return replace(seen, **changes)
