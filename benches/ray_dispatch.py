#!/usr/bin/env python3
"""What dispatch costs on Ray: searches whose evaluations sleep, beside plain tasks of one each.

    python benches/ray_dispatch.py --json docs/records/2026-12-01-ray-dispatch.json

A sleeping evaluation needs no processor, so the figures are of dispatch and not of how many
evaluations share a core. All are of real searches, with breeding, hashing and telling, in one run:
the two ways to dispatch in turns, with the same seeds and so the same candidates. The share of the
workers' time that was not spent evaluating is counted from the first trial handed out to the last
outcome, actors and Ray's workers being up; evaluations time themselves, so all else is dispatch.

It measures what `benches/cluster_simulation.py` simulates larger clusters from, too: the processor
time of the driver for a cohort and for a trial, by cohorts of one and of fifty, and how long each
evaluation of the quickstart takes here.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

import ray

from evo_search import Candidate, Outcome, Program, Search
from evo_search.crew import Told, drive
from evo_search.ray.actor import InProcess
from evo_search.ray.cohort_size import CohortSize
from evo_search.ray.fleet import Fleet, Size
from evo_search.verdict import Judge

CONFIG = """(
    seed: 1,
    start: "zoo:adamw",
    strategy: RegularizedEvolution(population: 50, tournament: 5),
    deduplication: (level: Structural),
    window: 4096,
    stopping: (candidates: 1000000),
)"""


class Sleeping:
    """An evaluation that sleeps, and says in its loss how long it took, all of it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, program: Program) -> Outcome:
        begun = time.perf_counter()
        # A fitness that the structure decides, so that the search goes the same way every time.
        fitness = float(int(program.structural_hash()[:8], 16))
        time.sleep(self.seconds)
        return Outcome.scored(fitness, losses=[time.perf_counter() - begun])


class PlainTasks:
    """The crew that anyone would begin with: a Ray task for each trial."""

    def __init__(self, judge: Judge, workers: int) -> None:
        self._judge = ray.put(judge)
        self._workers = workers
        self._refs: dict[Any, Candidate] = {}

    @property
    def room(self) -> int:
        """Two to a worker, as a fleet has."""
        return 2 * self._workers - self.in_flight

    @property
    def in_flight(self) -> int:
        """Candidates handed in and not yet collected."""
        return len(self._refs)

    def submit(self, candidates: Sequence[Candidate]) -> None:
        """Hands candidates in."""
        self._refs |= {one_task.remote(self._judge, it): it for it in candidates}

    def collect(self) -> list[Told]:
        """What was evaluated, at least one."""
        ready, _ = ray.wait(list(self._refs), num_returns=1)
        return [(self._refs.pop(ref), ray.get(ref)) for ref in ready]


@ray.remote
def one_task(judge: Judge, candidate: Candidate) -> Outcome:
    """Evaluates one candidate."""
    return judge.outcome(candidate)


class Timed:
    """A crew with a clock: what its workers' time went into."""

    def __init__(self, crew: Any, warm_up: int) -> None:
        self._crew, self._warm_up = crew, warm_up
        self.told = 0
        self.evaluating = 0.0
        self._begun = self._processor = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._crew, name)

    def collect(self) -> list[Told]:
        """As the crew does."""
        told: list[Told] = self._crew.collect()
        if self._warm_up > 0:
            self._warm_up -= len(told)
            self._begun, self._processor = time.perf_counter(), time.process_time()
            return told
        self.told += len(told)
        self.evaluating += sum(outcome.losses[0] for _, outcome in told)
        return told

    def idle(self, workers: int) -> float:
        """The share of the workers' time that they did not evaluate."""
        return 1.0 - self.evaluating / (workers * (time.perf_counter() - self._begun))

    def processor(self) -> float:
        """Seconds of the driver's processor time for each trial."""
        return (time.process_time() - self._processor) / self.told


class Fixed(CohortSize):
    """Cohorts of one size."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def size(self, actors: int) -> int:
        return self._size


def timed(crew: Any, seed: int, trials: int) -> Timed:
    """A search with a crew, to so many trials behind the first hundredth."""
    it = Timed(crew, max(20, trials // 100))
    drive(
        Search(CONFIG, seed=seed, objective="sleep", depends_on="structure"),
        it,
        [lambda _: it.told >= trials],
    )
    return it


def turn(seconds: float, seed: int, args: argparse.Namespace) -> Iterator[tuple[str, float, int]]:
    """Both ways to dispatch evaluations of a length: the share not spent evaluating."""
    judge = Judge(Sleeping(seconds), "maximize")
    trials = round(args.seconds * args.actors / seconds)
    with Fleet(InProcess(judge), Size(args.actors, args.actors), None) as fleet:
        it = timed(fleet, seed, trials)
        yield "evo_search.ray", it.idle(args.actors), fleet.cohorts.size(args.actors)
    it = timed(PlainTasks(judge, args.actors), seed, trials)
    yield "a task each", it.idle(args.actors), 1


def costs(args: argparse.Namespace) -> dict[str, float]:
    """Seconds of the driver's processor for a cohort and a trial, and a call that does nothing."""
    judge, found = Judge(Sleeping(0.0005), "maximize"), {}
    call = 0.0
    for size in (1, 50):
        with Fleet(InProcess(judge), Size(args.actors, args.actors), None) as fleet:
            fleet.cohorts = Fixed(size)
            found[size] = timed(fleet, 9, round(1000 * args.seconds / 4)).processor()
            call = fleet.cohorts.dispatch or call
    cohort = (found[1] - found[50]) / (1 - 1 / 50)
    return {"cohort": cohort, "trial": found[1] - cohort, "call": call}


def quickstart_times(count: int) -> list[float]:
    """How long each of the first evaluations of the quickstart takes, one after another."""
    search = Search("configs/quickstart.ron", overrides=[f"stopping.evaluations={count}"])
    evaluator, times = search.evaluator(), []
    while candidates := search.ask(1):
        begun = time.perf_counter()
        (outcome,) = evaluator.evaluate(candidates)
        times.append(round(time.perf_counter() - begun, 4))
        search.tell(candidates[0], outcome)
    return times


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ms", type=float, nargs="*", default=[1.0, 100.0])
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="of evaluating in each turn")
    parser.add_argument("--quickstart", type=int, default=100, help="evaluations to time")
    parser.add_argument("--json", help="file for benches/cluster_simulation.py")
    args = parser.parse_args()
    ray.init("local", num_cpus=args.actors, include_dashboard=False, log_to_driver=False)
    print("| evaluation | dispatch | cohort | not evaluating, median | each turn |")
    print("|---|---|---|---|---|")
    for ms in args.ms:
        shares: dict[str, list[float]] = {}
        sizes: dict[str, int] = {}
        for seed in range(args.turns):
            for name, share, size in turn(ms / 1000, seed, args):
                shares.setdefault(name, []).append(share)
                sizes[name] = size
        for name, values in shares.items():
            each = ", ".join(f"{value:.1%}" for value in values)
            print(f"| {ms:g} ms | {name} | {sizes[name]} | {median(values):.1%} | {each} |")
    if args.json:
        durations = {f"{ms:g} ms": [ms / 1000] for ms in args.ms}
        durations["quickstart"] = quickstart_times(args.quickstart)
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"costs": costs(args), "durations": durations}, file, indent=1)


if __name__ == "__main__":
    main()
