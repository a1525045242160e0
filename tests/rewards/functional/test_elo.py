"""Bradley-Terry ratings against scikit-learn, scipy and the closed form for two."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from rewards.functional.elo import (
    POINTS,
    UnratableError,
    elo_ratings,
    elo_standard_errors,
)

WINS = torch.tensor([[0, 7, 3.5, 9], [3, 0, 6, 2], [6.5, 4, 0, 5], [1, 8, 5, 0]], dtype=torch.float64)


def by_logistic_regression(wins):
    """Each pair is a row with +1 and -1; strengths are the coefficients."""
    rows, outcomes, weights = [], [], []
    for i in range(len(wins)):
        for j in range(len(wins)):
            if i != j and wins[i, j] > 0:
                row = np.zeros(len(wins))
                row[i], row[j] = 1, -1
                rows += [row, -row]
                outcomes += [1, 0]
                weights += [wins[i, j].item()] * 2
    fit = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-12, max_iter=5000)
    strength = fit.fit(np.array(rows), outcomes, sample_weight=weights).coef_[0]
    return torch.from_numpy((strength - strength.mean()) * 400 / math.log(10) + 1000)


def test_ratings_are_those_of_logistic_regression():
    torch.testing.assert_close(elo_ratings(WINS), by_logistic_regression(WINS), atol=1e-2, rtol=0)


def test_ratings_are_the_maximum_that_scipy_finds():
    def loss(x):
        lead = (x[:, None] - x[None]) * math.log(10) / 400
        return float((WINS.numpy() * np.logaddexp(0, -lead)).sum())

    best = minimize(loss, np.full(4, 1000.0), method="BFGS", options={"gtol": 1e-10}).x
    np.testing.assert_allclose(elo_ratings(WINS).numpy(), best - best.mean() + 1000, atol=0.5)


def test_two_players_have_a_closed_form():
    wins = torch.tensor([[0.0, 30], [10, 0]])
    ratings = elo_ratings(wins)
    assert float(ratings[0] - ratings[1]) == pytest.approx(400 * math.log10(3), abs=1e-8)
    assert float(ratings.mean()) == pytest.approx(1000)
    # Variance of a logit is 1 / (n p q); each rating moves by half of the difference.
    error = elo_standard_errors(wins, ratings)
    assert error.tolist() == pytest.approx([POINTS / 2 / math.sqrt(40 * 0.75 * 0.25)] * 2)


def test_far_away_players_converge():
    wins = torch.tensor([[0.0, 9999, 1], [1, 0, 9999], [1, 1, 0]])
    ratings = elo_ratings(wins)
    chance = torch.sigmoid((ratings[:, None] - ratings) / POINTS)
    gradient = (wins - (wins + wins.T) * chance).sum(1)
    assert gradient.abs().max() < 1e-6


def test_standard_errors_cover_the_truth():
    """Ratings of simulated judgements lie within two standard errors about 95 times in 100."""
    truth = torch.tensor([1100.0, 1000.0, 900.0], dtype=torch.float64)
    chance = torch.sigmoid((truth[:, None] - truth) / POINTS)
    hits = []
    for _ in range(200):
        won = torch.binomial(torch.full((3, 3), 60.0, dtype=torch.float64), chance).triu(1)
        wins = won + (60 - won).triu(1).T
        ratings = elo_ratings(wins)
        hits += ((ratings - truth).abs() < 1.96 * elo_standard_errors(wins, ratings)).tolist()
    assert 0.92 < np.mean(hits) < 0.98


@pytest.mark.usefixtures("unchecked_shapes")
def test_who_cannot_be_rated_is_named():
    with pytest.raises(UnratableError, match=r"players \[2\]"):
        elo_ratings(torch.tensor([[0.0, 2, 3], [1, 0, 4], [0, 0, 0]]))
    with pytest.raises(UnratableError, match="both a win and a loss"):
        elo_ratings(torch.block_diag(torch.ones(2, 2), torch.ones(2, 2)))
    with pytest.raises(ValueError, match=r"shape \(2, 3\)"):
        elo_ratings(torch.ones(2, 3))
    with pytest.raises(ValueError, match="negative"):
        elo_ratings(torch.tensor([[0.0, -1], [1, 0]]))
