"""Uses exported optimizers as any optimizer of Optax is used.

    cargo run -p evo-export --example export_cases DIR
    python tests/python/test_optax_optimizer.py [DIR]

DIR is target/export-cases if not given.
"""

import importlib.util
import os
import sys
import unittest

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np
import optax

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DIRECTORY = os.path.join(ROOT, "target", "export-cases")
# With states, sums over the tree, sums over leaves, the step number, and weights that are not read.
NAMES = ["lion", "lion_discovered", "lion_raw", "adamw", "adam", "sgd", "muon", "muon_adamw", "adafactor"]
ZOO = sorted(name.removesuffix(".py") for name in os.listdir(os.path.join(ROOT, "dsl", "zoo")))


def factory(name):
    path = os.path.join(DIRECTORY, f"{name}_optax.py")
    spec = importlib.util.spec_from_file_location(f"{name}_optax", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def params():
    wave = lambda *shape: jnp.sin(jnp.arange(float(np.prod(shape))) * 3.7 + 1).reshape(shape)
    return {"a": wave(4, 3), "b": {"c": wave(5), "d": wave(2, 2, 3)}}


def gradients(step):
    return jax.tree.map(lambda w: jnp.cos(w * (step + 2.5)), params())


def leaves(tree):
    return jax.tree.leaves(tree)


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(leaves(a), leaves(b), strict=True))


def finite(tree):
    return all(np.isfinite(leaf).all() for leaf in leaves(tree))


def with_leaf(tree, leaf):
    """The tree with another leaf beside c."""
    return {"a": tree["a"], "b": {"c": tree["b"]["c"], "d": leaf}}


def without(tree):
    """The tree as if there were nothing beside c."""
    return {"a": tree["a"], "b": {"c": tree["b"]["c"]}}


class Roles(unittest.TestCase):
    """Of PolarMuonAdamW, which is Muon for hidden matrices and AdamW for the rest."""

    def moved(self, shape, roles=None):
        weights = {"layer": params()["a"].reshape(shape), "bias": None}
        optimizer = factory("polar_muon_adamw")(roles=roles)
        state = optimizer.init(weights)
        for step in range(5):
            wave = jnp.sin(jnp.arange(12.0) * (step + 1.3)).reshape(shape)
            update, state = optimizer.update({"layer": wave, "bias": None}, state, weights)
            weights = optax.apply_updates(weights, update)
        return weights["layer"].reshape(-1)

    def test_a_function_of_path_and_leaf_says_what_a_leaf_is(self):
        of_layer = lambda path, leaf: "embedding" if path[0].key == "layer" else None
        vector = self.moved((12,))
        self.assertTrue(np.array_equal(self.moved((4, 3), of_layer), vector))
        self.assertFalse(np.allclose(self.moved((4, 3)), vector, atol=1e-3))

    def test_a_leaf_may_be_a_number_of_python(self):
        optimizer = factory("polar_muon_adamw")(roles=lambda path, leaf: None)
        for leaf in (1.0, np.ones(2, np.float32)):
            weights = {"scale": leaf}
            state = optimizer.init(weights)
            update, _ = optimizer.update({"scale": leaf}, state, weights)
            self.assertTrue(finite(update))

    def test_what_is_no_role_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no role of a tensor: 'head'"):
            self.moved((4, 3), lambda path, leaf: "head")


class Readouts(unittest.TestCase):
    def test_the_weights_to_validate_with_are_found_in_the_state_of_a_chain(self):
        make = factory("schedule_free_adamw")
        read_out = make.__globals__["schedule_free_adamw_read_out"]
        found = []
        chain = optax.chain(optax.clip(1e3), make())
        for optimizer in (make(), chain, optax.MultiSteps(make(), 1)):
            w = params()
            state = optimizer.init(w)
            self.assertTrue(same(read_out(state), w))
            for step in range(3):
                update, state = optimizer.update(gradients(step), state, w)
                w = optax.apply_updates(w, update)
            found.append(jax.jit(read_out)(state))
        self.assertFalse(same(found[0], params()))
        self.assertTrue(same(found[0], found[1]))
        for a, b in zip(leaves(found[0]), leaves(found[2])):
            self.assertTrue(np.allclose(a, b, rtol=1e-5, atol=1e-6))
        refusal = "ScheduleFreeAdamwState is needed, and there are 0"
        with self.assertRaisesRegex(ValueError, refusal):
            read_out(optax.adam(1e-3).init(params()))


