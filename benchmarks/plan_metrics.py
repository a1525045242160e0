"""Figures of images that an Architect had a part in; see ``benchmarks.metrics``."""

import torch

from benchmarks.metrics import Observation, Values
from rewards.analyzers.face_maps import TinyFaceMap
from rewards.count import BlobCountReward
from rewards.functional.faces import best_identity_similarity


def identity_anywhere(seen: Observation) -> Values:
    """``identity_anywhere``: as MultiHuman-Testbench has it, since people stand where an Architect put them."""
    if seen.scenes is None or seen.detections is None or seen.references is None:
        return {}
    if any(faces.embeddings is None for faces in seen.detections):
        return {}
    scores = [best_identity_similarity(*seen.identities(i)).mean().cpu() for i in range(len(seen))]
    return {"identity_anywhere": torch.stack(scores).float()}


def tiny_blob_count(seen: Observation) -> Values:
    """``count_blobs``: exact count by blob analysis of the tiny detector's map, Architect-B's reward there."""
    return {"count_blobs": BlobCountReward(TinyFaceMap()).score(seen)}
