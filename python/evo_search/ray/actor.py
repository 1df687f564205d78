"""Actors: processes of a cluster that evaluate cohorts of candidates.

Invariant: an actor keeps nothing of one cohort for the next, so a cohort may be evaluated by any of
them, and again by another when one has died. What it evaluates with it makes itself, from the text
of a configuration or from a user's objective: programs and outcomes are all that travels. It
evaluates one cohort at a time; a second waits beside it, unpacked, so that reading programs and
writing outcomes take none of its time.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ray import cloudpickle

from .._engine import Candidate, Evaluator, Outcome, cpu
from ..crew import Key, key_of
from ..limits import Limits
from ..verdict import Judge
from ..workers import Workers


class Evaluates(Protocol):
    """What an actor evaluates with."""

    def evaluate(self, programs: Sequence[Candidate], /) -> list[Outcome]:
        """One outcome for each candidate, in order."""


class Source(Protocol):
    """From which an actor makes what it evaluates with; it travels to the actor."""

    def make(self) -> Evaluates:
        """Made in the actor."""


@dataclass(frozen=True)
class Parcel:
    """A source on its way to an actor.

    Functions of a script travel by value, those of modules by name: the driver's path goes with
    them, since Ray's own workers know its script's folder alone.
    """

    source: bytes
    path: tuple[str, ...]

    @staticmethod
    def of(source: Source) -> Parcel:
        """Packed by the driver."""
        data: bytes = cloudpickle.dumps(source)  # type: ignore[no-untyped-call]
        return Parcel(data, tuple(sys.path))

    def unpacked(self) -> Source:
        """Unpacked in the actor."""
        sys.path += [folder for folder in self.path if folder not in sys.path]
        source: Source = cloudpickle.loads(self.source)
        return source


@dataclass(frozen=True)
class Evaluated:
    """What a cohort came to."""

    outcomes: list[Outcome]
    seconds: float
    """That the actor was evaluating."""


COHORTS = 2
"""Of an actor: one that it is at, one that waits."""


class Actor:
    """Evaluates cohorts; Ray runs one in a process of its own."""

    def __init__(self, parcel: Parcel) -> None:
        self._evaluates = parcel.unpacked().make()
        self._turn = threading.Lock()

    def place(self) -> str:
        """The kind of CPU or device that it evaluates on."""
        return cpu()

    def nothing(self) -> None:
        """Answers, which is all that dispatch does."""

    def evaluate(self, candidates: Sequence[Candidate]) -> Evaluated:
        """Evaluates a cohort, when the one before is done."""
        with self._turn:
            begun = time.perf_counter()
            outcomes = self._evaluates.evaluate(candidates)
            return Evaluated(outcomes, time.perf_counter() - begun)


@dataclass(frozen=True)
class Configured:
    """The engine's own evaluation, as a configuration states it; read again, with the data that it
    names, on the actor's machine."""

    evaluator: Evaluator

    def make(self) -> Evaluates:
        """It was made as it arrived."""
        return self.evaluator


@dataclass(frozen=True)
class InProcess:
    """A user's objective, called in the actor itself: nothing between, and no limits."""

    judge: Judge

    def make(self) -> Evaluates:
        """The objective as it is."""
        return self

    def evaluate(self, candidates: Sequence[Candidate]) -> list[Outcome]:
        """One outcome for each candidate, in order."""
        return [self.judge.outcome(candidate) for candidate in candidates]


@dataclass(frozen=True)
class Limited:
    """A user's objective in a process beside the actor, that limits can end."""

    judge: Judge
    limits: Limits
    threads: int = 1

    def make(self) -> Evaluates:
        """Begins the process."""
        return _Supervised(Workers(self.judge, 1, self.limits, self.threads))


class _Supervised:
    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def evaluate(self, candidates: Sequence[Candidate]) -> list[Outcome]:
        self._workers.submit(candidates)
        outcomes: dict[Key, Outcome] = {}
        while self._workers.in_flight:
            told = self._workers.collect()
            outcomes |= {key_of(candidate): outcome for candidate, outcome in told}
        return [outcomes[key_of(candidate)] for candidate in candidates]