def cast(tree, dtype):
    return jax.tree.map(lambda leaf: leaf.astype(dtype), tree)


class Precisions(unittest.TestCase):
    def steps(self, name, dtype, scales):
        """What every step is given and gives: gradients, weights, update and state."""
        optimizer = factory(name)()
        w = cast({**params(), "scalar": jnp.asarray(0.5)}, dtype)
        state = optimizer.init(w)
        for scale in scales:
            g = jax.tree.map(lambda leaf: (scale * jnp.cos(leaf)).astype(dtype), w)
            types = jax.tree.map(lambda leaf: leaf.dtype, state)
            update, state = optimizer.update(g, state, w)
            self.assertEqual(jax.tree.map(lambda leaf: leaf.dtype, state), types)
            self.assertTrue(all(leaf.dtype == dtype for leaf in leaves(update)))
            self.assertTrue(finite((update, state)))
            yield g, w, update, state
            w = optax.apply_updates(w, update)

    def test_float16_is_computed_in_float32(self):
        # 1e-8 and the squares of small gradients are 0 in float16.
        for name in ZOO:
            with self.subTest(name):
                optimizer = factory(name)()
                single = None
                scales = (0.0, 1.0, 0.0, 1e-3, 1e-6)
                for g, w, update, state in self.steps(name, jnp.float16, scales):
                    wide = cast(w, jnp.float32)
                    single = single or optimizer.init(wide)
                    expected, single = optimizer.update(cast(g, jnp.float32), single, wide)
                    self.assertTrue(same(update, cast(expected, jnp.float16)))
                    for tree, twin in zip(state, single):
                        read_out = tree is getattr(state, "readout", None)
                        self.assertTrue(same(tree, cast(twin, jnp.float16) if read_out else twin))

    def test_no_gradient_in_bfloat16_makes_no_rule_give_nan(self):
        for name in ZOO:
            with self.subTest(name):
                list(self.steps(name, jnp.bfloat16, (0.0, 1.0, 0.0, 1e-6)))

    def test_types_that_meet_are_those_of_the_parameters_again(self):
        for name in NAMES:
            mixed = [("float16", "float32"), ("float32", "float16"), ("bfloat16", "float32")]
            for of_weights, of_gradients in mixed:
                optimizer, w = factory(name)(), cast(params(), of_weights)
                state = optimizer.init(w)
                update, after = optimizer.update(cast(gradients(0), of_gradients), state, w)
                self.assertTrue(all(leaf.dtype == of_weights for leaf in leaves(update)))
                for old, new in zip(leaves(state), leaves(after), strict=True):
                    self.assertEqual(old.dtype, new.dtype)


