"""Programs: text, hashes, pickles, exports, and steps that are the interpreter's formulas."""

import pickle
from typing import Any, Literal

import evo_search as evo
import numpy as np
import pytest

Domain = Literal["optimizers", "learners", "graphs"]
DOMAINS: list[Domain] = ["optimizers", "learners", "graphs"]


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_program_of_a_zoo_is_given_back_by_its_text_and_by_pickle(domain: Domain) -> None:
    names = evo.zoo(domain)
    assert names
    for name in names:
        program = evo.Program.zoo(name, domain)
        again = evo.Program.parse(str(program), domain)
        assert again == program and hash(again) == hash(program) and again.domain == domain
        assert pickle.loads(pickle.dumps(program)) == program
        assert program.live().structural_hash() == program.structural_hash(), name


def test_an_expression_is_a_program_too() -> None:
    short = evo.Program.parse("def f(x):\n  y = x + x\n  return y\n", "expressions")
    long = evo.Program.parse("def f(x):\n  y = x * 2.0\n  return y\n", "expressions")
    assert short.structural_hash() != long.structural_hash()
    assert short.functional_hash() == long.functional_hash() is not None


def test_what_is_wrong_with_a_program_is_said() -> None:
    with pytest.raises(evo.ProgramError, match="2:7: unknown op"):
        evo.Program.parse("def train(w, g, lr):\n  u = nonsense(g)\n  return u\n")
    with pytest.raises(ValueError, match="lion"):
        evo.Program.zoo("lyon")
    with pytest.raises(ValueError, match="no domain `cats`"):
        evo.Program.zoo("lion", "cats")  # type: ignore[arg-type]


def test_simplify_drops_what_is_not_needed() -> None:
    text = "def train(w, g, lr):\n  a = g + g\n  b = -g\n  c = -b\n  u = c * lr\n  return u\n"
    program = evo.Program.parse(text)
    assert program.length == 3
    assert program.simplify().length == 1
    assert program.live().length == 3


def lion(w: np.ndarray, g: np.ndarray, m: np.ndarray, lr: float) -> tuple[np.ndarray, np.ndarray]:
    """One step of Lion by its paper, in float64, with the zoo's settings."""
    update = np.sign(0.9 * m + 0.1 * g) + 0.1 * w
    return w - 1e-4 * lr * update, 0.99 * m + 0.01 * g


def test_steps_are_those_of_the_paper() -> None:
    rng = np.random.default_rng(1)
    shapes = [(3, 2), (4,), ()]
    weights = [np.asarray(rng.normal(size=shape), np.float32) for shape in shapes]
    expected = [w.astype(np.float64) for w in weights]
    states = [np.zeros(shape) for shape in shapes]
    stepper = evo.Program.zoo("lion").optimizer(shapes)
    for step in range(20):
        gradients = [np.asarray(rng.normal(size=shape), np.float32) for shape in shapes]
        lr = 1.0 / (1 + step)
        stepper.step(weights, gradients, lr)
        for index, g in enumerate(gradients):
            expected[index], states[index] = lion(expected[index], g, states[index], lr)
    assert stepper.steps == 20
    for ours, theirs in zip(weights, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6)


def test_reset_begins_anew() -> None:
    stepper = evo.Program.zoo("adamw").optimizer([(5,)])
    gradient = np.linspace(-1, 1, 5, dtype=np.float32)
    first, second = np.ones(5, np.float32), np.ones(5, np.float32)
    stepper.step([first], [gradient])
    stepper.step([np.ones(5, np.float32)], [gradient * 7])
    stepper.reset()
    assert stepper.steps == 0
    stepper.step([second], [gradient])
    np.testing.assert_array_equal(first, second)


def test_arrays_that_do_not_fit_are_refused_and_not_touched() -> None:
    stepper = evo.Program.zoo("sgd").optimizer([(4,)])
    good = np.ones(4, np.float32)
    cases: list[tuple[Any, Any, type[Exception]]] = [
        ([np.ones(5, np.float32)], [good], ValueError),
        ([good], [], ValueError),
        ([np.ones(4)], [good], TypeError),
        ([np.ones(8, np.float32)[::2]], [good], ValueError),
        ([good], [good], TypeError),
    ]
    for weights, gradients, error in cases:
        with pytest.raises(error):
            stepper.step(weights, gradients)
    assert stepper.steps == 0 and (good == 1).all()


def test_outcomes_say_what_they_are() -> None:
    outcomes = [
        evo.Outcome.scored(0.1, [1.0, 2.0], [0.3]),
        evo.Outcome.invalid("Diverged", "digits", 3, [0.5]),
        evo.Outcome.stopped(1, 0.2, [0.4]),
        evo.Outcome.ended("Raised", "ValueError: no"),
        evo.Outcome.failed("the machine"),
    ]
    kinds = ["scored", "invalid", "stopped", "ended", "failed"]
    assert [outcome.kind for outcome in outcomes] == kinds
    assert [outcome.reason for outcome in outcomes] == [None, "Diverged", None, "Raised", None]
    for outcome in outcomes:
        assert pickle.loads(pickle.dumps(outcome)) == outcome
        assert evo.Outcome.from_dict(outcome.to_dict()) == outcome
    assert outcomes[0].fitness == 0.1 and outcomes[3].fitness == -np.inf
    assert outcomes[0].stopped_by([0.4]) == evo.Outcome.stopped(0, 0.3)
    assert outcomes[0].stopped_by([0.2]) == outcomes[0]
    with pytest.raises(ValueError, match="finite"):
        evo.Outcome.scored(float("nan"))
    with pytest.raises(ValueError, match="Hung"):
        evo.Outcome.ended("Bored", "")  # type: ignore[arg-type]


def test_a_candidate_travels_with_its_hurdles() -> None:
    candidate = evo.Candidate(7, evo.Program.zoo("sgd"), [0.5], 2, True)
    again = pickle.loads(pickle.dumps(candidate))
    assert (again.id, again.hurdles, again.repeat, again.held_out) == (7, [0.5], 2, True)
    assert again.program == candidate.program
    assert again.stops(0, 0.4) and not again.stops(0, 0.5) and not again.stops(1, -1.0)
