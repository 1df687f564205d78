"""What the compiled part of `evo_search` offers: programs, searches, evaluators, outcomes.

A search is a function of its configuration, its seed and its evaluator: neither threads nor the
order of `tell` change what it finds. Every call that works for long releases the interpreter lock.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

__version__: str

Domain = Literal["optimizers", "expressions", "learners", "graphs"]
Config = str | os.PathLike[str] | Mapping[str, Any]
"""A path, the text of a configuration (RON: it begins with a bracket or a comment), or a dict of
the same keys. In a dict an enum of the configuration is its name, or `{"Name": {...}}`."""

class EvoError(Exception):
    """Anything the engine refuses or fails at, with the message of the command line."""

class ConfigError(EvoError, ValueError):
    """A configuration that cannot be used; the message names file, line and key."""

class ProgramError(EvoError, ValueError):
    """A program that cannot be read or used for what was asked."""

class SearchError(EvoError, RuntimeError):
    """A run that cannot be begun, gone on with or stored."""

@final
class Program:
    """A program of one of the domains. It is immutable, compared and hashed by text and domain,
    and pickled as these."""

    @staticmethod
    def parse(text: str, domain: Domain = "optimizers") -> Program:
        """Reads a program from its text."""
    @staticmethod
    def zoo(name: str, domain: Domain = "optimizers") -> Program:
        """A program that ships with the engine, as "lion"."""
    @staticmethod
    def load(source: str | os.PathLike[str], domain: Domain = "optimizers") -> Program:
        """From "zoo:NAME", a file, a run directory (its best) or "RUN:BIRTH"."""
    @property
    def domain(self) -> Domain: ...
    @property
    def length(self) -> int:
        """Live statements (of a graph: layers)."""
    def live(self) -> Program:
        """Without what has no effect."""
    def structural_hash(self) -> str:
        """Hexadecimal; equal ones mean outcomes equal to the bit."""
    def functional_hash(self) -> str | None:
        """Hexadecimal; of what the program does on the domain's standard probe. None where that is
        not finite. That of a search may look elsewhere, as its data are. Of learners and graphs it
        is refused: they are run on the data of a search."""
    def simplify(self, *, rounding: bool = False) -> Program:
        """The shortest equal program that is found; `rounding` allows rules that are equal but for
        rounding. Optimizers and expressions; of learners without rounding."""
    def optimizer(self, shapes: Sequence[Sequence[int]]) -> Stepper:
        """The compiled rule for tensors of these shapes; optimizers only."""
    def export(self, target: str, *, name: str | None = None) -> str:
        """The program as code: "torch", "optax", "python", "rust", "latex" or "dot"; of learners
        "numpy", "rust" or "latex"; of graphs nothing. `name` is that of its class or function."""
    def to_torch(self, params: Iterable[Any], lr: float | None = None, **settings: Any) -> Any:
        """A `torch.optim.Optimizer` with this rule for these parameters; `settings` are the
        hyperparameters of the exported class, as `betas`. Needs PyTorch."""
    def torch_class(self) -> type[Any]:
        """The class of `to_torch`."""
    def to_optax(self, **settings: Any) -> Any:
        """An `optax.GradientTransformation` with this rule; `learning_rate` and the exported
        function's hyperparameters are `settings`. Needs JAX and Optax."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __str__(self) -> str: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Stepper:
    """An optimizer at work on arrays: its state, and the steps behind it."""

    def step(
        self,
        weights: Sequence[NDArray[np.float32]],
        gradients: Sequence[NDArray[np.float32]],
        learning_rate: float = 1.0,
    ) -> None:
        """One step, the weights changed in place. Contiguous float32 arrays of the shapes given at
        the start. `learning_rate` is the schedule's factor, at most 1 where a zoo rule states its
        own rate."""
    @property
    def steps(self) -> int:
        """Steps taken."""
    def reset(self) -> None:
        """Back to no step and zero states."""

