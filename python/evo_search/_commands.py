"""Functions for what the command line does as a whole: `evaluate`, `baseline`, `compare`.

Invariant: `baseline` and `compare` are the commands of these names in a process of their own, so
that they measure and refuse what these do; here their results come back as values, and what would
be kept in a folder named after the configuration is kept where that is asked for.
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
    out: str | os.PathLike[str] | None = None,
    overrides: Sequence[str] = (),
    threads: int | None = None,
) -> str:
    """Tunes AdamW on every task of a configuration file, keeps the losses to beat beside it, where
    searches look for them, or in the file `out`, and gives the table that `evo baseline` prints."""
    elsewhere = ["--out", os.fspath(out)] if out is not None else []
    return _command(["baseline", os.fspath(config), *elsewhere, *_options(overrides, threads)])


def _source(program: Program | str, file: Path) -> str:
    """Where a program lies: where it is said to, or in a file that is written for it."""
    if isinstance(program, str):
        return program
    if not isinstance(program, Program):
        raise TypeError(f"a Program is compared, or where one lies, not {type(program)}")
    file.write_text(str(program), encoding="utf-8")
    return str(file)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The same value with other names in it."""
    if isinstance(value, dict):
        return {key: _renamed(it, names) for key, it in value.items()}
    if isinstance(value, list):
        return [_renamed(it, names) for it in value]
    return names.get(value, value) if isinstance(value, str) else value


def compare(
    programs: Program | str | Sequence[Program | str],
    config: str | os.PathLike[str],
    *,
    reference: Program | str = "zoo:adamw",
    out: str | os.PathLike[str] | None = None,
    overrides: Sequence[str] = (),
    threads: int | None = None,
) -> dict[str, Any]:
    """Tunes programs alike on the tasks of a configuration of studies: what `evo compare --json`
    prints. A program is one at hand, named "program-0" by its place, or where one lies
    ("zoo:lion", a file, a run). In the folder `out` studies are kept, and those that are there are
    not made again; without it nothing is kept."""
    if isinstance(programs, Program | str):
        programs = [programs]
    with tempfile.TemporaryDirectory() as folder:
        labels = {f"program-{index}": it for index, it in enumerate(programs)}
        files = {label: Path(folder, f"{label}.py") for label in [*labels, "reference"]}
        sources = [_source(it, files[label]) for label, it in labels.items()]
        options = ["--reference", _source(reference, files["reference"])]
        options += ["--out", os.fspath(out if out is not None else Path(folder, "studies"))]
        options += ["--config", os.fspath(config), "--json", *_options(overrides, threads)]
        read = json.loads(_command(["compare", *sources, *options]))
    named: dict[str, Any] = _renamed(read, {str(file): label for label, file in files.items()})
    return named
