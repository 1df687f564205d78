#!/usr/bin/env python3
"""Search settings side by side at equal evaluations, judged by what a search did not see.

    python3 benches/campaign.py target/release/evo configs/quickstart.ron --evaluations 400 \\
        'as configured' \\
        'small: strategy=RegularizedEvolution(population: 25, tournament: 5)' \\
        'random search: strategy=RandomSearch(mutations: 10); hurdles=()'

A setting is its name and what is set beside the configuration. A row has the means over the seeds,
with 95% bootstrap intervals, of the winner's fitness, of its fitness on fresh repeats and on the
tasks held out, and of how much it is above the first setting's there, seed by seed. Needs nothing
but Python.
"""

import argparse
import concurrent.futures
import json
import math
import random
import subprocess
import tempfile

FIGURES = ("fitness", "fresh repeats", "held out")


def interval(values, rng, draws=10_000):
    """The 95% bootstrap interval of the mean."""
    means = sorted(sum(rng.choices(values, k=len(values))) / len(values) for _ in range(draws))
    return means[int(0.025 * draws)], means[int(0.975 * draws)]


def parsed(text):
    name, _, sets = text.partition(":")
    return name.strip(), [part.strip() for part in sets.split(";") if part.strip()]


def report(evo, config, seed, sets):
    """What a search says in the end, as JSON."""
    with tempfile.TemporaryDirectory() as directory:
        command = [evo, "search", config, "--seed", str(seed), "--threads", "1", "--quiet"]
        command += ["--json", "--out", directory + "/run"]
        command += [part for text in sets for part in ("--set", text)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    # 1: the target fitness was missed.
    if run.returncode not in (0, 1):
        raise RuntimeError(run.stderr)
    return json.loads(run.stdout)


def figures(args, sets, seed):
    limit = f"stopping=(evaluations: {args.evaluations})"
    comparison = report(args.evo, args.config, seed, [limit, *sets])["comparison"]
    winner, held_out = comparison["programs"][-1], comparison["held_out"]
    fresh = winner["fresh"]["mean"] if winner["fresh"] else math.nan
    # Of a task that the winner cannot train there is no gain: the worst that is told apart.
    gains = {task: -2.0 for task in held_out}
    losses = dict(zip(held_out, winner["held_out_losses"]))
    for runs in winner["runs"]:
        loss = losses.get(runs["task"])
        if loss and runs["baseline_loss"]:
            gains[runs["task"]] = max(-2.0, min(2.0, math.log(runs["baseline_loss"] / loss)))
    held_out = sum(gains.values()) / len(gains) if gains else math.nan
    return winner["fitness"], fresh, held_out


def cell(values):
    low, high = interval(values, random.Random(0))
    return f"{sum(values) / len(values):+.4f} ({low:+.4f} to {high:+.4f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("evo")
    parser.add_argument("config")
    parser.add_argument("settings", nargs="+", metavar="NAME: KEY=VALUE; …")
    parser.add_argument("--evaluations", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    settings = [parsed(text) for text in args.settings]
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        jobs = {
            name: [pool.submit(figures, args, sets, seed) for seed in seeds]
            for name, sets in settings
        }
    found = {name: [job.result() for job in runs] for name, runs in jobs.items()}
    first = [run[-1] for run in found[settings[0][0]]]
    print("| setting | " + " | ".join(FIGURES) + " | held out, above the first |")
    print("|" + "---|" * (len(FIGURES) + 2))
    for name, runs in found.items():
        cells = [cell([run[place] for run in runs]) for place in range(len(FIGURES))]
        above = [run[-1] - other for run, other in zip(runs, first)]
        print(f"| {name} | " + " | ".join(cells) + f" | {cell(above)} |")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
