#!/usr/bin/env python3
"""The campaigns of docs/records/2026-11-30-learner-campaigns.md.

    python3 benches/learner_campaign.py target/release/evo NAME [SEEDS]

NAME is affine, digits, erased, random or throughput. A line for every search: what was searched, the seed, CPU seconds, candidates, how many of them were
evaluated, and the fitness of the find on the select and the final tasks. SEEDS is as `1-10`. Needs
nothing but Python.
"""

import json
import math
import random
import resource
import subprocess
import sys
import tempfile

AFFINE, DIGITS = "configs/learner_affine.ron", "configs/learner_digits.ron"
LINEAR, NETWORK = "configs/learner_linear.ron", "dsl/learners/network_learner.py"

# Programs that are drawn one by one.
DRAWN = ["strategy=RandomSearch(mutations: 1)", "mutation.mutate=1.0", "restarts=()",
         "mutation.weights=(alter_parameter: 0.0, randomize_instruction: 0.0, "
         "randomize_function: 0.0, insert: 0.0, remove: 0.0, randomize_learner: 1.0)"]
SELECTED = ["strategy=RegularizedEvolution(population: 1000, tournament: 5)",
            "restarts=(every: 250000)"]

# Of every op the types that it reads, and last the one that it writes.
TYPES = {"scalar_const_set": "s", "vector_inner_product": "vvs", "scalar_diff": "sss",
         "scalar_product": "sss", "scalar_sum": "sss", "scalar_vector_product": "svv",
         "vector_sum": "vvv"}
SIX = [op for op in TYPES if op != "scalar_sum"]
CONST, DOT, STEP = SIX[:1], SIX[1:2], SIX[2:]
# What is given where a function has no ops: a learner but for its `Learn`.
GIVEN = ("def Setup():\n  s2 = 0.1\ndef Predict():\n{}  s1 = dot(v2, v1)\ndef Learn():\n"
         + 3 * "  s1 = s0 - s0\n")
STARTS = {"learn-3": GIVEN.format("  v2 = s2 * v0\n"),
          "learn-4": GIVEN.format("").replace("v2, v1", "v1, v0") + "  s1 = s0 - s0\n"}
# Problem, scalars, vectors, and the ops and the size of each function.
SPACES = {
    "learn-3": ("Linear", 3, 3, ([], 1), ([], 2), (STEP[:1] + STEP[2:], 3)),
    "learn-4": ("Linear", 3, 3, ([], 1), ([], 1), (STEP, 4)),
    "linear-0": ("Linear", 3, 3, (CONST, 1), (DOT, 1), (STEP, 4)),
    "linear-2": ("Linear", 4, 3, (CONST, 5), (DOT, 1), (STEP, 6)),
    "linear-3": ("Linear", 4, 3, (SIX, 5), (SIX, 1), (SIX, 6)),
    "linear-4": ("Linear", 4, 3, (SIX, 10), (SIX, 2), (SIX, 8)),
    "affine-1": ("Affine", 5, 3, (CONST, 1), (DOT + ["scalar_sum"], 2), (STEP + ["scalar_sum"], 5)),
    "affine-2": ("Affine", 5, 3, (CONST, 3), (DOT + ["scalar_sum"], 3), (STEP + ["scalar_sum"], 9)),
}

# The network with its best rate of 0.01, 0.02, 0.05 and 0.1, on tasks of 1,000 examples.
ERASED = """(
    domain: Learners,
    start: "empty",
    strategy: RegularizedEvolution(population: 1000, tournament: 5),
    mutation: (
        weights: (randomize_function: 0.1, trade: 1.0),
        setup: (ops: ["vector_gaussian_set", "matrix_gaussian_set", "scalar_const_set"], most: 5),
        predict: (
            ops: [
                "matrix_vector_product", "vector_sum", "vector_max", "vector_inner_product", "scalar_sum",
            ],
            most: 7,
        ),
        learn: (
            ops: [
                "scalar_diff", "scalar_product", "scalar_sum", "scalar_vector_product", "vector_sum",
                "vector_heavyside", "vector_product", "vector_outer_product", "matrix_sum",
            ],
            most: 15,
        ),
    ),
    window: 256,
    restarts: (every: 125000),
    held_out: (every: 5000),
    keep: Snapshots,
    evaluation: (
        problem: Network,
        features: 4,
        search: (tasks: 16, examples: 1000, validation: 100),
        select: (tasks: 64, examples: 1000, validation: 100),
        final: (tasks: 64, examples: 1000, validation: 100),
    ),
    stopping: (candidates: 500000),
)
"""
CASES = [("Setup", 1), ("Setup", 2), ("Setup", 3), ("Predict", 1), ("Predict", 2), ("Learn", 1),
         ("Learn", 2), ("Learn", 4), ("all", 2), ("all", 4)]


