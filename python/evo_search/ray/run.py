"""A run on the actors of a Ray cluster.

Invariant: it is the run that any other crew would make, in the same directory: the driver breeds,
hashes and looks up, and hands out only what has to be evaluated. Actors come and go; what is in the
run directory knows nothing of them.
"""

from __future__ import annotations

from collections.abc import Iterable

import ray

from .._engine import Search, cpu
from ..crew import Callback, drive
from ..limits import Limits
from ..verdict import Direction, Judge, Objective
from .actor import Configured, InProcess, Limited, Source
from .fleet import Fleet, Size


def run(
    search: Search,
    objective: Objective | None = None,
    *,
    direction: Direction | None = None,
    actors: int | tuple[int, int] = 2,
    cpus_per_actor: float = 1.0,
    gpus_per_actor: float = 0.0,
    seconds: float | None = None,
    memory_mb: float | None = None,
    isolate: bool = True,
    accept_cpu: bool = False,
    callbacks: Iterable[Callback] = (),
) -> str:
    """Runs a search to its end on actors, and gives the reason why it ended.

    Without an `objective`, actors evaluate as the configuration says, each by itself; the data that
    it names has to be found there. With one, `direction` and limits are those of `optimize`, and
    each actor has the objective in a process beside it, unless `isolate` is false: then it is
    called in the actor itself, where nothing limits it, and what it kills is the actor.

    `actors` is their number, or the least and the most: then further ones join whenever the cluster
    has room for them. One that dies is replaced and its work done again; a program that was at hand
    in three deaths is recorded as crashed. Actors on another kind of CPU than the run's are left
    out, as `resume` would refuse to go on there, unless `accept_cpu`.

    Ray is used as it was initialised; if it was not, it is begun on this machine.
    """
    least, most = (actors, actors) if isinstance(actors, int) else actors
    size = Size(least, most, cpus_per_actor, gpus_per_actor)
    source = _source(search, objective, direction, Limits(seconds, memory_mb), isolate)
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=True)
    with Fleet(source, size, None if accept_cpu else cpu()) as fleet:
        return drive(search, fleet, callbacks)


def _source(
    search: Search,
    objective: Objective | None,
    direction: Direction | None,
    limits: Limits,
    isolate: bool,
) -> Source:
    if (objective is None) != (search.objective is None):
        raise ValueError("an objective goes with a search that was made with its name, and only so")
    if objective is None:
        if limits != Limits():
            raise ValueError("`seconds` and `memory_mb` are limits of an objective")
        if direction is not None:
            raise ValueError("`direction` goes with an objective")
        return Configured(search.evaluator())
    if direction is None:
        raise ValueError("an objective needs its `direction`")
    judge = Judge(objective, direction)
    judge.check_suits(search)
    if isolate:
        return Limited(judge, limits)
    if limits != Limits():
        raise ValueError("limits need a process to end: not with `isolate=False`")
    return InProcess(judge)
