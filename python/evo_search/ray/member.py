"""One actor as its fleet sees it: whether it has begun, and which cohorts it has.

Invariant: every cohort that it was handed is there until its outcomes are, so nothing is lost with
an actor.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import ray

from .._engine import Candidate
from .actor import COHORTS, Actor


class Member:
    """An actor, and the cohorts that it has not answered."""

    def __init__(self, parcel: Any, options: dict[str, Any]) -> None:
        remote: Any = ray.remote(Actor)
        self.actor: Any = remote.options(max_concurrency=COHORTS, **options).remote(parcel)
        self.begun_at = time.monotonic()
        self.cohorts: dict[Any, list[Candidate]] = {}
        """By what their outcomes come as."""
        self.greeting = self.actor.place.remote()
        self.is_ready = False
        self.is_apart = False
        """Whether it has one candidate that may end it, and is to be handed nothing else."""

    def hand(self, candidates: Sequence[Candidate], apart: bool = False) -> None:
        """Gives it a cohort."""
        self.cohorts[self.actor.evaluate.remote(list(candidates))] = list(candidates)
        self.is_apart = apart

    def greet(self) -> str:
        """Where it evaluates, once it has begun; raises what kept it from that."""
        place: str = ray.get(self.greeting)
        self.is_ready = True
        return place

    def round_trip(self) -> float:
        """Seconds that a call takes which does nothing, the least of a few."""
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            ray.get(self.actor.nothing.remote())
            times.append(time.perf_counter() - begun)
        return min(times)

    def awaited(self) -> list[Any]:
        """What it is to answer."""
        return list(self.cohorts) if self.is_ready else [self.greeting]

    def leave(self) -> None:
        """Ends the actor, whatever it is at."""
        ray.kill(self.actor)
