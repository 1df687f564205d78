"""Evolves optimizers, formulas, learning algorithms and compute graphs.

A search is a function of its configuration, its seed and its evaluator: the same three give the
same hall of fame from the command line, from `Search.run`, and from a loop of one's own that asks
and tells in any order.

    >>> import evo_search as evo
    >>> lion = evo.Program.zoo("lion")
    >>> print(lion.live())  # doctest: +ELLIPSIS
    def train(w, g, m, lr):
    ...

Numbers are computed by the compiled part, `_engine`, whose stubs are the reference.
"""

from evo_search import _loadable

# Before the first import of the compiled part.
_loadable.check(__path__)

from evo_search._commands import baseline, compare, evaluate
from evo_search._engine import (
    Candidate,
    Champion,
    ConfigError,
    Evaluation,
    Evaluator,
    EvoError,
    Outcome,
    Program,
    ProgramError,
    Progress,
    Search,
    SearchError,
    Stepper,
    __version__,
    cpu,
    main,
    zoo,
)
from evo_search.crew import ObjectiveFailed
from evo_search.objective import optimize
from evo_search.workers import WorkersFailed

__all__ = [
    "Candidate",
    "Champion",
    "ConfigError",
    "Evaluation",
    "Evaluator",
    "EvoError",
    "ObjectiveFailed",
    "Outcome",
    "Program",
    "ProgramError",
    "Progress",
    "Search",
    "SearchError",
    "Stepper",
    "WorkersFailed",
    "__version__",
    "baseline",
    "compare",
    "cpu",
    "evaluate",
    "main",
    "optimize",
    "zoo",
]
