#!/usr/bin/env python3
"""Training steps of the proxy networks beside those of PyTorch and JAX, on one core, in turns.

    cargo build --release -p evo-evaluators --example step
    python3 benches/step_ratio.py target/release/examples/step

All run pinned to one core with one thread, and window after window is measured of one, then of the
next, so that a busy machine slows all alike: the ratios hold where the times do not. PyTorch runs
eagerly with the faster of its fused and for-each AdamW (`pytorch_step.py` has its networks), JAX
the whole loop compiled (`jax_step.py`). Needs PyTorch, JAX and Optax. With `--check` the exit code
is 1 where a ratio is below its target.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", XLA_FLAGS=ONE_THREAD)
sys.dont_write_bytecode = True  # the other half is imported from this folder

# Of a network the peer to beat and how many times its time a step should at least be worth; none
# where nothing was tuned. And by how much a step may exceed the one by hand.
TARGETS = {
    "mlp": ("JAX", 2.0),
    "c8": ("PyTorch", 6.5),
    "c16": ("PyTorch", 2.6),
    "transformer": ("PyTorch", 2.2),
    "recurrent": None,
    "vit": None,
}
BY_HAND = 1.1


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
    import jax_step
    import pytorch_step

    eager = {
        f"PyTorch, {kind}": pytorch_step.stepper(pytorch_step.MODELS[name], **{kind: True})
        for kind in pytorch_step.KINDS
    }
    compiled, steps = jax_step.stepper(jax_step.MODELS[name], seconds)
    ours.window(name)
    found = []
    for _ in range(rounds):
        window = ours.window(name)
        peers = {
            kind: pytorch_step.microseconds(step, seconds) for kind, step in eager.items()
        }
        window["peers"] = peers | {"JAX": 1e6 * jax_step.timed(compiled) / steps}
        found.append(window)
    return found


def ratio_to(peer, rounds):
    """How many times as fast as a peer: median, least and most; by the faster kind of PyTorch."""
    kinds = [kind for kind in rounds[0]["peers"] if kind.startswith(peer)]
    kind = min(kinds, key=lambda kind: statistics.median(r["peers"][kind] for r in rounds))
    ratios = sorted(r["peers"][kind] / r["whole"] for r in rounds)
    return kind, statistics.median(ratios), ratios[0], ratios[-1]


def report(name, rounds):
    def of(part):
        return statistics.median(map(part, rounds))

    phases = [of(lambda r: r["phases"][phase] / sum(r["phases"])) for phase in range(4)]
    data, forward, backward, update = (f"{100 * phase:.0f} %" for phase in phases)
    print(f"{name}: {of(lambda r: r['whole']):.1f} us")
    ratios = {peer: ratio_to(peer, rounds) for peer in ("PyTorch", "JAX")}
    fastest = min(ratios, key=lambda peer: ratios[peer][1])
    for peer, (kind, ratio, least, most) in ratios.items():
        print(
            f"  {ratio:.2f} times as fast as {kind} ({least:.2f} to {most:.2f}),"
            f" {of(lambda r: r['peers'][kind]):.1f} us{', the faster' if peer == fastest else ''}"
        )
    core = of(lambda r: r["operations"] / r["whole"] / r["rate"])
    own = of(lambda r: r["products"] / r["whole"])
    rate = 1e-3 * of(lambda r: r["rate"])
    print(
        f"  GEMM: {100 * core:.0f} % of the core's rate ({rate:.0f} GFLOP/s);"
        f" the step's products alone take {100 * own:.0f} % of it"
    )
    print(f"  data {data}, forward {forward}, backward {backward}, update {update}")
    target = TARGETS[name]
    met = target is None or ratios[target[0]][1] >= target[1]
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
    parser.add_argument("--seconds", type=float, default=0.04, help="length of the peers' windows")
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
