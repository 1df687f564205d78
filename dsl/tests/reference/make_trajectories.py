"""Writes the weight trajectories that tests/trajectories.rs compares the zoo with.

The rules come from outside this project: torch.optim where torch has the optimizer, otherwise the
published formula written out in NumPy in rules.py, rules_adam.py, rules_averaged.py and rules_muon.py, and checked here
against optax, torch or pytorch_optimizer where they have it in another precision or form. Each is run
for 100 steps on the same recorded weights, gradients and learning-rate schedule, once in float32 and
once in float64.

Needs NumPy (2.x), PyTorch (2.10 or later, for its Muon), JAX and optax. pytorch_optimizer (4.1 or later)
and schedulefree are used by checks alone: without them they are left out, and said to be. Seeded, so a second run writes
the same inputs; weights may move in their last bits with other versions. Run it from anywhere; with
names, it writes what has those alone:

    python dsl/tests/reference/make_trajectories.py [NAME...]

Files, in dsl/tests/data/trajectories/:
    inputs.json     shapes, weights (flat, tensors end to end), one learning rate and one flat
                    gradient per step
    matrices.json   the same of other tensors, for optimizers that see rows, columns or matrices,
                    or that a gradient of 1e4 would send to infinity
    unscaled.json   the same of two tensors, one of them zero at first, for optimizers that see the
                    norms of weights
    OPTIMIZER.json  the name of its inputs, the roles of tensors where it asks for them, rule, tool, and for float32 and float64 the flat weights
                    after each of `steps`, and behind them those to validate with, if they are others
Every float32 is written as the shortest decimal that reads back as the same float32.
"""

import functools
import json
import pathlib
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

try:
    import pytorch_optimizer
except ModuleNotFoundError:
    pytorch_optimizer = None

import rules
import rules_adam
import rules_averaged
import rules_muon
from runs import STEPS, Inputs, run_optax, run_rule, run_torch
from runs import many_magnitudes, matrices, unscaled

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "data" / "trajectories"
RECORDED = [1, 2, 5, 10, 20, 50, 100]


def largest_difference(a, b, start):
    """Of two trajectories from one start, in units of how far an element went."""
    start = np.resize(start, np.shape(a)[1])
    went = np.max(np.abs(np.array(a) - start), axis=0)
    return np.max(np.abs(np.array(a) - np.array(b)) / (went + 1e-12 * np.abs(start) + 1e-300))


def check(name, tool, ours, theirs, inputs, tolerance):
    """Asserts that two trajectories are the same."""
    difference = largest_difference(ours, theirs, inputs.weights.astype(np.float64))
    print(f"{name} differs from {tool} by {difference:.1e}")
    assert difference < tolerance, name


def undecayed(rule):
    """A rule without its weight decay."""
    bare = functools.partial(rule, weight_decay=0.0)
    bare.__name__ = rule.__name__
    return bare


