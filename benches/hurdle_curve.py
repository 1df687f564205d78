#!/usr/bin/env python3
"""What hurdles inside of tasks would save, and whom they would stop: a curve from finished runs.

    evo search configs/discover_cpu.ron --out runs/watched \\
        --set 'hurdles.partial=(at: [0.1, 0.25, 0.5], percentile: 0.001, reprieve: 1.0)'
    python3 benches/hurdle_curve.py runs/watched --costs 18,30,40,17,18,50,29,50

The runs have hurdles that next to nothing is below and reprieve all births, so their stores hold
every evaluation to its end with what was seen on the way. For each choice of places and each
percentile the hurdles are put up again from what was known at a birth, as the engine does it. A row
has how much less work there would have been (a ratio, by the costs of the tasks: seconds of an
evaluation, from `evo bench`), and how many of the fittest tenth of their time would have been
stopped. The first rows say how far a look tells who is fit. Needs nothing but Python.

Two things are not as in a run: births are those of the runs as they were, and hurdles behind tasks
stand where they stood.
"""

import argparse
import bisect
import itertools
import math
import re
import sqlite3

ERA = 200  # evaluations among which a fittest tenth is told, as in the engine


class Run:
    """The evaluations of a run, in order of birth, and the places of their stages."""

    def __init__(self, directory, tasks):
        with open(f"{directory}/config.ron", encoding="utf-8") as file:
            text = file.read()

        def setting(key, value=r"([-\d.]+)"):
            return re.search(rf"\b{key}: {value}", text).group(1)

        self.window, self.history = int(setting("window")), int(setting("history"))
        self.warm_up = int(setting("warm_up"))
        self.at = numbers(setting("at", r"\[([^\]]*)\]"))
        between = numbers(setting("stages", r"\[([^\]]*)\]"))
        self.places = []
        for task in range(1, tasks + 1):
            self.places += [(task, share) for share in self.at]
            self.places += [(task, 1.0)] if task in between else []
        store = sqlite3.connect(f"file:{directory}/run.db?mode=ro", uri=True)
        rows = store.execute("SELECT birth, outcome FROM evaluations ORDER BY birth")
        self.evaluations = [(birth, *parsed(outcome)) for birth, outcome in rows]


def numbers(text):
    return [float(it) for it in text.split(",") if it.strip()]


def parsed(outcome):
    """Fitness and stages of an outcome without hurdles inside of tasks; of none a fitness of -inf,
    and whether it was scored."""
    _, reprieved, whole = outcome.rpartition("whole:Some(")
    kind = re.match(r"\w+", whole if reprieved else outcome).group()
    key = "cleared" if kind == "Stopped" else "stages"
    stages = numbers(re.search(rf"{key}:\[([^\]]*)\]", whole).group(1))
    fitness = re.search(r"fitness:([-\w.]+)", whole)
    if kind == "Stopped":
        stages.append(float(fitness.group(1)))
    return float(fitness.group(1)) if kind == "Scored" else -math.inf, stages


class Hurdle:
    """A percentile of the latest unique values, once there are enough."""

    def __init__(self, run, percentile):
        self.run, self.percentile, self.latest, self.sorted = run, percentile, [], []

    def absorb(self, value):
        place = bisect.bisect_left(self.sorted, value)
        if self.sorted[place : place + 1] == [value]:
            return
        self.sorted.insert(place, value)
        self.latest.append(value)
        if len(self.latest) > self.run.history:
            del self.sorted[bisect.bisect_left(self.sorted, self.latest.pop(0))]

    def stops(self, value):
        if len(self.sorted) < self.run.warm_up:
            return False
        rank = math.ceil(self.percentile / 100 * len(self.sorted))
        return value < self.sorted[max(rank, 1) - 1]


def cost(place, costs):
    """The work done up to a place."""
    task, share = place
    return sum(costs[: task - 1]) + share * costs[task - 1]


