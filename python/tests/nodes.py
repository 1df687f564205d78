"""A run on a cluster of several nodes, all of them on this machine, that come and go meanwhile.

    python nodes.py LOG

begins with one node. A second one comes up on the way, with room for two actors, and when all three
have been seen at work the first node is killed. Prints as JSON what came of it. A process of its
own, since a process is part of one cluster alone.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import ray
from ray.cluster_utils import Cluster

import evo_search.ray
from evo_search import Search
from evo_search.limits import descendants
from ray_objectives import Placed

CONFIG = """(
    seed: 3,
    start: "zoo:adamw",
    strategy: RegularizedEvolution(population: 20, tournament: 4),
    deduplication: (level: Structural),
    window: 16,
    stopping: (candidates: 300),
)"""

HEAD: dict[str, Any] = {
    "num_cpus": 0,
    "include_dashboard": False,
    # A node is gone after half a second without word of it, and not after a quarter of a minute.
    "_system_config": {
        "health_check_initial_delay_ms": 0,
        "health_check_period_ms": 250,
        "health_check_timeout_ms": 500,
        "health_check_failure_threshold": 2,
    },
}


def a_search() -> Search:
    """The same one every time."""
    return Search(CONFIG, objective="placed", depends_on="structure")


def lose(cluster: Any, node: Any) -> None:
    """Kills all processes of a node at once, as when its machine is gone."""
    (raylet,) = node.all_processes["raylet"]
    for process in descendants(raylet.process.pid):
        os.kill(process, signal.SIGKILL)
    cluster.remove_node(node, allow_graceful=False)


def comes_and_goes(cluster: Any, log: Path) -> dict[str, Any]:
    """The run: its digest, where evaluations were begun, and how many were when a node died."""
    nodes = [cluster.add_node(num_cpus=1, node_ip_address="127.0.0.1")]
    killed_after: list[int] = []

    def look(search: Search) -> None:
        places = log.read_text().split()
        if len(nodes) == 1 and len(places) > 5:
            nodes.append(cluster.add_node(num_cpus=2, node_ip_address="127.0.0.1"))
        if not killed_after and len(set(places)) == 3:
            killed_after.append(len(places))
            lose(cluster, nodes[0])

    search, objective = a_search(), Placed(str(log), 0.05)
    evo_search.ray.run(search, objective, direction="maximize", actors=(1, 3), callbacks=[look])
    places = log.read_text().split()
    return {"digest": search.digest(), "places": places, "killed_after": killed_after}


def main() -> None:
    """Makes the run on the cluster, and by itself."""
    cluster = Cluster(initialize_head=True, head_node_args=HEAD)
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    try:
        found = comes_and_goes(cluster, Path(sys.argv[1]))
    finally:
        ray.shutdown()
        cluster.shutdown()  # type: ignore[no-untyped-call]
    alone = a_search()
    evo_search.optimize(alone, Placed("/dev/null", 0.0), direction="maximize", workers=0)
    print(json.dumps({**found, "alone": alone.digest()}))


if __name__ == "__main__":
    main()
