"""What holds in every domain: objectives with hurdles, results of runs, pickles, interrupts."""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import evo_search as evo
from evo_search import Candidate, Outcome, Program, Search, optimize
from evo_search.verdict import Judge
from small import DOMAINS, Domain, short, starts

LONG = 10**7
"""More candidates than any test waits for."""


def number_of(program: Program) -> float:
    """A fitness that only the structure decides."""
    return int(program.structural_hash()[:6], 16) / 2**24


def staged(program: Program) -> Iterator[float]:
    """Losses behind two stages, and the last."""
    loss = 1.0 - number_of(program)
    yield loss + 0.2
    yield loss + 0.1
    yield loss


def with_held_out(program: Program, held_out: bool) -> float:
    """Another value on what is held out."""
    return number_of(program) - (10.0 if held_out else 0.0)


def by_objective(domain: str, candidates: int, *more: str, out: Path | None = None) -> Search:
    """A search of the domain for an objective whose stages the configuration knows nothing of."""
    config, _ = short(domain)
    overrides = ["keep=Births", "deduplication.level=Structural", *more]
    overrides.append(f"stopping=(candidates: {candidates})")
    return Search(
        config, overrides=overrides, objective="a number", depends_on="structure", out=out
    )


HURDLES = ("window=16", "held_out=()", "hurdles=(percentile: 50.0, warm_up: 10)")


@pytest.mark.parametrize("domain", [*DOMAINS, "activations"])
def test_hurdles_stop_an_objective_in_every_domain_and_after_a_resume(
    domain: str, tmp_path: Path
) -> None:
    whole = by_objective(domain, 250, *HURDLES, out=tmp_path / "whole")
    optimize(whole, staged, direction="minimize", workers=2)
    outcomes = [it.outcome for it in whole.evaluations()]
    stopped = [it for it in outcomes if it.kind == "stopped"]
    scored = [it for it in outcomes if it.kind == "scored"]
    assert len(stopped) > 5 < len(scored)
    assert all(len(it.stages) == 3 for it in scored) and len(stopped[-1].stages) < 3
    # Only what a stage shows decides: the best of all is above every hurdle.
    assert max(it.fitness for it in scored) > max(it.stages[-1] for it in stopped)

    part = by_objective(domain, 100, *HURDLES, out=tmp_path / "part")
    optimize(part, staged, direction="minimize", workers=0)
    part.close()
    with Search.resume(tmp_path / "part", overrides=["stopping.candidates=250"]) as again:
        optimize(again, staged, direction="minimize", workers=0)
        assert again.digest() == whole.digest()
    for command in ("show", "report"):
        done = evo_command(command, str(tmp_path / "part"))
        assert done.returncode == 0, done.stderr


