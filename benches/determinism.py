#!/usr/bin/env python3
"""One digest, whatever the threads and however often the run is killed and resumed.

    python3 benches/determinism.py target/release/evo configs/quickstart.ron --candidates 3000

Runs the configuration on 1, 2 and 8 threads, each uninterrupted and killed with SIGKILL at random
instants, and compares the digests of the reports. Exit code 1 if they differ. Needs nothing but
Python.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time


def digest(command):
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(run.stdout)["digest"]


def killed(evo, search, directory, threads, kills, seconds, rng):
    """Starts the run, kills it so many times, and resumes it to its end."""
    command = search
    for _ in range(kills):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.05, 2 * seconds / kills))
        process.kill()
        process.wait()
        command = [evo, "resume", directory, "--quiet", "--threads", str(threads)]
    return digest(command + ["--json"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("evo")
    parser.add_argument("config")
    parser.add_argument("--candidates", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=20)
    args = parser.parse_args()
    rng, digests = random.Random(0), set()
    for threads in [1, 2, 8]:
        with tempfile.TemporaryDirectory() as scratch:
            limit = "stopping.candidates=%d" % args.candidates
            search = [args.evo, "search", args.config, "--set", limit, "--quiet"]
            search += ["--threads", str(threads)]
            started = time.monotonic()
            whole = digest(search + ["--json", "--out", scratch + "/whole"])
            seconds = time.monotonic() - started
            directory = scratch + "/killed"
            begin = search + ["--out", directory]
            again = killed(args.evo, begin, directory, threads, args.kills, seconds, rng)
            print(f"{threads} threads: uninterrupted {whole}, killed {args.kills} times {again}")
            digests.update([whole, again])
    print("one digest" if len(digests) == 1 else "the digests differ")
    sys.exit(len(digests) != 1)


if __name__ == "__main__":
    main()
