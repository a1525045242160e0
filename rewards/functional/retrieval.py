"""Does an image know its caption among others: top-1 of k."""

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor


def top1_credit(scores: Float[Tensor, "b k"], target: Int[Tensor, " b"]) -> Float[Tensor, " b"]:
    """1 where the target scores highest; with t candidates tied at the top, 1 / t if it is among them.

    A scorer that tells nothing apart thus gets chance, 1 / k. NaN scores lose to all others.
    """
    finite = scores.nan_to_num(-torch.inf)
    best = finite == finite.amax(dim=1, keepdim=True)
    hit = best.gather(1, target[:, None]).squeeze(1)
    return hit.float() / best.sum(dim=1)


def draw_candidates(count: int, k: int, generator: Generator | None = None) -> Int[Tensor, "b k"]:
    """For each of ``count`` images the places of k captions: its own first, then k - 1 distinct others.

    Raises:
        ValueError: if there are fewer than k captions.
    """
    if not 2 <= k <= count:
        raise ValueError(f"k: {k} must lie in 2..{count}, the number of captions")
    order = torch.rand(count, count, generator=generator)
    order.fill_diagonal_(-1.0)
    return order.argsort(dim=1)[:, :k]


def top1_of_k(
    scores: Float[Tensor, "b b"], k: int, generator: Generator | None = None
) -> Float[Tensor, " b"]:
    """Credit of every image for finding its caption (same place) among k - 1 drawn others.

    Args:
        scores: of every image (row) with every caption (column).
        k: candidates per image, the true one included.
        generator: source of the draw, on the CPU.
    """
    candidates = draw_candidates(scores.shape[0], k, generator).to(scores.device)
    return top1_credit(scores.gather(1, candidates), torch.zeros_like(candidates[:, 0]))
