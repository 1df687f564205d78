"""Rules of Muon's family, for make_trajectories.py; see rules.py for their form. All but the first two keep
their program's order of operations."""

import math

import numpy as np

from rules import GUARD, average, clear, of_leaves, over, square_sum, zeros
from rules_adam import adam


def in_order(a, b):
    """The matrix product, each sum in the order of its terms as in the language's engines."""
    return sum(a[:, k, None] * b[k] for k in range(a.shape[1]))


MUON = 5 * [(3.4445, -4.7750, 2.0315)]

# arXiv 2505.16932, algorithm 1, the first five of eight.
SAFETY = 1.01
POLAR_EXPRESS = [
    (a / SAFETY, b / (SAFETY * SAFETY * SAFETY), c / (SAFETY * SAFETY * SAFETY * SAFETY * SAFETY))
    for a, b, c in [
        (8.28721201814563, -23.595886519098837, 17.300387312530933),
        (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
        (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
        (3.3184196573706015, -2.488488024314874, 0.51004894012372),
        (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
    ]
]


def orthogonalized(x, product=np.matmul, steps=MUON, margin=1.0):
    """Newton-Schulz steps, as in github.com/KellerJordan/Muon but in the type of x."""
    x = x / x.dtype.type(max(math.sqrt(square_sum(x)) * margin, 1e-7))
    wide = x if x.shape[0] <= x.shape[1] else x.T
    for a, b, c in steps:
        gram = product(wide, wide.T)
        polynomial = b * gram + c * product(gram, gram)
        wide = a * wide + product(polynomial, wide)
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


def norm(x):
    return math.sqrt(square_sum(x))


def row_mean(x):
    return np.mean(x, axis=1, keepdims=True, dtype=np.float64)


def column_mean(x):
    return np.mean(x, axis=0, keepdims=True, dtype=np.float64)


def tallness(shape):
    return math.sqrt(max(shape[0] * (1 / shape[1]), 1.0))


def nesterov(dtype, shape):
    """The momentum that Muon orthogonalizes, and the part of it that is not the gradient."""
    (m,) = zeros(dtype, shape, 1)

    def ahead(g):
        nonlocal m
        m = average(dtype, m, g, 0.95)
        return average(dtype, m, g, 0.95), 0.95 * m

    return ahead


@of_leaves
def normuon_adamw(dtype, shape):
    """arXiv 2510.05491 as in github.com/zichongli5/NorMuon with eps 1e-8; for vectors AdamW."""
    ahead, direction = nesterov(dtype, shape), adam(dtype, shape, (0.9, 0.95))
    (v,) = zeros(dtype, (shape[0], 1), 1)

    def step(w, g, rate):
        nonlocal v
        if min(shape) == 1:
            return w - (direction(g) + 0.01 * w) * 0.015 * dtype(0.02 * rate)
        update = orthogonalized(ahead(g)[0], in_order)
        v = average(dtype, v, row_mean(update * update).astype(dtype), 0.95)
        even = over(update, np.sqrt(v))
        scale = over(norm(update), norm(even)) * tallness(shape)
        return w - (even * dtype(scale) + 0.01 * w) * dtype(0.02 * rate)

    return step


@of_leaves
def polar_muon_adamw(dtype, shape):
    """github.com/KellerJordan/Muon with arXiv 2505.16932 for hidden matrices, for the others AdamW."""
    ahead, direction = nesterov(dtype, shape), adam(dtype, shape, (0.9, 0.95))

    def step(w, g, rate):
        # Of the inputs with roles, the only hidden one.
        if shape != (5, 3):
            return w - (direction(g) + 0.01 * w) * 0.015 * dtype(0.02 * rate)
        update = orthogonalized(ahead(g)[0], in_order, POLAR_EXPRESS, SAFETY)
        return w - (update * dtype(tallness(shape)) + 0.01 * w) * dtype(0.02 * rate)

    return step


@of_leaves
def adamuon(dtype, shape):
    """arXiv 2507.11005 as in github.com/Chongjie-Si/AdaMuon."""
    ahead = nesterov(dtype, shape)
    (v,) = zeros(dtype, shape, 1)

    def step(w, g, rate):
        nonlocal v
        update = orthogonalized(np.sign(clear(*ahead(g))), in_order)
        v = average(dtype, v, update * update, 0.95)
        update = over(update, np.sqrt(v))
        scale = over(math.sqrt(w.size), norm(update)) * 0.2
        return w - (update * dtype(scale) + 0.1 * w) * dtype(0.0006 * rate)

    return step


@of_leaves
def muon_squared(dtype, shape):
    """arXiv 2604.09967 as in modded-nanogpt's track 3, result 7, with Muon's five steps and eps 1e-8."""
    ahead = nesterov(dtype, shape)
    (v,) = zeros(dtype, shape, 1)

    def step(w, g, rate):
        nonlocal v
        v = average(dtype, v, g * g, 0.95)
        update = orthogonalized(over(ahead(g)[0], np.sqrt(v)), in_order)
        return w - (update * dtype(tallness(shape)) + 0.0125 * w) * dtype(0.1 * rate)

    return step


@of_leaves
def muon_hyperball(dtype, shape):
    """arXiv 2606.16899 as in modded-nanogpt's track 3, result 5, with Muon's five steps; Adam for vectors."""
    ahead, direction = nesterov(dtype, shape), adam(dtype, shape, (0.9, 0.95))

    def step(w, g, rate):
        if min(shape) == 1:
            return w - direction(g) * dtype(0.0003 * rate)
        update, radius = orthogonalized(ahead(g)[0], in_order), norm(w)
        moved = w - update * dtype(over(radius, norm(update)) * (0.018 * rate))
        moved = moved * dtype(radius * (1 / max(norm(moved), 1e-10)))
        return w - (w - moved)

    return step


@of_leaves
def contra_muon(dtype, shape):
    """The technique of modded-nanogpt's track 3, result 11 (github.com/nilin/contra-muon), in Muon."""
    ahead = nesterov(dtype, shape)

    def step(w, g, rate):
        momentum, _ = ahead(g)
        x = momentum * dtype(over(math.sqrt(w.size), norm(momentum)))
        right = np.ones((1, shape[1]))
        for iteration in range(5):
            left = row_mean(x * right.astype(dtype))
            right = column_mean(x * left.astype(dtype))
            if iteration == 2:
                right = over(right, norm(right))
        largest = norm(shape[1] * row_mean(x * right.astype(dtype)))
        orthogonal = orthogonalized(momentum, in_order)
        update = orthogonal - x * dtype(over(norm(right), largest) * 0.2)
        scale = over(norm(orthogonal), norm(update)) * tallness(shape)
        return w - (update * dtype(scale) + 0.01 * w) * dtype(0.02 * rate)

    return step