def check_rules(inputs):
    """Rules that optax or torch has too, but not in both types, must be theirs."""
    jax.config.update("jax_enable_x64", True)
    published = {
        rules.adabelief: lambda rate: optax.adabelief(lambda t: 0.001 * rate(t), eps=1e-8),
        rules.adafactor: lambda rate: optax.adafactor(
            lambda t: 0.01 * rate(t), min_dim_size_to_factor=1
        ),
        rules.lion: lambda rate: optax.lion(lambda t: 0.0001 * rate(t), weight_decay=0.1),
        undecayed(rules_adam.adopt): lambda rate: optax.contrib.adopt(lambda t: 0.001 * rate(t)),
        rules_adam.ademamix: lambda rate: optax.contrib.ademamix(
            lambda t: 0.001 * rate(t), weight_decay=0.01
        ),
        rules_adam.lamb: lambda rate: optax.lamb(
            lambda t: 0.001 * rate(t), eps=1e-8, weight_decay=0.01
        ),
    }
    for rule, make in published.items():
        ours, theirs = run_rule(rule, inputs, np.float64), run_optax(make, inputs)
        # optax has Adafactor's beta2 in float32.
        tolerance = 1e-5 if rule is rules.adafactor else 1e-12
        check(rule.__name__, "optax", ours, theirs, inputs, tolerance)
    ours = run_rule(rules_adam.cautious_decay, inputs, np.float64)
    theirs = run_torch(CautiouslyDecayed, 0.001, inputs, torch.float64)
    check("cautious_decay", "torch's Adam, decayed", ours, theirs, inputs, 1e-12)
    for x in inputs.matrices(inputs.gradients[3].astype(np.float64)):
        theirs = optax.contrib._muon.orthogonalize_via_newton_schulz(
            jnp.array(x), jnp.array([3.4445, -4.7750, 2.0315]), eps=0.0
        )
        for product in (np.matmul, rules_muon.in_order):
            ours = rules_muon.orthogonalized(x, product)
            assert np.allclose(ours, theirs, rtol=0, atol=1e-12)
    rules_averaged.check_averaged(inputs, check)
    check_muon(inputs, 2)
    if pytorch_optimizer is None:
        print("there is no pytorch_optimizer: what it has is not compared with it")
    else:
        check_against_pytorch_optimizer(inputs)


class CautiouslyDecayed(torch.optim.Adam):
    """torch's Adam, and the decay of what it has not enlarged."""

    @torch.no_grad()
    def step(self):
        (group,) = self.param_groups
        before = [parameter.clone() for parameter in group["params"]]
        super().step()
        for w, parameter in zip(before, group["params"]):
            shrinks = (w - parameter) * w >= 0
            parameter -= torch.where(shrinks, group["lr"] * 0.01 * w, 0.0)


def check_against_pytorch_optimizer(inputs):
    """What pytorch_optimizer has must be the same, but for where it has eps."""
    its, decayed = pytorch_optimizer, {"weight_decay": 0.01, "weight_decouple": True}

    def compare(rule, base_rate, make, ours=inputs, theirs=inputs, eps=1e-8, tolerance=1e-11):
        rules.GUARD = eps
        of_rule = run_rule(rule, ours, np.float64)
        rules.GUARD = 1e-8
        of_torch = run_torch(make, base_rate, theirs, torch.float64)
        check(rule.__name__, "pytorch_optimizer's", of_rule, of_torch, inputs, tolerance)

    # The step that makes the moment counts there.
    adopt = lambda p: its.ADOPT(p, clip_lambda=lambda step: (step - 1) ** 0.25)
    compare(undecayed(rules_adam.adopt), 0.001, adopt)
    compare(rules_adam.ademamix, 0.001, lambda p: its.AdEMAMix(p, alpha=5.0, **decayed))
    compare(rules_adam.grams, 0.001, lambda p: its.Grams(p, eps=1e-8, **decayed))
    # These have eps in other places, and two of them 1e-15 more beneath the root.
    its.base.optimizer.BaseOptimizer.apply_ams_bound.__defaults__ = (0.0,)
    grokfast = {"betas": (0.9, 0.98), "normalize_lr": False, **decayed}
    make = lambda p: its.GrokFastAdamW(p, eps=1e-30, **grokfast)
    compare(rules_adam.grokfast_adamw, 0.001, make, eps=1e-30)
    make = lambda p: its.MARS(p, optimize_1d=True, eps=1e-30, foreach=False, **decayed)
    compare(rules_adam.mars_adamw, 0.003, make, eps=1e-30)
    # Learning rates weight the average there.
    make = lambda p: its.LaProp(p, eps=1e-30, foreach=False)
    steady = inputs.at_rates(np.ones(STEPS))
    compare(undecayed(rules_adam.laprop), 0.0004, make, steady, steady, eps=1e-30)
    # There is one moment for a tensor there, in float32.
    make = lambda p: its.AdamMini(Named(p), weight_decay=0.01)
    compare(rules_adam.adam_mini, 0.001, make, theirs=inputs.by_rows(), tolerance=1e-5)
    # In bfloat16 there.
    its.optimizer.muon.normuon.zero_power_via_newton_schulz_5 = lambda x, **_: torch.tensor(
        rules_muon.orthogonalized(x.numpy())
    )
    compare(rules_muon.normuon_adamw, 0.02, normuon)


