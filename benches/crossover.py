#!/usr/bin/env python3
"""Searches from one start and from three, without and with crossover, at equal evaluations.

    python3 benches/crossover.py target/release/evo [--evaluations 400] [--seeds 10] [--jobs 1]

Optimizers by configs/quickstart.ron: the fitness of the best. Expressions by
configs/expression_nguyen.ron: ln of the evaluations until the error is 1e-7 of the variance, of
`--expressions` at most, so lower is better. Each seed is searched in both ways of a pair; a row has the
seeds that the second way wins, and the mean difference (second less first) with its 95% bootstrap
interval over the seeds. Needs nothing but Python.
"""

import argparse
import concurrent.futures
import json
import math
import random

from campaign import interval, report

STARTS = 'start=["zoo:adamw", "zoo:lion", "zoo:adabelief"]'
CROSSOVER = "mutation.weights.crossover=1.0"
# Each way by its name: what is set, beside a configuration's own.
OPTIMIZERS = {
    "one start": [],
    "three starts": [STARTS],
    "three starts, crossover": [STARTS, CROSSOVER],
}
EXPRESSIONS = {"without": ["mutation.weights.crossover=0.0"], "crossover": [CROSSOVER]}
EQUATIONS = ["Nguyen-3", "Nguyen-4", "Nguyen-6"]
SOLVED = 16.0


def optimizer(args, way, seed):
    limit = f"stopping=(evaluations: {args.evaluations})"
    found = report(args.evo, "configs/quickstart.ron", seed, OPTIMIZERS[way] + [limit])
    return found["comparison"]["programs"][-1]["fitness"], found["start"]


def expression(args, equation, way, seed):
    limit = f"stopping=(evaluations: {args.expressions}, fitness: {SOLVED})"
    sets = [f"evaluation.task={equation}", limit, *EXPRESSIONS[way]]
    found = report(args.evo, "configs/expression_nguyen.ron", seed, sets)
    return math.log(found["counters"]["evaluations"]), "Fitness" in found["stop_reason"]


def results(jobs):
    return [job.result() for job in jobs]


def pair(label, first, second, higher_wins):
    differences = [b - a for a, b in zip(first, second)]
    wins = sum((b > a) == higher_wins for a, b in zip(first, second) if a != b)
    ties = differences.count(0.0)
    low, high = interval(differences, random.Random(0))
    mean = sum(differences) / len(differences)
    count = f"{wins} of {len(differences)}" + (f" ({ties} equal)" if ties else "")
    print(f"| {label} | {count} | {mean:+.4f} | {low:+.4f} to {high:+.4f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("evo")
    parser.add_argument("--evaluations", type=int, default=400)
    parser.add_argument("--expressions", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    seeds = range(args.seeds)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        def all_of(search, way):
            return [pool.submit(search, args, *way, seed) for seed in seeds]

        optimizers = {way: all_of(optimizer, (way,)) for way in OPTIMIZERS}
        expressions = {
            (equation, way): all_of(expression, (equation, way))
            for equation in EQUATIONS
            for way in EXPRESSIONS
        }
    best = {way: [it[0] for it in results(jobs)] for way, jobs in optimizers.items()}
    print("| pair | second ahead | mean difference | 95% interval |\n|---|---|---|---|")
    ways = list(OPTIMIZERS)
    for first, second in zip(ways, ways[1:]):
        pair(f"{second} after {first}", best[first], best[second], True)
    for equation in EQUATIONS:
        runs = {way: results(expressions[equation, way]) for way in EXPRESSIONS}
        logs = {way: [it[0] for it in found] for way, found in runs.items()}
        pair(f"{equation}, crossover after without", logs["without"], logs["crossover"], False)
    for way, jobs in optimizers.items():
        mean = sum(best[way]) / len(best[way])
        starts = [it[1] for it in results(jobs)]
        print(f"{way}: mean best fitness {mean:+.4f}; starts of the winners {starts}")
    for (equation, way), jobs in expressions.items():
        found = results(jobs)
        solved = sum(it[1] for it in found)
        median = sorted(math.exp(it[0]) for it in found)[len(found) // 2]
        print(f"{equation} {way}: {solved} solved, evaluations {median:.0f} in the median")
    print(json.dumps({"fitness": best}))


if __name__ == "__main__":
    main()
