#!/usr/bin/env python3
"""What to expect of 10, 100 and 1000 workers: a run simulated from what dispatch costs.

    python benches/cluster_simulation.py docs/records/2026-12-01-ray-dispatch.json

The file is what `benches/ray_dispatch.py --json` writes: the seconds that the driver spends on a
cohort and on a trial, how long a call of an actor takes that does nothing, and how long each
evaluation of a real search took. Workers, driver and window are as in a run: births are handed out
in order, none further than the window from the oldest that is not evaluated, in cohorts of the size
that `evo_search.ray` would choose, two to a worker; evaluations take times drawn from those that
were measured. Nothing is measured here, and no clock is read.
"""

import argparse
import heapq
import json
import random
from collections import deque
from dataclasses import dataclass

from evo_search.ray.cohort_size import CohortSize

COHORTS_AHEAD = 2


@dataclass(frozen=True)
class Costs:
    """Seconds."""

    cohort: float
    """That the driver spends on a cohort."""
    trial: float
    """That it spends on a trial: breeding it, sending it, taking in its outcome."""
    call: float
    """For a call of an actor to come back that does nothing."""


@dataclass(frozen=True)
class Expectation:
    """What a run would come to."""

    busy: float
    """Share of the workers' time that they evaluate."""
    driver: float
    """Share of its time that the driver has something to do."""
    rate: float
    """Evaluations a second."""
    cohort: int
    """Trials in a cohort at the end."""


class Run:
    """A run of so many trials in simulated time."""

    def __init__(self, workers, durations, costs, window, trials, seed=0):
        self.costs, self.window, self.trials = costs, window, trials
        rng = random.Random(seed)
        self.durations = [rng.choice(durations) for _ in range(trials)]
        self.free_at = [0.0] * workers
        self.ahead = [0] * workers
        self.idle = deque(list(range(workers)) * COHORTS_AHEAD)
        self.sizes = CohortSize()
        self.sizes.dispatched(costs.call)
        self.arrivals = []
        self.told = [False] * trials
        self.oldest = self.born = 0
        self.now = self.worked = 0.0

    def simulate(self):
        """Runs to the end."""
        while self.oldest < self.trials:
            self.hand_out()
            arrival = self.arrivals[0][0]
            self.now = max(self.now, arrival)
            while self.arrivals and self.arrivals[0][0] <= self.now:
                self.take_in(*heapq.heappop(self.arrivals)[1:])
        workers = len(self.free_at)
        evaluated = sum(self.durations)
        busy = evaluated / (workers * self.now)
        size = self.sizes.size(workers)
        return Expectation(busy, self.worked / self.now, self.trials / self.now, size)

    def work(self, seconds):
        self.now += seconds
        self.worked += seconds

    def hand_out(self):
        while self.idle and (room := self.room()) > 0:
            # As a fleet does: nobody gets a whole cohort while others would go without.
            share = -(-room // len(self.idle))
            size = min(self.sizes.size(len(self.free_at)), share, room)
            worker = self.idle.popleft()
            births = range(self.born, self.born + size)
            self.born += size
            self.work((self.costs.cohort + size * self.costs.trial) / 2)
            begin = max(self.free_at[worker], self.now + self.costs.call / 2)
            taken = sum(self.durations[birth] for birth in births)
            self.free_at[worker] = begin + taken
            arrival = begin + taken + self.costs.call / 2
            heapq.heappush(self.arrivals, (arrival, worker, births, taken))

    def room(self):
        return min(self.oldest + self.window, self.trials) - self.born

    def take_in(self, worker, births, taken):
        self.work((self.costs.cohort + len(births) * self.costs.trial) / 2)
        self.sizes.evaluated(len(births), taken)
        for birth in births:
            self.told[birth] = True
        while self.oldest < self.trials and self.told[self.oldest]:
            self.oldest += 1
        self.idle.append(worker)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("measured", help="what benches/ray_dispatch.py --json wrote")
    parser.add_argument("--workers", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--window", type=int, nargs="*", default=[64, 1024, 16384])
    parser.add_argument("--trials", type=int, default=50, help="for each worker and cohort")
    args = parser.parse_args()
    with open(args.measured) as file:
        measured = json.load(file)
    costs = Costs(**measured["costs"])
    print("| evaluation | workers | window | cohort | workers busy | driver busy | a second |")
    print("|---|---|---|---|---|---|---|")
    for name, durations in measured["durations"].items():
        for workers in args.workers:
            for window in args.window:
                mean = sum(durations) / len(durations)
                least = args.trials * workers * max(1, round(0.05 / mean))
                trials = max(4 * window, min(least, 400_000))
                it = Run(workers, durations, costs, window, trials).simulate()
                print(
                    f"| {name} | {workers} | {window} | {it.cohort} | {it.busy:.1%} "
                    f"| {it.driver:.1%} | {it.rate:,.0f} |"
                )


if __name__ == "__main__":
    main()