def evo(*arguments):
    """What a command prints as JSON, and the CPU seconds it took."""
    spent = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    before = spent()
    command = [EVO, *arguments, "--threads", "1", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    # 1: the limit came before what was looked for.
    if run.returncode not in (0, 1):
        raise RuntimeError(run.stderr)
    return json.loads(run.stdout), spent() - before


def sets(texts):
    return [part for text in texts for part in ("--set", text)]


def search(name, config, seed, texts):
    with tempfile.TemporaryDirectory() as directory:
        texts = sets([f"evaluation.data_seed={seed}", *texts])
        out = directory + "/run"
        found, cpu = evo("search", config, "--seed", str(seed), "--quiet", "--out", out, *texts)
    counters, find = found["counters"], found["learners"][-1]
    births, evaluations = counters["births"], counters["evaluations"]
    print(f"{name}\t{seed}\t{cpu:.2f}\t{births}\t{evaluations}\t{births / cpu:.0f}/s"
          f"\t{find['select']:.4f}\t{find['final']:.4f}", flush=True)
    return evaluations


def affine(seed):
    for start in ("random", "empty"):
        search(start, AFFINE, seed, [f"start={start}"])


def digits(seed):
    """Evolution, and random walks from the same start with as many evaluations."""
    evaluations = search("evolution", DIGITS, seed, [])
    walks = ["strategy=RandomSearch(mutations: 10)", "mutation.mutate=1.0"]
    search("random", DIGITS, seed, [*walks, f"stopping=(evaluations: {evaluations})"])


def erased(seed):
    blocks = {}
    for line in open(NETWORK, encoding="utf-8"):
        line = line.split("#")[0].rstrip()
        if line.startswith("def "):
            name = line[4:].split("(")[0]
            blocks[name] = []
        elif line:
            blocks[name].append(line.replace("s3 = 0.01", "s3 = 0.02"))

    def text(gone):
        kept = lambda name: [line for at, line in enumerate(blocks[name]) if (name, at) not in gone]
        return "".join("\n".join([f"def {name}():", *kept(name)]) + "\n" for name in blocks)

    with tempfile.TemporaryDirectory() as directory:
        config, program = directory + "/erased.ron", directory + "/program.py"
        open(config, "w", encoding="utf-8").write(ERASED)

        def select(gone):
            open(program, "w", encoding="utf-8").write(text(gone))
            own = sets([f"evaluation.data_seed={seed}"])
            return evo("evaluate", program, "--config", config, *own)[0]["learners"][0]["select"]

        whole = select(set())
        for function, count in CASES:
            places = [(name, at) for name in blocks for at in range(len(blocks[name]))
                      if function in (name, "all")]
            gone = set(random.Random(f"{function} {count} {seed}").sample(places, count))
            goal = [f"start={text(gone)}", f"stopping.held_out_fitness={whole - 0.005}"]
            name = f"{function} {count}, of {whole:.4f} left {select(gone):.4f}"
            search(name, config, seed, goal)


def size(space):
    """The number of programs without their constants, as a power of ten."""
    _, scalars, vectors, *functions = space
    given, kinds = {"s": scalars, "v": vectors}, lambda ops, of: sum(map(of, ops))
    ways = lambda op: (given[TYPES[op][-1]] - 1) * math.prod(given[ty] for ty in TYPES[op][:-1])
    return sum(count * math.log10(kinds(ops, ways)) for ops, count in functions if ops)


def against_random(seed):
    for name, space in SPACES.items():
        problem, scalars, vectors, *functions = space
        own = [f"evaluation.problem={problem}", "stopping.candidates=1000000",
               f"mutation.memory=(scalars: {scalars}, vectors: {vectors}, matrices: 0)"]
        for function, (ops, count) in zip(("setup", "predict", "learn"), functions):
            limits = f"(ops: {json.dumps(ops)}, least: {count}, most: {count})"
            own.append(f"mutation.{function}={limits}")
        own += [f"start={STARTS[name]}"] if name in STARTS else []
        for strategy, texts in (("evolution", SELECTED), ("random", DRAWN)):
            search(f"{name} (10^{size(space):.1f}) {strategy}", AFFINE, seed, [*own, *texts])


# Every child is a program that there was not before, and all of it is live.
LIVE = """def Setup():
  v1 = gaussian(0.0, 1.0, n_features)
def Predict():
  s1 = dot(v1, v0)
  s2 = dot(v2, v0)
  s1 = s1 + s2
def Learn():
  v1 = maximum(v1, v2)
  v2 = minimum(v1, v0)
"""


def throughput(seed):
    weights = DRAWN[3].replace("randomize_instruction: 0.0", "randomize_instruction: 1.0")
    live = [f"start={LIVE}", *DRAWN[:3], weights.replace("learner: 1.0", "learner: 0.0"),
            "mutation.setup=(ops: [\"vector_gaussian_set\"], least: 1, most: 1)",
            "mutation.predict=(ops: [], least: 3, most: 3)",
            "mutation.learn=(ops: [], least: 2, most: 2)"]
    small = ["mutation.setup.least=1", "mutation.predict.least=2", "mutation.learn.least=3"]
    children = ["start=zoo:discovered_linear_learner", *small, *DRAWN[:3]]
    for examples, candidates in ((100, 200_000), (1_000, 50_000)):
        for level in ("Off", "Structural", "Functional"):
            own = [f"evaluation.search.examples={examples}", f"deduplication=(level: {level})",
                   "held_out=()", f"stopping=(candidates: {candidates})"]
            kinds = (("random programs", DRAWN), ("children", children), ("all live and new", live))
            for name, texts in kinds:
                search(f"{name}, {examples} examples, {level}", LINEAR, seed, [*own, *texts])


CAMPAIGNS = {"affine": affine, "digits": digits, "erased": erased, "random": against_random,
             "throughput": throughput}

if __name__ == "__main__":
    EVO, campaign, *seeds = sys.argv[1:]
    first, _, last = (seeds or ["1-10"])[0].partition("-")
    for number in range(int(first), int(last or first) + 1):
        CAMPAIGNS[campaign](number)
