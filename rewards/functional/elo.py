"""Strengths from judgements in pairs: the Bradley-Terry model on the Elo scale (SkeleGuide, Table 1).

``P(i beats j) = 1 / (1 + 10^((R_j - R_i) / 400))``. All judgements are fitted at once by maximum likelihood, so that
their order does not matter, unlike in Elo's running update; a tie counts as half a win for each. Ratings are relative:
their mean is set to 1000.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse.csgraph import connected_components
from torch import Tensor

POINTS = 400 / math.log(10)
"""Elo points per unit of log odds."""
MEAN = 1000.0
_ROUNDS = 100


class UnratableError(ValueError):
    """Judgements that leave a rating without a finite maximum; the message says who lacks what."""


def elo_ratings(wins: Float[Tensor, "m m"]) -> Float[Tensor, " m"]:
    """Maximum-likelihood Elo ratings, with mean 1000.

    Args:
        wins: ``wins[i, j]`` is how often i was preferred to j; ties are 0.5 on either side.

    Raises:
        UnratableError: if somebody, or a group, never lost or never won against the rest: their rating is infinite.
        ValueError: if ``wins`` is not square, or has negative entries.
    """
    table = _checked(wins)
    groups, owner = connected_components(table.numpy() > 0, directed=True, connection="strong")
    if groups > 1:
        alone = np.flatnonzero(owner == np.bincount(owner).argmin()).tolist()
        raise UnratableError(
            f"wins: players {alone} are not tied to the others by both a win and a loss; collect more judgements, "
            "or leave them out"
        )
    strength = torch.zeros(len(table), dtype=torch.float64)
    for _ in range(_ROUNDS):
        gradient, information = _derivatives(table, strength)
        step = torch.linalg.pinv(information, hermitian=True) @ gradient
        # A full Newton step may overshoot from far away; the likelihood is concave, so halving always ends.
        before = _log_likelihood(table, strength)
        while _log_likelihood(table, strength + step) < before - 1e-12:
            step = step / 2
        strength = strength + step
        if step.abs().max() < 1e-10:
            break
    return POINTS * (strength - strength.mean()) + MEAN


def elo_standard_errors(wins: Float[Tensor, "m m"], ratings: Float[Tensor, " m"]) -> Float[Tensor, " m"]:
    """Standard errors of the ratings about their common mean, from the Fisher information.

    They take all judgements for independent. Where one reviewer judges many pictures, or many judge one, resample these
    instead (``rewards.evaluation.judgements``).
    """
    _, information = _derivatives(_checked(wins), ratings.double() / POINTS)
    covariance = torch.linalg.pinv(information, hermitian=True)
    return POINTS * covariance.diagonal().clamp(min=0).sqrt()


def _checked(wins: Tensor) -> Float[Tensor, "m m"]:
    table = wins.detach().double().cpu().clone()
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not len(table):
        raise ValueError(f"wins: shape {tuple(wins.shape)}; give a square table, one row per player")
    table.fill_diagonal_(0)
    if not bool((table >= 0).all()):
        raise ValueError("wins: negative or undefined entries; give counts, ties as 0.5 on either side")
    return table


def _log_likelihood(wins: Tensor, strength: Tensor) -> float:
    lead = strength[:, None] - strength
    return float((wins * torch.nn.functional.logsigmoid(lead)).sum())


def _derivatives(wins: Tensor, strength: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient and Fisher information of the log likelihood in log odds."""
    chance = torch.sigmoid(strength[:, None] - strength)
    met = wins + wins.T
    gradient = (wins - met * chance).sum(1)
    weight = met * chance * (1 - chance)
    return gradient, torch.diag(weight.sum(1)) - weight
