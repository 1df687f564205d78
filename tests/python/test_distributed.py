"""Trains with exported optimizers in two processes, as PyTorch divides training among many.

    cargo run -p evo-export --example export_cases DIR
    python tests/python/test_distributed.py [DIR]

DIR is target/export-cases if not given. Every export of the zoo, in both of its paths, has to end
at the weights of training in one process, to rounding, or to refuse with the sentence that is
expected here.
"""

import os
import sys
import tempfile
import time
import traceback
import warnings

import torch
import torch.distributed as dist
from torch.distributed.fsdp import fully_shard
from torch.distributed.optim import ZeroRedundancyOptimizer

import torch_exports as exports

STEPS = 4
PROCESSES = 2
# Their numbers are computed over all parameters, and ZeRO hands a process but a part.
OVER_ALL = {"discovered_decay", "lion_discovered", "lion_raw"}
# One that updates parts and reads the number of steps, one that gathers wholes.
COMPILED = {"adamw", "muon"}


def model():
    """Tensors of one to three dimensions, that do not divide evenly, one of a single weight."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv1d(2, 5, 3),
        torch.nn.Flatten(),
        torch.nn.Linear(20, 7),
        torch.nn.Tanh(),
        torch.nn.LayerNorm(7),
        torch.nn.Linear(7, 1),
    )


def train(network, optimizer):
    for step in range(STEPS):
        generator = torch.Generator().manual_seed(step)
        x = torch.randn(8, 2, 6, generator=generator)
        y = x[:, 0, :1] - x[:, 1, 1:2]
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(network(x), y).backward()
        optimizer.step()


def reached(network, optimizer):
    """The weights, and behind them those to validate with, where these are others."""
    whole = lambda p: p.full_tensor() if hasattr(p, "full_tensor") else p
    weights = lambda: [whole(p.detach()).clone() for p in network.parameters()]
    found = weights()
    if hasattr(optimizer, "eval"):
        optimizer.eval()
        found += weights()
    return found


def alone(make, foreach):
    network = model()
    optimizer = make(network.parameters(), foreach=foreach)
    train(network, optimizer)
    return reached(network, optimizer)


def with_fsdp2(make, foreach, compiled=False):
    """Each process holds a part of every parameter."""
    network = model()
    fully_shard(network, mesh=dist.init_device_mesh("cpu", (PROCESSES,)))
    optimizer = make(network.parameters(), foreach=foreach)
    if compiled:
        torch._dynamo.reset()
        optimizer.step = torch.compile(optimizer.step, backend="eager", fullgraph=True)
    train(network, optimizer)
    for p in network.parameters():
        states = [x for x in optimizer.state[p].values() if x.ndim > 0]
        assert all(x.to_local().shape == p.to_local().shape for x in states), "whole states"
    return reached(network, optimizer)


def with_compiled_fsdp2(make, foreach):
    """The same, by one graph."""
    with torch._dynamo.config.patch(error_on_recompile=True):
        return with_fsdp2(make, foreach, compiled=True)


def with_zero(make, foreach):
    """Each process updates some of the parameters."""
    network = model()
    optimizer = ZeroRedundancyOptimizer(network.parameters(), make, foreach=foreach)
    train(network, optimizer)
    return reached(network, optimizer)


def deviation(found, expected):
    """The largest difference, relative to the largest weight of its tensor."""
    pairs = zip(found, expected)
    return max(((a - b).abs().max() / b.abs().max().clamp(min=1e-3)).item() for a, b in pairs)


def check(name, foreach):
    make = exports.optimizer(name)
    expected = alone(make, foreach)
    ways = (with_fsdp2, with_zero) + ((with_compiled_fsdp2,) if name in COMPILED else ())
    for way in ways:
        if way is with_zero and name in OVER_ALL:
            try:
                way(make, foreach)
            except RuntimeError as error:
                assert "computes numbers over all parameters" in str(error), error
                continue
            raise AssertionError(f"{way.__name__} was not refused")
        off = deviation(way(make, foreach), expected)
        assert off < 1e-5, f"{way.__name__} is off by {off:.1e}"


def work(rank, directory, file, names):
    """What one process does; the rest of the world does the same."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    exports.DIRECTORY = directory
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=PROCESSES)
    failed = 0
    for name in names:
        for foreach in (False, True):
            try:
                check(name, foreach)
            except Exception:
                failed += 1
                if rank == 0:
                    print(f"{name}, foreach={foreach}:")
                    traceback.print_exc()
    dist.destroy_process_group()
    sys.exit(failed > 0)


def main():
    arguments = sys.argv[1:]
    directory = arguments[0] if arguments else exports.DIRECTORY
    start = time.perf_counter()
    context = torch.multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        shared = (directory, os.path.join(folder, "store"), arguments[1:] or exports.ZOO)
        world = [context.Process(target=work, args=(rank, *shared)) for rank in range(PROCESSES)]
        for process in world:
            process.start()
        for process in world:
            process.join(timeout=600)
        hung = [process for process in world if process.is_alive()]
        for process in hung:
            process.terminate()
    failed = bool(hung) or any(process.exitcode for process in world)
    verdict = "failed" if failed else "agree with training in one process, or refuse"
    seconds = time.perf_counter() - start
    print(f"{len(shared[2])} rules in {PROCESSES} processes: {verdict}; {seconds:.0f} s")
    sys.exit(failed)


if __name__ == "__main__":
    main()
