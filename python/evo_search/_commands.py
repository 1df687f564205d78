"""Functions for what the command line does as a whole: `evaluate`, `baseline`, `compare`.

Invariant: `baseline` and `compare` are the commands of these names in a process of their own, so
that they print, write and refuse what these do; here their results come back as values.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evo_search._engine import Candidate, Evaluator, EvoError, Outcome, Program

Config = str | os.PathLike[str] | Mapping[str, Any]


def evaluate(
    programs: Program | Sequence[Program | Candidate],
    config: Config,
    *,
    overrides: Sequence[str] = (),
    base: str | os.PathLike[str] | None = None,
    threads: int | None = None,
) -> list[Outcome]:
    """Scores programs as the search of a configuration would, one outcome for each."""
    evaluator = Evaluator(config, overrides=list(overrides), base=base)
    several = [programs] if isinstance(programs, Program) else list(programs)
    return evaluator.evaluate(several, threads=threads or os.cpu_count() or 1)


def _command(arguments: Sequence[str]) -> str:
    """What a command prints; its message as an exception where it fails."""
    run = subprocess.run(
        [sys.executable, "-m", "evo_search", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if run.returncode not in (0, 1):
        message = run.stderr.strip().removeprefix("error: ")
        raise EvoError(message or f"it ended with {run.returncode}")
    return run.stdout


def _options(overrides: Sequence[str], threads: int | None) -> list[str]:
    sets = [word for override in overrides for word in ("--set", override)]
    return sets + (["--threads", str(threads)] if threads else [])


def baseline(
    config: str | os.PathLike[str],
    *,
    overrides: Sequence[str] = (),
    threads: int | None = None,
) -> str:
    """Tunes AdamW on every task of a configuration file, keeps the losses to beat beside it, as
    `evo baseline` does, and gives the table that it prints."""
    return _command(["baseline", os.fspath(config), *_options(overrides, threads)])


def compare(
    programs: Sequence[Program | str],
    config: str | os.PathLike[str],
    *,
    overrides: Sequence[str] = (),
    threads: int | None = None,
) -> dict[str, Any]:
    """Tunes programs alike on the tasks of a configuration of studies: what `evo compare --json`
    prints. A program is one at hand, or where one lies ("zoo:lion", a file, a run)."""
    with tempfile.TemporaryDirectory() as folder:
        sources = []
        for index, program in enumerate(programs):
            if isinstance(program, str):
                sources.append(program)
                continue
            file = Path(folder, f"program-{index}.py")
            file.write_text(str(program), encoding="utf-8")
            sources.append(str(file))
        options = ["--config", os.fspath(config), "--json", *_options(overrides, threads)]
        read: dict[str, Any] = json.loads(_command(["compare", *sources, *options]))
    return read