class Named:
    """Parameters as those of a model."""

    def __init__(self, parameters):
        self.parameters = parameters

    def named_parameters(self):
        return [(f"tensor{index}", it) for index, it in enumerate(self.parameters)]


def normuon(parameters):
    """pytorch_optimizer's NorMuon, with AdamW for vectors."""
    is_matrix = lambda parameter: parameter.ndim > 1
    groups = [
        {"params": [p for p in parameters if is_matrix(p)], "use_muon": True},
        {"params": [p for p in parameters if not is_matrix(p)], "use_muon": False, "factor": 0.015},
    ]
    for group in groups:
        group |= {"weight_decay": 0.01, "eps": 1e-8}
    return pytorch_optimizer.NorMuon(groups, foreach=False)


def check_muon(inputs, matrix):
    """torch's Muon computes in bfloat16, of 3 digits, and takes matrices only."""
    w, *gradients = (
        inputs.matrices(flat.astype(np.float64))[matrix]
        for flat in [inputs.weights, *inputs.gradients]
    )
    step, ours = rules_muon.muon(np.float64, w.shape), w
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
    "nadamw": (
        0.002,
        lambda p: OPTIM.NAdam(
            p, lr=0.002, weight_decay=0.01, decoupled_weight_decay=True, foreach=False
        ),
    ),
    "radam": (0.001, lambda p: OPTIM.RAdam(p, lr=0.001, foreach=False)),
}

# What runs on the inputs of many magnitudes; the rest runs on those with matrices.
MANY_MAGNITUDES = [
    *("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"),
    *("lion", "signsgd", "adamw_uncorrected", "lion_discovered"),
]
# What runs on tensors of which one is zero at first.
UNSCALED = ["lamb"]
# What asks for the roles of tensors, and those of the inputs with matrices.
ROLED = ["polar_muon_adamw"]
ROLES = ["embedding", "vector", "hidden", "output"]


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
            **({"roles": ROLES} if name in ROLED else {}),
            "rule": rule,
            "tool": tool,
            "steps": RECORDED,
            "float32": record("float32"),
            "float64": record("float64"),
        },
    )


def main(names):
    numpy_version = f"numpy {np.__version__}"
    torch_version = f"torch {torch.__version__.split('+')[0]}"
    print(torch_version, numpy_version, f"jax {jax.__version__}", f"optax {optax.__version__}")
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    old = Inputs("inputs", [(4, 3), (5,), ()], many_magnitudes)
    new = Inputs("matrices", [(4, 3, 2, 2), (7,), (5, 3), ()], matrices)
    zero = Inputs("unscaled", [(3, 2), (4,)], unscaled)
    check_rules(new)
    inputs_of = lambda name: (
        old if name in MANY_MAGNITUDES else zero if name in UNSCALED else new
    )
    is_wanted = lambda name: not names or name in names
    for inputs in (old, new, zero):
        if is_wanted(inputs.name):
            write_inputs(inputs)
    for name, (base_rate, make) in TORCH.items():
        if is_wanted(name):
            rule = str(make([torch.nn.Parameter(torch.zeros(1))])).split()[0]
            inputs = inputs_of(name)
            run = lambda kind: run_torch(make, base_rate, inputs, getattr(torch, kind))
            write_trajectory(name, inputs, f"torch.optim.{rule}", torch_version, run)
    for make in rules.ALL + rules.LEAVES:
        if is_wanted(make.__name__):
            name, inputs = make.__name__, inputs_of(make.__name__)
            run = lambda kind: run_rule(make, inputs, getattr(np, kind))
            write_trajectory(name, inputs, make.__doc__, numpy_version, run)


if __name__ == "__main__":
    main(sys.argv[1:])
