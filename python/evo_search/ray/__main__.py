"""`python -m evo_search.ray CONFIG`: a search on a Ray cluster, from the command line.

The run directory, its report and what is printed are those of `evo search`; `--resume` goes on with
one. An objective is named as `module:function`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import sys

import ray

from .._engine import EvoError, Search
from ..callbacks import ProgressLine
from ..verdict import Objective
from . import run


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    it = argparse.ArgumentParser("python -m evo_search.ray", description=__doc__)
    it.add_argument("config", metavar="CONFIG", nargs="?", help="configuration of a search (RON)")
    it.add_argument("--resume", metavar="RUN_DIR", help="go on with a run instead")
    it.add_argument("--out", metavar="DIR", help="run directory; as evo search names it by default")
    it.add_argument("--seed", type=int, help="instead of the configuration's")
    it.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], dest="overrides")
    it.add_argument("--address", help="of the cluster: auto, or ray://HOST:PORT; else begun here")
    it.add_argument("--actors", type=actors, default=(2, 2), metavar="N|LEAST-MOST")
    it.add_argument("--cpus-per-actor", type=float, default=1.0)
    it.add_argument("--gpus-per-actor", type=float, default=0.0)
    it.add_argument(
        "--objective", metavar="MODULE:FUNCTION", help="evaluates instead of the engine"
    )
    it.add_argument("--direction", choices=["maximize", "minimize"])
    it.add_argument("--seconds", type=float, help="limit of one evaluation by the objective")
    it.add_argument("--memory-mb", type=float, help="limit of one evaluation by the objective")
    it.add_argument("--accept-cpu", action="store_true", help="let in actors on other CPUs")
    it.add_argument("--quiet", action="store_true", help="no progress")
    return it


def actors(text: str) -> tuple[int, int]:
    """`4`, or `2-16`."""
    least, _, most = text.partition("-")
    size = int(least), int(most or least)
    if not 1 <= size[0] <= size[1]:
        raise ValueError("none, or fewer at most than at least")
    return size


def named(text: str) -> Objective:
    """The function that `module:function` names."""
    module, _, name = text.partition(":")
    if not module or not name:
        raise ValueError(f"--objective {text}: it is named as MODULE:FUNCTION")
    try:
        objective: Objective = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"--objective {text}: {error}") from error
    return objective


def objective_of(args: argparse.Namespace) -> Objective | None:
    """The objective, asked for before anything is begun, as is what goes with one."""
    if args.objective:
        objective = named(args.objective)
        if args.direction is None:
            raise ValueError("--objective needs --direction: maximize or minimize")
        return objective
    for option in ("direction", "seconds", "memory_mb"):
        if getattr(args, option) is not None:
            raise ValueError(f"--{option.replace('_', '-')} goes with --objective")
    return None


def begun(args: argparse.Namespace) -> Search:
    """The search of the arguments, new or gone on with."""
    if args.resume:
        return Search.resume(
            args.resume,
            overrides=args.overrides,
            accept_cpu=args.accept_cpu,
            objective=args.objective,
        )
    return Search(
        args.config,
        seed=args.seed,
        out=args.out or True,
        overrides=args.overrides,
        objective=args.objective,
    )


def main(argv: list[str] | None = None) -> int:
    """Runs the search; 0 when it ended, 2 when it could not begin or go on, 130 interrupted."""
    args = parser().parse_args(argv)
    if (args.config is None) == (args.resume is None):
        parser().error("either CONFIG or --resume RUN_DIR")
    search: Search | None = None
    try:
        objective = objective_of(args)
        if not ray.is_initialized():
            ray.init(address=args.address, include_dashboard=False)
        # Last, so that what cannot be run leaves no run directory.
        search = begun(args)
        reason = run(
            search,
            objective,
            direction=args.direction,
            actors=args.actors,
            cpus_per_actor=args.cpus_per_actor,
            gpus_per_actor=args.gpus_per_actor,
            seconds=args.seconds,
            memory_mb=args.memory_mb,
            accept_cpu=args.accept_cpu,
            callbacks=[] if args.quiet else [ProgressLine()],
        )
    except KeyboardInterrupt:
        if search is not None:
            directory = shlex.quote(os.path.relpath(str(search.directory)))
            hint = f"python -m evo_search.ray --resume {directory}"
            print(f"interrupted; to go on: {hint}", file=sys.stderr)
        return 130
    except (EvoError, OSError, RuntimeError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{reason}; digest {search.digest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
