"""Exports run as modules: the class of `Program.to_torch`, the function of `Program.to_optax`.

Invariant: what runs is the text that `Program.export` gives, and nothing around it, so a training
loop here and one with the exported file take the same steps. The module is made once for each
text; its source is kept where tracebacks and `inspect` look for it, and it is registered by a name
made of the text, so that optimizers can be pickled within a process that has made it.
"""

import hashlib
import linecache
import sys
import types
from typing import Any

from evo_search._engine import Program

_NAME = "Evolved"


def _module(program: Program, target: str) -> types.ModuleType:
    source = program.export(target, name=_NAME)
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    name = f"evo_search._generated.{target}_{digest}"
    known = sys.modules.get(name)
    if known is not None:
        return known
    file = f"<{name}>"
    lines = source.splitlines(keepends=True)
    # No time of change: what is in memory is never looked for on a disk.
    linecache.cache[file] = (len(source), None, lines, file)
    module = types.ModuleType(name)
    module.__file__ = file
    # Registered before it runs, as an import does: dataclasses look for the module of a class.
    sys.modules[name] = module
    try:
        exec(compile(source, file, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def torch_class(program: Program) -> Any:
    """The `torch.optim.Optimizer` of a program."""
    return getattr(_module(program, "torch"), _NAME)


def optax_function(program: Program) -> Any:
    """The function that makes the `optax.GradientTransformation` of a program."""
    return getattr(_module(program, "optax"), _NAME.lower())
