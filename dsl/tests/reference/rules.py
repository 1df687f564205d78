"""Optimizers written out in NumPy, for make_trajectories.py, from their papers or their authors' code.

Each rule is a function of a float type and a shape that gives one of weights, gradient and learning
rate (1 being the usual setting): the weights after the step. The rules of LEAVES see one tensor at a
time, as a matrix of its first dimension by the others; the rules of ALL see all elements as one
vector, as they do no shapes, or take sums over everything.

Scalars are Python floats (float64) and are rounded to the weights' type where they meet an array, as
torch does.
"""

import math

import numpy as np

# What division adds to its divisor in the language of the Lion paper.
GUARD = 1e-8

# Rules in the order in which they are written to files.
ALL, LEAVES = [], []


def of_all(make):
    ALL.append(make)
    return make


def of_leaves(make):
    LEAVES.append(make)
    return make


def zeros(dtype, shape, count):
    return [np.zeros(shape, dtype) for _ in range(count)]


def clear(total, part):
    """The sum `total`, of which `part` is a term; a sign that rounding could flip would make the
    trajectory meaningless."""
    large = np.maximum(np.abs(part), np.abs(total - part))
    assert np.all((np.abs(total) > 1e-5 * large) | (large == 0)), "choose another seed"
    return total


def average(dtype, old, new, beta):
    """The moving average beta old + (1 - beta) new."""
    return beta * old + dtype(1 - beta) * new


def square_sum(x):
    return float(np.sum(np.square(x, dtype=np.float64)))


def root_mean_square(x):
    return math.sqrt(square_sum(x) / x.size)


def corrected(x, beta, t):
    """A moving average without its bias towards the zero it began with."""
    return x * x.dtype.type(1 / (1 - beta**t))


def over(a, b):
    """The language's division."""
    kind = a.dtype.type if isinstance(a, np.ndarray) else float
    return a / (b + kind(GUARD))


@of_all
def lion(dtype, shape):
    """Algorithm 2 of arXiv 2302.06675: c = b1 m + (1 - b1) g; w -= lr (sign c + wd w)."""
    beta1, beta2, weight_decay, base_rate = 0.9, 0.99, 0.1, 0.0001
    (m,) = zeros(dtype, shape, 1)

    def step(w, g, rate):
        nonlocal m
        c = clear(average(dtype, m, g, beta1), beta1 * m)
        m = average(dtype, m, g, beta2)
        return w - dtype(base_rate * rate) * (np.sign(c) + weight_decay * w)

    return step


@of_all
def signsgd(dtype, shape):
    """arXiv 1802.04434, algorithm 1: w -= lr sign g."""

    def step(w, g, rate):
        return w - dtype(0.0001 * rate) * np.sign(g)

    return step


@of_all
def adamw_uncorrected(dtype, shape):
    """Program 3 of arXiv 2302.06675: AdamW without bias correction, eps being the guard."""
    beta1, beta2, weight_decay, base_rate = 0.9, 0.999, 0.01, 0.001
    m, v = zeros(dtype, shape, 2)

    def step(w, g, rate):
        nonlocal m, v
        m = dtype(1 - beta1) * g + beta1 * m
        v = dtype(1 - beta2) * (g * g) + beta2 * v
        direction = m / (np.sqrt(v) + dtype(GUARD))
        return w - (direction + weight_decay * w) * dtype(base_rate * rate)

    return step


def found_lion(dtype, shape, betas, base_rate, weight_decay):
    """Lion before it was simplified, in exact arithmetic the same for both listings."""
    (v,) = zeros(dtype, shape, 1)

    def step(w, g, rate):
        nonlocal v
        norm = math.sqrt(square_sum(g))
        g = np.arcsin(g * dtype(min(1.0, rate / norm) if norm > 0 else 1.0))
        m = dtype(1 - betas[0]) * g + betas[0] * v
        v = dtype(1 - betas[1]) * g + betas[1] * m
        direction = m / (np.sqrt(m * m) + dtype(GUARD))
        return w - (direction + weight_decay * w) * dtype(base_rate * rate)

    return step


