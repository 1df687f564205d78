"""Writes the weight trajectories that tests/trajectories.rs compares the zoo with.

The rules come from outside this project: torch.optim where torch has the optimizer, otherwise the
published formula written out in rules.py in NumPy, and checked here against optax or torch where
they have it in another precision. Each is run for 100 steps on the same recorded weights, gradients
and learning-rate schedule, once in float32 and once in float64.

Needs NumPy (2.x), PyTorch (2.10 or later, for its Muon), JAX and optax. Seeded, so a second run writes
the same inputs; weights may move in their last bits with other versions. Run it from anywhere:

    python dsl/tests/reference/make_trajectories.py

Files, in dsl/tests/data/trajectories/:
    inputs.json     shapes, weights (flat, tensors end to end), one learning rate and one flat
                    gradient per step
    matrices.json   the same of other tensors, for optimizers that see rows, columns or matrices,
                    or that a gradient of 1e4 would send to infinity
    OPTIMIZER.json  the name of its inputs, rule, tool, and for float32 and float64 the flat weights
                    after each of `steps`
Every float32 is written as the shortest decimal that reads back as the same float32.
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

import rules

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "data" / "trajectories"
STEPS = 100
RECORDED = [1, 2, 5, 10, 20, 50, 100]
SEED = 20230213


class Inputs:
    """Shapes, weights, gradients (steps x elements, float32) and learning rates (float64)."""

    def __init__(self, name, shapes, make):
        self.name, self.shapes = name, shapes
        self.sizes = [int(np.prod(shape)) for shape in shapes]
        rng = np.random.default_rng(SEED)
        weights, gradients = make(rng, self.sizes)
        self.weights = weights.astype(np.float32)
        self.gradients = gradients.astype(np.float32)
        warmup = np.minimum(np.arange(1, STEPS + 1) / 10, 1.0)
        decay = 0.5 * (1 + np.cos(np.pi * np.arange(STEPS) / STEPS))
        # At most 1, or programs 4 and 8 leave the domain of arcsin; multiples of 1/256, so that
        # every reader of the decimals has the same number.
        self.rates = np.maximum(np.round(warmup * decay * 256), 1) / 256

    def tensors(self, flat):
        parts = np.split(flat, np.cumsum(self.sizes)[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes)]

    def matrices(self, flat):
        """Each tensor as its first dimension by the others; a vector as one column."""
        tensors = self.tensors(flat)
        return [x.reshape(x.shape[0] if x.ndim else 1, -1) for x in tensors]


def many_magnitudes(rng, sizes):
    """Each element has its own usual magnitude, down to where eps = 1e-8 matters."""
    count = sum(sizes)
    weights = rng.standard_normal(count) * np.resize([1.0, 0.1, 0.01], count)
    weights[5] = 0.0
    magnitudes = np.resize([1.0, 1e-1, 1e-2, 1e-3, 1e-5, 1e-7, 1e-8, 10.0], count)
    gradients = rng.standard_normal((STEPS, count)) * magnitudes
    gradients[:10, 3] = 0.0  # silent at first, then not
    gradients[:, 8] = 0.0  # silent always
    gradients[rng.random((STEPS, count)) < 0.05] = 0.0
    gradients[29] = 0.0  # a step in which nothing happens
    gradients[[14, 55, 56]] *= 1e-4  # small in every element
    gradients[[9, 39, 75]] *= 1e3  # large in every element
    return weights, gradients


def matrices(rng, sizes):
    """Of many magnitudes, but for the second matrix: it has a full rank to speak of."""
    count = sum(sizes)
    first, vector, second, _ = np.cumsum(sizes)
    weights = rng.standard_normal(count) * np.resize([1.0, 0.1, 0.01], count)
    weights[5] = 0.0
    weights[first:vector] *= 1e-3  # below Adafactor's least size
    magnitudes = np.resize([1.0, 1e-1, 1e-2, 1e-3, 1e-5, 1e-7, 1e-8], count)
    magnitudes[vector:second] = 0.3
    gradients = rng.standard_normal((STEPS, count)) * magnitudes
    gradients[:10, 3] = 0.0  # silent at first, then not
    gradients[:, 8] = 0.0  # silent always
    gradients[rng.random((STEPS, count)) < 0.05] = 0.0
    gradients[29] = 0.0  # a step in which nothing happens
    gradients[[14, 55, 56]] *= 1e-4  # small in every element
    gradients[[9, 39, 75]] *= 10.0  # large in every element
    return weights, gradients


def run_torch(make, base_rate, inputs, dtype):
    """The trajectory of a torch optimizer, one parameter per tensor, one tensor at a time."""
    # torch keeps NAdam's product in the default type.
    torch.set_default_dtype(dtype)
    split = lambda flat: [torch.tensor(part, dtype=dtype) for part in inputs.tensors(flat)]
    parameters = [torch.nn.Parameter(part) for part in split(inputs.weights)]
    optimizer = make(parameters)
    trajectory = []
    for gradient, rate in zip(inputs.gradients, inputs.rates):
        for parameter, part in zip(parameters, split(gradient)):
            parameter.grad = part
        for group in optimizer.param_groups:
            group["lr"] = base_rate * float(rate)
        optimizer.step()
        flat = [parameter.detach().numpy().ravel() for parameter in parameters]
        trajectory.append(np.concatenate(flat))
    return trajectory


def run_rule(make, inputs, dtype):
    """The trajectory of a rule from rules.py."""
    flat = inputs.weights.astype(dtype)
    split = inputs.matrices if make in rules.LEAVES else lambda flat: [flat]
    steps = [make(dtype, part.shape) for part in split(flat)]
    trajectory = []
    for gradient, rate in zip(inputs.gradients, inputs.rates):
        parts = zip(steps, split(flat), split(gradient.astype(dtype)))
        flat = np.concatenate([step(w, g, float(rate)).ravel() for step, w, g in parts])
        assert flat.dtype == dtype, "a float64 scalar has widened the weights"
        trajectory.append(flat)
    return trajectory


def run_optax(make, inputs):
    """The trajectory of an optax optimizer on matrices and vectors in float64; `make` is given the
    schedule. In float32 optax corrects the bias by 1 - beta^t of float32, wrong in its fifth digit."""
    rates = jnp.array(inputs.rates)
    optimizer = make(lambda count: rates[count])
    split = lambda flat: [jnp.array(x.astype(np.float64)).squeeze() for x in inputs.matrices(flat)]
    w, trajectory = split(inputs.weights), []
    state = optimizer.init(w)
    step = jax.jit(optimizer.update)
    for gradient in inputs.gradients:
        updates, state = step(split(gradient), state, w)
        w = optax.apply_updates(w, updates)
        trajectory.append(np.concatenate([np.asarray(x).ravel() for x in w]))
    return trajectory


def largest_difference(a, b, start):
    """Of two trajectories from one start, in units of how far an element went."""
    went = np.max(np.abs(np.array(a) - start), axis=0)
    return np.max(np.abs(np.array(a) - np.array(b)) / (went + 1e-12 * np.abs(start) + 1e-300))


def check_rules(inputs):
    """Rules that optax or torch has too, but not in both types, must be theirs."""
    jax.config.update("jax_enable_x64", True)
    published = {
        rules.adabelief: lambda rate: optax.adabelief(lambda t: 0.001 * rate(t), eps=1e-8),
        rules.adafactor: lambda rate: optax.adafactor(
            lambda t: 0.01 * rate(t), min_dim_size_to_factor=1
        ),
        rules.lion: lambda rate: optax.lion(lambda t: 0.0001 * rate(t), weight_decay=0.1),
    }
    start = inputs.weights.astype(np.float64)
    for rule, make in published.items():
        difference = largest_difference(
            run_rule(rule, inputs, np.float64), run_optax(make, inputs), start
        )
        print(f"{rule.__name__} differs from optax by {difference:.1e}")
        # optax has Adafactor's beta2 in float32.
        assert difference < (1e-5 if rule is rules.adafactor else 1e-12), rule.__name__
    for x in inputs.matrices(inputs.gradients[3].astype(np.float64)):
        theirs = optax.contrib._muon.orthogonalize_via_newton_schulz(
            jnp.array(x), jnp.array([3.4445, -4.7750, 2.0315]), eps=0.0
        )
        assert np.allclose(rules.orthogonalized(x), theirs, rtol=0, atol=1e-12)
    check_muon(inputs, 2)


def check_muon(inputs, matrix):
    """torch's Muon computes in bfloat16, of 3 digits, and takes matrices only."""
    w, *gradients = (
        inputs.matrices(flat.astype(np.float64))[matrix]
        for flat in [inputs.weights, *inputs.gradients]
    )
    step, ours = rules.muon(np.float64, w.shape), w
    theirs = torch.nn.Parameter(torch.tensor(w))
    optimizer = torch.optim.Muon([theirs], weight_decay=0.01, momentum=0.95)
    for gradient, rate in zip(gradients, inputs.rates):
        ours = step(ours, gradient, float(rate))
        theirs.grad = torch.tensor(gradient)
        optimizer.param_groups[0]["lr"] = 0.02 * float(rate)
        optimizer.step()
    difference = np.linalg.norm(ours - theirs.detach().numpy()) / np.linalg.norm(ours - w)
    print(f"muon differs from torch's, in bfloat16, by {difference:.1e}")
    assert difference < 0.01


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
    "adadelta": (1.0, lambda p: OPTIM.Adadelta(p, lr=1.0, rho=0.9, eps=1e-6, foreach=False)),
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
    "amsgrad": (0.001, lambda p: OPTIM.Adam(p, lr=0.001, amsgrad=True, foreach=False)),
    "nadam": (0.002, lambda p: OPTIM.NAdam(p, lr=0.002, foreach=False)),
    "radam": (0.001, lambda p: OPTIM.RAdam(p, lr=0.001, foreach=False)),
}

