#!/usr/bin/env python3
"""Training steps of the proxy networks beside PyTorch's, on one core, in turns.

    cargo build --release -p evo-evaluators --example step
    python3 benches/step_ratio.py target/release/examples/step

Both sides run pinned to one core with one thread, and window after window is measured of one, then of the
other, so that a busy machine slows both alike: the ratios hold where the times do not. PyTorch runs
eagerly with the faster of its fused and for-each AdamW (`pytorch_step.py` has its networks). Needs
PyTorch. With `--check` the exit code is 1 where a ratio is below its target.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.dont_write_bytecode = True  # the other half is imported from this folder

# How many times PyTorch's time a step should at least be worth, and by how much it may exceed the
# one by hand.
TARGETS = {"mlp": 12.0, "c8": 1.5, "c16": 1.5, "transformer": 1.5}
BY_HAND = 1.5


class Ours:
    """The example `step`, answering with a window at a time."""

    def __init__(self, path):
        self.process = subprocess.Popen(
            [path, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def window(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def measure(name, ours, rounds, seconds):
    import pytorch_step

    steps = {
        kind: pytorch_step.stepper(pytorch_step.MODELS[name], **{kind: True})
        for kind in pytorch_step.KINDS
    }
    ours.window(name)
    found = []
    for _ in range(rounds):
        window = ours.window(name)
        window["pytorch"] = {
            kind: pytorch_step.microseconds(step, seconds) for kind, step in steps.items()
        }
        found.append(window)
    return found


def report(name, rounds):
    def of(part):
        return statistics.median(map(part, rounds))

    kind = min(rounds[0]["pytorch"], key=lambda kind: of(lambda r: r["pytorch"][kind]))
    ratios = sorted(r["pytorch"][kind] / r["whole"] for r in rounds)
    ratio = statistics.median(ratios)
    phases = [of(lambda r: r["phases"][phase] / sum(r["phases"])) for phase in range(4)]
    data, forward, backward, update = (f"{100 * phase:.0f} %" for phase in phases)
    print(f"{name}: {ratio:.2f} times as fast as PyTorch ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    print(
        f"  medians {of(lambda r: r['whole']):.1f} us and {of(lambda r: r['pytorch'][kind]):.1f} us"
        f" ({kind} AdamW); least {min(r['whole'] for r in rounds):.1f} us and"
        f" {min(r['pytorch'][kind] for r in rounds):.1f} us"
    )
    core = of(lambda r: r["operations"] / r["whole"] / r["rate"])
    own = of(lambda r: r["products"] / r["whole"])
    print(
        f"  GEMM: {100 * core:.0f} % of the core's rate ({1e-3 * of(lambda r: r['rate']):.0f} GFLOP/s);"
        f" the step's products alone take {100 * own:.0f} % of it"
    )
    print(f"  data {data}, forward {forward}, backward {backward}, update {update}")
    met = ratio >= TARGETS[name]
    if rounds[0]["by_hand"] is not None:
        by_hand = of(lambda r: r["whole"] / r["by_hand"])
        print(
            f"  by hand {of(lambda r: r['by_hand']):.1f} us, with the same losses: the step costs"
            f" {by_hand:.2f} times as much"
        )
        met = met and by_hand <= BY_HAND
    sys.stdout.flush()
    return met


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("step", help="the built example")
    parser.add_argument("networks", nargs="*", help="of " + ", ".join(TARGETS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.04, help="length of PyTorch's windows")
    parser.add_argument("--core", type=int, help="the core to run on; else the last allowed one")
    parser.add_argument("--check", action="store_true", help="fail where a target is missed")
    args = parser.parse_args()
    core = max(os.sched_getaffinity(0)) if args.core is None else args.core
    os.sched_setaffinity(0, {core})

    import torch

    torch.set_num_threads(1)
    ours = Ours(args.step)
    print(f"core {core}, load {os.getloadavg()[0]:.1f}, PyTorch {torch.__version__}", flush=True)
    met = [
        report(name, measure(name, ours, args.rounds, args.seconds))
        for name in args.networks or TARGETS
    ]
    ours.process.stdin.close()
    ours.process.wait()
    print(f"load {os.getloadavg()[0]:.1f}")
    sys.exit(1 if args.check and not all(met) else 0)


if __name__ == "__main__":
    main()
