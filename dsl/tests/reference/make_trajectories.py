"""Writes the weight trajectories that tests/trajectories.rs compares the zoo with.

The rules come from outside this project: torch.optim where torch has the optimizer, otherwise the
published formula written out below in NumPy. Each is run for 100 steps on the same recorded
weights, gradients and learning-rate schedule, once in float32 and once in float64.

Needs NumPy and PyTorch (2.x). Seeded, so a second run writes the same inputs; weights may move in
their last bits with another version of torch. Run it from anywhere:

    python dsl/tests/reference/make_trajectories.py

Files, in dsl/tests/data/trajectories/:
    inputs.json     shapes, weights (flat, tensors end to end), one learning rate and one flat
                    gradient per step
    OPTIMIZER.json  rule, tool, and for float32 and float64 the flat weights after each of `steps`
Every float32 is written as the shortest decimal that reads back as the same float32.
"""

import json
import pathlib

import numpy as np
import torch

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "data" / "trajectories"
SHAPES = [(4, 3), (5,), ()]
SIZES = [int(np.prod(shape)) for shape in SHAPES]
STEPS = 100
RECORDED = [1, 2, 5, 10, 20, 50, 100]
SEED = 20230213

# What division adds to its divisor in the language of the Lion paper.
GUARD = 1e-8


def make_inputs():
    """Weights, gradients (steps x elements, float32) and learning rates (float64)."""
    rng = np.random.default_rng(SEED)
    count = sum(SIZES)
    weights = rng.standard_normal(count) * np.resize([1.0, 0.1, 0.01], count)
    weights[5] = 0.0
    # Each element has its own usual magnitude, down to where eps = 1e-8 matters.
    magnitudes = np.resize([1.0, 1e-1, 1e-2, 1e-3, 1e-5, 1e-7, 1e-8, 10.0], count)
    gradients = rng.standard_normal((STEPS, count)) * magnitudes
    gradients[:10, 3] = 0.0  # silent at first, then not
    gradients[:, 8] = 0.0  # silent always
    gradients[rng.random((STEPS, count)) < 0.05] = 0.0
    gradients[29] = 0.0  # a step in which nothing happens
    gradients[[14, 55, 56]] *= 1e-4  # small in every element
    gradients[[9, 39, 75]] *= 1e3  # large in every element
    warmup = np.minimum(np.arange(1, STEPS + 1) / 10, 1.0)
    decay = 0.5 * (1 + np.cos(np.pi * np.arange(STEPS) / STEPS))
    # At most 1, or program 4 leaves the domain of arcsin; multiples of 1/256, so that every reader
    # of the decimals has the same number.
    rates = np.maximum(np.round(warmup * decay * 256), 1) / 256
    return weights.astype(np.float32), gradients.astype(np.float32), rates


def run_torch(make, base_rate, inputs, dtype):
    """The trajectory of a torch optimizer, one parameter per tensor, one tensor at a time."""
    weights, gradients, rates = inputs
    split = lambda flat: [
        torch.tensor(part.reshape(shape), dtype=dtype)
        for part, shape in zip(np.split(flat, np.cumsum(SIZES)[:-1]), SHAPES)
    ]
    parameters = [torch.nn.Parameter(part) for part in split(weights)]
    optimizer = make(parameters)
    trajectory = []
    for gradient, rate in zip(gradients, rates):
        for parameter, part in zip(parameters, split(gradient)):
            parameter.grad = part
        for group in optimizer.param_groups:
            group["lr"] = base_rate * float(rate)
        optimizer.step()
        flat = [parameter.detach().numpy().ravel() for parameter in parameters]
        trajectory.append(np.concatenate(flat))
    return trajectory


def run_rule(make, inputs, dtype):
    """The trajectory of a rule written in this file."""
    weights, gradients, rates = inputs
    w, rule, trajectory = weights.astype(dtype), make(dtype, len(weights)), []
    for gradient, rate in zip(gradients, rates):
        w = rule(w, gradient.astype(dtype), float(rate))
        assert w.dtype == dtype, "a float64 scalar has widened the weights"
        trajectory.append(w)
    return trajectory


# The rules: scalars are Python floats (float64) and are rounded to the weights' type where they
# meet an array, as torch does.


def lion(dtype, count):
    """Algorithm 2 of arXiv 2302.06675: c = b1 m + (1 - b1) g; w -= lr (sign c + wd w)."""
    beta1, beta2, weight_decay, base_rate = 0.9, 0.99, 0.1, 0.0001
    m = np.zeros(count, dtype)

    def step(w, g, rate):
        nonlocal m
        old = beta1 * m
        c = old + dtype(1 - beta1) * g
        # A sign that rounding could flip would make the trajectory meaningless.
        large = np.maximum(np.abs(old), np.abs(c - old))
        assert np.all((np.abs(c) > 1e-5 * large) | (large == 0)), "choose another seed"
        m = beta2 * m + dtype(1 - beta2) * g
        return w - dtype(base_rate * rate) * (np.sign(c) + weight_decay * w)

    return step