@final
class Outcome:
    """What evaluating a program led to. Immutable, comparable, pickled as its text."""

    @staticmethod
    def scored(
        fitness: float, losses: Sequence[float] = (), stages: Sequence[float] = ()
    ) -> Outcome:
        """A score; higher is better. `stages` is the fitness so far behind each stage. A fitness
        that is NaN or infinite is refused: that is `invalid("NonFinite", ...)`."""
    @staticmethod
    def invalid(
        reason: Literal["NonFinite", "Diverged", "NoDerivative"] = "NonFinite",
        task: str = "",
        step: int = 0,
        stages: Sequence[float] = (),
    ) -> Outcome:
        """The program is at fault."""
    @staticmethod
    def stopped(stage: int, fitness: float, cleared: Sequence[float] = ()) -> Outcome:
        """A hurdle was not cleared: behind this stage, from 0, with this fitness so far."""
    @staticmethod
    def ended(
        reason: Literal["Hung", "Crashed", "OutOfMemory", "Raised"], message: str
    ) -> Outcome:
        """Broken off from outside, or by an exception: a property of the program, stored with the
        message and never evaluated again, in this run or a resumed one."""
    @staticmethod
    def failed(message: str) -> Outcome:
        """Not the program's fault: not remembered as its property; counts for `stopping.failures`."""
    @property
    def kind(self) -> Literal["scored", "invalid", "stopped", "ended", "failed"]: ...
    @property
    def fitness(self) -> float:
        """Minus infinity without a score. Of a stopped one too: see `stages`."""
    @property
    def losses(self) -> list[float]: ...
    @property
    def stages(self) -> list[float]:
        """The fitness so far behind each stage that was reached."""
    @property
    def reason(self) -> str | None:
        """Of an invalid or ended one: as given, "Hung" or "NonFinite"."""
    @property
    def message(self) -> str | None:
        """Of an ended, failed or invalid one, for a person to read."""
    def stopped_by(self, hurdles: Sequence[float]) -> Outcome:
        """What it is under these hurdles: itself, or stopped."""
    def to_dict(self) -> dict[str, Any]: ...
    @staticmethod
    def from_dict(outcome: Mapping[str, Any]) -> Outcome: ...
    def to_text(self) -> str:
        """JSON; every number survives to the bit."""
    @staticmethod
    def from_text(text: str) -> Outcome: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Candidate:
    """A program to evaluate, as `Search.ask` gives it. Pickled as its parts, so that another
    machine can be handed it."""

    def __init__(
        self,
        id: int,
        program: Program,
        hurdles: Sequence[float] = (),
        repeat: int = 0,
        held_out: bool = False,
    ) -> None: ...
    @property
    def id(self) -> int:
        """The number of its birth, to tell its outcome by."""
    @property
    def program(self) -> Program: ...
    @property
    def hurdles(self) -> list[float]:
        """The least fitness with which to go on behind each stage; a stage behind the last one
        given has none. No outcome depends on them but a stopped one."""
    @property
    def repeat(self) -> int:
        """Which evaluation of its behaviour it is, from 0: seed what is drawn by it."""
    @property
    def held_out(self) -> bool:
        """Whether the outcome on what is held out of the search is asked for."""
    def stops(self, stage: int, fitness: float) -> bool:
        """Whether the evaluation ends behind this stage, from 0, with this fitness so far."""
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Champion:
    """A member of the hall of fame: the fittest of its length."""

    def __init__(
        self,
        birth: int,
        program: Program,
        fitness: float,
        held_out_fitness: float | None,
        length: int,
        states: int,
        losses: Sequence[float],
    ) -> None: ...
    @property
    def birth(self) -> int: ...
    @property
    def program(self) -> Program:
        """Its live text."""
    @property
    def fitness(self) -> float: ...
    @property
    def held_out_fitness(self) -> float | None: ...
    @property
    def length(self) -> int: ...
    @property
    def states(self) -> int: ...
    @property
    def losses(self) -> list[float]: ...
    def to_dict(self) -> dict[str, Any]:
        """Flat: birth, fitness, held_out_fitness, length, states, losses, program (text)."""
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Evaluation:
    """An evaluation of a run, from its store. Pickled as its parts."""

    def __init__(self, birth: int, program: Program, outcome: Outcome) -> None: ...
    @property
    def birth(self) -> int: ...
    @property
    def program(self) -> Program: ...
    @property
    def outcome(self) -> Outcome: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Search:
    """A run. Ask it for candidates, evaluate them anywhere, tell their outcomes in any order; or
    have `run` do so with the evaluator that the configuration states.

    Without `out` nothing is written, and there is nothing to resume. With `out`, a new or empty
    folder, or true for the next free `runs/NAME-seedN`, it is a run directory as `evo search` makes it: `evo resume`, `show`, `report` and the
    other commands read it (of a run with an objective: all but `resume`, which says so). One
    process at a time may have it open; `close`, the end of a `with` block or the end of the object
    let it go. A search is used by one thread at a time: calls of others wait.
    """

    def __init__(
        self,
        config: Config,
        *,
        seed: int | None = None,
        out: str | os.PathLike[str] | Literal[True] | None = None,
        overrides: Sequence[str] = (),
        base: str | os.PathLike[str] | None = None,
        objective: str | None = None,
        depends_on: Literal["behaviour", "structure", "text"] = "behaviour",
    ) -> None:
        """`overrides` are as `--set` has them, "stopping.candidates=3000". Paths in text or a dict
        are relative to `base`, the working directory unless given.

        `objective` names an evaluator that is not the engine's: the caller tells outcomes, and the
        name is kept as the fingerprint: a run is resumed under the same name only. A configuration
        of optimizers then needs no `evaluation`. One that is stated scores nothing: it says what
        programs are compared on, and of other domains, which need it, what inputs they have.
        `depends_on` is what of a program its outcomes depend on; "behaviour" lets programs that do
        the same share one. `run` and `evaluator` are refused then.
        """
    @staticmethod
    def resume(
        directory: str | os.PathLike[str],
        *,
        overrides: Sequence[str] = (),
        accept_cpu: bool = False,
        objective: str | None = None,
    ) -> Search:
        """Goes on with a run directory where it was. Limits may change: `overrides` of `stopping`.
        `objective`, if given, must be the name it began with. On another kind of CPU it is refused
        unless accepted (`cpu`)."""
    def ask(self, n: int = 1) -> list[Candidate]:
        """Up to `n` candidates. Fewer when others wait for outcomes not yet told (`in_flight`);
        with none in flight, none at all means that the run is over."""
    def tell(self, candidate: Candidate | int, outcome: Outcome | float) -> None:
        """Takes in an outcome, by candidate or its id, in any order; a finite number is a score,
        another one invalid. Asked for held out and not in one birth at once: tell by candidate."""
    def commit(self) -> None:
        """Makes what was told durable; to be called before waiting for others."""
    @property
    def in_flight(self) -> int:
        """Candidates asked and not yet told."""
    @property
    def window(self) -> int:
        """How many births may be under way at once."""
    @property
    def done(self) -> bool:
        """Nothing in flight, nothing left to ask for."""
    @property
    def stop_reason(self) -> str | None:
        """Why the run ended, in words; None while it goes on."""
    def cancel(self) -> None:
        """Breed no more. What is in flight may still be told; the run can be resumed. May be
        called from any thread, during `run` too."""
    @property
    def cancelled(self) -> bool: ...
    def run(
        self,
        callback: Callable[[Progress], object] | None = None,
        *,
        threads: int | None = None,
        every: float = 0.5,
    ) -> str:
        """Searches to the end with the evaluator that the configuration states, calls `callback`
        every so many seconds and at the end, and gives the reason for the end. In a run directory
        the winner is then judged and `report.json` written, as `evo search` does. Ctrl-C, or an
        exception of the callback, cancels in good order, keeps the run resumable and is raised."""
    def finish(self) -> str:
        """Ends the run: writes the summary and, in a run directory, `hall_of_fame.csv`, `best.py`
        and of a run that came to its end `report.json`; gives the reason, that it was cancelled
        unless all that was bred is evaluated."""
    def close(self) -> None:
        """Lets the store go, what was told made durable. A second call does nothing."""
    @property
    def closed(self) -> bool: ...
    @property
    def domain(self) -> Domain: ...
    @property
    def seed(self) -> int: ...
    @property
    def directory(self) -> str | None: ...
    @property
    def objective(self) -> str | None: ...
    @property
    def depends_on(self) -> Literal["behaviour", "structure", "text"]: ...
    @property
    def holds_out(self) -> bool:
        """Whether candidates are asked for on what is held out of the search (`held_out.every`)."""
    @property
    def config_text(self) -> str:
        """The configuration with everything written out (RON), without overrides to come."""
    @property
    def counters(self) -> dict[str, int]:
        """births, evaluations, absorbed, scored, invalid, stopped, ended, failed, hits, ..."""
    @property
    def best(self) -> Champion | None: ...
    @property
    def hall_of_fame(self) -> list[Champion]:
        """By length, the shortest first."""
    def to_pandas(self) -> Any:
        """The hall of fame as a `pandas.DataFrame`."""
    def evaluations(self) -> list[Evaluation]:
        """Every evaluation absorbed, in order of birth; of a run directory that keeps births."""
    def digest(self) -> str:
        """The hash of everything a run is judged by; `report.json` of the command line has the
        same under `digest`."""
    def evaluator(self) -> Evaluator:
        """The evaluator that the configuration states."""
    def __enter__(self) -> Search: ...
    def __exit__(self, *exception: object) -> None: ...

