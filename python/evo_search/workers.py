"""Workers: a crew of processes that evaluate a user's objective, each within limits.

Invariant: every candidate that is handed in gets one outcome, whatever it does to the process that
it runs in; no other gets one for it. Limits are enforced and connections read by a thread of the
crew's own, so that a slow callback or a long breeding lets no candidate eat memory meanwhile.

What a candidate did must not depend on who was evaluated before it in the same process. So a crash,
or memory beyond its limit, counts only if it happens in a worker that has evaluated nothing else:
in one that has, the candidate begins again in a fresh one. A signal that others send (an operator,
the system where it has no memory left) counts only when it comes three times.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import Counter, deque
from collections.abc import Sequence
from multiprocessing.connection import wait

from ._engine import Candidate
from .by_reference import pickled
from .crew import Key, Told, key_of
from .limits import Limits
from .verdict import Judge
from .worker_process import WorkerProcess

_TICK = 0.02
"""Seconds between two looks at what limits say."""
_WORTH_A_SECOND = 0.05
"""An evaluation shorter than this waits in its worker, or the worker would wait for it."""
_MOST_TRIES = 3


class WorkersFailed(RuntimeError):
    """No worker could begin: the objective cannot be imported, or ends the process that does."""


def _why(trace: str) -> str:
    """Why a worker could not begin, by what it has told."""
    if "_check_not_importing_main" in trace:
        # The standard library speaks of frozen executables then.
        return (
            "the script begins a run as it is imported, and workers import it for its objective: "
            'put what it does under `if __name__ == "__main__":`'
        )
    return f"a worker could not begin:\n{trace}"


class Workers:
    """Processes that evaluate candidates; a context that ends them."""

    def __init__(self, judge: Judge, count: int, limits: Limits, threads: int = 1) -> None:
        if count < 1:
            raise ValueError(f"`workers` must be 1 or more, or 0 for none, not {count}")
        if threads < 1:
            raise ValueError(f"`threads` must be at least 1, not {threads}")
        self._judge, self._limits, self._threads = pickled(judge), limits, threads
        self.in_flight = 0
        self._waiting: deque[Candidate] = deque()
        self._lock = threading.Lock()
        self._told: queue.SimpleQueue[Told | BaseException] = queue.SimpleQueue()
        self._again: Counter[Key] = Counter()
        self._never_ready = 0
        self._mean = 1.0
        self._closing = False
        self._bell, self._ringer = os.pipe()
        self._workers = [self._begin_worker() for _ in range(count)]
        self._thread = threading.Thread(target=self._run, name="workers", daemon=True)
        self._thread.start()

    @property
    def room(self) -> int:
        """How many more candidates would find or soon have a free worker."""
        return max(0, 2 * len(self._workers) - self.in_flight)

    def submit(self, candidates: Sequence[Candidate]) -> None:
        """Hands candidates in."""
        self.in_flight += len(candidates)
        with self._lock:
            self._waiting.extend(candidates)
        os.write(self._ringer, b"!")

    def collect(self) -> list[Told]:
        """What was evaluated since the last call, at least one; waits for that."""
        told = [self._told.get()]
        while not self._told.empty():
            told.append(self._told.get())
        outcomes = []
        for it in told:
            if isinstance(it, BaseException):
                raise it
            outcomes.append(it)
        self.in_flight -= len(outcomes)
        return outcomes

    def close(self) -> None:
        """Ends all workers, whatever they are at."""
        if self._closing:
            return
        self._closing = True
        os.write(self._ringer, b"!")
        self._thread.join()
        os.close(self._bell)
        os.close(self._ringer)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What follows runs on the crew's own thread.

    def _run(self) -> None:
        try:
            while not self._closing:
                self._hand_out()
                heard = [it.connection for it in self._workers if not it.is_silent]
                ready = wait([self._bell, *heard], _TICK)
                if self._bell in ready:
                    os.read(self._bell, 4096)
                for worker in list(self._workers):
                    if worker.connection in ready:
                        self._receive(worker)
                    worker.enforce()
                    if worker.has_ended():
                        self._replace(worker)
        except BaseException as error:  # noqa: BLE001 - the one who collects must hear of it
            self._told.put(error)
        for worker in self._workers:
            worker.close()

    def _begin_worker(self) -> WorkerProcess:
        return WorkerProcess(self._judge, self._limits, self._threads)

    def _hand_out(self) -> None:
        """One candidate for each worker, then another where they are short."""
        depth = 2 if self._mean < _WORTH_A_SECOND else 1
        for most in range(1, depth + 1):
            for worker in self._workers:
                if worker.is_ready and len(worker.candidates) < most:
                    with self._lock:
                        if not self._waiting:
                            return
                        candidate = self._waiting.popleft()
                    worker.hand(candidate)

    def _receive(self, worker: WorkerProcess) -> None:
        """Takes in what a worker has to say, to its last word."""
        try:
            while worker.connection.poll():
                word, what = worker.connection.recv()
                if word == "ready":
                    self._check_idle(worker)
                    worker.begin()
                elif word == "broken":
                    raise WorkersFailed(_why(what))
                else:
                    candidate, seconds = worker.answer()
                    self._mean += 0.2 * (seconds - self._mean)
                    self._told.put((candidate, what))
        except (EOFError, OSError):
            worker.fall_silent()

    def _check_idle(self, worker: WorkerProcess) -> None:
        """Refuses a limit that no candidate can keep: which of them passed it would be chance."""
        excess = worker.idle_excess()
        if excess is not None:
            message = f"`memory_mb` is {self._limits.memory_mb:g}, and a worker has {excess:.0f} "
            raise WorkersFailed(message + "MB with the objective and what it imports alone")

    def _replace(self, worker: WorkerProcess) -> None:
        """Buries a worker, settles what it was at, and begins another."""
        self._receive(worker)
        self._workers.remove(worker)
        worker.close()
        if not worker.is_ready:
            self._never_ready += 1
            if self._never_ready >= _MOST_TRIES:
                what = worker.what_ended_it()
                raise WorkersFailed(f"workers end before they have begun: {what.message}")
        fresh = self._begin_worker()
        self._workers.append(fresh)
        if worker.candidates:
            candidate = worker.candidates.popleft()
            if worker.is_ready and self._counts(worker, candidate):
                self._told.put((candidate, worker.what_ended_it()))
            else:
                fresh.hand(candidate)
        with self._lock:
            self._waiting.extendleft(reversed(worker.candidates))

    def _counts(self, worker: WorkerProcess, candidate: Candidate) -> bool:
        """Whether what ended a worker is what the candidate did."""
        if worker.was_killed():
            self._again[key_of(candidate)] += 1
            return self._again[key_of(candidate)] >= _MOST_TRIES
        return worker.answered == 0 or worker.what_ended_it().reason == "Hung"
