"""What tests of several files share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

# Ray would tell its makers of each run; the loopback is all that a test may use.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """Ray on this machine, with more processors than it has, and devices that it has not: tests are
    of what is computed, and who is given what."""
    ray = pytest.importorskip("ray")
    ray.init(
        address="local",
        num_cpus=6,
        num_gpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        _node_ip_address="127.0.0.1",
    )
    yield ray
    ray.shutdown()


def pytest_configure(config: pytest.Config) -> None:
    """Names the marker of what takes longer than the rest together."""
    config.addinivalue_line("markers", "slow: a minute or so; `just python-test-all` runs it")
