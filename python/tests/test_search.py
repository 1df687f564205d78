"""Searches: one result however they are driven, interrupted or begun."""

import json
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import evo_search as evo
import pytest
from small import EXTERNAL, OPTIMIZERS, short

DOMAINS = ["optimizers", "expressions", "learners", "graphs"]


def shuffled(search: evo.Search, evaluator: evo.Evaluator, seed: int = 0) -> str:
    """Drives a search by hand: outcomes of what is in flight are told in a drawn order."""
    draw = random.Random(seed)
    waiting: list[tuple[evo.Candidate, evo.Outcome]] = []
    while True:
        asked = search.ask(draw.randint(1, 9))
        outcomes = evaluator.evaluate(asked)
        waiting += zip(asked, outcomes, strict=True)
        if not waiting:
            break
        draw.shuffle(waiting)
        for _ in range(draw.randint(1, len(waiting))):
            search.tell(*waiting.pop())
    assert search.done
    return search.digest()


def command(*arguments: str, code: int = 0) -> str:
    """What the command line of the wheel prints."""
    run = subprocess.run(
        [sys.executable, "-m", "evo_search", *arguments], capture_output=True, text=True
    )
    assert run.returncode == code, run.stderr
    return run.stdout if code == 0 else run.stderr


@pytest.mark.parametrize("domain", DOMAINS)
def test_one_digest_from_the_command_line_a_run_and_a_shuffled_loop(
    domain: str, tmp_path: Path
) -> None:
    config, overrides = short(domain)
    file = Path(config) if isinstance(config, Path) else tmp_path / "config.ron"
    if isinstance(config, str):
        file.write_text(config)
    sets = [word for override in overrides for word in ("--set", override)]
    out = tmp_path / "cli"
    run = [sys.executable, "-m", "evo_search", "search", str(file), *sets]
    done = subprocess.run([*run, "--out", str(out), "--quiet"], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    expected = json.loads((out / "report.json").read_text())["digest"]
    for threads in (1, 2):
        search = evo.Search(config, overrides=overrides)
        search.run(threads=threads)
        assert search.digest() == expected and search.done
    search = evo.Search(config, overrides=overrides)
    assert shuffled(search, search.evaluator()) == expected
    assert search.domain == domain
    with evo.Search(config, overrides=overrides, out=tmp_path / "python") as search:
        search.run()
        assert search.digest() == expected
    report = json.loads((tmp_path / "python" / "report.json").read_text())
    assert report["digest"] == expected
    for name in ("hall_of_fame.csv", "best.py"):
        ours, theirs = tmp_path / "python" / name, out / name
        assert ours.read_text() == theirs.read_text()


def test_text_dict_and_file_are_one_configuration(tmp_path: Path) -> None:
    (tmp_path / "external.ron").write_text(
        '(seed: 5, start: "zoo:adamw", strategy: RegularizedEvolution(population: 10, '
        "tournament: 3), deduplication: (level: Structural), stopping: (candidates: 80))"
    )
    text = (tmp_path / "external.ron").read_text()
    digests = set()
    for config in (tmp_path / "external.ron", str(tmp_path / "external.ron"), text, EXTERNAL):
        search = evo.Search(config, objective="length", depends_on="structure")
        digests.add(by_length(search))
        assert search.seed == 5
    assert len(digests) == 1


def by_length(search: evo.Search, most: int | None = None) -> str:
    """Tells the length of every program, of so many at most."""
    told = 0
    while not search.done and (most is None or told < most):
        for candidate in search.ask(4):
            search.tell(candidate, -float(candidate.program.length))
            told += 1
    return search.digest()


def test_a_bad_configuration_is_a_value_error_that_says_where() -> None:
    bad = OPTIMIZERS.replace("tournament: 3", "turnament: 3")
    with pytest.raises(evo.ConfigError, match=r":5:\d+: `strategy.turnament`.*`tournament`"):
        evo.Search(bad)
    with pytest.raises(ValueError, match="strategy.RegularizedEvolution.tournamen"):
        evo.Search({**EXTERNAL, "strategy": {"RegularizedEvolution": {"tournamen": 3}}})
    with pytest.raises(evo.ConfigError, match="No such file"):
        evo.Search("nowhere.ron")
    with pytest.raises(evo.ConfigError, match="--set stopping.candidate"):
        evo.Search(OPTIMIZERS, overrides=["stopping.candidate=3"])
    with pytest.raises(TypeError, match="a path, a text or a dict"):
        evo.Search(3)  # type: ignore[arg-type]


def test_a_run_goes_on_where_it_was_and_under_its_own_objective_only(tmp_path: Path) -> None:
    whole = evo.Search(EXTERNAL, objective="length", depends_on="structure")
    expected = by_length(whole)
    out = tmp_path / "run"
    with evo.Search(EXTERNAL, objective="length", depends_on="structure", out=out) as search:
        by_length(search, most=17)
    with pytest.raises(evo.SearchError, match="`length`.*`other`"):
        evo.Search.resume(out, objective="other")
    assert "objective `length`" in command("resume", str(out), code=2)
    with evo.Search.resume(out) as search:
        assert (search.objective, search.depends_on) == ("length", "structure")
        assert by_length(search) == expected
        assert search.finish() == "80 candidates were bred"
        told = search.evaluations()
        assert len(told) == search.counters["evaluations"]
        assert all(it.outcome.fitness == -it.program.length for it in told)
    report = json.loads((out / "report.json").read_text())
    assert (report["digest"], report["objective"]) == (expected, "length")
    assert "def train" in command("show", str(out))
    with pytest.raises(evo.SearchError, match="not an empty directory"):
        evo.Search(EXTERNAL, objective="length", out=out)


def test_what_ended_is_stored_with_its_reason_and_never_asked_again(tmp_path: Path) -> None:
    out = tmp_path / "run"
    reasons = ["Hung", "Crashed", "OutOfMemory", "Raised"]
    with evo.Search(EXTERNAL, objective="length", depends_on="structure", out=out) as search:
        asked = search.ask(5)
        for candidate, reason in zip(asked[1:], reasons, strict=True):
            outcome = evo.Outcome.ended(reason, "by the test")  # type: ignore[arg-type]
            search.tell(candidate, outcome)
        search.tell(asked[0], 0.0)
    with evo.Search.resume(out) as search:
        again = {candidate.id for candidate in search.ask(20)}
        assert again and not again & {candidate.id for candidate in asked}
        ended = [it.outcome for it in search.evaluations() if it.outcome.kind == "ended"]
        assert [(it.reason, it.message) for it in ended] == [(it, "by the test") for it in reasons]


def test_an_outcome_is_told_once_and_for_what_was_asked() -> None:
    search = evo.Search(EXTERNAL, objective="length", depends_on="structure")
    first = search.ask(2)
    assert [it.id for it in first] == [0, 1] and search.in_flight == 2
    search.tell(first[0], float("nan"))
    assert search.in_flight == 1
    for candidate in (first[0], 77):
        with pytest.raises(evo.SearchError, match="no outcome is awaited"):
            search.tell(candidate, 1.0)
    with pytest.raises(TypeError, match="an Outcome or a number"):
        search.tell(first[1], "good")  # type: ignore[arg-type]
    search.tell(first[1].id, evo.Outcome.scored(1.0))
    with pytest.raises(evo.SearchError, match="objective `length`"):
        search.run()
    search.close()
    search.close()
    with pytest.raises(evo.SearchError, match="closed"):
        search.ask(1)


def test_a_guess_that_outcomes_depend_on_less_is_refused() -> None:
    functional = {**EXTERNAL, "deduplication": {"level": "Functional"}}
    with pytest.raises(evo.EvoError, match="deduplication"):
        evo.Search(functional, objective="length", depends_on="structure")
    evo.Search(functional, objective="length", depends_on="behaviour").close()


def test_an_exception_of_the_callback_ends_a_run_that_can_go_on(tmp_path: Path) -> None:
    whole = evo.Search(OPTIMIZERS)
    whole.run()
    seen = []

    def stop(progress: evo.Progress) -> None:
        seen.append(progress.counters["births"])
        raise KeyError("enough")

    out = tmp_path / "run"
    with evo.Search(OPTIMIZERS, out=out) as search:
        with pytest.raises(KeyError, match="enough"):
            search.run(stop, every=0.0)
        assert search.cancelled and search.stop_reason == "it was cancelled"
    assert len(seen) == 1
    with evo.Search.resume(out) as search:
        assert search.counters["absorbed"] < 60
        search.run()
        assert search.digest() == whole.digest()


INTERRUPTED = """
import sys, evo_search as evo
search = evo.Search(sys.argv[1], overrides=["stopping.candidates=1000000"], out=sys.argv[2])
print("begun", flush=True)
try:
    search.run()
except KeyboardInterrupt:
    search.close()
    print("interrupted", flush=True)
"""


def test_an_interrupt_ends_a_run_in_good_order(tmp_path: Path) -> None:
    (tmp_path / "config.ron").write_text(OPTIMIZERS)
    arguments = [str(tmp_path / "config.ron"), str(tmp_path / "run")]
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "interrupted\n" and process.returncode == 0
    with evo.Search.resume(tmp_path / "run", overrides=["stopping.candidates=60"]) as search:
        assert search.counters["births"] > 0


def test_other_threads_go_on_while_a_search_runs() -> None:
    search = evo.Search(OPTIMIZERS, overrides=["stopping.candidates=100"])
    counted, ended = [0], threading.Event()

    def count() -> None:
        while not ended.is_set():
            counted[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    search.run(threads=1)
    ended.set()
    thread.join()
    assert counted[0] > 10, "the interpreter lock was held"


def test_a_callback_cannot_wait_for_its_own_search() -> None:
    search = evo.Search(OPTIMIZERS)
    with pytest.raises(evo.SearchError, match="Progress"):
        search.run(lambda progress: search.best, every=0.0)


def test_the_hall_of_fame_is_records_and_a_frame() -> None:
    search = evo.Search(EXTERNAL, objective="length", depends_on="structure")
    by_length(search)
    hall = search.hall_of_fame
    assert [it.length for it in hall] == sorted(it.length for it in hall)
    assert search.best is not None and search.best.fitness == max(it.fitness for it in hall)
    again = pickle.loads(pickle.dumps(hall))
    assert [it.to_dict() for it in again] == [it.to_dict() for it in hall]
    frame = search.to_pandas()
    assert list(frame["birth"]) == [it.birth for it in hall]


def test_what_is_held_out_is_asked_for() -> None:
    config = {**EXTERNAL, "held_out": {"every": 20}}
    search = evo.Search(config, objective="length", depends_on="structure")
    asked = []
    while not search.done:
        for candidate in search.ask(4):
            asked.append(candidate.held_out)
            search.tell(candidate, -float(candidate.program.length))
    assert any(asked) and not all(asked)


def test_an_evaluator_travels_as_its_configuration() -> None:
    evaluator = evo.Evaluator(OPTIMIZERS)
    again = pickle.loads(pickle.dumps(evaluator))
    assert again.fingerprint == evaluator.fingerprint
    assert evaluator.fingerprint != evo.Evaluator(OPTIMIZERS.replace("12", "13")).fingerprint
    programs = [evo.Program.zoo(name) for name in ("sgd", "adamw", "lion")]
    outcomes = evaluator.evaluate(programs)
    assert again.evaluate(programs, threads=2) == outcomes
    assert evo.evaluate(programs, OPTIMIZERS) == outcomes
    assert len({outcome.fitness for outcome in outcomes}) == 3
    with pytest.raises(evo.ProgramError, match="Learners"):
        evaluator.evaluate([evo.Program.zoo("linear_learner", "learners")])
    assert evaluator.depends_on == "behaviour" and evaluator.domain == "optimizers"


def test_the_command_line_is_the_same(tmp_path: Path) -> None:
    assert command("--version").startswith("evo ")
    assert evo.main(["zoo", "no_such"]) == 2
    assert "lion" in command("zoo")
    (tmp_path / "bad.ron").write_text("(seed: x)")
    assert command("validate", str(tmp_path / "bad.ron"), code=2).startswith("error: ")


def test_a_run_may_be_kept_where_evo_search_would_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.ron").write_text(OPTIMIZERS)
    directories = []
    for config in ("mine.ron", "mine.ron", OPTIMIZERS):
        with evo.Search(config, out=True) as search:
            directories.append(search.directory)
    names = ["runs/mine-seed3", "runs/mine-seed3-2", "runs/search-seed3"]
    assert directories == [str(tmp_path / name) for name in names]
    with pytest.raises(TypeError, match="a folder, or True"):
        evo.Search(OPTIMIZERS, out=3)  # type: ignore[arg-type]
