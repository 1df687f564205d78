"""Programs as optimizers of PyTorch and Optax: the steps of the export and of the executor."""

import importlib.util
import inspect
from pathlib import Path
from typing import Any

import evo_search as evo
import numpy as np
import pytest

NAMES = ["sgd", "adamw", "lion", "muon_adamw"]
SHAPES = [(4, 3), (3,)]


def gradients(steps: int) -> list[list[np.ndarray]]:
    rng = np.random.default_rng(7)
    return [[rng.normal(size=shape).astype(np.float32) for shape in SHAPES] for _ in range(steps)]


def weights() -> list[np.ndarray]:
    rng = np.random.default_rng(8)
    return [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]


def by_executor(program: evo.Program, steps: list[list[np.ndarray]]) -> list[np.ndarray]:
    stepper, ours = program.optimizer(SHAPES), weights()
    for step in steps:
        stepper.step(ours, step)
    return ours


def by_torch(make: Any, steps: list[list[np.ndarray]]) -> list[np.ndarray]:
    torch = pytest.importorskip("torch")
    parameters = [torch.nn.Parameter(torch.from_numpy(w.copy())) for w in weights()]
    optimizer = make(parameters)
    for step in steps:
        for parameter, gradient in zip(parameters, step, strict=True):
            parameter.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
    return [parameter.detach().numpy() for parameter in parameters]


def exported(program: evo.Program, path: Path) -> Any:
    path.write_text(program.export("torch", name="Evolved"))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Evolved


@pytest.mark.parametrize("name", NAMES)
def test_to_torch_takes_the_steps_of_the_exported_file_and_of_the_executor(
    name: str, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    program, steps = evo.Program.zoo(name), gradients(10)
    ours = by_torch(program.to_torch, steps)
    theirs = by_torch(exported(program, tmp_path / f"{name}_export.py"), steps)
    for a, b, c in zip(ours, theirs, by_executor(program, steps), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_allclose(a, c, rtol=2e-5, atol=2e-6)


def test_settings_reach_the_optimizer_and_its_source_can_be_read() -> None:
    torch = pytest.importorskip("torch")
    program = evo.Program.zoo("lion")
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = program.to_torch([parameter], lr=0.5, betas=(0.5, 0.6))
    assert isinstance(optimizer, torch.optim.Optimizer)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["betas"]) == (0.5, (0.5, 0.6))
    assert type(optimizer) is program.torch_class()
    assert "def step" in inspect.getsource(type(optimizer))
    with pytest.raises(TypeError):
        program.to_torch([parameter], no_such_setting=1)


@pytest.mark.parametrize("name", NAMES)
def test_to_optax_takes_the_steps_of_the_executor(name: str) -> None:
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")
    program, steps = evo.Program.zoo(name), gradients(10)
    transformation = program.to_optax()
    assert isinstance(transformation, optax.GradientTransformation)
    parameters = [jax.numpy.asarray(w) for w in weights()]
    state = transformation.init(parameters)
    for step in steps:
        updates, state = transformation.update(step, state, parameters)
        parameters = optax.apply_updates(parameters, updates)
    for a, b in zip(parameters, by_executor(program, steps), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


def test_what_has_no_such_form_says_so() -> None:
    graph = evo.Program.zoo("plain_cell", "graphs")
    with pytest.raises(evo.ProgramError, match="no export"):
        graph.to_torch([])
    with pytest.raises(evo.ProgramError, match="no steps"):
        graph.optimizer([(3,)])