def signsgd(dtype, count):
    """arXiv 1802.04434, algorithm 1: w -= lr sign g."""

    def step(w, g, rate):
        return w - dtype(0.0001 * rate) * np.sign(g)

    return step


def adamw_uncorrected(dtype, count):
    """Program 3 of arXiv 2302.06675: AdamW without bias correction, eps being the guard."""
    beta1, beta2, weight_decay, base_rate = 0.9, 0.999, 0.01, 0.001
    m, v = np.zeros(count, dtype), np.zeros(count, dtype)

    def step(w, g, rate):
        nonlocal m, v
        m = dtype(1 - beta1) * g + beta1 * m
        v = dtype(1 - beta2) * (g * g) + beta2 * v
        direction = m / (np.sqrt(v) + dtype(GUARD))
        return w - (direction + weight_decay * w) * dtype(base_rate * rate)

    return step


def lion_discovered(dtype, count):
    """Program 4 of arXiv 2302.06675, without the statement whose value no step reads."""
    v = np.zeros(count, dtype)

    def step(w, g, rate):
        nonlocal v
        norm = np.sqrt(np.sum(np.square(g, dtype=np.float64)))
        g = np.arcsin(g * dtype(min(1.0, rate / norm) if norm > 0 else 1.0))
        m = dtype(1 - 0.899) * g + 0.899 * v
        v = dtype(1 - 1.109) * g + 1.109 * m
        direction = m / (np.sqrt(m * m) + dtype(GUARD))
        return w - (direction + 0.4602 * w) * dtype(0.0002 * rate)

    return step


OPTIM = torch.optim
TORCH = {
    "sgd": (0.1, lambda p: OPTIM.SGD(p, lr=0.1, foreach=False)),
    "momentum": (0.01, lambda p: OPTIM.SGD(p, lr=0.01, momentum=0.9, foreach=False)),
    "nesterov": (
        0.01,
        lambda p: OPTIM.SGD(p, lr=0.01, momentum=0.9, nesterov=True, foreach=False),
    ),
    "adagrad": (0.01, lambda p: OPTIM.Adagrad(p, lr=0.01, eps=1e-8, foreach=False)),
    "rmsprop": (
        0.001,
        lambda p: OPTIM.RMSprop(p, lr=0.001, alpha=0.99, eps=1e-8, foreach=False),
    ),
    "adam": (
        0.001,
        lambda p: OPTIM.Adam(p, lr=0.001, betas=(0.9, 0.999), eps=1e-8, foreach=False),
    ),
    "adamw": (
        0.001,
        lambda p: OPTIM.AdamW(
            p, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, foreach=False
        ),
    ),
}
RULES = [lion, signsgd, adamw_uncorrected, lion_discovered]


def numbers(values):
    """Shortest decimals that read back as the same float of the array's type."""
    return [float(np.format_float_scientific(value, unique=True)) for value in values]


def write(name, content):
    with open(FOLDER / f"{name}.json", "w", encoding="ascii", newline="\n") as file:
        file.write(json.dumps(content, separators=(",", ":")).replace('],"', '],\n"') + "\n")


def write_trajectory(name, rule, tool, run):
    record = lambda trajectory: [numbers(trajectory[step - 1]) for step in RECORDED]
    write(
        name,
        {
            "rule": rule,
            "tool": tool,
            "steps": RECORDED,
            "float32": record(run("float32")),
            "float64": record(run("float64")),
        },
    )


def main():
    numpy_version = f"numpy {np.__version__}"
    torch_version = f"torch {torch.__version__.split('+')[0]}"
    print(torch_version, numpy_version)
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    weights, gradients, rates = inputs = make_inputs()
    write(
        "inputs",
        {
            "shapes": SHAPES,
            "weights": numbers(weights),
            "rates": rates.tolist(),
            "gradients": [numbers(gradient) for gradient in gradients],
        },
    )
    for name, (base_rate, make) in TORCH.items():
        rule = str(make([torch.nn.Parameter(torch.zeros(1))])).split()[0]
        run = lambda kind: run_torch(make, base_rate, inputs, getattr(torch, kind))
        write_trajectory(name, f"torch.optim.{rule}", torch_version, run)
    for make in RULES:
        run = lambda kind: run_rule(make, inputs, getattr(np, kind))
        write_trajectory(make.__name__, make.__doc__, numpy_version, run)


if __name__ == "__main__":
    main()