def replayed(run, costs, at, percentile):
    """The work with and without these hurdles, and of each evaluation fitness and whether it is
    stopped."""
    hurdles = {
        index: Hurdle(run, percentile)
        for index, (_, share) in enumerate(run.places)
        if share in at
    }
    seen, known, work, ended = [], 0, [0.0, 0.0], []
    for birth, fitness, stages in run.evaluations:
        while known < len(seen) and seen[known][0] < birth - run.window:
            for index, value in seen[known][1]:
                hurdles[index].absorb(value)
            known += 1
        reached = [(index, stages[index]) for index in hurdles if index < len(stages)]
        stop = next((n for n, (index, it) in enumerate(reached) if hurdles[index].stops(it)), None)
        seen.append((birth, reached if stop is None else reached[: stop + 1]))
        whole = sum(costs) if fitness > -math.inf else cost(run.places[len(stages) - 1], costs)
        whole = whole if stages else 0.0
        work[0] += whole
        work[1] += whole if stop is None else cost(run.places[reached[stop][0]], costs)
        ended.append((fitness, stop is not None))
    return work, ended


def fittest(ended):
    """Of the fittest tenth of each era, whether they are stopped."""
    for begin in range(0, len(ended), ERA):
        era = ended[begin : begin + ERA]
        ranked = sorted((it for it in era if it[0] > -math.inf), reverse=True)
        least = ranked[: math.ceil(len(era) / 10)]
        yield from (stopped for fitness, stopped in ranked if fitness >= least[-1][0])


def wilson(lost, top, z=1.959964):
    """The 95% interval of a rate."""
    rate = lost / top
    spread = z * math.sqrt(rate * (1 - rate) / top + (z / top / 2) ** 2)
    return [(rate + z * z / top / 2 + sign * spread) / (1 + z * z / top) for sign in (-1, 1)]


def rank_correlation(first, second):
    """Spearman's, ties in order."""
    ranks = []
    for values in (first, second):
        order = sorted(range(len(values)), key=values.__getitem__)
        ranks.append([rank for _, rank in sorted(zip(order, range(len(order))))])
    differences = sum((a - b) ** 2 for a, b in zip(*ranks))
    return 1 - 6 * differences / (len(first) * (len(first) ** 2 - 1))


def tell_correlations(runs):
    """How far the fitness so far at each place tells the fitness, among those scored."""
    print("rank correlation of what is seen with the fitness, of those scored:")
    for index, (task, share) in enumerate(runs[0].places):
        found = []
        for run in runs:
            scored = [it[1:] for it in run.evaluations if it[1] > -math.inf]
            fitness, seen = zip(*((fitness, stages[index]) for fitness, stages in scored))
            found.append(rank_correlation(fitness, seen))
        print(f"  task {task} at {share:4}: " + " ".join(f"{it:+.2f}" for it in found))


def main():
    """Reads the runs and prints a row for each setting."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="+", metavar="RUN_DIR")
    parser.add_argument("--costs", required=True, type=numbers, help="of each task, in order")
    parser.add_argument("--most", type=int, default=2, help="places in a task")
    percentiles = [5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0]
    parser.add_argument("--percentiles", type=numbers, default=percentiles)
    args = parser.parse_args()
    runs = [Run(directory, len(args.costs)) for directory in args.runs]
    print(f"{sum(len(run.evaluations) for run in runs)} evaluations of {len(runs)} runs")
    tell_correlations(runs)
    print("places; percentile; work saved, as a ratio; lost of the fittest tenth; stopped")
    choices = (itertools.combinations(runs[0].at, size) for size in range(1, args.most + 1))
    for at in itertools.chain.from_iterable(choices):
        for percentile in args.percentiles:
            ways = [replayed(run, args.costs, at, percentile) for run in runs]
            before, after = (sum(work[which] for work, _ in ways) for which in (0, 1))
            top = [stopped for _, ended in ways for stopped in fittest(ended)]
            low, high = wilson(sum(top), len(top))
            ended = [stopped for _, ended in ways for _, stopped in ended]
            print(
                f"{', '.join(map(str, at))}; {percentile:g}; {before / after:.2f}; {sum(top)} of "
                f"{len(top)} ({100 * low:.1f} to {100 * high:.1f}%); "
                f"{100 * sum(ended) / len(ended):.0f}%"
            )


if __name__ == "__main__":
    main()
