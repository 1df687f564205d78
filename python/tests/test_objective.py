"""A user's objective: bad candidates are recorded for what they are, and end nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evo_search import Candidate, ObjectiveFailed, Outcome, Program, Search, optimize
from evo_search.limits import Limits, memory_of_tree
from evo_search.verdict import Judge
from evo_search.workers import Workers, WorkersFailed

HERE = Path(__file__).parent
ADAMW = Program.zoo("adamw")


def config(candidates: int, more: str = "") -> str:
    """A search for an objective."""
    return f"""(
        seed: 5,
        start: "zoo:adamw",
        strategy: RegularizedEvolution(population: 20, tournament: 4),
        deduplication: (level: Structural),
        {more}
        stopping: (candidates: {candidates}),
    )"""


def number_of(program: Program) -> float:
    """A fitness that only the structure decides."""
    return int(program.structural_hash()[:6], 16) / 2**24


def outcomes(search: Search) -> dict[str, Outcome]:
    """By structure; each is evaluated once."""
    found = {it.program.structural_hash(): it.outcome for it in search.evaluations()}
    assert len(found) == len(search.evaluations())
    return found


class Numbered:
    """What a candidate is worth is decided by its structure; evaluations are noted in a log."""

    def __init__(self, log: Path | None = None) -> None:
        self.log = log

    def __call__(self, program: Program) -> float:
        if self.log is not None:
            with self.log.open("a") as log:
                log.write(program.structural_hash() + "\n")
        return number_of(program)


def by_length(program: Program) -> float:
    """The length, as a loss."""
    return float(program.length)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_results_depend_on_no_number_of_workers(workers: int) -> None:
    search = Search(config(120), objective="by structure", depends_on="structure")
    optimize(search, Numbered(), direction="maximize", workers=workers)
    by_hand = Search(config(120), objective="by structure", depends_on="structure")
    while candidates := by_hand.ask(16):
        for candidate in reversed(candidates):
            by_hand.tell(candidate, number_of(candidate.program))
    by_hand.finish()
    assert search.digest() == by_hand.digest()


def test_a_duplicate_is_not_evaluated(tmp_path: Path) -> None:
    search = Search(config(300), objective="by structure", depends_on="structure")
    optimize(search, Numbered(tmp_path / "log"), direction="maximize", workers=2)
    evaluated = (tmp_path / "log").read_text().split()
    assert len(evaluated) == len(set(evaluated)) == search.counters["evaluations"]
    assert len(evaluated) < search.counters["births"] == 300


def test_a_loss_is_better_when_it_is_lower() -> None:
    search = Search(config(80), objective="length", depends_on="structure")
    optimize(search, by_length, direction="minimize", workers=0)
    assert search.best is not None
    assert search.best.fitness == -search.best.length
    assert search.best.losses == [search.best.length]
    assert search.best.length < ADAMW.length


KINDS = ("good", "hang", "abort", "exit", "raise", "memory", "nan", "text", "leave", "good")


def of_a_kind(program: Program, repeat: int) -> Any:
    """Does what the kind of that number does."""
    kind = KINDS[repeat - 1]
    if kind in ("hang", "leave"):
        # A process that would outlive its own, unless it is found.
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(987)"])
    while kind == "hang":
        time.sleep(0.01)
    if kind == "abort":
        os.abort()
    if kind == "exit":
        os._exit(3)
    if kind == "raise":
        raise ValueError("no good")
    eaten: list[bytes] = []
    while kind == "memory":
        eaten.append(b"!" * 2**24)
    return {"nan": float("nan"), "text": "high"}.get(kind, 1.5)


def test_what_each_kind_of_bad_candidate_is_told_as() -> None:
    judge = Judge(of_a_kind, "maximize")
    told: dict[int, Outcome] = {}
    with Workers(judge, 2, Limits(seconds=3.0, memory_mb=300.0)) as workers:
        workers.submit([Candidate(it + 1, ADAMW, repeat=it + 1) for it in range(len(KINDS))])
        while workers.in_flight:
            told |= {candidate.id: outcome for candidate, outcome in workers.collect()}
    messages = [(told[it + 1].reason, told[it + 1].message) for it in range(1, 7)]
    assert messages[:5] == [
        ("Hung", "more than 3 s"),
        ("Crashed", "ended by SIGABRT"),
        ("Crashed", "exited with code 3"),
        ("Raised", "ValueError: no good"),
        ("OutOfMemory", "more than 300 MB"),
    ]
    assert (told[7].kind, told[7].reason) == ("invalid", "NonFinite")
    assert told[8].message == (
        "TypeError: the objective gave str, not a number or, as its result, an Outcome"
    )
    assert [told[it].fitness for it in (1, 9, 10)] == [1.5, 1.5, 1.5]
    assert are_gone("time.sleep(987)"), "what candidates began has ended with them"


def processes_with(word: str) -> list[int]:
    """Processes with a word in their command line, this test's own left out."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if word in command:
            found.append(int(process.name))
    return found


def are_gone(word: str) -> bool:
    """Whether no such process is left, once those that were killed have had time to die."""
    for _ in range(500):
        if not processes_with(word):
            return True
        time.sleep(0.01)
    return False


