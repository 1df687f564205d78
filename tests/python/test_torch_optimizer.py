"""Uses exported optimizers as any optimizer of PyTorch is used.

    cargo run -p evo-export --example export_cases DIR
    python tests/python/test_torch_optimizer.py [DIR]

DIR is target/export-cases if not given.
"""

import copy
import io
import unittest

import torch
from torch_exports import optimizer, run, waves

class Model(torch.nn.Module):
    """Matrices, vectors and a scalar."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(8, 32),
            torch.nn.Tanh(),
            torch.nn.Linear(32, 16),
            torch.nn.Tanh(),
            torch.nn.Linear(16, 1),
        )
        self.scale = torch.nn.Parameter(torch.tensor(1.0))
        self.unused = torch.nn.Parameter(torch.ones(3))

    def forward(self, x):
        return self.layers(x) * self.scale


def data(step):
    generator = torch.Generator().manual_seed(step)
    x = torch.randn(32, 8, generator=generator)
    return x, x[:, :1] - x[:, 1:2]


def train(model, opt, steps, first=0):
    for step in range(first, first + steps):
        x, y = data(step)
        opt.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        opt.step()
    return loss.item()


def mesh():
    """A mesh of this process alone."""
    if not torch.distributed.is_initialized():
        store = torch.distributed.HashStore()
        torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    return torch.distributed.init_device_mesh("cpu", (1,))


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))


class Cases:
    """What every optimizer must do: `make` is its class, `lr` a learning rate for it, and `reached`
    the share of the loss that is left after some steps; `counts` where the rule reads the number of
    steps, `reduces` where it computes numbers over the parameters of a group, and `whole` where it
    does over whole tensors."""

    lr = 1e-3
    reached = 0.7
    counts = False
    reduces = False
    whole = False

    def test_it_trains(self):
        model = Model()
        x, y = data(10_000)
        before = torch.nn.functional.mse_loss(model(x), y).item()
        train(model, self.make(model.parameters(), lr=self.lr), 150)
        after = torch.nn.functional.mse_loss(model(x), y).item()
        self.assertLess(after, self.reached * before)
        self.assertTrue(torch.equal(model.unused, torch.ones(3)), "it has no gradient")

    def test_both_paths_give_the_same_bits(self):
        models = [Model(), Model()]
        for model, foreach in zip(models, [False, True]):
            train(model, self.make(model.parameters(), lr=self.lr, foreach=foreach), 20)
        self.assertTrue(same(*models))

    def test_a_run_continues_from_a_state_that_was_saved(self):
        whole, half = Model(), Model()
        train(whole, self.make(whole.parameters(), lr=self.lr), 20)
        first = self.make(half.parameters(), lr=self.lr)
        train(half, first, 10)
        file = io.BytesIO()
        torch.save({"model": half.state_dict(), "optimizer": first.state_dict()}, file)
        file.seek(0)
        saved = torch.load(file)
        other = Model()
        other.load_state_dict(saved["model"])
        second = self.make(other.parameters(), lr=1.0)
        second.load_state_dict(saved["optimizer"])
        train(other, second, 10, first=10)
        self.assertTrue(same(whole, other))

    def test_the_state_of_a_distributed_checkpoint_is_made_without_harm(self):
        # PyTorch makes the state of a new optimizer by a step at a rate of 0 with gradients of 0.
        from torch.distributed.checkpoint.state_dict import (
            get_optimizer_state_dict,
            set_optimizer_state_dict,
        )

        model, other = Model(), Model()
        opt = self.make(model.parameters(), lr=self.lr)
        get_optimizer_state_dict(model, opt)
        self.assertTrue(same(model, other))
        for value in opt.state.values():
            tensors = [entry for entry in value.values() if isinstance(entry, torch.Tensor)]
            self.assertTrue(all(torch.isfinite(tensor).all() for tensor in tensors))
        train(model, opt, 5)
        self.assertTrue(all(torch.isfinite(p).all() for p in model.parameters()))
        saved = copy.deepcopy(get_optimizer_state_dict(model, opt))
        other.load_state_dict(model.state_dict())
        second = self.make(other.parameters(), lr=1.0)
        set_optimizer_state_dict(other, second, saved)
        train(model, opt, 5, first=5)
        train(other, second, 5, first=5)
        self.assertTrue(same(model, other))

    def test_a_warm_up_may_begin_at_zero(self):
        for foreach in (False, True):
            model, twin = Model(), Model()
            opt = self.make(model.parameters(), lr=self.lr, foreach=foreach)
            scheduler = torch.optim.lr_scheduler.LambdaLR(opt, lambda epoch: min(1.0, epoch / 4))
            for p in model.parameters():
                p.grad = torch.zeros_like(p)
            opt.step()
            self.assertTrue(same(model, twin))
            for step in range(8):
                train(model, opt, 1, first=step)
                scheduler.step()
            self.assertTrue(all(torch.isfinite(p).all() for p in model.parameters()))
            self.assertFalse(same(model, twin))

    def test_a_parameter_without_a_gradient_is_not_seen(self):
        # Not by sums over all tensors, either.
        alone, beside = Model(), Model()
        train(alone, self.make(list(alone.layers.parameters()) + [alone.scale], lr=self.lr), 5)
        with torch.no_grad():
            beside.unused.mul_(1e3)
        train(beside, self.make(beside.parameters(), lr=self.lr), 5)
        self.assertTrue(same(alone.layers, beside.layers))
        self.assertTrue(torch.equal(beside.unused, torch.full((3,), 1e3)))

    def test_parameters_in_parts_are_gathered_or_refused_where_whole_ones_are_needed(self):
        from torch.distributed.tensor import DTensor, Replicate, Shard

        for placement in (Shard(0), Replicate()):
            for foreach in (False, True):
                whole = torch.arange(12.0).reshape(4, 3)
                p = torch.nn.Parameter(DTensor.from_local(whole, mesh(), [placement]))
                p.grad = DTensor.from_local(whole.sin(), mesh(), [placement])
                twin = torch.nn.Parameter(torch.arange(12.0).reshape(4, 3))
                twin.grad = twin.detach().sin()
                for each in (p, twin):
                    self.make([each], lr=self.lr, foreach=foreach).step()
                self.assertTrue(torch.equal(p.to_local(), twin))
        if self.whole:
            for mark in ("_is_flat_param", "ds_id"):
                p = torch.nn.Parameter(torch.ones(3))
                p.grad = torch.ones(3)
                setattr(p, mark, True)
                with self.assertRaisesRegex(RuntimeError, "sharded parameters"):
                    self.make([p]).step()

    def test_groups_have_their_own_settings(self):
        model, twin = Model(), Model()
        still = {"params": model.layers.parameters(), "lr": 0.0}
        opt = self.make([still, {"params": [model.scale, model.unused]}], lr=self.lr)
        train(model, opt, 3)
        self.assertTrue(same(model.layers, twin.layers))
        self.assertFalse(torch.equal(model.scale, twin.scale))

    def test_a_scheduler_changes_the_rate(self):
        model, twin = Model(), Model()
        opt = self.make(model.parameters(), lr=self.lr)
        scheduler = torch.optim.lr_scheduler.LambdaLR(opt, lambda epoch: 0.5**epoch)
        other = self.make(twin.parameters(), lr=self.lr)
        for step in range(5):
            train(model, opt, 1, first=step)
            scheduler.step()
            other.param_groups[0]["lr"] = self.lr * 0.5**step
            train(twin, other, 1, first=step)
        self.assertTrue(same(model, twin))

    def test_a_closure_is_called_with_gradients_enabled(self):
        model = Model()
        opt = self.make(model.parameters(), lr=self.lr)
        x, y = data(0)

        def closure():
            opt.zero_grad()
            loss = torch.nn.functional.mse_loss(model(x), y)
            loss.backward()
            return loss

        before = model.scale.item()
        self.assertGreater(opt.step(closure).item(), 0)
        self.assertNotEqual(model.scale.item(), before)

    def test_parameters_may_come_later_and_have_taken_fewer_steps(self):
        model, twin = Model(), Model()
        for m, parts in [(model, 1), (twin, 2)]:
            params = list(m.layers.parameters())
            groups = [{"params": params[:2]}, {"params": params[2:]}]
            m.layers[2].requires_grad_(False)
            opt = self.make(groups if parts == 2 else params, lr=self.lr)
            train(m, opt, 3)
            m.layers[2].requires_grad_(True)
            train(m, opt, 3, first=3)
            if self.counts:
                self.assertEqual(opt.state[params[2]]["step"], 3)
                self.assertEqual(opt.state[params[0]]["step"], 6)
        if not self.reduces:
            self.assertTrue(same(model, twin))

    def test_channels_last_and_strided_parameters_are_updated_in_place(self):
        torch.manual_seed(1)
        weight, grad = torch.randn(4, 3, 2, 2), torch.randn(4, 3, 2, 2)
        plain = torch.nn.Parameter(weight.clone())
        strided = torch.nn.Parameter(weight.clone().contiguous(memory_format=torch.channels_last))
        for p in (plain, strided):
            opt = self.make([p], lr=self.lr)
            for _ in range(3):
                p.grad = grad.clone()
                if p is strided:
                    p.grad = grad.contiguous(memory_format=torch.channels_last)
                opt.step()
        self.assertTrue(torch.allclose(plain, strided, rtol=1e-3, atol=1e-4))
        self.assertTrue(strided.is_contiguous(memory_format=torch.channels_last))

    def test_other_precisions_keep_their_type(self):
        for dtype in (torch.float64, torch.bfloat16):
            p = torch.nn.Parameter(torch.randn(4, 3, dtype=dtype))
            before = p.detach().clone()
            p.grad = torch.randn(4, 3, dtype=dtype)
            self.make([p], lr=0.1).step()
            self.assertEqual(p.dtype, dtype)
            self.assertFalse(torch.equal(before, p))

    def test_states_may_have_another_type_than_the_weights(self):
        shapes = [(4, 3), (5,), ()]
        for foreach in (False, True):
            params, wide = waves(shapes), waves(shapes)
            params = [torch.nn.Parameter(p.detach().bfloat16()) for p in params]
            opt = self.make(params, lr=0.01, foreach=foreach, state_dtype=torch.float32)
            twin = self.make(wide, lr=0.01)
            for step in range(6):
                for p, w in zip(params, wide):
                    w.data.copy_(p)
                    p.grad = torch.cos(p.detach() * (step + 1.5))
                    w.grad = p.grad.float()
                if step == 3:
                    # What is saved and loaded keeps its digits.
                    state = copy.deepcopy(opt.state_dict())
                    opt = self.make(params, lr=1.0, foreach=foreach)
                    opt.load_state_dict(state)
                opt.step()
                twin.step()
                for p, w in zip(params, wide):
                    self.assertTrue(torch.equal(p, w.bfloat16()))
                    for name, value in opt.state[p].items():
                        self.assertEqual(value.dtype, torch.float32)
                        self.assertTrue(torch.equal(value, twin.state[w][name]), name)

    def test_a_hook_may_change_a_state_that_is_loaded(self):
        # Of states in another type than the parameters, too, which PyTorch would round.
        params = [torch.nn.Parameter(p.detach().half()) for p in waves([(4, 3), (4, 3)])]
        opt = self.make(params, lr=self.lr)
        for index, p in enumerate(params):
            p.grad = torch.cos(3 * p.detach() + index)
        opt.step()
        swap = {0: 1, 1: 0}

        def exchange(_, state_dict):
            state = {swap[key]: value for key, value in state_dict["state"].items()}
            return {**state_dict, "state": state}

        second = self.make(params, lr=self.lr)
        second.register_load_state_dict_pre_hook(exchange)
        second.load_state_dict(opt.state_dict())
        for p, other in zip(params, reversed(params)):
            for name, value in second.state[p].items():
                self.assertTrue(torch.equal(value, opt.state[other][name]), name)

    def test_what_it_cannot_do_is_refused(self):
        p = torch.nn.Parameter(torch.ones(3))
        with self.assertRaisesRegex(ValueError, "learning rate"):
            self.make([p], lr=-1.0)
        with self.assertRaisesRegex(ValueError, "1 number, and the tensor holds 2"):
            self.make([p], lr=torch.ones(2))
        for dtype in (torch.int32, torch.complex64, "float32"):
            with self.assertRaisesRegex(ValueError, "state_dtype must be"):
                self.make([p], state_dtype=dtype)
        p.grad = torch.ones(3).to_sparse()
        with self.assertRaisesRegex(RuntimeError, "sparse"):
            self.make([p]).step()
        c = torch.nn.Parameter(torch.ones(3, dtype=torch.complex64))
        c.grad = torch.ones_like(c)
        with self.assertRaisesRegex(RuntimeError, "complex"):
            self.make([c]).step()

    def test_it_goes_up_the_gradient_where_that_is_asked_for(self):
        models = [Model(), Model()]
        for model, sign in zip(models, [1.0, -1.0]):
            opt = self.make(model.parameters(), lr=self.lr, maximize=sign < 0)
            for step in range(5):
                x, y = data(step)
                opt.zero_grad()
                (sign * torch.nn.functional.mse_loss(model(x), y)).backward()
                opt.step()
        self.assertTrue(same(*models))

    def test_it_is_printed_with_its_settings(self):
        opt = self.make([torch.nn.Parameter(torch.ones(3))], lr=0.25)
        self.assertIn(type(opt).__name__, repr(opt))
        self.assertIn("lr: 0.25", repr(opt))


class Lion(Cases, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.make = staticmethod(optimizer("lion"))

    def test_its_defaults_are_those_of_the_program(self):
        group = self.make([torch.nn.Parameter(torch.ones(3))]).param_groups[0]
        settings = {name: value for name, value in group.items() if name != "params"}
        of_the_rule = {"lr": 1e-4, "betas": (0.9, 0.99), "weight_decay": 0.1}
        options = {"foreach": None, "maximize": False, "state_dtype": None}
        self.assertEqual(settings, {**of_the_rule, **options})

    def test_it_is_lion(self):
        p = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
        p.grad = torch.tensor([0.5, 0.0, float("nan")])
        self.make([p], lr=0.1).step()
        expected = torch.tensor([1 - 0.1 * 1.1, -2 + 0.1 * 0.2, float("nan")])
        self.assertTrue(torch.allclose(p, expected, equal_nan=True))


class AdamW(Cases, unittest.TestCase):
    counts = True

    @classmethod
    def setUpClass(cls):
        cls.make = staticmethod(optimizer("adamw"))

    def test_it_is_the_adamw_of_pytorch(self):
        for settings in ({}, {"eps": 1e-3, "betas": (0.8, 0.95)}):
            models = [Model(), Model()]
            train(models[0], self.make(models[0].parameters(), lr=1e-3, **settings), 50)
            settings = {"lr": 1e-3, "weight_decay": 0.01, **settings}
            train(models[1], torch.optim.AdamW(models[1].parameters(), **settings), 50)
            for p, q in zip(models[0].parameters(), models[1].parameters()):
                self.assertTrue(torch.allclose(p, q, rtol=1e-3, atol=2e-5))

    def test_a_scheduler_cycles_its_momentum(self):
        # PyTorch's schedulers look for `betas`, and change the first of them.
        models = [Model(), Model()]
        for model, make in zip(models, [self.make, torch.optim.AdamW]):
            opt = make(model.parameters(), lr=1e-3, weight_decay=0.01)
            schedule = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=1e-2, total_steps=30)
            seen = set()
            for step in range(29):
                train(model, opt, 1, first=step)
                schedule.step()
                seen.add(opt.param_groups[0]["betas"])
            self.assertEqual({betas[1] for betas in seen}, {0.999})
            self.assertLess(min(betas[0] for betas in seen), 0.86)
        for p, q in zip(models[0].parameters(), models[1].parameters()):
            self.assertTrue(torch.allclose(p, q, rtol=1e-2, atol=1e-4))

    def test_betas_of_another_number_are_refused(self):
        for betas in [(0.9,), (0.9, 0.99, 0.999)]:
            with self.assertRaisesRegex(ValueError, "betas must be 2 numbers"):
                self.make([torch.nn.Parameter(torch.ones(3))], betas=betas)


class ScheduleFree(Cases, unittest.TestCase):
    counts = True

    @classmethod
    def setUpClass(cls):
        cls.make = staticmethod(optimizer("schedule_free_adamw"))

    def test_the_weights_to_validate_with_come_and_go(self):
        model, other = Model(), Model()
        opt = self.make(model.parameters(), lr=0.01)
        train(model, opt, 10)
        trained = copy.deepcopy(model)
        opt.eval()
        opt.eval()
        read = copy.deepcopy(model)
        self.assertFalse(same(trained, read))
        with self.assertRaisesRegex(RuntimeError, "train"):
            train(model, opt, 1)
        # Saved while it validates, and gone on with elsewhere.
        other.load_state_dict(model.state_dict())
        second = self.make(other.parameters())
        second.load_state_dict(copy.deepcopy(opt.state_dict()))
        for each in [opt, second]:
            each.train()
        self.assertTrue(same(model, trained) and same(other, trained))
        train(model, opt, 5, first=10)
        train(other, second, 5, first=10)
        self.assertTrue(same(model, other))
        second.eval()
        opt.eval()
        self.assertTrue(same(model, other))


class LionDiscovered(Cases, unittest.TestCase):
    """It clips gradients by the learning rate, and takes an arcsine, so 1 is the limit."""

    lr = 2e-4
    reached = 0.97
    reduces = True
    whole = True

    @classmethod
    def setUpClass(cls):
        cls.make = staticmethod(optimizer("lion_discovered"))


class Muon(Cases, unittest.TestCase):
    lr = 0.02
    whole = True

    @classmethod
    def setUpClass(cls):
        cls.make = staticmethod(optimizer("muon"))


class Roles(unittest.TestCase):
    """Of PolarMuonAdamW, which is Muon for hidden matrices and AdamW for the rest."""

    def moved(self, shape, steps=5, **settings):
        (p,) = waves([shape])
        opt = optimizer("polar_muon_adamw")([{"params": [p], **settings}])
        for step in range(steps):
            p.grad = torch.sin(torch.arange(12.0) * (step + 1.3)).reshape(shape)
            opt.step()
        return p.detach().reshape(-1), opt

    def test_a_group_says_what_its_parameters_are(self):
        vector, _ = self.moved((12,))
        for role in ["embedding", "output", "vector"]:
            for foreach in [False, True]:
                found, opt = self.moved((4, 3), role=role, foreach=foreach)
                self.assertTrue(torch.equal(found, vector), role)
                self.assertEqual(opt.state_dict()["param_groups"][0]["role"], role)
        hidden, _ = self.moved((4, 3))
        self.assertFalse(torch.allclose(hidden, vector, atol=1e-3))
        self.assertTrue(torch.equal(hidden, self.moved((4, 3), role="hidden")[0]))

    def test_what_is_no_role_is_refused_before_a_step_is_taken(self):
        with self.assertRaisesRegex(ValueError, "no role of a tensor: 'head'"):
            self.moved((4, 3), steps=0, role="head")
        _, opt = self.moved((4, 3), steps=0)
        with self.assertRaisesRegex(ValueError, "no role of a tensor: 'head'"):
            opt.add_param_group({"params": waves([(2, 2)]), "role": "head"})


if __name__ == "__main__":
    run()
