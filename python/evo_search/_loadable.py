"""Whether the compiled part can be loaded by this interpreter, asked before it is tried.

A free-threaded CPython finds an extension of the stable ABI and begins to run it, though objects
are laid out otherwise there: what follows is a `SystemError` that tells nobody anything, or worse.
"""

from __future__ import annotations

import importlib.machinery
import sysconfig
from collections.abc import Iterable


def check(package: Iterable[str]) -> None:
    """Refuses an interpreter that the compiled part in these folders was not built for."""
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        return
    found = importlib.machinery.PathFinder.find_spec("_engine", list(package))
    if found is not None and found.origin is not None and ".abi3." not in found.origin:
        return
    raise ImportError(
        "this Python is a free-threaded build, and evo_search was built for the stable ABI, which "
        "such a build cannot load: use a CPython, 3.11 or later, that has its interpreter lock "
        "(`python3`, without a `t` behind the version)"
    )
