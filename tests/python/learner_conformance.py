"""Memory of small learners after a few examples, by NumPy from the documented meaning of the ops.

Makes `dsl/tests/data/learner_conformance.json`, which `dsl/tests/learner_conformance.rs` holds the
engines against. Nothing of the engines is used here. Sums run in order, in one accumulator, which
NumPy's own do not; numbers are written as the bits of float64.

    python tests/python/learner_conformance.py > dsl/tests/data/learner_conformance.json
"""

import json
import math
import random
import struct
import sys

import numpy as np

ADDRESSES = 4

# Name, types of the arguments, type of the result; types are s, v and m.
OPS = {
    "sum": [("s", "s", "s"), ("v", "v", "v"), ("m", "m", "m")],
    "diff": [("s", "s", "s"), ("v", "v", "v"), ("m", "m", "m")],
    "product": [("s", "s", "s"), ("v", "v", "v"), ("m", "m", "m"), ("s", "v", "v"), ("s", "m", "m")],
    "division": [("s", "s", "s"), ("v", "v", "v"), ("m", "m", "m")],
    "minimum": [("s", "s", "s"), ("v", "v", "v"), ("m", "m", "m")],
    "maximum": [("s", "s", "s"), ("v", "v", "v"), ("m", "m", "m")],
    "abs": [("s", "s"), ("v", "v"), ("m", "m")],
    "reciprocal": [("s", "s"), ("v", "v"), ("m", "m")],
    "heaviside": [("s", "s"), ("v", "v"), ("m", "m")],
    "sin": [("s", "s")],
    "cos": [("s", "s")],
    "tan": [("s", "s")],
    "arcsin": [("s", "s")],
    "arccos": [("s", "s")],
    "arctan": [("s", "s")],
    "exp": [("s", "s")],
    "log": [("s", "s")],
    "bcast": [("s", "v")],
    "bcast0": [("v", "m")],
    "bcast1": [("v", "m")],
    "norm": [("v", "s"), ("m", "s")],
    "norm0": [("m", "v")],
    "norm1": [("m", "v")],
    "dot": [("v", "v", "s"), ("m", "v", "v")],
    "outer": [("v", "v", "m")],
    "matmul": [("m", "m", "m")],
    "transpose": [("m", "m")],
    "mean": [("v", "s"), ("m", "s")],
    "mean1": [("m", "v")],
    "std": [("v", "s"), ("m", "s")],
    "std1": [("m", "v")],
    "set": [("s",), ("v",), ("m",)],
}

INFIX = {"sum": "+", "diff": "-", "product": "*", "division": "/"}
ELEMENTARY = {"sin", "cos", "tan", "arcsin", "arccos", "arctan", "exp", "log"}


def in_order(numbers):
    total = None
    for number in np.asarray(numbers, dtype=np.float64).ravel():
        total = number if total is None else total + number
    return total


def norm(x):
    return np.sqrt(in_order(np.asarray(x) * np.asarray(x)))


def mean(x):
    return in_order(x) / np.float64(np.size(x))


def deviation(x):
    x = np.asarray(x)
    middle = mean(x)
    return np.sqrt(in_order(x * x) / np.float64(x.size) - middle * middle)


def smaller(a, b, ty):
    """Which of the two survives a NaN depends on the type: the first, or of matrices the second."""
    return np.where(a < b, a, b) if ty == "m" else np.where(b < a, b, a)


def larger(a, b, ty):
    return np.where(a > b, a, b) if ty == "m" else np.where(a < b, b, a)


def place(fraction, n):
    return min(int(np.float32(fraction) * np.float32(n)), n - 1)


def elementary(op, x):
    function = {"arcsin": math.asin, "arccos": math.acos, "arctan": math.atan}.get(op)
    function = function or getattr(math, op)
    x = float(x)
    try:
        return np.float64(function(x))
    except OverflowError:
        return np.float64(np.inf)
    except ValueError:
        return np.float64(-np.inf if op == "log" and x == 0.0 else np.nan)


def compute(op, types, a, b, n):
    rows = range(n)
    if op == "sum":
        return a + b
    if op == "diff":
        return a - b
    if op == "product":
        return a * b
    if op == "division":
        return a / b
    if op == "minimum":
        return smaller(a, b, types[0])
    if op == "maximum":
        return larger(a, b, types[0])
    if op == "abs":
        return np.abs(a)
    if op == "reciprocal":
        return np.float64(1.0) / a
    if op == "heaviside":
        at_zero = 1.0 if types[0] == "s" else 0.0
        return np.where(a > 0, 1.0, np.where(a == 0, at_zero, 0.0))
    if op in ELEMENTARY:
        return elementary(op, a)
    if op == "bcast":
        return np.full(n, a)
    if op == "bcast0":
        return np.array([[a[i] for _ in rows] for i in rows])
    if op == "bcast1":
        return np.array([[a[j] for j in rows] for _ in rows])
    if op == "norm":
        return norm(a)
    if op == "norm0":
        return np.array([norm(a[:, j]) for j in rows])
    if op == "norm1":
        return np.array([norm(a[i, :]) for i in rows])
    if op == "dot":
        if types[0] == "v":
            return in_order(a * b)
        return np.array([in_order(a[i] * b) for i in rows])
    if op == "outer":
        return np.array([[a[i] * b[j] for j in rows] for i in rows])
    if op == "matmul":
        return np.array([[in_order(a[i, :] * b[:, j]) for j in rows] for i in rows])
    if op == "transpose":
        return a.T.copy()
    if op == "mean":
        return mean(a)
    if op == "mean1":
        return np.array([mean(a[i]) for i in rows])
    if op == "std":
        return deviation(a)
    if op == "std1":
        return np.array([deviation(a[i]) for i in rows])
    raise AssertionError(op)


