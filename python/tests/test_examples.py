"""The examples run, with a small budget, and do what they say."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from evo_search import Program, Search, optimize
from evo_search.callbacks import MLflow, TensorBoard, WandB

EXAMPLES = Path(__file__).parents[1] / "examples"

CONFIG = """(
    seed: 5,
    start: "zoo:adamw",
    strategy: RegularizedEvolution(population: 20, tournament: 4),
    deduplication: (level: Structural),
    window: 8,
    stopping: (candidates: 60),
)"""


def output(name: str, *arguments: str) -> str:
    """What an example prints."""
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def figures(text: str, name: str) -> dict[str, float]:
    """The figure called `name` of each line, by the line's first word."""
    found = re.findall(rf"^(\w+): {name} (-?[0-9.]+)", text, re.MULTILINE)
    return {word: float(value) for word, value in found}


def test_optuna_tunes_the_settings_of_a_search() -> None:
    pytest.importorskip("optuna")
    found = figures(output("optuna_settings.py", "--trials", "3", "--candidates", "500"), "fitness")
    assert found.keys() == {"first", "tuned"}


def test_a_pipeline_is_trained_by_the_rule_that_was_found_for_it() -> None:
    pytest.importorskip("sklearn")
    found = figures(output("sklearn_pipeline.py", "--candidates", "40"), "accuracy")
    assert found["winner"] > found["start"] > 0.5


def test_a_training_script_trains_with_the_winner(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("tensorboard")
    arguments = ["--candidates", "40", "--steps", "200", "--out", str(tmp_path / "run")]
    text = output("torch_objective.py", *arguments, "--tensorboard", str(tmp_path / "logs"))
    assert figures(text, "loss").keys() == {"AdamW", "winner"}
    assert list((tmp_path / "logs").glob("events.out.tfevents.*"))


def shorter(program: Program) -> float:
    """The length, as a loss."""
    return float(program.length)


def logged_with(*callbacks: Any) -> Search:
    """A search that callbacks look on at."""
    search = Search(CONFIG, objective="length", depends_on="structure")
    optimize(search, shorter, direction="minimize", workers=0, callbacks=callbacks)
    return search


def test_tensorboard_has_the_best_fitness(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    accumulate = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    callback = TensorBoard(str(tmp_path))
    search = logged_with(callback)
    callback.close()
    events = accumulate.EventAccumulator(str(tmp_path))
    events.Reload()
    assert search.best is not None
    last = events.Scalars("evo/best_fitness")[-1]
    assert (last.step, last.value) == (60, pytest.approx(search.best.fitness))


def test_mlflow_has_the_best_fitness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    # Its files need no server and no database.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri(f"file:{tmp_path}/mlruns")
    callback = MLflow()
    search = logged_with(callback)
    mlflow.end_run()
    metrics = mlflow.get_run(callback.run_id).data.metrics
    assert search.best is not None
    assert metrics["best_fitness"] == pytest.approx(search.best.fitness)
    assert metrics["births"] == 60


def test_wandb_logs_offline(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    callback = WandB(mode="offline", dir=str(tmp_path), project="evo")
    logged_with(callback)
    callback.close()
    (log,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    # A process of its own writes it, and may be a moment behind on a busy machine.
    for _ in range(200):
        if b"best_fitness" in log.read_bytes():
            return
        time.sleep(0.05)
    pytest.fail("nothing of it was logged")
