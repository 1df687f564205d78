"""Logging callbacks: the figures of a run in a terminal, TensorBoard, MLflow, Weights & Biases.

Each takes what its library takes and is given to `optimize`, `evo_search.ray.run` or `Search.run`.
They look on and change nothing. The number of births is the step, so that runs of other
machines and crews lie over each other. Libraries are imported when one is made, none by this file.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from ._engine import Search


def figures(search: Search) -> dict[str, float]:
    """What there is to log now: the counters of the run, and of the best its fitness and length."""
    values = {name: float(value) for name, value in search.counters.items()}
    best = search.best
    if best is not None:
        values["best_fitness"] = best.fitness
        values["best_length"] = float(best.length)
    return values


class ProgressLine:
    """Prints a line to standard error, every so many seconds."""

    def __init__(self, every: float = 5.0) -> None:
        self._every = every
        self._begun = time.monotonic()
        self._next = self._begun
        self._evaluated: int | None = None

    def __call__(self, search: Search) -> None:
        now, counters = time.monotonic(), search.counters
        if self._evaluated is None:
            # What an earlier part of the run has evaluated took none of this one's time.
            self._evaluated = counters["evaluations"]
        if now < self._next:
            return
        self._next = now + self._every
        rate = (counters["evaluations"] - self._evaluated) / max(now - self._begun, 1e-9)
        line = f"{counters['births']} births, {counters['evaluations']} evaluated, {rate:.1f}/s"
        best = search.best
        if best is not None:
            line += f"; best {best.fitness:+.4f}, {best.length} statements"
        print(line, file=sys.stderr, flush=True)


class TensorBoard:
    """Writes to a directory for TensorBoard; needs `torch` and `tensorboard`."""

    def __init__(self, directory: str) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(directory)

    def __call__(self, search: Search) -> None:
        values = figures(search)
        for name, value in values.items():
            self._writer.add_scalar(f"evo/{name}", value, int(values["births"]))

    def close(self) -> None:
        """Writes out what is left."""
        self._writer.close()


class MLflow:
    """Logs to the active run of MLflow, or to a new one."""

    def __init__(self, **run: Any) -> None:
        import mlflow

        self._mlflow = mlflow
        self._run = mlflow.active_run() or mlflow.start_run(**run)

    def __call__(self, search: Search) -> None:
        values = figures(search)
        self._mlflow.log_metrics(values, step=int(values["births"]), run_id=self.run_id)

    @property
    def run_id(self) -> str:
        """The run that is logged to."""
        return str(self._run.info.run_id)


class WandB:
    """Logs to a run of Weights & Biases; `mode="offline"` needs no account and no network."""

    def __init__(self, **run: Any) -> None:
        import wandb

        self._run: Any = wandb.init(**run)

    def __call__(self, search: Search) -> None:
        values = figures(search)
        self._run.log(values, step=int(values["births"]))

    def close(self) -> None:
        """Ends the run."""
        self._run.finish()