class Optimizers(unittest.TestCase):
    def each(self):
        for name in NAMES:
            with self.subTest(name):
                yield factory(name)

    def test_a_rate_of_zero_without_gradients_does_no_harm(self):
        for make in self.each():
            optimizer = make(learning_rate=0.0)
            w = params()
            state = optimizer.init(w)
            zeros = jax.tree.map(jnp.zeros_like, w)
            for step in range(3):
                update, state = optimizer.update(zeros, state, w)
                w = optax.apply_updates(w, update)
            self.assertTrue(same(w, params()))
            self.assertTrue(finite(state))

    def test_a_warm_up_may_begin_at_zero(self):
        for make in self.each():
            optimizer = make(learning_rate=optax.linear_schedule(0.0, 1e-4, 5))
            w = params()
            state = optimizer.init(w)
            for step in range(10):
                update, state = optimizer.update(gradients(step), state, w)
                w = optax.apply_updates(w, update)
                self.assertEqual(same(w, params()), step == 0)
            self.assertTrue(finite((w, state)))

    def test_a_leaf_without_a_gradient_keeps_what_is_carried_and_is_not_seen(self):
        for make in self.each():
            optimizer, w = make(), params()
            state = optimizer.init(w)
            _, state = optimizer.update(gradients(0), state, w)
            update, after = jax.jit(optimizer.update)(with_leaf(gradients(1), None), state, w)
            self.assertIsNone(update["b"]["d"])
            for old, new in zip(state[1:], after[1:]):
                self.assertTrue(same(old["b"]["d"], new["b"]["d"]))
            few = type(state)(state.count, *[without(tree) for tree in state[1:]])
            alone, carried = jax.jit(optimizer.update)(without(gradients(1)), few, without(w))
            self.assertTrue(same(without(update), alone))
            for new, expected in zip(after[1:], carried[1:]):
                self.assertTrue(same(without(new), expected))

    def test_a_whole_part_of_the_tree_may_have_no_gradient(self):
        for make in self.each():
            optimizer, w = make(), params()
            state = optimizer.init(w)
            update, after = optimizer.update({"a": gradients(0)["a"], "b": None}, state, w)
            self.assertIsNone(update["b"])
            self.assertEqual(jax.tree.structure(state), jax.tree.structure(after))

    def test_no_gradient_at_all_is_no_step_of_any_leaf(self):
        for make in self.each():
            optimizer, w = make(), params()
            state = optimizer.init(w)
            update, after = optimizer.update(jax.tree.map(lambda leaf: None, w), state, w)
            self.assertEqual(leaves(update), [])
            self.assertTrue(same(state[1:], after[1:]))

    def test_none_in_parameters_and_gradients_is_left_out(self):
        for make in self.each():
            optimizer, w = make(), with_leaf(params(), None)
            state = optimizer.init(w)
            update, state = optimizer.update(with_leaf(gradients(0), None), state, w)
            w = optax.apply_updates(w, update)
            self.assertIsNone(w["b"]["d"])
            self.assertTrue(finite(w))

    def test_a_gradient_without_a_parameter_is_refused(self):
        for make in self.each():
            optimizer, w = make(), with_leaf(params(), None)
            state = optimizer.init(w)
            with self.assertRaisesRegex(ValueError, "gradient where the parameters"):
                optimizer.update(gradients(0), state, w)

    def test_masked_leaves_stay_as_they_are(self):
        for make in self.each():
            optimizer, w = optax.masked(make(), with_leaf(jax.tree.map(lambda leaf: True, params()), False)), params()
            state = optimizer.init(w)
            update, state = optimizer.update(gradients(0), state, w)
            self.assertTrue(same(update["b"]["d"], gradients(0)["b"]["d"]))
            self.assertFalse(same(without(update), without(gradients(0))))

    def test_the_guard_of_divisions_is_a_setting(self):
        for settings in ({}, {"eps": 1e-3}):
            ours = factory("adamw")(learning_rate=1e-3, **settings)
            theirs = optax.adamw(1e-3, weight_decay=0.01, **settings)
            found = []
            for optimizer in (ours, theirs):
                w = params()
                state = optimizer.init(w)
                for step in range(10):
                    update, state = optimizer.update(gradients(step), state, w)
                    w = optax.apply_updates(w, update)
                found.append(w)
            for a, b in zip(*map(leaves, found)):
                self.assertTrue(np.allclose(a, b, rtol=1e-4, atol=1e-5))

    def test_complex_leaves_are_refused(self):
        for make in self.each():
            optimizer, w = make(), params()
            odd = with_leaf(w, w["b"]["d"].astype(jnp.complex64))
            with self.assertRaisesRegex(TypeError, "complex"):
                optimizer.init(odd)
            state = optimizer.init(w)
            with self.assertRaisesRegex(TypeError, "complex"):
                optimizer.update(odd, state, w)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        DIRECTORY = sys.argv.pop(1)
    unittest.main()
