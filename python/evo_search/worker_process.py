"""One worker as whoever began it sees it: its process, its connection, what it is at.

Invariant: of the candidates that it was handed it is at the first, since it answers them in order;
so whatever ends it has happened to that one, and the others were never begun.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from multiprocessing import spawn
from multiprocessing.connection import Connection
from typing import Any

from ._engine import Candidate, Outcome
from .by_reference import main_can_be_imported
from .limits import Limits, descendants, end_tree, memory_of_tree

_LAST_WORDS = 3.0
"""Seconds that a process takes at most from closing its connection to its end."""

_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class WorkerProcess:
    """A process that evaluates, and those candidates that it was handed and has not answered."""

    def __init__(self, judge: bytes, limits: Limits, threads: int) -> None:
        ours, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        environment = {**dict.fromkeys(_ONE_THREAD, str(threads)), **os.environ}
        command = [sys.executable, "-m", f"{__package__}.worker"]
        command += [str(it) for it in (theirs.fileno(), lifeline)]
        # A session of its own: one group to kill, which Ctrl-C in a terminal does not reach.
        self.process = subprocess.Popen(
            command,
            pass_fds=(theirs.fileno(), lifeline),
            env=environment,
            start_new_session=True,
        )
        theirs.close()
        os.close(lifeline)
        self.connection = Connection(ours.detach())
        self.limits = limits
        self.candidates: deque[Candidate] = deque()
        self.is_ready = False
        self.answered = 0
        self.ended_by: Outcome | None = None
        self.is_silent = False
        """Whether its connection is closed, as at its end."""
        self._since = 0.0
        self._left: list[int] = []
        self._is_ended = False
        try:
            self.connection.send(_preparation())
            self.connection.send_bytes(judge)
        except OSError:
            # It is gone already, which the next look at it tells.
            pass

    def hand(self, candidate: Candidate) -> None:
        """Gives it a candidate more."""
        if not self.candidates:
            self._since = time.monotonic()
        self.candidates.append(candidate)
        try:
            self.connection.send(candidate)
        except OSError:
            pass

    def begin(self) -> None:
        """Notes that it is through with making ready: what it was handed begins now."""
        self.is_ready = True
        self._since = time.monotonic()

    def idle_excess(self) -> float | None:
        """The megabytes that it has before it evaluates anything, where they pass the limit."""
        if self.limits.memory_mb is None:
            return None
        has = memory_of_tree(self.process.pid) / 2**20
        return has if has > self.limits.memory_mb else None

    def answer(self) -> tuple[Candidate, float]:
        """Notes that it is through with the first of its candidates; the seconds that took."""
        self.answered += 1
        since, self._since = self._since, time.monotonic()
        return self.candidates.popleft(), self._since - since

    def fall_silent(self) -> None:
        """Notes that nothing more will come from it: it is ending, and how it ends is awaited."""
        if not self.is_silent:
            self.is_silent = True
            self._since = time.monotonic()
            # Before it is gone, as an orphan is nobody's descendant.
            self._left = descendants(self.process.pid)

    def enforce(self) -> None:
        """Kills it, and all that it began, where the candidate that it is at passes a limit."""
        if self.is_silent:
            if time.monotonic() - self._since > _LAST_WORDS and not self.has_ended():
                self._end(Outcome.ended("Crashed", "closed its connection"))
            return
        if not self.candidates or not self.is_ready or self.ended_by is not None:
            return
        seconds, megabytes = self.limits.seconds, self.limits.memory_mb
        if seconds is not None and time.monotonic() - self._since > seconds:
            self._end(Outcome.ended("Hung", f"more than {seconds:g} s"))
        elif megabytes is not None and memory_of_tree(self.process.pid) > megabytes * 2**20:
            self._end(Outcome.ended("OutOfMemory", f"more than {megabytes:g} MB"))

    def _end(self, outcome: Outcome) -> None:
        self.ended_by = outcome
        self.end()

    def end(self) -> None:
        """Kills it, and all that it began."""
        if not self._is_ended:
            self._is_ended = True
            end_tree(self.process, self._left)

    def has_ended(self) -> bool:
        """Whether its process is gone."""
        return self.process.poll() is not None

    def what_ended_it(self) -> Outcome:
        """The outcome of the candidate that it was at when its process ended."""
        if self.ended_by is not None:
            return self.ended_by
        code = self.process.wait()
        what = f"ended by {signal_name(-code)}" if code < 0 else f"exited with code {code}"
        return Outcome.ended("Crashed", what)

    def was_killed(self) -> bool:
        """Whether a signal ended it that others send, the system for want of memory among them."""
        others = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
        return self.ended_by is None and -self.process.wait() in others

    def close(self) -> None:
        """Ends it, whatever it is at."""
        self.end()
        self.process.wait()
        self.connection.close()
        os.close(self._lifeline)


def _preparation() -> dict[str, Any]:
    """How a worker finds modules, and the script that was started."""
    preparation = spawn.get_preparation_data("evaluates")
    # Keys refuse to be sent other than by the standard library itself.
    preparation["authkey"] = bytes(preparation["authkey"])
    # A script that was read from a pipe can be read no second time.
    if not main_can_be_imported():
        preparation.pop("init_main_from_path", None)
    return preparation


def signal_name(number: int) -> str:
    """The name of a signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
