"""Runs exported optimizers and compares their weights with those of the engine, step by step.

    cargo run -p evo-export --example export_cases DIR
    python tests/python/check_exports.py DIR [--library torch|optax|python] [--self-test]

Every export is run in float64, where it should agree with the engine's float64 interpreter almost
to the last digits, and in float32, where it should agree with the float32 engine up to rounding.

How much rounding may show is measured, not guessed: every program comes with trajectories of the
float64 engine whose inputs and computed values are perturbed by a rounding in every step, of
float32 or of float64, and with the difference between its float32 and float64 engines. The
tolerance of an element at a step is

    FACTOR * (the largest deviation of those in its tensor so far) + FLOOR * (size of its tensor)

where the deviations are those of the precision that is compared. Comparison of a program ends where
that exceeds CHAOS of the tensor's size, or where the engine's weights stop being finite, and then
the export's must stop being finite, too.
"""

import argparse
import importlib.util
import inspect
import json
import os
import subprocess
import sys
import time
import warnings

import numpy as np

FACTOR = 10.0
FLOOR = {np.float32: 2e-6, np.float64: 1e-13}
CHAOS = 0.02
# The largest share of programs that may be cut short.
MOST_CUT = 0.1


def load(path):
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def own(module, kind):
    """The optimizer of an exported module: its first public class or function."""
    for name, value in vars(module).items():
        is_own = getattr(value, "__module__", None) == module.__name__
        if is_own and kind(value) and not name.startswith("_"):
            return value
    raise AssertionError(f"{module.__name__} defines no optimizer")


class Inputs:
    def __init__(self, index):
        self.shapes = [tuple(shape) for shape in index["shapes"]]
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        self.ends = np.cumsum(sizes)[:-1]
        self.starts = np.concatenate([[0], self.ends])
        self.tensor = np.repeat(np.arange(len(sizes)), sizes)
        self.weights = self.split(np.array(index["weights"]))
        self.gradients = [self.split(np.array(gradient)) for gradient in index["gradients"]]
        self.rates = index["rates"]

    def split(self, flat):
        parts = np.split(flat, self.ends)
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes)]

    @staticmethod
    def join(parts):
        return np.concatenate([np.asarray(part, np.float64).reshape(-1) for part in parts])


def run_torch(path, inputs, dtype, foreach, readout=False):
    import torch

    torch.set_num_threads(1)  # The tensors are tiny.
    optimizer_class = own(load(path), inspect.isclass)
    dtype = torch.float32 if dtype == np.float32 else torch.float64
    params = [torch.nn.Parameter(torch.tensor(w, dtype=dtype)) for w in inputs.weights]
    optimizer = optimizer_class(params, foreach=foreach)
    rate = optimizer.param_groups[0]["lr"]
    trajectory = []
    for gradient, factor in zip(inputs.gradients, inputs.rates):
        for p, g in zip(params, gradient):
            p.grad = torch.tensor(g, dtype=dtype)
        optimizer.param_groups[0]["lr"] = rate * factor
        optimizer.step()
        trained = [p.detach().clone() for p in params]
        if readout:
            optimizer.eval()
        trajectory.append(inputs.join([p.detach().numpy() for p in params]))
        if readout:
            optimizer.train()
            assert all(torch.equal(p, w) or w.isnan().any() for p, w in zip(params, trained))
        for p, g in zip(params, gradient):
            assert np.array_equal(p.grad.double().numpy(), g), "the gradient was changed"
    return np.array(trajectory)


def run_python(path, inputs, dtype, readout=False):
    function = own(load(path), inspect.isfunction)
    parameters = inspect.signature(function).parameters.values()
    names = [p.name for p in parameters if p.kind == p.POSITIONAL_OR_KEYWORD]
    rate = inspect.signature(function).parameters["lr"].default
    has_step = "t" in names[2:]
    weights = [w.astype(dtype) for w in inputs.weights]
    states = [[np.zeros_like(w) for w in weights] for _ in names[2 : len(names) - has_step]]
    trajectory = []
    for step, (gradient, factor) in enumerate(zip(inputs.gradients, inputs.rates)):
        g = [x.astype(dtype) for x in gradient]
        given = [weights, g, *states] + ([step + 1] if has_step else [])
        result = function(*given, lr=rate * factor)
        update, *results = result if isinstance(result, tuple) else (result,)
        for tree in (update, *results):
            for x, w in zip(tree, weights, strict=True):
                assert x.dtype == dtype and x.shape == w.shape, (x.dtype, x.shape)
                trees = given[: 2 + len(states)]
                assert not any(np.shares_memory(x, y) for tree in trees for y in tree)
        with np.errstate(all="ignore"):
            weights = [np.asarray(w - u) for w, u in zip(weights, update)]
        states = [[np.asarray(x) for x in tree] for tree in results[: len(states)]]
        trajectory.append(inputs.join(results[-1] if readout else weights))
        assert not readout or len(results) == len(states) + 1
    return np.array(trajectory)


