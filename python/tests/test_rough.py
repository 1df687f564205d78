"""Processes that fork, errors that cannot be told, folders that are left: nothing is mixed up."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from evo_search import Candidate, Outcome, Program, Search, SearchError, optimize
from evo_search.limits import Limits
from evo_search.verdict import Judge
from evo_search.workers import Workers, WorkersFailed
from small import EXTERNAL

ADAMW = Program.zoo("adamw")


def search_of(out: Path | str | None = None) -> Search:
    """A search for an objective."""
    return Search(EXTERNAL, objective="rough", depends_on="structure", out=out)


def forking(program: Program, repeat: int) -> float:
    """The child comes out first, with another number."""
    if repeat % 2 == 1 and os.fork() == 0:
        return 99.0
    time.sleep(0.02)
    return float(repeat)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_child_that_the_objective_forks_answers_for_nobody(workers: int) -> None:
    judge, candidates = Judge(forking, "maximize"), [
        Candidate(it, ADAMW, repeat=it) for it in range(6)
    ]
    if workers == 0:
        told = [(it, judge.outcome(it)) for it in candidates]
    else:
        told = collected(judge, candidates)
    assert {it.id: outcome.fitness for it, outcome in told} == {it: float(it) for it in range(6)}


def collected(judge: Judge, candidates: list[Candidate]) -> list[tuple[Candidate, Outcome]]:
    """What one worker makes of candidates."""
    told = []
    with Workers(judge, 1, Limits()) as workers:
        workers.submit(candidates)
        while workers.in_flight:
            told += workers.collect()
    return told


class Speechless(Exception):
    """An error that fails at saying what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def untellable(program: Program, repeat: int) -> float:
    """Raises what cannot be written down."""
    if repeat == 0:
        raise OSError("no such file: \udce9")
    if repeat == 1:
        raise Speechless
    if repeat == 2:
        raise ValueError("\n\nlate")
    if repeat == 3:
        sys.stderr.close()
        raise ValueError("unheard")
    sys.exit(7)


def test_an_exception_is_told_whatever_its_text_is() -> None:
    candidates = [Candidate(it, ADAMW, repeat=it) for it in range(5)]
    told = collected(Judge(untellable, "maximize"), candidates)
    messages = {it.id: (outcome.reason, outcome.message) for it, outcome in told}
    assert messages == {
        0: ("Raised", "OSError: no such file: \\udce9"),
        1: ("Raised", "Speechless: it has no text"),
        2: ("Raised", "ValueError: late"),
        3: ("Raised", "ValueError: unheard"),
        4: ("Raised", "SystemExit: 7"),
    }


def interrupting(program: Program) -> float:
    """Ends its process in good order."""
    raise KeyboardInterrupt


def test_a_worker_that_ends_by_itself_was_not_killed() -> None:
    begun = time.monotonic()
    told = collected(Judge(interrupting, "maximize"), [Candidate(0, ADAMW)])
    outcome = told[0][1]
    assert outcome.reason == "Crashed" and "SIGKILL" not in str(outcome.message), outcome
    assert time.monotonic() - begun < 20.0


def deafening(program: Program) -> float:
    """Lets go of all that it holds, and goes on."""
    os.closerange(3, 256)
    time.sleep(60.0)
    return 0.0


def test_a_worker_that_closes_its_connection_is_ended() -> None:
    told = collected(Judge(deafening, "maximize"), [Candidate(0, ADAMW)])
    assert (told[0][1].reason, told[0][1].message) == ("Crashed", "closed its connection")


def test_a_limit_of_memory_that_an_idle_worker_passes_is_refused() -> None:
    with pytest.raises(WorkersFailed, match=r"`memory_mb` is 1, and a worker has \d+ MB"):
        optimize(search_of(), len, direction="maximize", workers=1, memory_mb=1.0)


def one_more(program: Program) -> float:
    """A number."""
    return float(program.length)


def test_a_run_stays_where_it_was_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with search_of(out="run") as search:
        monkeypatch.chdir(tmp_path / "elsewhere")
        optimize(search, one_more, direction="minimize", workers=0)
        assert search.directory == str(tmp_path / "run")
    assert (tmp_path / "run" / "hall_of_fame.csv").is_file()
    with pytest.raises(ValueError, match="`out` is empty"):
        search_of(out="")


def test_what_is_asked_for_elsewhere_is_not_forgotten() -> None:
    search = search_of()
    (first,) = search.ask(1)
    with pytest.raises(ValueError, match="1 candidates were asked for and not told"):
        optimize(search, one_more, direction="minimize", workers=0)
    other = Candidate(first.id, Program.zoo("sgd"))
    with pytest.raises(SearchError, match="another program here: of another search"):
        search.tell(other, 9.0)
    search.tell(Candidate(first.id, Program.parse(str(first.program))), 1.0)


def test_a_fork_of_the_process_cannot_use_the_search(tmp_path: Path) -> None:
    with search_of(out=tmp_path / "run") as search:
        first = search.ask(2)
        child = os.fork()
        if child == 0:
            try:
                search.tell(first[0], 1.0)
            except SearchError as error:
                search.close()
                os._exit(17 if "no fork" in str(error) else 18)
            os._exit(19)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 17
        for candidate in first:
            search.tell(candidate, Judge(one_more, "minimize").outcome(candidate))
        optimize(search, one_more, direction="minimize", workers=0)
        digest = search.digest()
    with search_of() as again:
        optimize(again, one_more, direction="minimize", workers=0)
        assert again.digest() == digest


@pytest.mark.parametrize("shape", [(2**62,), (2**40, 2**40)])
def test_shapes_beyond_all_memory_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises((ValueError, MemoryError), match="numbers"):
        ADAMW.optimizer([shape])
