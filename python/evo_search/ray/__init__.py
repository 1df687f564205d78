"""Searches on a Ray cluster: `evo_search.ray.run`, or `python -m evo_search.ray CONFIG`."""

from .fleet import FleetFailed
from .run import run

__all__ = ["FleetFailed", "run"]
