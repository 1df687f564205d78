"""The fleet: a crew of Ray actors.

Invariant: a candidate that is handed in gets one outcome, however many actors die meanwhile. What
an actor had when it died is done again one by one, each by an actor that has nothing else, so that
one that kills its actor is found and costs no other anything. One that was at hand in three deaths
is recorded as crashed; twice could be chance, in a cluster whose nodes come and go, and one that
ends every actor would end the run.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import ObjectLostError, RayActorError, RayError

from .._engine import Candidate, Outcome
from ..crew import Key, Told, key_of
from .actor import COHORTS, Evaluated, Parcel, Source
from .cohort_size import CohortSize
from .member import Member

_MOST_DEATHS = 3
_PATIENCE = 60.0
"""Seconds without any actor behind which that is told."""
_LOOK_AROUND = 1.0
"""Seconds between two looks for actors that could join."""


@dataclass(frozen=True)
class Size:
    """How many actors there may be, and what each takes of the cluster."""

    least: int
    most: int
    cpus: float = 1.0
    gpus: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            message = f"`actors` must be 1 or more, or (least, most): not {self.least}, {self.most}"
            raise ValueError(message)


class FleetFailed(RuntimeError):
    """No actor can evaluate: each ends as it begins, or is on another kind of CPU than the run."""


class Fleet:
    """Actors that evaluate candidates; a context that ends them."""

    def __init__(self, source: Source, size: Size, place: str | None) -> None:
        """Only actors on `place` are let in; on any, if that is none."""
        self._parcel, self._size, self._place = ray.put(Parcel.of(source)), size, place
        self._members: list[Member] = []
        self._waiting: deque[Candidate] = deque()
        self._suspects: deque[Candidate] = deque()
        self._deaths: Counter[Key] = Counter()
        self._told: list[Told] = []
        self._looked = float("-inf")
        self._never_begun = 0
        self._told_of_none = False
        self.cohorts = CohortSize()
        self.in_flight = 0
        self.seconds = 0.0
        """That actors were evaluating, all together."""
        for _ in range(size.least):
            self._recruit()

    @property
    def room(self) -> int:
        """How many more candidates would not wait for long."""
        ready = max(1, len(self.actors()))
        return max(0, COHORTS * ready * self.cohorts.size(ready) - self.in_flight)

    def submit(self, candidates: Sequence[Candidate]) -> None:
        """Hands candidates in."""
        self.in_flight += len(candidates)
        self._waiting.extend(candidates)
        self._hand_out()

    def collect(self) -> list[Told]:
        """What was evaluated since the last call, at least one; waits for that."""
        while not self._told:
            self._look_around()
            self._hand_out()
            self._wait()
        told, self._told = self._told, []
        self.in_flight -= len(told)
        return told

    def _wait(self) -> None:
        awaited = {ref: member for member in self._members for ref in member.awaited()}
        if not awaited:
            time.sleep(_LOOK_AROUND)
            return
        refs = list(awaited)
        ready, _ = ray.wait(refs, num_returns=1, timeout=_LOOK_AROUND)
        if ready:
            # Whatever else is there by now.
            ready, _ = ray.wait(refs, num_returns=len(refs), timeout=0)
        for ref in ready:
            # One that died with an earlier answer is gone already.
            if awaited[ref] in self._members:
                self._hear(awaited[ref], ref)

    def _hear(self, member: Member, ref: Any) -> None:
        """Takes in what an actor has answered, or that it died."""
        try:
            if ref is member.greeting:
                self._welcome(member)
                return
            cohort: Evaluated = ray.get(ref)
        except (RayActorError, ObjectLostError) as error:
            self._note_begun(member, error)
            self._bury(member)
            return
        candidates = member.cohorts.pop(ref)
        member.is_apart = False
        self.seconds += cohort.seconds
        self.cohorts.evaluated(len(candidates), cohort.seconds)
        self._told += zip(candidates, cohort.outcomes, strict=True)

    def _note_begun(self, member: Member, error: RayError) -> None:
        """Gives up where actors end before they have begun, as with data that they do not find."""
        self._never_begun = 0 if member.is_ready else self._never_begun + 1
        if self._never_begun >= _MOST_DEATHS:
            raise FleetFailed(f"actors end before they have begun: {error}") from error

    def _welcome(self, member: Member) -> None:
        place = member.greet()
        if self._place is None or place == self._place:
            self.cohorts.dispatched(member.round_trip())
            return
        self._members.remove(member)
        member.leave()
        message = f"an actor on another kind of CPU or device ({place}) than the run's "
        message += f"({self._place}), which may round differently"
        if not self._members:
            raise FleetFailed(f"{message}; `accept_cpu` lets it in all the same")
        print(f"left out: {message}", file=sys.stderr)

    def _bury(self, member: Member) -> None:
        """Has the work of a dead actor done again; one that is only out of reach dies of it."""
        self._members.remove(member)
        member.leave()
        for candidates in member.cohorts.values():
            for candidate in candidates:
                self._suspect(candidate)
        if len(self._members) < self._size.least:
            self._recruit()

    def _suspect(self, candidate: Candidate) -> None:
        self._deaths[key_of(candidate)] += 1
        deaths = self._deaths[key_of(candidate)]
        if deaths < _MOST_DEATHS:
            self._suspects.append(candidate)
            return
        outcome = Outcome.ended("Crashed", f"its actor died, {deaths} times")
        self._told.append((candidate, outcome))

    def _hand_out(self) -> None:
        for member in self._members:
            if self._suspects and member.is_ready and not member.cohorts:
                member.hand([self._suspects.popleft()], apart=True)
        free = [it for it in self._members if it.is_ready and not it.is_apart]
        # So many are to finish what they have, to be alone with a suspect.
        free = free[len(self._suspects) :]
        size = self.cohorts.size(len(free))
        for ahead in range(COHORTS):
            hungry = [member for member in free if len(member.cohorts) <= ahead]
            for index, member in enumerate(hungry):
                if not self._waiting:
                    return
                # Nobody gets a whole cohort while others would go without.
                share = -(-len(self._waiting) // (len(hungry) - index))
                most = min(size, share)
                member.hand([self._waiting.popleft() for _ in range(most)])

    def _look_around(self) -> None:
        """Has an actor join where there is room for one."""
        now = time.monotonic()
        if now - self._looked < _LOOK_AROUND:
            return
        self._looked = now
        self._tell_if_nobody_comes(now)
        begun = all(member.is_ready for member in self._members)
        if len(self._members) < self._size.least or (
            begun and len(self._members) < self._size.most and self._has_room()
        ):
            self._recruit()

    def _tell_if_nobody_comes(self, now: float) -> None:
        if self._told_of_none or any(member.is_ready for member in self._members):
            return
        if all(now - member.begun_at > _PATIENCE for member in self._members):
            self._told_of_none = True
            size = self._size
            needs = f"each takes {size.cpus:g} CPUs and {size.gpus:g} GPUs"
            print(f"no actor has begun yet: {needs}, which the cluster lacks", file=sys.stderr)

    def _has_room(self) -> bool:
        free: dict[str, float] = ray.available_resources()  # type: ignore[no-untyped-call]
        size = self._size
        return free.get("CPU", 0.0) >= size.cpus and free.get("GPU", 0.0) >= size.gpus

    def _recruit(self) -> None:
        options = {"num_cpus": self._size.cpus, "num_gpus": self._size.gpus, "max_restarts": 0}
        self._members.append(Member(self._parcel, options))

    def actors(self) -> list[Any]:
        """The actors that have begun."""
        return [member.actor for member in self._members if member.is_ready]

    def close(self) -> None:
        """Ends all actors, whatever they are at."""
        for member in self._members:
            member.leave()
        self._members.clear()

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
