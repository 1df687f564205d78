"""From what a user's objective does to an outcome.

Invariant: whatever an objective returns, yields or raises becomes an outcome of its program;
nothing but the end of the process escapes. A number that is not finite is the program's own fault,
as a network that diverges is. An exception is a property of the program as well, and is told with
its text: an objective that is itself broken shows it on the start program, where the run ends.
"""

from __future__ import annotations

import inspect
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ._engine import Candidate, Outcome, Search
from .seeds import seed_generators

Result: TypeAlias = float | Outcome
Objective: TypeAlias = Callable[..., Result | Iterator[float]]
"""`f(program)`: a number or an `Outcome`; or a generator that yields what it has so far behind each
stage and returns the last. With a parameter `repeat`, or `held_out`, it is told that too."""
Direction: TypeAlias = Literal["maximize", "minimize"]


@dataclass(frozen=True)
class Judge:
    """An objective, and which way its numbers are better."""

    objective: Objective
    direction: Direction
    _told: frozenset[str] = field(init=False)
    """What of a candidate the objective has a parameter for."""

    def __post_init__(self) -> None:
        if not callable(self.objective):
            raise TypeError(f"the objective must be a function, not {self.objective!r}")
        if self.direction not in ("maximize", "minimize"):
            message = f'`direction` must be "maximize" or "minimize", not {self.direction!r}'
            raise ValueError(message)
        # Looked up once, as it takes longer than a short objective.
        object.__setattr__(self, "_told", _parameters(self.objective) & {"repeat", "held_out"})

    def check_suits(self, search: Search) -> None:
        """Refuses a search that asks for more than the objective can be told to give."""
        if not isinstance(search, Search):
            raise TypeError(f"a Search is what is run, not {type(search)}")
        if search.objective is None:
            message = 'the search has an evaluation of its own: Search(..., objective="NAME")'
            raise ValueError(message)
        if search.holds_out and "held_out" not in self._told:
            message = "`held_out.every` of the configuration asks for what is held out, and the "
            message += "objective has no parameter `held_out` to tell it by: give it one, which "
            message += "is true then, or leave `held_out` out of the configuration"
            raise ValueError(message)

    def outcome(self, candidate: Candidate) -> Outcome:
        """What came of evaluating a program."""
        if candidate.held_out and "held_out" not in self._told:
            return Outcome.failed("the objective has no parameter `held_out`, which is asked for")
        seed_generators(candidate.repeat)
        process = os.getpid()
        try:
            return self._outcome(candidate)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is this program's
            return _raised(error)
        finally:
            # A process that the objective has forked comes out of it as well, and would answer too.
            if os.getpid() != process:
                os._exit(0)

    def _outcome(self, candidate: Candidate) -> Outcome:
        told = {name: getattr(candidate, name) for name in self._told}
        result = self.objective(candidate.program, **told)
        if isinstance(result, Iterator):
            return self._staged(result, candidate)
        return self._final(result, [])

    def _staged(self, stages: Iterator[object], candidate: Candidate) -> Outcome:
        cleared: list[float] = []
        last: object = None
        while True:
            try:
                last = next(stages)
            except StopIteration as end:
                return self._final(last if end.value is None else end.value, cleared)
            value = self._fitness(last)
            if not math.isfinite(value):
                _close(stages)
                return _not_finite(len(cleared), cleared)
            if candidate.stops(len(cleared), value):
                _close(stages)
                return Outcome.stopped(stage=len(cleared), fitness=value, cleared=cleared)
            cleared.append(value)

    def _final(self, result: object, stages: list[float]) -> Outcome:
        if isinstance(result, Outcome):
            return result
        value = self._fitness(result)
        if not math.isfinite(value):
            return _not_finite(len(stages), stages)
        losses = [-value] if self.direction == "minimize" else []
        return Outcome.scored(value, losses=losses, stages=stages)

    def _fitness(self, result: object) -> float:
        """A result as a fitness, of which higher is better."""
        try:
            if isinstance(result, str | bytes | bytearray):
                raise TypeError("a text is no number, whatever stands in it")
            # Numbers of NumPy and of PyTorch know how to become one.
            value = float(result)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            kind = type(result).__name__
            message = f"the objective gave {kind}, not a number or, as its result, an Outcome"
            raise TypeError(message) from None
        return -value if self.direction == "minimize" else value


def _parameters(objective: Objective) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(objective).parameters)
    except (TypeError, ValueError):
        return frozenset()


def _close(stages: Iterator[object]) -> None:
    """Lets a generator give up what it holds; iterators of other kinds hold nothing."""
    close = getattr(stages, "close", None)
    if close is not None:
        close()


def _not_finite(stage: int, stages: list[float]) -> Outcome:
    return Outcome.invalid("NonFinite", task="objective", step=stage, stages=stages)


_shown: set[str] = set()


def _raised(error: BaseException) -> Outcome:
    _show_once(error)
    text = f"{type(error).__name__}: {_text_of(error)}".strip().rstrip(":")
    first_line = text.splitlines()[0][:500]
    # PyTorch tells of memory by classes and texts of its own.
    out = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    if out or "can't allocate memory" in text:
        return Outcome.ended("OutOfMemory", first_line)
    return Outcome.ended("Raised", first_line)


def _text_of(error: BaseException) -> str:
    """What an exception says, which may be no text, or none that can be encoded: the name of a file
    holds bytes that are no UTF-8 as surrogates."""
    try:
        text = str(error).strip()
    except Exception:  # noqa: BLE001 - it fails at saying what failed
        return "it has no text"
    return text.encode("utf-8", "backslashreplace").decode()


def _show_once(error: BaseException) -> None:
    """Prints where it came from, which no outcome holds: once for each place in the code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}"
    if place not in _shown:
        _shown.add(place)
        try:
            print("".join(traceback.format_exception(error)), file=sys.stderr, end="", flush=True)
        except (OSError, ValueError):
            # It was closed: nobody is there to read.
            pass


def raised(outcome: Outcome) -> bool:
    """Whether an outcome is that of an objective that raised."""
    return outcome.kind == "ended" and outcome.reason == "Raised"


__all__ = ["Direction", "Judge", "Objective", "Result", "raised"]
