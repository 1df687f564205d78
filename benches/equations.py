"""Ten published equations: how many are solved in equal time beside pyoperon.

    python3 benches/equations.py target/release/evo [SECONDS [SEEDS]]

Needs NumPy and pyoperon. Both search on one thread, on the same points, drawn here by seed, and
stop as soon as the error is below 1e-6. Solved: a mean squared error below 1e-6 on the points
fitted and below 1e-4 on a hundred others from the same ranges.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from pyoperon.sklearn import SymbolicRegressor

ONE, TWO = [(-1, 1)], [(-1, 1), (-1, 1)]
EQUATIONS = {
    "Nguyen-1": (lambda x: x**3 + x**2 + x, ONE, 20),
    "Nguyen-2": (lambda x: x**4 + x**3 + x**2 + x, ONE, 20),
    "Nguyen-3": (lambda x: x**5 + x**4 + x**3 + x**2 + x, ONE, 20),
    "Nguyen-4": (lambda x: x**6 + x**5 + x**4 + x**3 + x**2 + x, ONE, 20),
    "Nguyen-5": (lambda x: np.sin(x**2) * np.cos(x) - 1, ONE, 20),
    "Nguyen-6": (lambda x: np.sin(x) + np.sin(x + x**2), ONE, 20),
    "Nguyen-7": (lambda x: np.log(x + 1) + np.log(x**2 + 1), [(0, 2)], 20),
    "Nguyen-9": (lambda x, y: np.sin(x) + np.sin(y**2), TWO, 100),
    "Nguyen-10": (lambda x, y: 2 * np.sin(x) * np.cos(y), TWO, 100),
    "Feynman I.6.2a": (lambda t: np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi), [(1, 3)], 200),
}
ERROR, HELD_OUT = 1e-6, 1e-4
NAMES = "xyz"


def points(function, ranges, count, seed):
    rng = np.random.default_rng(seed)
    columns = [rng.uniform(low, high, count).astype(np.float32) for low, high in ranges]
    inputs = np.stack(columns, axis=1).astype(np.float64)
    return inputs, function(*inputs.T)


def by_evo(binary, folder, inputs, target, seconds, seed):
    names = list(NAMES[: inputs.shape[1]])
    rows = [",".join(map(repr, map(float, [*row, y]))) for row, y in zip(inputs, target)]
    (folder / "points.csv").write_text("\n".join([",".join([*names, "target"]), *rows]) + "\n")
    fitness = float(-np.log(ERROR / np.var(target)))
    (folder / "search.ron").write_text(
        f"""(domain: Expressions, seed: {seed},
        strategy: RegularizedEvolution(population: 200, tournament: 10),
        restarts: (from: Start, plateau: 10000), mutation: (weights: (crossover: 1.0)),
        evaluation: (fit_constants: 6, tasks: [(data: Csv(path: "points.csv", target: "target",
            test_share: 0.0))]),
        stopping: (seconds: {seconds:.1f}, fitness: {fitness}))"""
    )
    command = [binary, "search", folder / "search.ron", "--out", folder / f"run{seed}"]
    command += ["--threads", "1", "--quiet", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(run.stdout)
    text = report["fits"][0]["fitted"] or report["program"]
    # The language is a subset of Python but for the guards of its functions.
    scope = {
        "sin": np.sin, "cos": np.cos, "exp": np.exp, "square": np.square,
        "log": lambda x: np.log(np.abs(x)), "sqrt": lambda x: np.sqrt(np.abs(x)),
    }
    exec(text, scope)  # noqa: S102
    return lambda inputs: scope["f"](*inputs.T)


def by_operon(inputs, target, seconds, seed):
    model = SymbolicRegressor(
        allowed_symbols="add,sub,mul,div,sin,cos,exp,log,sqrt,square,constant,variable",
        optimizer_iterations=6, max_time=max(1, round(seconds)), generations=10**9,
        max_evaluations=10**12, epsilon=ERROR, objectives=["mse"], n_threads=1, random_state=seed,
    )
    model.fit(inputs, target)
    return model.predict


def error(predict, inputs, target):
    with np.errstate(all="ignore"):
        value = float(np.mean((predict(inputs) - target) ** 2))
    return value if np.isfinite(value) else np.inf


def main():
    binary = sys.argv[1]
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    seeds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    print("| equation | evo: fitted, and held out | median s | pyoperon: fitted, and held out | median s |")
    print("|---|---|---|---|---|")
    totals = np.zeros(4, int)
    for name, (function, ranges, count) in EQUATIONS.items():
        cells = []
        for side in range(2):
            fitted, held_out, times = 0, 0, []
            for seed in range(1, seeds + 1):
                inputs, target = points(function, ranges, count, seed)
                others = points(function, ranges, 100, 1000 + seed)
                with tempfile.TemporaryDirectory() as folder:
                    started = time.perf_counter()
                    predict = (
                        by_evo(binary, Path(folder), inputs, target, seconds, seed)
                        if side == 0
                        else by_operon(inputs, target, seconds, seed)
                    )
                    times.append(time.perf_counter() - started)
                    good = error(predict, inputs, target) < ERROR
                    fitted += good
                    held_out += good and error(predict, *others) < HELD_OUT
            cells += [f"{fitted}, {held_out} of {seeds}", f"{np.median(times):.1f}"]
            totals[2 * side : 2 * side + 2] += fitted, held_out
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    a, b, c, d = totals
    print(f"| all | {a}, {b} | | {c}, {d} | |")


if __name__ == "__main__":
    main()
