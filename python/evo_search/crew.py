"""Crews: whoever evaluates the candidates of a search, and the loop that keeps one busy.

Invariant: a crew decides where and when a candidate is evaluated, and never what it scores. The
search asks for outcomes in the order of births and is told them in whatever order they come, so a
run is the same with any crew: one process, many, or the actors of a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeAlias

from ._engine import Candidate, Outcome, Search
from .verdict import raised

Told: TypeAlias = tuple[Candidate, Outcome]

Key: TypeAlias = tuple[int, bool]
"""What tells one candidate from all others of its run."""


def key_of(candidate: Candidate) -> Key:
    """The key of a candidate: one birth may be asked for twice, for what is held out as well."""
    return candidate.id, candidate.held_out


Callback: TypeAlias = Callable[[Search], object]
"""Called with the search after every handful of outcomes and at the end; true ends the run."""


class Crew(Protocol):
    """Whoever evaluates."""

    @property
    def room(self) -> int:
        """How many more candidates would not wait for long."""

    @property
    def in_flight(self) -> int:
        """Candidates handed in and not yet collected."""

    def submit(self, candidates: Sequence[Candidate]) -> None:
        """Hands candidates in."""

    def collect(self) -> list[Told]:
        """What was evaluated since the last call, at least one; waits for that."""


class ObjectiveFailed(RuntimeError):
    """The objective raised for the program that the search starts from."""


def drive(search: Search, crew: Crew, callbacks: Iterable[Callback] = ()) -> str:
    """Runs a search to its end and gives the reason, or until a callback is true; what is being
    evaluated then is asked for again when the run is resumed."""
    if callable(callbacks):
        raise TypeError("`callbacks` is a list of functions, also where there is only one")
    callbacks = list(callbacks)
    if search.in_flight:
        message = f"{search.in_flight} candidates were asked for and not told: tell their outcomes "
        message += "first, or close the search and resume its run"
        raise ValueError(message)
    while True:
        candidates = search.ask(crew.room) if crew.room else []
        crew.submit(candidates)
        if not crew.in_flight:
            break
        # What anyone hears of has to be durable, and there is time for it now.
        search.commit()
        for candidate, outcome in crew.collect():
            if candidate.id == 0 and raised(outcome):
                message = f"for the program that the search starts from: {outcome.message}"
                raise ObjectiveFailed(message)
            search.tell(candidate, outcome)
        if any([callback(search) for callback in callbacks]):
            break
    reason = search.finish()
    # Once more for the end: what was told last has been absorbed by now.
    for callback in callbacks:
        callback(search)
    return reason