@of_all
def lion_discovered(dtype, shape):
    """Program 4 of arXiv 2302.06675, without the statement whose value no step reads."""
    return found_lion(dtype, shape, (0.899, 1.109), 0.0002, 0.4602)


@of_all
def lion_raw(dtype, shape):
    """Program 8 of arXiv 2302.06675 as recalled, without the statements whose values no step reads."""
    betas = (0.8999999761581421, 1.109133005142212)
    return found_lion(dtype, shape, betas, 0.0002171761734643951, 0.4601978361606598)


@of_all
def discovered_decay(dtype, shape):
    """Program 5 of arXiv 2302.06675 as recalled."""
    m, v = zeros(dtype, shape, 2)

    def step(w, g, rate):
        nonlocal m, v
        m = average(dtype, g, m, 0.16)
        v = average(dtype, g * g, v, 0.001)
        decay = float(np.dot(g.astype(np.float64), w.astype(np.float64)))
        update = np.sin(m / (np.sqrt(v) + dtype(GUARD))) + dtype(decay) * w
        v = np.sin(v)
        return w - dtype(0.0216 * rate) * update

    return step


@of_all
def discovered_adagrad(dtype, shape):
    """Program 6 of arXiv 2302.06675 as recalled."""
    m, v = zeros(dtype, shape, 2)

    def step(w, g, rate):
        nonlocal m, v
        m = average(dtype, g, m, 0.1)
        sum_of_squares = average(dtype, v + g * g, v, 0.0015)
        update = np.sinh(m / (np.sqrt(sum_of_squares) + dtype(GUARD)))
        v = np.minimum(sum_of_squares, dtype(math.pi))
        return w - dtype(0.0606 * rate) * update

    return step


@of_all
def discovered_belief(dtype, shape):
    """Program 7 of arXiv 2302.06675 as recalled."""
    m, v = zeros(dtype, shape, 2)

    def step(w, g, rate):
        nonlocal m, v
        m = average(dtype, g, m, 0.1)
        v = average(dtype, (g - m) ** 2, v, 0.001)
        update = m / (np.sqrt(v) + dtype(GUARD)) + 0.0238 * w
        return w - dtype(0.03721 * rate) * update

    return step


@of_all
def signum(dtype, shape):
    """arXiv 1802.04434, algorithm 2: w -= lr sign m."""
    (m,) = zeros(dtype, shape, 1)

    def step(w, g, rate):
        nonlocal m
        m = clear(average(dtype, m, g, 0.9), 0.9 * m)
        return w - dtype(0.0001 * rate) * np.sign(m)

    return step


def agreeing(dtype, shape, scale):
    (m,) = zeros(dtype, shape, 1)

    def step(w, g, rate):
        nonlocal m
        m = clear(average(dtype, m, g, 0.9), 0.9 * m)
        return w - dtype(0.1 * rate) * (scale(np.sign(g) * np.sign(m)) * g)

    return step


@of_all
def powersign(dtype, shape):
    """arXiv 1709.07417: w -= lr e^(sign g sign m) g, without decay of the sign."""
    return agreeing(dtype, shape, np.exp)


@of_all
def addsign(dtype, shape):
    """arXiv 1709.07417: w -= lr (1 + sign g sign m) g, without decay of the sign."""
    return agreeing(dtype, shape, lambda agreement: 1 + agreement)


@of_all
def adabelief(dtype, shape):
    """arXiv 2010.07468, algorithm 2, with eps 1e-16 in the state and 1e-8 in the divisor."""
    m, s = zeros(dtype, shape, 2)
    t = 0

    def step(w, g, rate):
        nonlocal m, s, t
        t += 1
        m = average(dtype, m, g, 0.9)
        s = average(dtype, s, (g - m) ** 2, 0.999) + dtype(1e-16)
        divisor = np.sqrt(s / dtype(1 - 0.999**t)) + dtype(GUARD)
        return w - dtype(0.001 * rate / (1 - 0.9**t)) * m / divisor

    return step


