"""Runs learners exported to NumPy and compares what they predict with the interpreter.

    cargo run -p evo-export --example learner_cases DIR
    python tests/python/check_learners.py DIR

Predictions must have the interpreter's bits, but of learners with elementary functions, which are
NumPy's own and may differ in the last: those may be off by TOLERANCE.
"""

import importlib.util
import inspect
import json
import os
import struct
import sys

import numpy as np

TOLERANCE = 1e-9


class Mixed:
    """The numbers that the interpreter drew, in place of a generator."""

    def __init__(self):
        self.state = 3 * 7919 + 12345

    def part(self):
        self.state = self.state * 48271 % 2147483647
        return self.state / 2147483648.0

    def filled(self, shape, draw):
        if shape is None:
            return draw()
        return np.array([draw() for _ in range(int(np.prod(shape)))]).reshape(shape)

    def random(self, size=None):
        return self.filled(size, self.part)

    def standard_normal(self, size=None):
        return self.filled(size, lambda: (self.part() - 0.5) * 3.0)


def load(path):
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Learner


def predictions(learner_class, index):
    n = index["features"]
    draws = "rng" in inspect.signature(learner_class).parameters
    learner = learner_class(n, rng=Mixed()) if draws else learner_class(n)
    found = []
    for at, (features, label) in enumerate(index["examples"]):
        prediction = learner.predict(features)
        assert isinstance(prediction, np.float64), type(prediction)
        found.append(float(prediction))
        if at < index["train"]:
            if at % 3 == 2:
                learner.s1 = float(prediction) * 0.25
            learner.learn(features, label)
    if not draws:
        learner.setup()
        first = learner.predict(index["examples"][0][0])
        assert first == found[0] or np.isnan(first), "what was learnt is forgotten"
    return found


def same(found, expected, exact):
    if struct.pack("<d", found) == struct.pack("<d", expected):
        return True
    if found != found and expected != expected:
        return True
    return not exact and abs(found - expected) <= TOLERANCE * max(abs(expected), 1.0)


def main():
    directory = sys.argv[1]
    with open(os.path.join(directory, "cases.json")) as file:
        index = json.load(file)
    wrong = 0
    for case in index["cases"]:
        found = predictions(load(os.path.join(directory, case["file"])), index)
        bits = [struct.unpack(">d", bytes.fromhex(it))[0] for it in case["predictions"]]
        pairs = enumerate(zip(found, bits, strict=True))
        bad = [(at, a, b) for at, (a, b) in pairs if not same(a, b, case["exact"])]
        if bad:
            wrong += 1
            at, a, b = bad[0]
            print(f"{case['name']}, example {at}: {a!r} for {b!r} of\n{case['program']}")
    print(f"{len(index['cases'])} learners, {wrong} of them wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
