"""An optimizer for a PyTorch network of one's own, and a training script that uses it.

Candidates train a small network; the winner then trains a wider one for longer, on other data, as a
plain training script would. Bad candidates cost what the limits allow and end nothing.

    python python/examples/torch_objective.py --candidates 300 --out runs/torch
"""

import argparse
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from evo_search import Program, Search, optimize
from evo_search.callbacks import TensorBoard

CONFIG = """(
    seed: 1,
    start: "zoo:adamw",
    strategy: RegularizedEvolution(population: 20, tournament: 5),
    hurdles: (percentile: 50.0, warm_up: 10),
    stopping: (candidates: 100),
)"""


def network(width: int) -> nn.Module:
    """A multilayer perceptron."""
    return nn.Sequential(
        nn.Linear(16, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 4)
    )


def examples(seed: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs of very different scales, labelled by a hidden network."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 16, generator=generator) * torch.logspace(-1, 1, 16)
    hidden = torch.randn(16, 32, generator=torch.Generator().manual_seed(7))
    readout = torch.randn(32, 4, generator=torch.Generator().manual_seed(8))
    return inputs, (torch.tanh(inputs @ hidden) @ readout).argmax(dim=1)


def losses(optimizer: torch.optim.Optimizer, model: nn.Module, steps: int) -> Iterator[float]:
    """Trains, and gives the validation loss at a third, at two thirds and at the end."""
    inputs, labels = examples(1, 4096)
    held_out, answers = examples(2, 1024)
    for step in range(1, steps + 1):
        batch = torch.randint(len(inputs), (64,))
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs[batch]), labels[batch])
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step % max(1, steps // 3) == 0:
            with torch.no_grad():
                yield float(nn.functional.cross_entropy(model(held_out), answers))


def objective(program: Program) -> Iterator[float]:
    """The loss of a small network: behind each stage, where a hurdle may stop it."""
    model = network(16)
    yield from losses(program.to_torch(model.parameters()), model, 60)


def main() -> None:
    """Searches, then trains."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--candidates", type=int, default=300)
    parser.add_argument("--steps", type=int, default=600, help="of the training script")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", help="run directory")
    parser.add_argument("--tensorboard", help="directory of logs")
    args = parser.parse_args()
    limit = f"stopping.candidates={args.candidates}"
    search = Search(CONFIG, objective="small network", out=args.out, overrides=[limit])
    callbacks: list[Any] = [TensorBoard(args.tensorboard)] if args.tensorboard else []
    optimize(
        search,
        objective,
        direction="minimize",
        workers=args.workers,
        seconds=10.0,
        memory_mb=2000.0,
        callbacks=callbacks,
    )
    assert search.best is not None, "the start program trains"
    for name, program in (("AdamW", Program.zoo("adamw")), ("winner", search.best.program)):
        torch.manual_seed(1)
        model = network(64)
        optimizer = program.to_torch(model.parameters())
        *_, last = losses(optimizer, model, args.steps)
        print(f"{name}: loss {last:.4f} of a network four times as wide")


if __name__ == "__main__":
    main()
