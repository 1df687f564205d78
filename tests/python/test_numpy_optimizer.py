"""Uses exported functions on NumPy arrays.

    cargo run -p evo-export --example export_cases DIR
    python tests/python/test_numpy_optimizer.py [DIR]

DIR is target/export-cases if not given.
"""

import inspect
import os
import sys
import unittest

import numpy as np

from check_exports import load, own

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DIRECTORY = os.path.join(ROOT, "target", "export-cases")
ZOO = sorted(name.removesuffix(".py") for name in os.listdir(os.path.join(ROOT, "dsl", "zoo")))
SHAPES = [(4, 3), (5,), (), (2, 3, 2)]


class Rule:
    """An exported function with its states."""

    def __init__(self, name):
        self.function = own(load(os.path.join(DIRECTORY, f"{name}_python.py")), inspect.isfunction)
        parameters = inspect.signature(self.function).parameters.values()
        names = [p.name for p in parameters if p.kind == p.POSITIONAL_OR_KEYWORD]
        self.counts = "t" in names[2:]
        self.slots, self.states, self.steps = len(names) - 2 - self.counts, None, 0

    def results(self, w, g):
        """The lists that a step gives, of which the first is the update."""
        self.steps += 1
        self.states = self.states or [[np.zeros_like(x) for x in w] for _ in range(self.slots)]
        found = self.function(w, g, *self.states, *([self.steps] if self.counts else []))
        found = found if isinstance(found, tuple) else (found,)
        self.states = found[1 : 1 + self.slots]
        return found


def weights(dtype):
    wave = lambda shape: np.sin(3.7 * np.arange(float(np.prod(shape))) + 1).reshape(shape)
    return [np.asarray(wave(shape), dtype) for shape in SHAPES]


class Precisions(unittest.TestCase):
    def test_float16_is_computed_in_float32(self):
        # 1e-8 and the squares of small gradients are 0 in float16.
        for name in ZOO:
            with self.subTest(name):
                half, single = Rule(name), Rule(name)
                w = weights(np.float16)
                for scale in (0.0, 1.0, 0.0, 1e-3, 1e-6):
                    g = [np.asarray(scale * np.cos(w_), np.float16) for w_ in w]
                    found = half.results(w, g)
                    wide = [[x.astype(np.float32) for x in arrays] for arrays in (w, g)]
                    expected = single.results(*wide)
                    of_weights = {0, *range(1 + half.slots, len(found))}
                    for place, (a, b) in enumerate(zip(found, expected, strict=True)):
                        dtype = np.float16 if place in of_weights else np.float32
                        for x, y in zip(a, b, strict=True):
                            self.assertEqual(x.dtype, dtype)
                            self.assertTrue(np.isfinite(x).all(), place)
                            self.assertTrue(np.array_equal(x, y.astype(dtype)), place)
                    w = [np.asarray(w_ - update) for w_, update in zip(w, found[0])]

    def test_what_is_of_no_real_numbers_is_refused(self):
        for dtype in (np.complex64, np.int64):
            w = [np.ones(3, dtype)]
            with self.assertRaisesRegex(TypeError, "arrays of real numbers"):
                Rule("lion").results(w, w)

    def test_lists_of_unequal_length_are_refused(self):
        lion, w = Rule("lion"), weights(np.float32)
        with self.assertRaisesRegex(ValueError, "shorter|longer"):
            lion.results(w, w[:2])
        lion.states = [w[:2]]
        with self.assertRaisesRegex(ValueError, "shorter|longer"):
            lion.results(w, w)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        DIRECTORY = sys.argv.pop(1)
    unittest.main()
