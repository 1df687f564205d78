"""Searches on Ray: one hall of fame, whoever evaluates and whoever dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import evo_search.ray
from evo_search import Candidate, Program, Search
from evo_search.ray import FleetFailed
from evo_search.ray.actor import InProcess
from evo_search.ray.cohort_size import CohortSize
from evo_search.ray.fleet import Fleet, Size
from evo_search.verdict import Judge
from ray_objectives import Deadly, Placed, Slow, Unmakeable

TINY = Path(__file__).parents[2] / "tests" / "data" / "tiny.ron"
"""A search whose evaluations train a small network."""


@pytest.fixture(scope="module")
def local() -> str:
    """The digest of the same search here, by the engine's own loop."""
    search = Search(TINY)
    search.run()
    return search.digest()


@pytest.mark.parametrize("actors", [1, 2, 4])
def test_any_number_of_actors_finds_what_a_local_run_finds(
    cluster: Any, local: str, actors: int
) -> None:
    search = Search(TINY)
    evo_search.ray.run(search, actors=actors)
    assert search.digest() == local


def external(directory: Path, candidates: int) -> Search:
    """A search whose candidates an objective of the tests evaluates."""
    config = f"""(
        seed: 3,
        start: "zoo:adamw",
        strategy: RegularizedEvolution(population: 20, tournament: 4),
        deduplication: (level: Structural),
        stopping: (candidates: {candidates}),
    )"""
    return Search(config, out=directory, objective="of the tests", depends_on="structure")


