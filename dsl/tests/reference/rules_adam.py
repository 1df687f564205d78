"""Rules of Adam's family, for make_trajectories.py; see rules.py for their form. They keep their program's
order of operations."""

import math

import numpy as np

from rules import average, clear, corrected, of_all, of_leaves, over, square_sum, zeros


@of_all
def adopt(dtype, shape, weight_decay=0.01):
    """arXiv 2411.02853 with clipping, as in github.com/iShohei220/adopt where decouple=True."""
    m, v = zeros(dtype, shape, 2)
    t = 0

    def step(w, g, rate):
        nonlocal m, v, t
        t += 1
        if t == 1:
            v = g * g
            return w
        clip = dtype((t - 1) ** 0.25)
        share = g * (1 / np.maximum(np.sqrt(v), dtype(1e-6)))
        m = average(dtype, m, np.clip(share, -clip, clip), 0.9)
        v = average(dtype, v, g * g, 0.9999)
        return w - (m + weight_decay * w) * dtype(0.001 * rate)

    return step


@of_all
def laprop(dtype, shape, weight_decay=0.01):
    """arXiv 2002.04839 with eps 1e-8 and decoupled weight decay."""
    m, v = zeros(dtype, shape, 2)
    t = 0

    def step(w, g, rate):
        nonlocal m, v, t
        t += 1
        v = average(dtype, v, g * g, 0.999)
        m = average(dtype, m, over(g, np.sqrt(corrected(v, 0.999, t))), 0.9)
        return w - (corrected(m, 0.9, t) + weight_decay * w) * dtype(0.0004 * rate)

    return step


@of_all
def ademamix(dtype, shape):
    """arXiv 2409.03137 without its schedules of alpha and beta3."""
    m, v, slow = zeros(dtype, shape, 3)
    t = 0

    def step(w, g, rate):
        nonlocal m, v, slow, t
        t += 1
        m = average(dtype, m, g, 0.9)
        slow = average(dtype, slow, g, 0.9999)
        v = average(dtype, v, g * g, 0.999)
        both = corrected(m, 0.9, t) + 5.0 * slow
        update = over(both, np.sqrt(corrected(v, 0.999, t)))
        return w - (update + 0.01 * w) * dtype(0.001 * rate)

    return step


def adam(dtype, shape, betas=(0.9, 0.999)):
    """Adam's update for a gradient, before the learning rate."""
    m, v = zeros(dtype, shape, 2)
    t = 0

    def update(g):
        nonlocal m, v, t
        t += 1
        m = average(dtype, m, g, betas[0])
        v = average(dtype, v, g * g, betas[1])
        return over(corrected(m, betas[0], t), np.sqrt(corrected(v, betas[1], t)))

    return update


@of_leaves
def mars_adamw(dtype, shape):
    """arXiv 2411.10438, approximate form, as in github.com/AGI-Arena/MARS where optimize_1d=True."""
    update, gamma, beta1 = adam(dtype, shape, (0.95, 0.99)), 0.025, 0.95
    (previous,) = zeros(dtype, shape, 1)

    def step(w, g, rate):
        nonlocal previous
        c = g + gamma * beta1 / (1 - beta1) * (g - previous)
        previous = g
        c = c * dtype(1 / max(math.sqrt(square_sum(c)), 1.0))
        return w - (update(c) + 0.01 * w) * dtype(0.003 * rate)

    return step


@of_all
def grokfast_adamw(dtype, shape):
    """arXiv 2405.20233, its filter by an average as in github.com/ironjr/grokfast, before AdamW."""
    update, slow = adam(dtype, shape, (0.9, 0.98)), None

    def step(w, g, rate):
        nonlocal slow
        slow = average(dtype, g if slow is None else slow, g, 0.98)
        return w - (update(g + 2.0 * slow) + 0.01 * w) * dtype(0.001 * rate)

    return step


@of_leaves
def adam_mini(dtype, shape):
    """arXiv 2406.16793 as in github.com/zyushun/Adam-mini for the weights of perceptrons and for biases."""
    m, v = np.zeros(shape, dtype), np.zeros((shape[0], 1), dtype)
    t = 0

    def step(w, g, rate):
        nonlocal m, v, t
        t += 1
        # The language has numbers of rows in float64, but for those in a state.
        mean = np.mean(g * g, axis=1, keepdims=True, dtype=np.float64)
        wide = average(np.float64, v.astype(np.float64), mean, 0.999)
        m, v = average(dtype, m, g, 0.9), wide.astype(dtype)
        divisor = np.sqrt(corrected(wide, 0.999, t)).astype(dtype)
        return w - (over(corrected(m, 0.9, t), divisor) + 0.01 * w) * dtype(0.001 * rate)

    return step


@of_all
def grams(dtype, shape):
    """arXiv 2412.17107, with decoupled weight decay as in github.com/Gunale0926/Grams."""
    update = adam(dtype, shape)

    def step(w, g, rate):
        return w - (np.abs(update(g)) * np.sign(g) + 0.01 * w) * dtype(0.001 * rate)

    return step


@of_all
def cautious_decay(dtype, shape):
    """arXiv 2510.12402: AdamW that decays where update and weight agree in sign, or one is zero."""
    (m,), update = zeros(dtype, shape, 1), adam(dtype, shape)

    def step(w, g, rate):
        nonlocal m
        m = clear(average(dtype, m, g, 0.9), 0.9 * m)
        u = update(g)
        return w - (u + np.where(u * w >= 0, 0.01 * w, 0)) * dtype(0.001 * rate)

    return step


@of_leaves
def lamb(dtype, shape):
    """arXiv 1904.00962, algorithm 2 with eps 1e-8, where phi is the identity."""
    update = adam(dtype, shape)

    def step(w, g, rate):
        u = update(g) + 0.01 * w
        size, length = math.sqrt(square_sum(w)), math.sqrt(square_sum(u))
        ratio = size * (1 / length) if size > 0 and length > 0 else 1.0
        return w - u * dtype(ratio * (0.001 * rate))

    return step


@of_leaves
def rms_momentum(dtype, shape):
    """The normalization of arXiv 2602.19142 with eps 1e-8 beside the root, of momentum."""
    (m,) = zeros(dtype, shape, 1)

    def step(w, g, rate):
        nonlocal m
        m = average(dtype, m, g, 0.9)
        return w - over(m, dtype(math.sqrt(np.mean(m * m, dtype=np.float64)))) * dtype(0.001 * rate)

    return step