class Statement:
    def __init__(self, draw, op, types):
        self.op, self.types = op, types
        self.inputs = [draw.randrange(ADDRESSES) for _ in types[:-1]]
        least = 0 if types[-1] == "m" else 1
        self.output = draw.randrange(least, ADDRESSES)
        self.value = round(draw.uniform(-2, 2), 3)
        self.fractions = [round(draw.random(), 3) for _ in "ij"]

    def text(self):
        target = f"{self.types[-1]}{self.output}"
        names = [f"{ty}{address}" for ty, address in zip(self.types, self.inputs)]
        op = self.op
        if op == "set":
            i, j = self.fractions
            brackets = {"s": "", "v": f"[{i}]", "m": f"[{i}, {j}]"}[self.types[-1]]
            return f"{target}{brackets} = {self.value}"
        if op in INFIX:
            return f"{target} = {names[0]} {INFIX[op]} {names[1]}"
        if op == "reciprocal":
            return f"{target} = 1 / {names[0]}"
        if op == "heaviside":
            return f"{target} = heaviside({names[0]}, 1.0)"
        if op[-1] in "01":
            return f"{target} = {op[:-1]}({names[0]}, axis={op[-1]})"
        return f"{target} = {op}({', '.join(names)})"

    def run(self, memory, n):
        if self.op == "set":
            value, (i, j) = np.float64(self.value), self.fractions
            ty = self.types[-1]
            if ty == "s":
                memory[ty][self.output] = value
            elif ty == "v":
                memory[ty][self.output][place(i, n)] = value
            else:
                memory[ty][self.output][place(i, n), place(j, n)] = value
            return
        arguments = [memory[ty][address] for ty, address in zip(self.types, self.inputs)]
        a, b = (arguments + [None])[:2]
        result = compute(self.op, self.types, a, b, n)
        memory[self.types[-1]][self.output] = np.array(result, dtype=np.float64)


def bits(x):
    return "".join(struct.pack(">d", float(it)).hex() for it in np.asarray(x).ravel())


def case(seed, must):
    draw = random.Random(seed)
    n = draw.choice([1, 2, 3, 4])
    # An elementary function may be off by a bit, so it stands alone and last.
    flat = [(op, types) for op, all_types in OPS.items() for types in all_types]
    flat = [(op, types) for op, types in flat if op not in ELEMENTARY]

    def function(length):
        return [Statement(draw, *draw.choice(flat)) for _ in range(length)]

    functions = [function(draw.randrange(3, 9)) for _ in range(3)]
    # Something to work on.
    for address in range(1, ADDRESSES):
        functions[0].insert(0, Statement(draw, "set", ("v",)))
        functions[0].insert(0, Statement(draw, "set", ("m",)))
        functions[0].insert(0, Statement(draw, "set", ("s",)))
    if must[0] in ELEMENTARY:
        functions[2].append(Statement(draw, *must))
    else:
        functions[draw.randrange(1, 3)].insert(draw.randrange(3), Statement(draw, *must))
    examples = [([draw.gauss(0, 1) for _ in range(n)], draw.gauss(0, 1)) for _ in range(3)]
    memory = {
        "s": [np.float64(0.0) for _ in range(ADDRESSES)],
        "v": [np.zeros(n) for _ in range(ADDRESSES)],
        "m": [np.zeros((n, n)) for _ in range(ADDRESSES)],
    }
    setup, predict, learn = functions
    for statement in setup:
        statement.run(memory, n)
    for features, label in examples:
        for given, part in [(0.0, predict), (label, learn)]:
            memory["v"][0], memory["s"][0] = np.array(features), np.float64(given)
            for statement in part:
                statement.run(memory, n)
    names = ["Setup", "Predict", "Learn"]
    text = "".join(
        f"def {name}():\n" + "".join(f"  {it.text()}\n" for it in part)
        for name, part in zip(names, functions)
    )
    return {
        "n": n,
        "program": text,
        # Elementary functions may differ in their last bit.
        "exact": not any(it.op in ELEMENTARY for part in functions for it in part),
        "features": [bits(features) for features, _ in examples],
        "labels": bits([label for _, label in examples]),
        "scalars": bits(memory["s"]),
        "vectors": [bits(it) for it in memory["v"]],
        "matrices": [bits(it) for it in memory["m"]],
    }


def main():
    np.seterr(all="ignore")
    flat = [(op, types) for op, all_types in OPS.items() for types in all_types]
    # Every op five times or more.
    cases = [case(seed, flat[seed % len(flat)]) for seed in range(5 * len(flat))]
    json.dump(cases, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
