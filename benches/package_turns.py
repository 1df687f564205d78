"""Two builds of the Python package in turns: processor time and the most memory of small searches.

    python benches/package_turns.py FOLDER FOLDER [--turns 5]

Each folder holds a package `evo_search` (a wheel unpacked). Every search runs in a process of its
own; what is reported of each is the median, and of the second folder its ratio to the first.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "configs"

SEARCHES = {
    "optimizers": (ROOT / "tests" / "data" / "tiny.ron", "stopping.candidates=3000"),
    "expressions": (CONFIGS / "expression_nguyen.ron", "stopping=(candidates: 30000)"),
    "learners": (CONFIGS / "learner_linear.ron", "stopping=(candidates: 200000)"),
    "graphs": (CONFIGS / "graph_digits.ron", "stopping=(candidates: 12)"),
}

ONE = """
import json, resource, sys
import evo_search as evo

config, override, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
search = evo.Search(config, overrides=[override])
search.run(threads=threads)
used = resource.getrusage(resource.RUSAGE_SELF)
seconds = used.ru_utime + used.ru_stime
print(json.dumps([seconds, used.ru_maxrss / 1024, search.digest()]))
"""


def measured(folder: str, name: str, threads: int) -> tuple[float, float, str]:
    """Seconds of processor time, megabytes, and the digest."""
    config, override = SEARCHES[name]
    command = [sys.executable, "-c", ONE, str(config), override, str(threads)]
    environment = {**os.environ, "PYTHONPATH": folder}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    seconds, megabytes, digest = json.loads(done.stdout)
    return seconds, megabytes, digest


def main() -> None:
    """Prints a row for each search and number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs=2)
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    print("| search | threads | s | s | ratio | MB | MB |\n|---|---|---|---|---|---|---|")
    for name in SEARCHES:
        for threads in (1, 2):
            rows = [[measured(it, name, threads) for it in args.folders] for _ in range(args.turns)]
            if len({digest for row in rows for *_, digest in row}) != 1:
                raise SystemExit(f"{name}: the results differ")
            first, second = (statistics.median(row[it][0] for row in rows) for it in (0, 1))
            ratio = statistics.median(row[1][0] / row[0][0] for row in rows)
            memory = [statistics.median(row[it][1] for row in rows) for it in (0, 1)]
            print(
                f"| {name} | {threads} | {first:.2f} | {second:.2f} | {ratio:.2f} "
                f"| {memory[0]:.0f} | {memory[1]:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