# What runs on the inputs of many magnitudes; the rest runs on those with matrices.
MANY_MAGNITUDES = [
    *("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"),
    *("lion", "signsgd", "adamw_uncorrected", "lion_discovered"),
]


def numbers(values):
    """Shortest decimals that read back as the same float of the array's type."""
    return [float(np.format_float_scientific(value, unique=True)) for value in values]


def write(name, content):
    with open(FOLDER / f"{name}.json", "w", encoding="ascii", newline="\n") as file:
        file.write(json.dumps(content, separators=(",", ":")).replace('],"', '],\n"') + "\n")


def write_inputs(inputs):
    write(
        inputs.name,
        {
            "shapes": inputs.shapes,
            "weights": numbers(inputs.weights),
            "rates": inputs.rates.tolist(),
            "gradients": [numbers(gradient) for gradient in inputs.gradients],
        },
    )


def write_trajectory(name, inputs, rule, tool, run):
    trajectories = {kind: run(kind) for kind in ("float32", "float64")}
    assert np.all(np.isfinite(trajectories["float32"])), name
    record = lambda kind: [numbers(trajectories[kind][step - 1]) for step in RECORDED]
    write(
        name,
        {
            "inputs": inputs.name,
            "rule": rule,
            "tool": tool,
            "steps": RECORDED,
            "float32": record("float32"),
            "float64": record("float64"),
        },
    )


def main():
    numpy_version = f"numpy {np.__version__}"
    torch_version = f"torch {torch.__version__.split('+')[0]}"
    print(torch_version, numpy_version, f"jax {jax.__version__}", f"optax {optax.__version__}")
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    old = Inputs("inputs", [(4, 3), (5,), ()], many_magnitudes)
    new = Inputs("matrices", [(4, 3, 2, 2), (7,), (5, 3), ()], matrices)
    check_rules(new)
    inputs_of = lambda name: old if name in MANY_MAGNITUDES else new
    for inputs in (old, new):
        write_inputs(inputs)
    for name, (base_rate, make) in TORCH.items():
        rule, inputs = str(make([torch.nn.Parameter(torch.zeros(1))])).split()[0], inputs_of(name)
        run = lambda kind: run_torch(make, base_rate, inputs, getattr(torch, kind))
        write_trajectory(name, inputs, f"torch.optim.{rule}", torch_version, run)
    for make in rules.ALL + rules.LEAVES:
        name, inputs = make.__name__, inputs_of(make.__name__)
        run = lambda kind: run_rule(make, inputs, getattr(np, kind))
        write_trajectory(name, inputs, make.__doc__, numpy_version, run)


if __name__ == "__main__":
    main()