def run_optax(path, inputs, dtype, jitted, readout=False):
    import jax
    import jax.numpy as jnp
    import optax

    module = load(path)
    factory = own(module, inspect.isfunction)
    read_out = getattr(module, f"{factory.__name__}_read_out", None)
    rate = inspect.signature(factory).parameters["learning_rate"].default
    rates = jnp.asarray(inputs.rates)
    optimizer = factory(learning_rate=lambda count: rate * rates[count])
    names = ["scalar", "vector", "matrix", "kernel"]
    tree = lambda parts: {name: jnp.asarray(part, dtype) for name, part in zip(names, parts)}
    weights = tree(inputs.weights)
    state = optimizer.init(weights)

    def step(weights, state, g):
        update, state = optimizer.update(g, state, weights)
        return update, state, optax.apply_updates(weights, update)

    step = jax.jit(step) if jitted else step
    trajectory = []
    for gradient in inputs.gradients:
        update, state, weights = step(weights, state, tree(gradient))
        for name in names:
            assert update[name].dtype == dtype, update[name].dtype
        read = read_out(state) if readout else weights
        trajectory.append(inputs.join([read[name] for name in names]))
    return np.array(trajectory)


def without_x64(path, inputs, dtype, readout=False):
    import jax

    jax.config.update("jax_enable_x64", False)
    try:
        return run_optax(path, inputs, dtype, True, readout)
    finally:
        jax.config.update("jax_enable_x64", True)


class Comparison:
    """What the runs of one kind come to."""

    def __init__(self, kind):
        self.kind, self.compared, self.cut, self.worst, self.worst_name = kind, 0, 0, 0.0, ""
        self.steps = 0
        self.failures = []

    def add(self, name, found, reference, inputs, dtype):
        verdict, deviation, cut, steps = compare(found, reference, inputs, dtype)
        self.compared += 1
        self.steps += steps
        self.cut += cut
        if deviation > self.worst:
            self.worst, self.worst_name = deviation, name
        if verdict:
            self.failures.append((name, verdict))

    def fail(self, name, error):
        self.compared += 1
        self.failures.append((name, f"{type(error).__name__}: {error}"))

    def print(self):
        print(
            f"{self.kind:24} {self.compared:4} programs, {self.steps} steps, "
            f"{len(self.failures)} failed; worst deviation {self.worst:.3f} of the tolerance "
            f"({self.worst_name}); {self.cut} cut short as chaotic"
        )
        for name, verdict in self.failures[:10]:
            print(f"    {name}: {verdict}")


def by_tensor(values, inputs):
    """The largest value of each tensor, for each of its elements."""
    return np.maximum.reduceat(values, inputs.starts, axis=-1)[..., inputs.tensor]


def tolerance(reference, inputs, dtype):
    """The tolerance of every element at every step, and how large the weights are."""
    single, double = reference[0], reference[1]
    by_single, by_double = np.split(reference[2:], 2)
    if dtype == np.float32:
        deviations = np.concatenate([by_single - double, [single - double]])
    else:
        deviations = by_double - double
    spread = np.max(np.abs(deviations), axis=0)
    spread = np.maximum.accumulate(by_tensor(np.nan_to_num(spread, nan=np.inf), inputs))
    sizes = np.nan_to_num(np.abs(double), nan=np.inf)
    sizes = np.maximum.accumulate(by_tensor(sizes, inputs)) + 1e-3
    return FACTOR * spread + FLOOR[dtype] * sizes, sizes


def compare(found, reference, inputs, dtype):
    """What is wrong, the worst deviation in units of the tolerance, whether it was cut short, and
    how many steps were compared."""
    expected = reference[0] if dtype == np.float32 else reference[1]
    allowed, sizes = tolerance(reference, inputs, dtype)
    worst = 0.0
    for step in range(len(found)):
        finite = np.isfinite(expected[step]).all()
        chaotic = not (allowed[step] <= CHAOS * sizes[step]).all()
        if not finite:
            # Chaos says nothing of the step at which something overflows.
            wrong = np.isfinite(found[step]).all() and not chaotic_before(allowed, sizes, step)
            verdict = f"finite in step {step + 1}, where the engine is not" if wrong else ""
            return verdict, worst, 0, step
        if chaotic:
            return "", worst, 1, step
        if not np.isfinite(found[step]).all():
            return f"not finite in step {step + 1}", np.inf, 0, step
        deviation = np.max(np.abs(found[step] - expected[step]) / allowed[step])
        worst = max(worst, deviation)
        if deviation > 1:
            verdict = f"off by {deviation:.3g} times the tolerance in step {step + 1}"
            return verdict, worst, 0, step
    return "", worst, 0, len(found)


