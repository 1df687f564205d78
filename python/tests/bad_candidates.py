"""A PyTorch objective some of whose candidates misbehave, each in a way that its structure decides.

So which do is the same in every run, and one that a resumed run asked for again would show in the
log: a line for every evaluation that was begun.

    EVALUATION_LOG=FILE python bad_candidates.py RUN_DIR

begins a run of 200 candidates or goes on with it, and prints what each kind was recorded as.
"""

import json
import os
import sys
import time
from pathlib import Path

import torch

from evo_search import Program, Search, optimize

KINDS = ("nan", "hang", "abort", "memory", "raise")
SHARE = 60
"""One structure of so many misbehaves in each of the ways."""


def misbehaves(program: Program) -> str:
    """How a program misbehaves; empty for one that does not."""
    number = int(program.structural_hash()[:12], 16) % SHARE
    return KINDS[number] if number < len(KINDS) else ""


def log(program: Program) -> None:
    """Notes that an evaluation has begun."""
    line = f"{program.structural_hash()} {misbehaves(program)}\n"
    with open(os.environ["EVALUATION_LOG"], "a", encoding="utf-8") as file:
        file.write(line)


def train(program: Program, steps: int = 15) -> float:
    """The loss of a small network after some steps of the optimizer that the program is."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    inputs = torch.randn(64, 8)
    targets = inputs[:, :1] * inputs[:, 1:2]
    optimizer = program.to_torch(network.parameters(), lr=0.02)
    loss = torch.zeros(())
    for _ in range(steps):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(network(inputs), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return float(loss.detach())


def objective(program: Program) -> float:
    """Trains, unless the program is one of those that do otherwise."""
    log(program)
    kind = misbehaves(program)
    if kind == "nan":
        return float("nan")
    if kind == "hang":
        while True:
            time.sleep(1.0)
    if kind == "abort":
        os.abort()
    if kind == "memory":
        eaten = []
        while True:
            eaten.append(torch.ones(2**20))
    if kind == "raise":
        raise ValueError("no good")
    return train(program)


CONFIG = """(
    seed: 5,
    start: "zoo:adamw",
    strategy: RegularizedEvolution(population: 20, tournament: 4),
    deduplication: (level: Structural),
    window: 16,
    stopping: (candidates: 200),
)"""
# Once as this is imported, which no limit counts: the first optimizer of a process takes a second.
train(Program.zoo("adamw"), 1)

NAME = "loss of a small network"


def main() -> None:
    """Searches, and prints."""
    directory = Path(sys.argv[1])
    if (directory / "run.db").exists():
        search = Search.resume(directory, objective=NAME)
    else:
        search = Search(CONFIG, objective=NAME, depends_on="structure", out=directory)
    optimize(search, objective, direction="minimize", workers=2, seconds=3.0, memory_mb=1000.0)
    recorded: dict[str, set[str]] = {}
    for it in search.evaluations():
        what = f"{it.outcome.kind} {it.outcome.reason}"
        recorded.setdefault(misbehaves(it.program), set()).add(what)
    report: dict[str, object] = {kind: sorted(what) for kind, what in recorded.items()}
    print(json.dumps(report | {"digest": search.digest()}))


if __name__ == "__main__":
    main()