def test_a_worker_that_others_kill_costs_the_candidate_nothing() -> None:
    killed: list[int] = []
    with Workers(Judge(sleepy, "maximize"), 1, Limits()) as workers:
        workers.submit([Candidate(it, ADAMW) for it in range(4)])
        while not killed:
            for worker in workers._workers:
                if worker.candidates and worker.is_ready:
                    os.kill(worker.process.pid, signal.SIGKILL)
                    killed.append(worker.process.pid)
            time.sleep(0.01)
        told = []
        while workers.in_flight:
            told += workers.collect()
    assert sorted(candidate.id for candidate, _ in told) == [0, 1, 2, 3]
    assert {outcome.fitness for _, outcome in told} == {2.5}


def sleepy(program: Program) -> float:
    """Takes a moment."""
    time.sleep(0.3)
    return 2.5


def staged(program: Program) -> Iterator[float]:
    """Losses behind two stages, and the last."""
    loss = 1.0 - number_of(program)
    yield loss + 0.2
    yield loss + 0.1
    yield loss


def test_a_generator_clears_hurdles_or_is_stopped(tmp_path: Path) -> None:
    hurdles = "hurdles: (percentile: 50.0, warm_up: 10),"
    search = Search(
        config(200, hurdles), objective="stages", depends_on="structure", out=tmp_path / "run"
    )
    optimize(search, staged, direction="minimize", workers=2)
    stopped = [it for it in outcomes(search).values() if it.kind == "stopped"]
    scored = [it for it in outcomes(search).values() if it.kind == "scored"]
    assert len(stopped) > 20 < len(scored)
    assert all(len(it.stages) == 3 for it in scored)
    judge = Judge(staged, "minimize")
    assert judge.outcome(Candidate(0, ADAMW, hurdles=[9.0])).stages == [
        -(1.0 - number_of(ADAMW) + 0.2)
    ]


def test_an_objective_that_raises_for_the_start_program_ends_the_run() -> None:
    search = Search(config(50), objective="broken")
    with pytest.raises(ObjectiveFailed, match="NameError"):
        optimize(search, broken, direction="maximize", workers=1)
    assert search.counters["absorbed"] == search.counters["ended"] == 0


def broken(program: Program) -> float:
    """Has a slip."""
    return numbr_of(program)  # type: ignore[name-defined, no-any-return] # noqa: F821


class Unpicklable:
    """Cannot be made in a worker."""

    def __reduce__(self) -> tuple[object, ...]:
        return (int, ("not a number",))

    def __call__(self, program: Program) -> float:
        return 0.0


def test_an_objective_that_no_worker_can_make_ends_the_run() -> None:
    search = Search(config(50), objective="unmakeable")
    with pytest.raises(WorkersFailed, match="invalid literal for int"):
        optimize(search, Unpicklable(), direction="maximize", workers=2)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"seconds": 0.0}, "`seconds` must be above 0"),
        ({"memory_mb": -1.0}, "`memory_mb` must be above 0"),
        ({"seconds": 1.0, "workers": 0}, "limits need a process"),
    ],
)
def test_limits_that_are_none_are_refused(limits: dict[str, float], message: str) -> None:
    search = Search(config(50), objective="by structure")
    with pytest.raises(ValueError, match=message):
        optimize(search, Numbered(), direction="maximize", **limits)  # type: ignore[arg-type]


RUN = [sys.executable, str(HERE / "bad_candidates.py")]


def begun_and_killed(command: list[str], environment: dict[str, str], log: Path) -> set[str]:
    """Begins a run and kills it on its way; the structures that it has outcomes of."""
    with subprocess.Popen(command, env=environment) as process:
        while not log.exists() or len(log.read_text().splitlines()) < 60:
            time.sleep(0.05)
            assert process.poll() is None
        process.kill()
    assert are_gone("evo_search.worker")
    with Search.resume(command[-1]) as search:
        known = {it.program.structural_hash() for it in search.evaluations()}
    assert len(known) > 40
    return known


@pytest.mark.slow
def test_bad_candidates_end_nothing_and_a_killed_run_ends_the_same(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    digests, known = [], set[str]()
    for name in ("whole", "killed"):
        log = tmp_path / f"{name}.log"
        environment = {**os.environ, "EVALUATION_LOG": str(log)}
        command = [*RUN, str(tmp_path / name)]
        if name == "killed":
            known = begun_and_killed(command, environment, log)
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        report = json.loads(done.stdout)
        digests.append(report.pop("digest"))
        assert set(report.pop("")) == {"invalid NonFinite", "scored None"}
        assert report == {
            "nan": ["invalid NonFinite"],
            "hang": ["ended Hung"],
            "abort": ["ended Crashed"],
            "memory": ["ended OutOfMemory"],
            "raise": ["ended Raised"],
        }
        begun = Counter(log.read_text().splitlines())
        # A crash, or too much memory, counts in a worker that did nothing before.
        again = {"abort", "memory"}
        for line, times in begun.items():
            structure, _, kind = line.partition(" ")
            if name == "whole" or structure in known:
                assert times == 1 or (times == 2 and kind in again), line
    assert digests[0] == digests[1]


def test_memory_is_what_a_tree_of_processes_has_for_itself() -> None:
    hungry = "import time; x = b'!' * 2**27; print(1, flush=True); time.sleep(60)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hungry!r}])"
    with subprocess.Popen([sys.executable, "-c", outer], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 2**27 < memory_of_tree(process.pid) < 2**27 + 2**26
        for member in processes_with("x = b'!' * 2**27"):
            os.kill(member, signal.SIGKILL)
