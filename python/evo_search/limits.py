"""Limits of one evaluation, and the processes that it may have begun.

What memory counts: pages of the worker and of all its descendants that belong to nobody else,
anonymous and shared memory (`RssAnon`, `RssShmem`) and what of it was swapped out. Not the address
space (`RLIMIT_AS`), of which PyTorch, CUDA and thread pools reserve many gigabytes that they never
touch, so that no limit both lets a small network train and stops a large one; and not the pages of
program files, which all workers share.

Ending means the whole tree: a data loader's processes hold memory and files of their own, and
outlive the one that began them.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_OWN_PAGES = ("RssAnon:", "RssShmem:", "VmSwap:")


@dataclass(frozen=True)
class Limits:
    """What one evaluation may take; `None` is no limit.

    `seconds` is time of the wall from the instant that a worker takes up the program, `memory_mb`
    megabytes (of 2**20 bytes) of the worker and the processes that it began.
    """

    seconds: float | None = None
    memory_mb: float | None = None

    def __post_init__(self) -> None:
        for name in ("seconds", "memory_mb"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < float("inf"):
                raise ValueError(f"`{name}` must be above 0 and finite, not {value!r}")
        if self.memory_mb is not None and not can_watch_memory():
            raise ValueError("`memory_mb` needs a system that tells memory in /proc, as Linux does")


def can_watch_memory() -> bool:
    """Whether this system tells what memory a process has."""
    return memory_of(os.getpid()) > 0


def memory_of(pid: int) -> int:
    """Bytes that a process has for itself; 0 of one that is gone."""
    try:
        status = (_PROC / str(pid) / "status").read_text()
    except OSError:
        return 0
    rows = (line.split() for line in status.splitlines() if line.startswith(_OWN_PAGES))
    return sum(1024 * int(row[1]) for row in rows)


def descendants(pid: int) -> list[int]:
    """The processes that a process began, and those that they did, itself left out."""
    found, begun = [], [pid]
    while begun:
        children = _children(begun.pop())
        found += children
        begun += children
    return found


def _children(pid: int) -> list[int]:
    children = []
    try:
        # A thread knows the children that it began itself.
        for task in (_PROC / str(pid) / "task").iterdir():
            children += [int(child) for child in (task / "children").read_text().split()]
    except OSError:
        pass
    return children


def memory_of_tree(pid: int) -> int:
    """Bytes that a process and its descendants have for themselves."""
    return sum(memory_of(member) for member in [pid, *descendants(pid)])


def end_tree(leader: subprocess.Popen[bytes], known: Sequence[int] = ()) -> None:
    """Kills a process that leads a group, its group, and descendants that left the group: those
    that it has, or of one that is gone those that are `known`.

    To be called once: a group that is gone leaves its number to others.
    """
    # Listed before any of them dies, as an orphan is nobody's descendant.
    others = descendants(leader.pid) if leader.poll() is None else known
    for kill, target in [(os.killpg, leader.pid), *((os.kill, it) for it in others)]:
        try:
            kill(target, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
    leader.kill()