def actor_processes() -> list[int]:
    """The processes of the actors that are up."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes().startswith(b"ray::Actor"):
                found.append(int(process.name))
        except OSError:
            pass
    return sorted(found)


def test_an_actor_that_is_killed_has_its_work_done_again(cluster: Any, local: str) -> None:
    search = Search(TINY)
    killed: list[int] = []

    def kill_one(search: Search) -> None:
        if len(killed) < 2 and search.counters["births"] > 40 * (1 + len(killed)):
            victim = actor_processes()[0]
            os.kill(victim, 9)
            killed.append(victim)

    evo_search.ray.run(search, actors=2, callbacks=[kill_one])
    assert len(set(killed)) == 2
    assert search.digest() == local


def test_what_kills_its_actor_three_times_is_recorded_as_crashed(
    cluster: Any, tmp_path: Path
) -> None:
    search = external(tmp_path / "run", candidates=100)
    evo_search.ray.run(search, Deadly(str(tmp_path / "log")), direction="maximize", isolate=False)
    begun = Counter((tmp_path / "log").read_text().split())
    evaluated = {it.program.structural_hash(): it.outcome for it in search.evaluations()}
    ended = {structure: it for structure, it in evaluated.items() if it.kind == "ended"}
    assert ended, "some candidates kill their actor"
    for structure, it in ended.items():
        # In the first death it may have waited behind another.
        assert (it.reason, begun[structure] in (2, 3)) == ("Crashed", True)
    assert all(begun[structure] <= 3 for structure in evaluated)
    assert len(evaluated) > 20 + len(ended)


def test_actors_join_while_the_run_goes_on(cluster: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    search = external(tmp_path / "run", candidates=150)
    evo_search.ray.run(search, Slow(str(log)), direction="maximize", actors=(1, 3))
    assert len(set(log.read_text().split())) == 3


def test_actors_are_given_a_device_each_and_there_are_no_more_than_devices(
    cluster: Any, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    search = external(tmp_path / "run", candidates=150)
    objective = Placed(str(log), 0.1)
    evo_search.ray.run(
        search, objective, direction="maximize", actors=(1, 4), gpus_per_actor=1.0
    )
    places = set(log.read_text().split())
    assert len(places) == 2 and {place.split("/")[1] for place in places} == {"0", "1"}


def test_nodes_that_come_and_die_leave_the_result_as_it_is(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    log = tmp_path / "log"
    log.touch()
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("nodes.py")), str(log)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["digest"] == found["alone"]
    places, (killed_after,) = found["places"], found["killed_after"]
    first = places[0]
    assert len(set(places)) >= 3, "actors on the node that came up joined"
    assert first not in places[killed_after + 10 :], "its node was killed"
    assert len(places) > killed_after + 20, "the others went on"


def test_an_actor_on_another_kind_of_cpu_is_left_out(cluster: Any) -> None:
    source = InProcess(Judge(Slow("/dev/null"), "maximize"))
    with Fleet(source, Size(1, 1), "a PDP-11") as fleet:
        fleet.submit([Candidate(0, Program.zoo("adamw"))])
        with pytest.raises(FleetFailed, match="another kind of CPU.*PDP-11"):
            fleet.collect()


def test_actors_that_cannot_begin_end_the_run(cluster: Any) -> None:
    with Fleet(Unmakeable(), Size(1, 1), None) as fleet:
        fleet.submit([Candidate(0, Program.zoo("adamw"))])
        with pytest.raises(FleetFailed, match="no such data"):
            fleet.collect()


def test_a_cohort_takes_many_times_what_dispatch_does() -> None:
    sizes = CohortSize()
    assert sizes.size(2) == 1
    sizes.dispatched(0.005)
    sizes.evaluated(10, 0.010)
    assert sizes.size(2) == 200
    assert sizes.size(100) > 1000, "the driver has to keep up with all of them"
    for _ in range(50):
        sizes.evaluated(1, 10.0)
    assert sizes.size(2) == 1


def test_the_command_line_makes_the_run_that_a_local_one_is(
    cluster: Any, local: str, tmp_path: Path
) -> None:
    address = cluster.get_runtime_context().gcs_address
    command = [sys.executable, "-m", "evo_search.ray", str(TINY), "--out", str(tmp_path / "run")]
    command += ["--address", address, "--actors", "1-2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, local in done.stdout) == (0, True), done.stderr
    assert " births, " in done.stderr
    assert {"run.db", "report.json", "best.py"} <= {it.name for it in (tmp_path / "run").iterdir()}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--objective", "nothing:here", "--direction", "minimize"], "No module named 'nothing'"),
        (["--objective", "ray_objectives", "--direction", "minimize"], "MODULE:FUNCTION"),
        (["--objective", "ray_objectives:note"], "--direction"),
        (["--direction", "minimize"], "--direction goes with --objective"),
        (["--memory-mb", "100"], "--memory-mb goes with --objective"),
        (["--set", "stopping.candidate=3"], "stopping.candidate"),
    ],
)
def test_what_cannot_be_run_leaves_nothing(
    cluster: Any, arguments: list[str], words: str, tmp_path: Path, capsys: Any
) -> None:
    from evo_search.ray.__main__ import main

    out = tmp_path / "run"
    assert main([str(TINY), "--out", str(out), *arguments]) == 2
    told = capsys.readouterr()
    assert told.err.startswith("error: ") and words in told.err, told.err
    assert not out.exists() and told.out == ""
    with pytest.raises(SystemExit):
        main([str(TINY), "--actors", "4-2"])


def test_a_run_is_kept_where_evo_search_keeps_it_and_goes_on_from_there(
    cluster: Any, local: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from evo_search.ray import __main__ as command_line

    monkeypatch.chdir(tmp_path)
    begin = [str(TINY), "--quiet", "--set", "stopping.candidates=30"]
    assert command_line.main(begin) == 0
    resume = ["--resume", "runs/tiny-seed7", "--quiet", "--set", "stopping.candidates=150"]
    capsys.readouterr()
    with monkeypatch.context() as broken:
        broken.setattr(command_line, "run", interrupted)
        assert command_line.main(resume) == 130
    hint = "interrupted; to go on: python -m evo_search.ray --resume runs/tiny-seed7\n"
    assert capsys.readouterr().err == hint
    assert command_line.main(resume) == 0
    assert local in capsys.readouterr().out
    assert [it.name for it in (tmp_path / "runs").iterdir()] == ["tiny-seed7"]


def interrupted(*_: Any, **__: Any) -> str:
    """As by Ctrl-C."""
    raise KeyboardInterrupt