def evo_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line."""
    command = [sys.executable, "-m", "evo_search", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("domain", ["expressions", "learners", "graphs"])
def test_hurdles_without_stages_are_refused_where_the_configuration_scores(domain: Domain) -> None:
    config, _ = short(domain)
    with pytest.raises(evo.ConfigError, match=r"`hurdles.percentile`: .*has none"):
        Search(config, overrides=["keep=Births", "stopping=(candidates: 9)", *HURDLES])


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_is_held_out_is_asked_of_an_objective_that_can_be_told_and_of_no_other(
    domain: Domain,
) -> None:
    held_out = "held_out.every=20"
    search = by_objective(domain, 100, held_out)
    assert search.holds_out and not by_objective(domain, 100, "held_out=()").holds_out
    with pytest.raises(ValueError, match=r"`held_out\.every`.*parameter `held_out`"):
        optimize(search, number_of, direction="maximize", workers=0)
    assert search.counters["births"] == 0, "nothing was begun"
    optimize(search, with_held_out, direction="maximize", workers=0)
    hall = search.hall_of_fame
    known = [it for it in hall if it.held_out_fitness is not None]
    assert known and all(it.held_out_fitness == it.fitness - 10.0 for it in known)


def test_ray_refuses_an_objective_that_cannot_be_told_what_is_held_out() -> None:
    run = pytest.importorskip("evo_search.ray.run")
    search = by_objective("optimizers", 100, "held_out.every=20")
    with pytest.raises(ValueError, match=r"`held_out\.every`"):
        run.run(search, number_of, direction="maximize")


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_run_is_read_resumed_and_pickled(domain: Domain, tmp_path: Path) -> None:
    config, overrides = short(domain)
    overrides.append("keep=Births")
    search = Search(config, overrides=overrides, out=tmp_path / "run")
    search.run()
    digest, hall, best = search.digest(), search.hall_of_fame, search.best
    assert best is not None and hall
    assert best.to_dict() in [it.to_dict() for it in hall]
    assert all(it.program.domain == domain and it.program.length == it.length for it in hall)
    told = search.evaluations()
    again = pickle.loads(pickle.dumps((hall, told)))
    assert [it.to_dict() for it in again[0]] == [it.to_dict() for it in hall]
    assert [(it.birth, it.program, it.outcome) for it in again[1]] == [
        (it.birth, it.program, it.outcome) for it in told
    ]
    # What a run is told is what the evaluator of its configuration says.
    outcomes = search.evaluator().evaluate([it.program for it in told[:3]])
    assert outcomes == [it.outcome for it in told[:3]]
    search.close()
    with Search.resume(tmp_path / "run") as resumed:
        assert (resumed.digest(), resumed.done) == (digest, True)
        assert [it.to_dict() for it in resumed.hall_of_fame] == [it.to_dict() for it in hall]
    # That of learners is the one selected, on what is held out.
    if domain != "learners":
        assert Program.load(tmp_path / "run", domain).live() == best.program
    of_birth = Program.load(f"{tmp_path / 'run'}:{best.birth}", domain)
    assert of_birth.live() == best.program
    assert best.program.live().structural_hash() == of_birth.structural_hash()


ROWS = {
    "optimizers": "programs",
    "expressions": "fits",
    "learners": "learners",
    "graphs": "graphs",
}
"""The key of `evo evaluate --json` under which there is a row for each program."""


@pytest.mark.parametrize("domain", DOMAINS)
def test_evaluate_gives_what_the_command_prints(domain: Domain, tmp_path: Path) -> None:
    config, overrides = short(domain)
    if isinstance(config, str):
        (tmp_path / "config.ron").write_text(config)
        config = tmp_path / "config.ron"
    programs = starts(domain)
    outcomes = evo.evaluate(programs, config, overrides=overrides)
    assert outcomes == evo.evaluate(programs, config, overrides=overrides, threads=1)
    files = []
    for index, program in enumerate(programs):
        files.append(tmp_path / f"{index}.py")
        files[-1].write_text(str(program))
    sets = [word for override in overrides for word in ("--set", override)]
    command = ["evaluate", *map(str, files), "--config", str(config), *sets, "--json"]
    printed = json.loads(evo_command(*command).stdout)
    rows = printed[ROWS[domain]]
    assert [fitness_in(row) for row in rows] == [it.fitness for it in outcomes]


def fitness_in(row: dict[str, Any]) -> float:
    """The fitness by the search's evaluator in a row of `evo evaluate --json`."""
    found: Any = row.get("fitness", row.get("search"))
    # That of a graph is minus its loss.
    return float(-found["loss"] if isinstance(found, dict) else found)


def test_a_space_that_is_written_out_is_no_search() -> None:
    with pytest.raises(evo.EvoError, match="evo ablate"):
        Search(Path(__file__).parents[2] / "configs" / "mini_space.ron")


@pytest.mark.parametrize("domain", DOMAINS)
def test_simplify_keeps_what_a_program_is_worth(domain: Domain) -> None:
    config, overrides = short(domain)
    program = starts(domain)[0]
    if domain == "graphs":
        with pytest.raises(evo.ProgramError, match="no rules to simplify"):
            program.simplify()
        return
    shorter = program.simplify()
    assert shorter.domain == domain and shorter.length < program.length
    if domain == "learners":
        with pytest.raises(evo.ProgramError, match="exactly"):
            program.simplify(rounding=True)
    if domain == "expressions":
        # Which constants there are to fit is a matter of the text.
        overrides.append("evaluation.fit_constants=0")
    one, other = evo.evaluate([program, shorter], config, overrides=overrides)
    assert one.kind == other.kind == "scored"
    assert one.fitness == other.fitness


