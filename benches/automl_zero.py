#!/usr/bin/env python3
"""Candidates a second beside the C++ program of AutoML-Zero, on one core, in turns.

    python3 benches/automl_zero.py RUN_SEARCH_EXPERIMENT [--evo target/release/evo] [--turns 5]

RUN_SEARCH_EXPERIMENT is its program, built with the memory of its `run_demo.sh` (4 scalars, 3
vectors, 1 matrix): source in `automl_zero` of google-research, for which g++ with Abseil, Eigen,
protobuf and glog will do. Both search its demonstration: tasks, ops, sizes, population and
mutations are those of `configs/learner_linear.ron`. Both run with and without looking for
duplicates; a run is pinned to a core, and what counts is the user time of the whole process.
With `--seeds N` both also look N times for what is good on unseen tasks, each to its end.
"""

import argparse
import os
import re
import resource
import statistics
import subprocess
import tempfile

OPS = "[" + ", ".join(
    f"{op}_OP"
    for op in (
        "SCALAR_CONST_SET", "VECTOR_INNER_PRODUCT", "SCALAR_DIFF",
        "SCALAR_PRODUCT", "SCALAR_VECTOR_PRODUCT", "VECTOR_SUM",
    )
) + "]"


def tasks(count, examples, rest=""):
    return f"""tasks {{ scalar_linear_regression_task {{}} features_size: 4
      num_train_examples: {examples} num_valid_examples: 100 num_tasks: {count}
      eval_type: RMS_ERROR {rest} }}"""


def theirs(program, seed, examples, cached, steps, experiments, sufficient):
    """Their command line: `steps` training steps an experiment."""
    cache = "fec { num_train_examples: 10 num_valid_examples: 10 }" if cached else ""
    spec = f"""search_tasks {{ {tasks(10, examples)} }}
      setup_ops: {OPS} predict_ops: {OPS} learn_ops: {OPS}
      setup_size_init: 10 predict_size_init: 2 learn_size_init: 8 {cache}
      fitness_combination_mode: MEAN_FITNESS_COMBINATION
      population_size: 1000 tournament_size: 10 initial_population: RANDOM_ALGORITHM
      max_train_steps: {steps}
      allowed_mutation_types {{ mutation_types: [ALTER_PARAM_MUTATION_TYPE,
        RANDOMIZE_INSTRUCTION_MUTATION_TYPE, RANDOMIZE_COMPONENT_FUNCTION_MUTATION_TYPE] }}
      mutate_prob: 0.9 progress_every: 10000"""
    final = tasks(100, 1000, "data_seeds: [1000000] param_seeds: [2000000]")
    return [
        program,
        f"--search_experiment_spec={spec}",
        f"--final_tasks={final}",
        f"--select_tasks={tasks(100, 1000)}",
        f"--max_experiments={experiments}",
        "--randomize_task_seeds",
        f"--sufficient_fitness={sufficient}",
        f"--random_seed={seed}",
    ]


def ours(program, seed, examples, cached, candidates, out):
    """Our command line: so many candidates, or with 0 all that it takes to the end."""
    sets = [
        f"evaluation.search.examples={examples}",
        f"evaluation.data_seed={seed}",
        f"deduplication=(level: {'Functional' if cached else 'Off'})",
    ]
    if candidates:
        sets += [f"stopping=(candidates: {candidates})", "held_out=()"]
    config = os.path.join(os.path.dirname(__file__), "..", "configs", "learner_linear.ron")
    command = [program, "search", config, "--quiet", "--json", "--threads", "1", "--out", out]
    return command + [f"--seed={seed}"] + [part for it in sets for part in ("--set", it)]


def run(command, core):
    """What it printed, and its seconds of user time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(
        ["taskset", "-c", str(core), *command], capture_output=True, text=True, check=True
    )
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    return done.stdout + done.stderr, spent


def experiment(args, seed, examples, cached, candidates, steps, sufficient=2.0):
    """Candidates and seconds of each of the two, one after the other."""
    with tempfile.TemporaryDirectory() as out:
        command = ours(args.evo, seed, examples, cached, candidates, os.path.join(out, "run"))
        text, our_time = run(command, args.core)
    our_count = int(re.search(r'"births": (\d+)', text)[1])
    experiments = 1 if candidates else 0
    command = theirs(args.theirs, seed, examples, cached, steps, experiments, sufficient)
    text, their_time = run(command, args.core)
    # Each experiment counts from nothing, and says where it is every 10,000.
    counts = [int(count) for count in re.findall(r"indivs=(\d+)", text)]
    ends = [a for a, b in zip(counts, counts[1:] + [0]) if b <= a]
    return (our_count, our_time), (sum(ends), their_time)


def throughput(args):
    print("cache, examples: candidates a second, ours and theirs (medians); ratio (least, most)")
    for cached, examples in [(False, 100), (True, 100), (False, 1000), (True, 1000)]:
        # Each some ten seconds of theirs and some of ours.
        candidates = {100: 1_000_000, 1000: 300_000}[examples]
        steps = (100_000_000 if cached else 300_000_000) * (1 if examples == 100 else 2)
        rates = []
        for turn in range(args.turns):
            pair = experiment(args, turn + 1, examples, cached, candidates, steps)
            rates.append([count / seconds for count, seconds in pair])
        ratios = [mine / other for mine, other in rates]
        mine, other = (statistics.median(column) for column in zip(*rates))
        print(
            f"{'with' if cached else 'without'}, {examples}: {mine:,.0f} {other:,.0f};"
            f" {statistics.median(ratios):.2f} ({min(ratios):.2f}, {max(ratios):.2f})",
            flush=True,
        )


def discoveries(args):
    print("seed: seconds of user time and candidates until it is found, ours and theirs")
    found = []
    for seed in range(1, args.seeds + 1):
        pair = experiment(args, seed, 100, True, 0, 200_000_000, sufficient=0.9999)
        found.append([seconds for _, seconds in pair])
        text = ", ".join(f"{seconds:.1f} s {count:,}" for count, seconds in pair)
        print(f"{seed}: {text}", flush=True)
    for name, column in zip(("ours", "theirs"), zip(*found)):
        print(f"{name}: median {statistics.median(column):.1f} s, pooled {sum(column):.0f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("theirs", help="run_search_experiment of AutoML-Zero")
    parser.add_argument("--evo", default="target/release/evo")
    parser.add_argument("--core", type=int, default=0, help="where all is run")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=0)
    args = parser.parse_args()
    if args.turns:
        throughput(args)
    if args.seeds:
        discoveries(args)


if __name__ == "__main__":
    main()
