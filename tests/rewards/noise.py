"""Weights and pictures that no random generator's version can change: what is compared with other programs' numbers."""

import math

import torch


def noise(shape, seed):
    """Uniform in [-1, 1], by hashing each element's index in 32-bit integers."""
    state = (torch.arange(1, math.prod(shape) + 1) * 2654435761 + seed * 40503001) % 2**32
    for shift, factor in ((15, 1540483477), (13, 1103515245), (16, 668265263)):
        state = (state ^ (state >> shift)) * factor % 2**32
    return (state.double() / 2**31 - 1).float().reshape(shape)
