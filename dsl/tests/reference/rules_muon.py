"""Rules of Muon's family, for make_trajectories.py; see rules.py for their form."""

import math

import numpy as np

from rules import GUARD, average, of_leaves, square_sum, zeros


def orthogonalized(x):
    """Five Newton-Schulz steps, as in github.com/KellerJordan/Muon but in the type of x."""
    x = x / x.dtype.type(max(math.sqrt(square_sum(x)), 1e-7))
    wide = x if x.shape[0] <= x.shape[1] else x.T
    for _ in range(5):
        gram = wide @ wide.T
        wide = 3.4445 * wide + (-4.7750 * gram + 2.0315 * (gram @ gram)) @ wide
    return wide if x.shape[0] <= x.shape[1] else wide.T


@of_leaves
def muon(dtype, shape):
    """github.com/KellerJordan/Muon: Nesterov momentum, orthogonalized, with decoupled weight decay."""
    momentum, weight_decay, base_rate = 0.95, 0.01, 0.02
    (m,) = zeros(dtype, shape, 1)

    def step(w, g, rate):
        nonlocal m
        m = average(dtype, m, g, momentum)
        update = orthogonalized(average(dtype, m, g, momentum))
        update = update * dtype(math.sqrt(max(1.0, shape[0] / shape[1])))
        return w - dtype(base_rate * rate) * (update + weight_decay * w)

    return step


@of_leaves
def muon_adamw(dtype, shape):
    """github.com/KellerJordan/Muon: that for matrices, for the others AdamW with betas 0.9 and 0.95."""
    if min(shape) > 1:
        return muon(dtype, shape)
    beta1, beta2, weight_decay, base_rate = 0.9, 0.95, 0.01, 0.0003
    m, v = zeros(dtype, shape, 2)
    t = 0

    def step(w, g, rate):
        nonlocal m, v, t
        t += 1
        m = average(dtype, m, g, beta1)
        v = average(dtype, v, g * g, beta2)
        divisor = np.sqrt(v / dtype(1 - beta2**t)) + dtype(GUARD)
        update = dtype(1 / (1 - beta1**t)) * m / divisor
        return w - dtype(base_rate * rate) * (update + weight_decay * w)

    return step
