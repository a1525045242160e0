"""The learning rate of the models that Muon and AdamW train together."""


def rate_factor(step: int, total: int, warmup_steps: int, decay_share: float, floor: float) -> float:
    """Share of the peak rate at ``step`` of ``total``: linear warm-up, constant, linear decay to ``floor``.

    Args:
        step: steps done.
        total: steps of the run.
        warmup_steps: length of the warm-up.
        decay_share: last share of the run in which the rate falls.
        floor: least share after the warm-up.
    """
    left = (total - step) / max(1.0, decay_share * total)
    return min(1.0, (step + 1) / warmup_steps, max(floor, left))