def chaotic_before(allowed, sizes, step):
    return step > 0 and not (allowed[step - 1] <= CHAOS * sizes[step - 1]).all()


def comparisons(library, directory, index, inputs, trajectories):
    """Runs all exports for one library."""
    runs = {
        "torch": [
            ("torch single float64", np.float64, lambda p, d, r: run_torch(p, inputs, d, False, r)),
            ("torch foreach float64", np.float64, lambda p, d, r: run_torch(p, inputs, d, True, r)),
            ("torch single float32", np.float32, lambda p, d, r: run_torch(p, inputs, d, False, r)),
            ("torch foreach float32", np.float32, lambda p, d, r: run_torch(p, inputs, d, True, r)),
        ],
        "python": [
            ("python float64", np.float64, lambda p, d, r: run_python(p, inputs, d, r)),
            ("python float32", np.float32, lambda p, d, r: run_python(p, inputs, d, r)),
        ],
        "optax": [
            ("optax float64", np.float64, lambda p, d, r: run_optax(p, inputs, d, False, r)),
            ("optax float32", np.float32, lambda p, d, r: run_optax(p, inputs, d, False, r)),
            ("optax jit float32", np.float32, lambda p, d, r: run_optax(p, inputs, d, True, r)),
            # As JAX is used by default: no float64 at all.
            ("optax jit without x64", np.float32, lambda p, d, r: without_x64(p, inputs, d, r)),
        ],
    }[library]
    results = []
    for kind, dtype, run in runs:
        result = Comparison(kind)
        found = {}
        for number, case in enumerate(index["cases"]):
            if number >= index["written"] and "jit" in kind:
                break  # Compiling takes a second for each.
            path = os.path.join(directory, f"{case['name']}_{library}.py")
            name = case["name"] + (", read out" if case["readout"] else "")
            try:
                found = run(path, dtype, case["readout"])
            except Exception as error:
                result.fail(name, error)
                continue
            result.add(name, found, trajectories[number], inputs, dtype)
        results.append(result)
    return results


def self_test(directory, index, inputs, trajectories):
    """Exports that are slightly wrong must be found out."""
    number = next(i for i, case in enumerate(index["cases"]) if case["name"] == "adamw")
    path = os.path.join(directory, "adamw_torch.py")
    text = open(path, encoding="utf-8").read()
    changes = [("betas=(0.9, 0.999)", "betas=(0.9, 0.9991)"), ("eps=1e-8", "eps=1e-7"), ("w.sub_(", "w.add_(")]
    for old, new in changes:
        assert old in text, old
        wrong = os.path.join(directory, "wrong_torch.py")
        with open(wrong, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))
        found = run_torch(wrong, inputs, np.float64, False)
        verdict, *_ = compare(found, trajectories[number], inputs, np.float64)
        os.remove(wrong)
        if not verdict:
            sys.exit(f"an export with {new} for {old} passed")
    print(f"self-test: {len(changes)} wrong exports found out")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory")
    parser.add_argument("--library", choices=["torch", "optax", "python"])
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if not args.library and not args.self_test:
        # One process each, side by side.
        command = [sys.executable, __file__, args.directory, "--library"]
        libraries = ["optax", "torch", "python"]
        running = [subprocess.Popen([*command, library]) for library in libraries]
        sys.exit(any([process.wait() for process in running]))
    warnings.simplefilter("ignore")
    os.environ.setdefault("JAX_ENABLE_X64", "1")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    with open(os.path.join(args.directory, "cases.json"), encoding="utf-8") as file:
        index = json.load(file)
    inputs = Inputs(index)
    trajectories = np.fromfile(os.path.join(args.directory, "trajectories.f64"), "<f8")
    shape = (len(index["cases"]), 2 + 2 * index["perturbed"], len(inputs.rates), len(inputs.tensor))
    trajectories = trajectories.reshape(shape)
    if args.self_test:
        return self_test(args.directory, index, inputs, trajectories)
    failed = False
    start = time.perf_counter()
    with np.errstate(all="ignore"):
        for result in comparisons(args.library, args.directory, index, inputs, trajectories):
            result.print()
            too_many = result.cut > MOST_CUT * result.compared
            failed |= bool(result.failures) or too_many
    print(f"{args.library}: {time.perf_counter() - start:.0f} s", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