def test_iterators_of_any_kind_are_stages() -> None:
    def mapped(program: Program) -> Iterator[float]:
        return map(float, (1, 2, 3))

    judge = Judge(mapped, "maximize")
    program = Program.zoo("sgd")
    assert judge.outcome(Candidate(0, program)) == Outcome.scored(3.0, stages=[1.0, 2.0, 3.0])
    stopped = judge.outcome(Candidate(0, program, hurdles=[0.0, 5.0]))
    assert stopped == Outcome.stopped(1, 2.0, [1.0])


RUN = """
import sys
from pathlib import Path
import evo_search as evo

config, out, sets = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
search = evo.Search(config, overrides=sets, out=out)
print("begun", flush=True)
try:
    search.run(lambda it: print(it.counters["births"], flush=True), every=0.1)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""

OPTIMIZE = """
import sys, time
from pathlib import Path
import evo_search as evo

def objective(program):
    print(1, flush=True)
    time.sleep(0.01)
    return float(program.length)

if __name__ == "__main__":
    config, out, sets = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    search = evo.Search(
        config, overrides=sets, out=out, objective="length", depends_on="structure"
    )
    print("begun", flush=True)
    try:
        evo.optimize(search, objective, direction="maximize", workers=2)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def interrupted(script: Path, *arguments: str) -> None:
    """Begins a script, interrupts it once it has printed a few numbers, and sees it end well."""
    command = [sys.executable, str(script), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        assert lines[0] == "begun\n", lines
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert rest.splitlines()[-1] == "interrupted" and process.returncode == 0


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("way", [RUN, OPTIMIZE], ids=["run", "optimize"])
def test_an_interrupt_leaves_a_run_that_ends_as_an_uninterrupted_one(
    domain: Domain, way: str, tmp_path: Path
) -> None:
    config, _ = short(domain)
    if isinstance(config, str):
        (tmp_path / "config.ron").write_text(config)
        config = tmp_path / "config.ron"
    (tmp_path / "script.py").write_text(way)
    sets = ["held_out=()", "keep=Births", "deduplication.level=Structural"]
    sets.append(f"stopping=(candidates: {LONG})")
    interrupted(tmp_path / "script.py", str(config), str(tmp_path / "run"), *sets)
    with Search.resume(tmp_path / "run", overrides=[f"stopping.candidates={LONG}"]) as search:
        births = search.counters["births"]
        assert births > 0 and not search.done
    more = births + (4 if domain == "graphs" else 40)
    limit = [f"stopping.candidates={more}"]
    digests = []
    for out in (tmp_path / "run", None):
        objective = "length" if way == OPTIMIZE else None
        if out is None:
            search = Search(
                config, overrides=[*sets, *limit], objective=objective, depends_on="structure"
            )
        else:
            search = Search.resume(out, overrides=limit)
        if objective is None:
            search.run()
        else:
            optimize(search, length, direction="maximize", workers=0)
        digests.append(search.digest())
    assert digests[0] == digests[1]


def length(program: Program) -> float:
    """The objective of the script."""
    return float(program.length)


EVALUATE = """
import sys
from pathlib import Path
import evo_search as evo

evaluator = evo.Evaluator(Path(sys.argv[1]), overrides=sys.argv[2:])
program = evo.Program.zoo("plain_cell", "graphs")
try:
    print("begun\\n1\\n2\\n3", flush=True)
    evaluator.evaluate([program] * 100_000, threads=2)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_an_interrupt_ends_evaluations_on_the_way(tmp_path: Path) -> None:
    config, overrides = short("graphs")
    (tmp_path / "script.py").write_text(EVALUATE)
    interrupted(tmp_path / "script.py", str(config), *overrides)
