"""How an objective reaches another process.

By reference where it has a name in a module that can be imported, as functions and instances of
classes do. With cloudpickle, if that is installed, by value where it has none: lambdas, and what is
defined in a notebook or a script that was typed or piped in, which nobody can import.

Ray's own cloudpickle serves where Ray is in use, as in its actors.
"""

from __future__ import annotations

import importlib
import os
import pickle
import sys
from typing import Any


class CannotSend(TypeError):
    """An objective that no other process could be handed."""


def main_can_be_imported() -> bool:
    """Whether the program that was started is a file or a module, for another process to import."""
    main = sys.modules["__main__"]
    if getattr(main, "__spec__", None) is not None:
        return True
    file = getattr(main, "__file__", None)
    return file is not None and os.path.exists(file)


def pickled(thing: Any) -> bytes:
    """The bytes that another process makes it from."""
    reason: Exception
    try:
        by_name = pickle.dumps(thing)
        if b"__main__" not in by_name or main_can_be_imported():
            return by_name
        reason = TypeError("what is defined in a notebook, or typed or piped in, has no file")
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        reason = error
    name = "ray.cloudpickle" if "ray" in sys.modules else "cloudpickle"
    try:
        by_value = importlib.import_module(name)
    except ImportError:
        message = f"{reason}; define it at the top of a module or script, or install cloudpickle"
        raise CannotSend(message) from reason
    data: bytes = by_value.dumps(thing)
    return data
