#!/usr/bin/env python3
"""Evolution against its controls at equal evaluations, over several seeds.

    python3 benches/controls.py target/release/evo configs/quickstart.ron --evaluations 600 --seeds 10

Prints one row for each strategy: the mean fitness of the best, its 95% bootstrap interval over the
seeds, and in how many seeds evolution is ahead. Needs nothing but Python.
"""

import argparse
import concurrent.futures
import json
import random
import subprocess
import tempfile

STRATEGIES = {
    "evolution": "RegularizedEvolution(population: 100, tournament: 5)",
    "constant tuning": "ConstantTuning(population: 100, tournament: 5)",
    "random search": "RandomSearch(mutations: 10)",
}


def best(evo, config, evaluations, strategy, seed):
    with tempfile.TemporaryDirectory() as directory:
        command = [
            evo, "search", config, "--seed", str(seed), "--threads", "1", "--quiet", "--json",
            "--out", directory + "/run",
            "--set", "stopping=(evaluations: %d)" % evaluations,
            "--set", "strategy=" + STRATEGIES[strategy],
        ]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
    winner = json.loads(run.stdout)["comparison"]["programs"][-1]
    return strategy, seed, winner["fitness"]


def interval(values, rng, draws=10_000):
    means = sorted(sum(rng.choices(values, k=len(values))) / len(values) for _ in range(draws))
    return means[int(0.025 * draws)], means[int(0.975 * draws)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("evo")
    parser.add_argument("config")
    parser.add_argument("--evaluations", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    found = {strategy: {} for strategy in STRATEGIES}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        jobs = [
            pool.submit(best, args.evo, args.config, args.evaluations, strategy, seed)
            for seed in range(args.seeds)
            for strategy in STRATEGIES
        ]
        for job in concurrent.futures.as_completed(jobs):
            strategy, seed, fitness = job.result()
            found[strategy][seed] = fitness
    rng = random.Random(0)
    print("| strategy | mean best fitness | 95% interval | evolution ahead |")
    print("|---|---|---|---|")
    for strategy, by_seed in found.items():
        values = [by_seed[seed] for seed in sorted(by_seed)]
        low, high = interval(values, rng)
        ahead = sum(found["evolution"][seed] > by_seed[seed] for seed in by_seed)
        mean = sum(values) / len(values)
        print(f"| {strategy} | {mean:+.4f} | {low:+.4f} to {high:+.4f} | {ahead} of {len(values)} |")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
