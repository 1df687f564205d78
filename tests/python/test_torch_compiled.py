"""Compiles the steps of exported optimizers, and takes them in half precision.

    cargo run -p evo-export --example export_cases DIR
    python tests/python/test_torch_compiled.py [DIR]

DIR is target/export-cases if not given.
"""

import copy
import unittest

import torch
from torch_exports import ZOO, optimizer, run, waves


def compiled(opt, backend="eager"):
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    return torch.compile(opt.step, backend=backend, fullgraph=True)


def graphs():
    return torch._dynamo.utils.counters["stats"]["unique_graphs"]


class Precisions(unittest.TestCase):
    def test_no_gradient_in_half_precision_makes_no_rule_give_nan(self):
        # 1e-8 and the squares of small gradients are 0 in float16.
        for name in ZOO:
            make = optimizer(name)
            for dtype in (torch.float16, torch.bfloat16):
                for foreach in (False, True):
                    with self.subTest(name, dtype=dtype, foreach=foreach):
                        params = waves([(4, 3), (5,), (), (2, 3, 2)])
                        params = [torch.nn.Parameter(p.detach().to(dtype)) for p in params]
                        opt = make(params, foreach=foreach)
                        for scale in (0.0, 1.0, 0.0, 1e-6):
                            for p in params:
                                p.grad = scale * torch.cos(p.detach())
                            opt.step()
                        self.assertTrue(all(torch.isfinite(p).all() for p in params))

    def test_float16_is_computed_in_float32(self):
        for name in ZOO:
            make = optimizer(name)
            for foreach in (False, True):
                with self.subTest(name, foreach=foreach):
                    wide = waves([(4, 3), (5,), (), (2, 3, 2)])
                    params = [torch.nn.Parameter(p.detach().half()) for p in wide]
                    opt, twin = make(params, foreach=foreach), make(wide, foreach=foreach)
                    for scale in (0.0, 1.0, 0.0, 1e-3, 1e-6):
                        for p, w in zip(params, wide):
                            w.data.copy_(p)
                            p.grad = scale * torch.cos(p.detach())
                            w.grad = p.grad.float()
                        opt.step()
                        twin.step()
                        for p, w in zip(params, wide):
                            self.assertTrue(torch.equal(p, w.half()))
                            for name, value in opt.state[p].items():
                                self.assertEqual(value.dtype, torch.float32)
                                self.assertTrue(torch.equal(value, twin.state[w][name]), name)


class Compiled(unittest.TestCase):
    """`torch.compile` of the step: what a graph is made of, and what is made anew, is told by the
    compiler's first stage, so most of these stop there."""

    def train(self, make, steps, foreach, backend=None, lacks=lambda step: [], **settings):
        params = waves([(3, 2), ()])
        rate = torch.tensor(make(params).defaults["lr"])
        usual = rate.clone()
        opt = make(params, lr=rate, foreach=foreach, **settings)
        step = compiled(opt, backend) if backend else opt.step
        for number in range(steps):
            for index, p in enumerate(params):
                p.grad = torch.cos(p.detach() * (number % 7 + 1.5) + index)
                if index in lacks(number):
                    p.grad = None
            # As a schedule does it: the tensor is the same, its value is not.
            rate.copy_(usual * (1 - number / steps))
            step()
        return params

    def assert_close(self, found, expected):
        for a, b in zip(found, expected, strict=True):
            # The compiler computes a number beside a scalar parameter with more digits.
            self.assertTrue(torch.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True), (a, b))

    def test_every_rule_is_one_graph_for_all_steps_and_rates(self):
        for name in ZOO:
            for foreach in (False, True):
                with self.subTest(name, foreach=foreach):
                    make = optimizer(name)
                    expected = self.train(make, 100, foreach)
                    with torch._dynamo.config.patch(error_on_recompile=True):
                        found = self.train(make, 100, foreach, backend="eager")
                    self.assertEqual(graphs(), 1)
                    self.assertFalse(torch._dynamo.utils.counters["graph_break"])
                    self.assert_close(found, expected)

    def test_groups_are_one_graph(self):
        for name in ("lion", "adamw", "sgd", "muon", "polar_muon_adamw", "schedule_free_adamw"):
            for foreach in (False, True):
                with self.subTest(name, foreach=foreach):
                    results = []
                    for compile_it in (False, True):
                        params = waves([(3, 2), (), (4, 3), (5,)])
                        rate = torch.tensor(1e-3)
                        parts = params[:2], params[2:3], params[3:]
                        groups = [{"params": part} for part in parts]
                        opt = optimizer(name)(groups, lr=rate, foreach=foreach)
                        step = compiled(opt, "eager") if compile_it else opt.step
                        with torch._dynamo.config.patch(error_on_recompile=True):
                            for number in range(10):
                                for p in params:
                                    p.grad = torch.cos(p.detach() * (number + 1.5))
                                rate.mul_(0.9)
                                step()
                        results.append(params)
                    self.assertEqual(graphs(), 1)
                    self.assert_close(*results)

    def test_compiled_to_the_end_it_gives_the_same_weights(self):
        for name in ("adamw", "lion_discovered"):
            make = optimizer(name)
            found = self.train(make, 5, foreach=True, backend="inductor")
            self.assert_close(found, self.train(make, 5, foreach=True))

    def test_parameters_whose_gradients_come_and_go_keep_their_own_number_of_steps(self):
        # A graph of before they went apart must not be used again.
        lacks = lambda step: {0: [1], 3: [0], 4: [0], 7: [1]}.get(step, [])
        for name in ("adamw", "lion", "adafactor"):
            for foreach in (False, True):
                make = optimizer(name)
                expected = self.train(make, 10, foreach, lacks=lacks)
                found = self.train(make, 10, foreach, backend="eager", lacks=lacks)
                self.assert_close(found, expected)

    def test_a_state_that_was_loaded_is_compiled_for(self):
        make = optimizer("adamw")
        results = []
        for compile_it in (False, True):
            params = waves([(3, 2), (2,)])
            opt = make(params)
            step = compiled(opt) if compile_it else opt.step

            def go(count):
                for _ in range(count):
                    for p in params:
                        p.grad = torch.cos(p.detach())
                    step()

            go(2)
            state = copy.deepcopy(opt.state_dict())
            state["state"][1]["step"].fill_(40.0)
            opt.load_state_dict(state)
            go(3)
            self.assertEqual([opt.state[p]["step"].item() for p in params], [5, 43])
            results.append(params)
        self.assert_close(*results)


if __name__ == "__main__":
    run()