@of_all
def adan(dtype, shape):
    """arXiv 2208.06677, algorithm 1, with weight decay as in the authors' code where no_prox=True."""
    beta1, beta2, beta3, weight_decay, base_rate = 0.98, 0.92, 0.99, 0.02, 0.001
    m, d, n, previous = zeros(dtype, shape, 4)
    t = 0

    def step(w, g, rate):
        nonlocal m, d, n, previous, t
        t += 1
        difference = g - previous if t > 1 else 0 * g
        previous = g
        m = average(dtype, m, g, beta1)
        d = average(dtype, d, difference, beta2)
        n = average(dtype, n, (g + beta2 * difference) ** 2, beta3)
        divisor = np.sqrt(n) / dtype(math.sqrt(1 - beta3**t)) + dtype(GUARD)
        update = dtype(1 / (1 - beta1**t)) * m + dtype(beta2 / (1 - beta2**t)) * d
        return w - dtype(base_rate * rate) * (update / divisor + weight_decay * w)

    return step


def cautious(update, g):
    """The parts of an update that point along the gradient, scaled to make up for the others."""
    mask = (update * g > 0).astype(g.dtype)
    return update * (mask / g.dtype.type(max(float(np.mean(mask)), 1e-3)))


@of_leaves
def cautious_adamw(dtype, shape):
    """arXiv 2411.16085, algorithm 2, as in the authors' code but for decay before the step."""
    beta1, beta2, weight_decay, base_rate = 0.9, 0.999, 0.01, 0.001
    m, v = zeros(dtype, shape, 2)
    t = 0

    def step(w, g, rate):
        nonlocal m, v, t
        t += 1
        m = clear(average(dtype, m, g, beta1), beta1 * m)
        v = average(dtype, v, g * g, beta2)
        divisor = np.sqrt(v) / dtype(math.sqrt(1 - beta2**t)) + dtype(GUARD)
        update = dtype(1 / (1 - beta1**t)) * m / divisor
        return w - dtype(base_rate * rate) * (cautious(update, g) + weight_decay * w)

    return step


@of_leaves
def cautious_lion(dtype, shape):
    """arXiv 2411.16085: Lion with the mask of its algorithm 1."""
    beta1, beta2, weight_decay, base_rate = 0.9, 0.99, 0.1, 0.0001
    (m,) = zeros(dtype, shape, 1)

    def step(w, g, rate):
        nonlocal m
        update = np.sign(clear(average(dtype, m, g, beta1), beta1 * m))
        m = average(dtype, m, g, beta2)
        return w - dtype(base_rate * rate) * (cautious(update, g) + weight_decay * w)

    return step


@of_leaves
def tiger(dtype, shape):
    """github.com/bojone/tiger, its rule for matrices and, where there is one column, for biases."""
    (m,) = zeros(dtype, shape, 1)

    def step(w, g, rate):
        nonlocal m
        m = clear(average(dtype, m, g, 0.965), 0.965 * m)
        if shape[1] > 1:
            return w - dtype(0.001 * rate * root_mean_square(w)) * (np.sign(m) + 0.01 * w)
        return w - dtype(0.001 * rate * 0.5) * np.sign(m)

    return step


@of_leaves
def adafactor(dtype, shape):
    """arXiv 1804.04235, algorithms 4 (matrices) and 5 (vectors) with those of its algorithm 6 for beta2."""
    rows, columns, v = (np.zeros(size, dtype) for size in (shape[0], shape[1], shape))
    t = 0

    def step(w, g, rate):
        nonlocal rows, columns, v, t
        t += 1
        beta2 = 1 - t**-0.8
        squares = g * g + dtype(1e-30)
        if shape[1] > 1:
            rows = average(dtype, rows, squares.mean(axis=1), beta2)
            columns = average(dtype, columns, squares.mean(axis=0), beta2)
            estimate = np.outer(rows / rows.mean(), columns)
        else:
            estimate = v = average(dtype, v, squares, beta2)
        update = g / np.sqrt(estimate)
        update = update / dtype(max(1.0, root_mean_square(update)))
        return w - dtype(0.01 * rate * max(1e-3, root_mean_square(w))) * update

    return step
