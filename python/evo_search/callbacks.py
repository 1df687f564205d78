"""Logging callbacks: the figures of a run in TensorBoard, MLflow, or Weights & Biases.

Each takes what its library takes and is given to `optimize`, `evo_search.ray.run` or `Search.run`.
They look on and change nothing. The number of births is the step, so that runs of other
machines and crews lie over each other. Libraries are imported when one is made, none by this file.
"""

from __future__ import annotations

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
