"""Faces: do they look at the camera (Ar2Can Eq. (7)), and are they who they should be (Algorithm 4).

Landmarks are five per face in image order (left eye, right eye, nose, mouth corners) in a unit that is the
same on both axes.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from rewards.functional.assignment import Assignment, hungarian
from rewards.functional.boxes import centroid_distances

ROLL_SIGMA_DEG = 15.0
ASYMMETRY_SIGMA = 0.25
FRONTALITY_GATE = 0.9


def roll_deg(landmarks: Float[Tensor, "*s 5 2"]) -> Float[Tensor, "*s"]:
    """Angle of the line through the eyes, in (-180, 180]; positive is clockwise as seen."""
    line = landmarks[..., 1, :] - landmarks[..., 0, :]
    return torch.rad2deg(torch.atan2(line[..., 1], line[..., 0]))


def yaw_asymmetry(landmarks: Float[Tensor, "*s 5 2"]) -> Float[Tensor, "*s"]:
    """``| |left eye - nose| - |right eye - nose| | / inter-ocular distance`` (Ar2Can, Appendix C.2).

    0 is a head seen straight. Infinite or NaN where both eyes fall on one point.
    """
    left, right, nose = landmarks[..., 0, :], landmarks[..., 1, :], landmarks[..., 2, :]
    difference: Tensor = ((left - nose).norm(dim=-1) - (right - nose).norm(dim=-1)).abs()
    eyes: Tensor = (left - right).norm(dim=-1)
    return difference / eyes


def frontality(landmarks: Float[Tensor, "*s 5 2"], gate: float = FRONTALITY_GATE) -> Float[Tensor, "*s"]:
    """Ar2Can Eq. (7): ``exp(-roll² / (2 15²)) exp(-asymmetry² / (2 0.25²))``, and 0 below ``gate``.

    The paper's roll is |arctan(dy / dx)|, which does not tell an upside-down face from an upright one.
    Faces with NaN landmarks or eyes in one point score 0.
    """
    angle = roll_deg(landmarks).abs()
    roll = torch.minimum(angle, 180 - angle)
    exponent = (roll / ROLL_SIGMA_DEG).square() + (yaw_asymmetry(landmarks) / ASYMMETRY_SIGMA).square()
    score = torch.exp(-exponent / 2).nan_to_num(0.0)
    return torch.where(score < gate, torch.zeros_like(score), score)


def pairwise_cosine(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """Cosine of every pair of embeddings; 0 with an embedding that is zero or not finite (no face found)."""
    return _unit(a) @ _unit(b).T


def match_by_place(planned: Float[Tensor, "n 4"], detected: Float[Tensor, "o 4"]) -> Assignment:
    """Planned faces to detected ones by least total distance of centres (Ar2Can Algorithm 4, lines 3-4)."""
    return hungarian(centroid_distances(planned, detected))


def placed_identity_similarity(
    references: Float[Tensor, "n d"],
    planned: Float[Tensor, "n 4"],
    embeddings: Float[Tensor, "o d"],
    detected: Float[Tensor, "o 4"],
) -> Float[Tensor, " n"]:
    """Is the right face in the right place: Ar2Can Algorithm 4, whose reward is the mean of the result.

    Args:
        references: identity embeddings of the reference faces.
        planned: the box each of them should fill, xyxy.
        embeddings: identity embeddings of the detected faces.
        detected: their boxes, xyxy; a NaN box is never matched.

    Returns:
        Cosine of each reference with the face matched to its place, 0 where there is none.
    """
    return _matched(pairwise_cosine(references, embeddings), match_by_place(planned, detected))


def best_identity_similarity(
    references: Float[Tensor, "n d"], embeddings: Float[Tensor, "o d"]
) -> Float[Tensor, " n"]:
    """Is everybody there, wherever: the one-to-one matching that maximises total cosine.

    MultiHuman-Testbench's identity measure is the mean of the result; 0 where a reference stays alone.
    """
    cosine = pairwise_cosine(references, embeddings)
    return _matched(cosine, hungarian(cosine, maximize=True))


def nearest_similarity(people: Float[Tensor, "n d"], embeddings: Float[Tensor, "o d"]) -> Float[Tensor, " n"]:
    """Cosine of each person with the most similar face, which may serve several people; 0 where there is no face.

    MultiID-Bench's similarity to references and to the true image is the mean of the result.
    """
    if not len(embeddings):
        return people.new_zeros(len(people))
    return pairwise_cosine(people, embeddings).amax(dim=1)


def copy_paste(
    generated: Float[Tensor, "*s d"],
    target: Float[Tensor, "*s d"],
    reference: Float[Tensor, "*s d"],
    epsilon: float = 1e-3,
) -> Float[Tensor, "*s"]:
    """WithAnyone's copy-paste measure: ``(angle(g, t) - angle(g, r)) / max(angle(t, r), epsilon)``, in [-1, 1].

    Positive where a generated face is nearer to the reference view than to the same person's face in the true image:
    1 is the reference itself, -1 the true face. NaN with an embedding that is zero or not finite.
    """
    angle_gt, angle_gr, angle_tr = (
        _angle(a, b) for a, b in ((generated, target), (generated, reference), (target, reference))
    )
    return (angle_gt - angle_gr) / angle_tr.clamp(min=epsilon)


def _angle(a: Tensor, b: Tensor) -> Tensor:
    """Angle between embeddings in radians, exact for small ones too; NaN where one of them is no direction."""
    a, b = (torch.where((x := _unit(v)).any(-1, keepdim=True), x, torch.nan) for v in (a, b))
    return 2 * torch.atan2((a - b).norm(dim=-1), (a + b).norm(dim=-1))


def _matched(similarity: Tensor, pairs: Assignment) -> Tensor:
    scores = similarity.new_zeros(similarity.shape[0])
    scores[pairs.rows] = similarity[pairs.rows, pairs.columns]
    return scores


def _unit(embeddings: Tensor) -> Tensor:
    norms = embeddings.norm(dim=-1, keepdim=True)
    usable = torch.isfinite(norms) & (norms > 0)
    return torch.where(usable, embeddings / norms, torch.zeros_like(embeddings))
