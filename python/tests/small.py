"""Configurations small enough for tests: seconds, and still every part of a search."""

from pathlib import Path
from typing import Any

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

OPTIMIZERS = """
(
    seed: 3,
    start: "zoo:lion",
    strategy: RegularizedEvolution(population: 8, tournament: 3),
    deduplication: (level: Structural),
    evaluation: (
        tasks: [
            (
                name: "small",
                model: Mlp(hidden: [8]),
                data: Digits,
                batch_size: 16,
                steps: 12,
                learning_rate: 0.01,
                baseline_loss: 2.0,
            ),
        ],
    ),
    stopping: (candidates: 60),
)
"""

EXTERNAL: dict[str, Any] = {
    "seed": 5,
    "start": "zoo:adamw",
    "strategy": {"RegularizedEvolution": {"population": 10, "tournament": 3}},
    "deduplication": {"level": "Structural"},
    "stopping": {"candidates": 80},
}


def short(domain: str) -> tuple[Path | str, list[str]]:
    """A search of a domain that takes a second or two, and its overrides."""
    if domain == "optimizers":
        return OPTIMIZERS, []
    if domain == "expressions":
        return CONFIGS / "expression_nguyen.ron", ["stopping.candidates=3000"]
    if domain == "learners":
        return CONFIGS / "learner_linear.ron", ["stopping.candidates=3000"]
    return CONFIGS / "graph_digits.ron", ["stopping.candidates=4"]
