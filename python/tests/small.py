"""Configurations small enough for tests: seconds, and still every part of a search."""

from pathlib import Path
from typing import Any, Literal

from evo_search import Program

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

Domain = Literal["optimizers", "expressions", "learners", "graphs"]
DOMAINS: list[Domain] = ["optimizers", "expressions", "learners", "graphs"]

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


def starts(domain: Domain) -> list[Program]:
    """Programs that evaluate in no time, the first of them longer than it need be."""
    if domain == "optimizers":
        text = "  a = -g\n  b = -a\n  u = b * lr\n  return u\n"
        return [Program.parse(f"def train(w, g, lr):\n{text}"), Program.zoo("adamw")]
    if domain == "expressions":
        texts = ["  a = x * 1.0\n  b = a * a\n  return b\n", "  a = x * x\n  return a\n"]
        return [Program.parse(f"def f(x):\n{text}", domain) for text in texts]
    if domain == "learners":
        linear = Program.zoo("linear_learner", domain)
        # What is never written is zero.
        longer = str(linear).replace("  s3 = s2 *", "  s3 = s3 - s9\n  s3 = s2 *")
        return [Program.parse(longer, domain), linear]
    return [Program.zoo(name, domain) for name in ("plain_cell", "resnet_cell")]


def short(domain: str) -> tuple[Path | str, list[str]]:
    """A search of a domain that takes a second or two, and its overrides."""
    if domain == "optimizers":
        return OPTIMIZERS, []
    if domain == "expressions":
        return CONFIGS / "expression_nguyen.ron", ["stopping.candidates=3000"]
    if domain == "activations":
        # Expressions too, but scored by networks.
        return CONFIGS.parent / "tests" / "data" / "activation.ron", []
    if domain == "learners":
        return CONFIGS / "learner_linear.ron", ["stopping.candidates=3000"]
    return CONFIGS / "graph_digits.ron", ["stopping.candidates=4"]
