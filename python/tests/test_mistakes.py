"""What a slip is told: one sentence, before anything is begun where that can be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import evo_search as evo
from evo_search import Candidate, ObjectiveFailed, Program, Search, optimize
from evo_search.verdict import Judge
from small import EXTERNAL

SCRIPT = f"""
import sys
if sys.argv[1:] == ["without"]:
    sys.modules["cloudpickle"] = None

from evo_search import Search, optimize

FACTOR = 3

def objective(program):
    return FACTOR * float(program.length)

search = Search({EXTERNAL!r}, objective="length", depends_on="structure")
print(optimize(search, objective, direction="minimize", workers=1))
"""


def script(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """A script that is run as a file, or piped in."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def test_an_objective_that_is_piped_in_reaches_its_workers_by_value_or_is_refused() -> None:
    pytest.importorskip("cloudpickle")
    done = script("-", text=SCRIPT)
    assert done.stdout == "80 candidates were bred\n", done.stderr
    refused = script("-", "without", text=SCRIPT)
    last = refused.stderr.splitlines()[-1]
    assert "has no file; define it at the top of a module or script, or install" in last


def test_a_script_that_begins_its_run_when_imported_is_told_how_to_guard_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    last = script(str(tmp_path / "script.py")).stderr.splitlines()[-1]
    assert "WorkersFailed: the script begins a run as it is imported" in last
    assert '`if __name__ == "__main__":`' in last


def external(**more: Any) -> Search:
    """A search for an objective."""
    return Search({**EXTERNAL, **more}, objective="length", depends_on="structure")


def length(program: Program) -> float:
    """The length."""
    return float(program.length)


def result_of(value: Any) -> evo.Outcome:
    """The outcome where an objective gives this."""
    judge = Judge(lambda program: value, "maximize")
    return judge.outcome(Candidate(0, Program.zoo("sgd")))


def test_numbers_of_libraries_are_numbers_and_nothing_else_is() -> None:
    numpy = pytest.importorskip("numpy")
    for value in (2, True + 1, numpy.float32(2), numpy.int64(2)):
        assert result_of(value) == evo.Outcome.scored(2.0)
    for value in ("2.0", b"2", None, [2.0], (2.0,), {}, 2j, object()):
        told = result_of(value)
        kind = type(value).__name__
        assert told.reason == "Raised" and f"gave {kind}, not a" in str(told.message)
    for value in (float("nan"), float("inf"), -float("inf")):
        assert result_of(value).reason == "NonFinite"
    torch = pytest.importorskip("torch")
    assert result_of(torch.tensor(2.0)) == evo.Outcome.scored(2.0)
    assert result_of(torch.tensor([2.0, 3.0])).reason == "Raised"


def test_arguments_of_optimize_are_checked_before_anything_begins() -> None:
    search = external()
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"direction": "min"}, ValueError, "maximize"),
        ({"workers": -1}, ValueError, "0 for none"),
        ({"threads": 0}, ValueError, "`threads`"),
        ({"callbacks": print}, TypeError, "a list of functions"),
    ]
    for more, kind, words in cases:
        with pytest.raises(kind, match=words):
            optimize(search, length, **{"direction": "minimize", "workers": 1, **more})
    with pytest.raises(TypeError, match="a Search is what is run"):
        optimize("quickstart.ron", length, direction="minimize")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be a function"):
        optimize(search, 3.0, direction="minimize")  # type: ignore[arg-type]
    assert search.counters["births"] == 0
    with pytest.raises(ObjectiveFailed, match="takes 0 positional arguments"):
        optimize(search, lambda: 1.0, direction="minimize", workers=0)


def test_keys_that_are_missing_are_named() -> None:
    with pytest.raises(evo.ConfigError, match="`strategy`: is missing"):
        Search({"start": "zoo:lion"}, objective="length")
    with pytest.raises(evo.ConfigError, match="`evaluation`: is missing: it says how programs"):
        Search(EXTERNAL)
    with pytest.raises(ValueError, match="an objective has a name"):
        Search(EXTERNAL, objective="")


def test_a_closed_search_says_so() -> None:
    search = external()
    search.close()
    with pytest.raises(evo.SearchError, match="closed"):
        optimize(search, length, direction="minimize", workers=0)
    assert search.closed and "seed 5" in repr(search)
