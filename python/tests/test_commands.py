"""The commands that come back as values: what they give, keep and refuse."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

import evo_search as evo
from evo_search import Program
from small import CONFIGS, OPTIMIZERS

STUDY = Path(__file__).parents[2] / "tests" / "data" / "compare.ron"
"""The smallest comparison."""


def names(comparison: dict[str, Any]) -> list[str]:
    """Of the programs, the reference first."""
    return [it["name"] for it in comparison["programs"]]


def gains(comparison: dict[str, Any]) -> dict[str, float]:
    """Of each program over the reference."""
    return {it["name"]: it["reference"]["gain"]["value"] for it in comparison["programs"]}


def test_compare_names_programs_by_their_place_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sgd, few = Program.zoo("sgd"), ["repeats=4", "tuning.settings=3"]
    comparison = evo.compare([sgd, "zoo:lion"], STUDY, overrides=few)
    assert names(comparison) == ["zoo:adamw", "program-0", "zoo:lion"]
    assert list(tmp_path.iterdir()) == []
    by_name = evo.compare(["zoo:sgd"], STUDY, overrides=few, threads=1)
    assert gains(by_name)["zoo:sgd"] == gains(comparison)["program-0"] != 0.0
    one = evo.compare(Program.zoo("lion"), STUDY, reference=sgd, overrides=few)
    assert names(one) == ["reference", "program-0"]
    assert one["config"]["repeats"] == 4


def test_studies_that_are_kept_are_not_made_again(tmp_path: Path) -> None:
    few = ["repeats=4", "tuning.settings=3"]
    first = evo.compare(["zoo:sgd"], STUDY, out=tmp_path / "kept", overrides=few)
    studies = (tmp_path / "kept" / "studies.jsonl").read_text()
    second = evo.compare(["zoo:sgd", "zoo:lion"], STUDY, out=tmp_path / "kept", overrides=few)
    assert gains(second)["zoo:sgd"] == gains(first)["zoo:sgd"]
    assert (tmp_path / "kept" / "studies.jsonl").read_text().startswith(studies)


def test_what_cannot_be_compared_is_refused_as_by_the_command() -> None:
    with pytest.raises(evo.EvoError, match="lyon.*lion"):
        evo.compare(["zoo:lyon"], STUDY)
    with pytest.raises(TypeError, match="a Program is compared"):
        evo.compare([3], STUDY)  # type: ignore[list-item]
    graph = CONFIGS / "graph_digits.ron"
    for command in (lambda: evo.compare(["zoo:sgd"], graph), lambda: evo.baseline(graph)):
        with pytest.raises(evo.EvoError, match=r"graph_digits.ron:\d+:\d+: `domain`.*Optimizers"):
            command()


def test_a_baseline_is_what_searches_read(tmp_path: Path) -> None:
    config = tmp_path / "config.ron"
    stated = "                learning_rate: 0.01,\n                baseline_loss: 2.0,\n"
    config.write_text(OPTIMIZERS.replace(stated, ""))
    with pytest.raises(evo.ConfigError, match="evo baseline"):
        evo.Search(config)
    table = evo.baseline(config, out=tmp_path / "elsewhere.ron")
    assert "small" in table and (tmp_path / "elsewhere.ron").exists()
    assert not (tmp_path / "config.baselines.ron").exists()
    assert evo.baseline(config, threads=1) == table
    measured = (tmp_path / "config.baselines.ron").read_text()
    assert measured == (tmp_path / "elsewhere.ron").read_text()
    loss = evo.evaluate(Program.zoo("adamw"), config)[0].losses[0]
    assert 0.0 < loss < 10.0
    evo.Search(config).close()


def test_errors_are_pickled_with_their_message() -> None:
    for kind in (evo.EvoError, evo.ConfigError, evo.ProgramError, evo.SearchError):
        again = pickle.loads(pickle.dumps(kind("a message")))
        assert type(again) is kind and str(again) == "a message"
