#!/usr/bin/env python3
"""Plain AdamW with hyperparameters drawn at random, beside given programs: a control without the zoo.

    python3 benches/random_adamw.py target/release/evo configs/quickstart.ron [PROGRAM ...] --draws 150

beta1, beta2, eps and weight decay are drawn log-uniformly (the betas by their distance from 1) in the
ranges below, from a stated seed. All are scored by `evo evaluate`. Needs nothing but Python.
"""

import argparse
import json
import math
import os
import random
import subprocess
import tempfile

# Lowest and highest of 1 - beta1, 1 - beta2, eps and weight decay.
RANGES = {"one_minus_beta1": (0.03, 1.0), "one_minus_beta2": (0.0003, 0.3), "eps": (1e-10, 1e-3),
          "weight_decay": (1e-3, 1.0)}

ADAMW = """def train(w, g, m, v, lr, t):
  g2 = square(g)
  m = interp(g, m, {beta1!r})
  v = interp(g2, v, {beta2!r})
  decay1 = power({beta1!r}, t)
  correction1 = 1.0 - decay1
  decay2 = power({beta2!r}, t)
  correction2 = 1.0 - decay2
  scale1 = reciprocal(correction1)
  scale2 = reciprocal(correction2)
  v_hat = v * scale2
  sqrt_v = sqrt(v_hat)
  sqrt_v = sqrt_v + {eps!r}
  m_hat = m * scale1
  update = m_hat / sqrt_v
  wd = w * {weight_decay!r}
  update = update + wd
  lr = lr * 0.001
  update = update * lr
  return update, m, v
"""


def drawn(rng):
    values = {name: math.exp(rng.uniform(math.log(low), math.log(high)))
              for name, (low, high) in RANGES.items()}
    return {"beta1": 1.0 - values["one_minus_beta1"], "beta2": 1.0 - values["one_minus_beta2"],
            "eps": values["eps"], "weight_decay": values["weight_decay"]}


def evaluated(evo, config, programs, settings):
    command = [evo, "evaluate", *programs, "--config", config, "--json"]
    for setting in settings:
        command += ["--set", setting]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(run.stdout)["programs"]


def shown(name, entry):
    if entry["fitness"] is None:
        return f"| {name} | - | - |"
    fresh = entry["fresh"]
    fresh = f"{fresh['mean']:+.4f} ±{fresh['half_width']:.4f}" if fresh else "-"
    return f"| {name} | {entry['fitness']:+.4f} | {fresh} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("evo")
    parser.add_argument("config")
    parser.add_argument("programs", nargs="*", help="programs to print beside the best")
    parser.add_argument("--draws", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    draws = [drawn(rng) for _ in range(args.draws)]
    with tempfile.TemporaryDirectory() as directory:
        files = []
        for index, values in enumerate(draws):
            files.append(os.path.join(directory, f"{index}.py"))
            with open(files[-1], "w", encoding="utf-8") as file:
                file.write(ADAMW.format(**values))
        # The draws are chosen among by fitness, so only the best needs fresh repeats.
        settings = args.set + ["evaluation.held_out=[]"]
        entries = evaluated(args.evo, args.config, files, settings + ["evaluation.fresh_repeats=0"])
        scored = [index for index, entry in enumerate(entries) if entry["fitness"] is not None]
        best = max(scored, key=lambda index: entries[index]["fitness"])
        judged = evaluated(args.evo, args.config, [files[best], *args.programs], settings)
    print(f"best of {args.draws} random AdamWs (seed {args.seed}, {len(scored)} train): {draws[best]}")
    print("| program | fitness | on fresh repeats |")
    print("|---|---|---|")
    for name, entry in zip([f"best of {args.draws} AdamWs", *args.programs], judged):
        print(shown(name, entry))


if __name__ == "__main__":
    main()
