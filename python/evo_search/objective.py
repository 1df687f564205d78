"""A user's own objective: a search whose candidates a Python callable evaluates.

Invariant: whatever a candidate does (hang, crash, raise, eat memory, give no number), the run goes
on, and that candidate is recorded for what it did and never evaluated again, also when the run is
resumed. Only what says nothing of a candidate ends a run: an objective that cannot be imported, or
that raises for the very program the search starts from, as one with a slip does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from ._engine import Candidate, Search
from .crew import Callback, Told, drive
from .limits import Limits
from .verdict import Direction, Judge, Objective
from .workers import Workers


def optimize(
    search: Search,
    objective: Objective,
    *,
    direction: Direction,
    workers: int | None = None,
    seconds: float | None = None,
    memory_mb: float | None = None,
    threads: int = 1,
    callbacks: Iterable[Callback] = (),
) -> str:
    """Runs a search to its end with an objective of one's own, and gives the reason why it ended.

    `search` is one that was made with `objective="NAME"`, new or resumed. `objective` is
    `f(program)`, which returns a number or an `Outcome`, or a generator that yields what it has so
    far behind each stage; `direction` says whether its numbers are better when higher ("maximize")
    or lower ("minimize").

    Programs are evaluated in `workers` processes, one for each processor unless stated, each with
    so many `threads` for NumPy and PyTorch. One that takes longer than `seconds`, or more than
    `memory_mb` with all processes that it began, is killed. With `workers=0` the objective is
    called here, without limits, as a debugger needs it.

    Results depend on none of these but the limits: what passes them is a fact of the run.
    """
    judge, limits = Judge(objective, direction), Limits(seconds, memory_mb)
    judge.check_suits(search)
    if workers == 0:
        return drive(search, Here(judge, limits), callbacks)
    with Workers(judge, workers or os.cpu_count() or 1, limits, threads) as crew:
        return drive(search, crew, callbacks)


class Here:
    """The crew that is this process itself."""

    def __init__(self, judge: Judge, limits: Limits) -> None:
        if limits != Limits():
            raise ValueError("limits need a process to end: `workers` must be at least 1")
        self._judge = judge
        self._candidates: list[Candidate] = []

    @property
    def room(self) -> int:
        """One at a time."""
        return 1 - self.in_flight

    @property
    def in_flight(self) -> int:
        """Candidates handed in and not yet collected."""
        return len(self._candidates)

    def submit(self, candidates: Sequence[Candidate]) -> None:
        """Hands candidates in."""
        self._candidates += candidates

    def collect(self) -> list[Told]:
        """Evaluates what there is."""
        candidates, self._candidates = self._candidates, []
        return [(it, self._judge.outcome(it)) for it in candidates]