@final
class Progress:
    """How far a run is, as the callback of `Search.run` is told."""

    @property
    def counters(self) -> dict[str, int]: ...
    @property
    def best(self) -> Champion | None: ...
    @property
    def seconds(self) -> float:
        """Since `run` began."""

@final
class Evaluator:
    """What measures the programs of a configuration. Pickled as the configuration with everything
    written out, so that other machines can make their own. Data files are then looked for where
    they lie here."""

    def __init__(
        self,
        config: Config,
        *,
        overrides: Sequence[str] = (),
        base: str | os.PathLike[str] | None = None,
    ) -> None: ...
    def evaluate(
        self, programs: Sequence[Program | Candidate], *, threads: int = 1
    ) -> list[Outcome]:
        """One outcome each, in order; none depends on its neighbours or on `threads`. A candidate
        is evaluated with its hurdles and repeat, and on what is held out if it asks for that."""
    @property
    def domain(self) -> Domain: ...
    @property
    def depends_on(self) -> Literal["behaviour", "structure", "text"]: ...
    @property
    def fingerprint(self) -> str:
        """Of all that decides an outcome but for the program and the CPU."""
    def __reduce__(self) -> tuple[Any, ...]: ...

def zoo(domain: Domain = "optimizers") -> list[str]:
    """The names of the programs that ship with the engine."""

def cpu() -> str:
    """The kind of CPU and its vector unit, all that the bits of an outcome depend on here but for
    the program: machines of equal text give equal outcomes. `Search.resume` refuses another one
    unless accepted."""

def main(argv: Sequence[str] | None = None) -> int:
    """The command line `evo`; `argv` without the program's name, `sys.argv` unless given."""
