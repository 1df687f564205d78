"""Objectives for the tests of Ray, in a module that actors can import."""

import os
import signal
import time

from evo_search import Program
from evo_search.ray.actor import Evaluates


def note(path: str, word: str) -> None:
    """Adds a line to a log that several processes write."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{word}\n")


class Deadly:
    """Kills the process that it is called in for one structure of twelve."""

    def __init__(self, log: str) -> None:
        self.log = log

    def __call__(self, program: Program) -> float:
        structure = program.structural_hash()
        note(self.log, structure)
        if int(structure[:8], 16) % 12 == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        return float(int(structure[:6], 16))


class Slow:
    """Takes a while, and notes where."""

    def __init__(self, log: str) -> None:
        self.log = log

    def __call__(self, program: Program) -> float:
        note(self.log, str(os.getpid()))
        time.sleep(0.1)
        return float(int(program.structural_hash()[:6], 16))


class Unmakeable:
    """What an actor cannot make."""

    def make(self) -> Evaluates:
        """Fails."""
        raise FileNotFoundError("no such data")


class Placed:
    """Takes a moment, and notes which actor began it, and the devices that it was given."""

    def __init__(self, log: str, seconds: float) -> None:
        self.log, self.seconds = log, seconds

    def __call__(self, program: Program) -> float:
        note(self.log, f"{os.getppid()}/{os.environ.get('CUDA_VISIBLE_DEVICES', '')}")
        time.sleep(self.seconds)
        return float(int(program.structural_hash()[:6], 16))
