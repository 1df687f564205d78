"""A worker: the process in which a user's objective evaluates one program after another.

`python -m evo_search.worker SOCKET LIFELINE` reads from a socket what to evaluate and writes what
came of it.

Invariant: it leads a process group and ends with whoever began it, so that neither it nor a process
that an objective began is left over when the run is killed. It is a program of its own rather than
a fork: a copy of a process that runs threads, as every process with PyTorch does, may hang at the
first lock that one of them held.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import traceback
from multiprocessing import spawn
from multiprocessing.connection import Connection

from ._engine import Candidate
from .verdict import Judge

_GUARD = "read _; kill -KILL 0"


def end_with_parent(lifeline: int) -> None:
    """Has this group killed when the process that began it is gone.

    `lifeline` is the end of a pipe whose other end that process alone holds. Who waits for it is a
    shell in the group: a thread would not run while an objective holds the interpreter's lock, and
    the signal that Linux sends at a parent's death ends one process and leaves what it began.
    """
    subprocess.Popen(["/bin/sh", "-c", _GUARD], stdin=lifeline)
    os.close(lifeline)


def take_over(connection: Connection) -> Judge:
    """Makes modules importable as they are for the starter, its script among them, and takes the
    objective."""
    process = multiprocessing.current_process()
    # A script that begins a run as it is imported would begin another in each of its workers; the
    # standard library refuses while this is set.
    process._inheriting = True  # type: ignore[attr-defined]
    try:
        preparation, judge = connection.recv(), connection.recv_bytes()
        spawn.prepare(preparation)
        it: Judge = pickle.loads(judge)
        return it
    finally:
        del process._inheriting  # type: ignore[attr-defined]


def serve(connection: Connection, judge: Judge) -> None:
    """Evaluates what comes until nothing more will."""
    while True:
        try:
            candidate: Candidate = connection.recv()
        except EOFError:
            return
        connection.send(("outcome", judge.outcome(candidate)))


def main(descriptors: list[str]) -> None:
    """The life of a worker."""
    fd, lifeline = map(int, descriptors)
    end_with_parent(lifeline)
    # Ctrl-C reaches the whole terminal; who began the workers decides what becomes of them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(fd)
    try:
        judge = take_over(connection)
    except BaseException:
        connection.send(("broken", traceback.format_exc()))
        return
    connection.send(("ready", None))
    serve(connection, judge)


if __name__ == "__main__":
    main(sys.argv[1:])
