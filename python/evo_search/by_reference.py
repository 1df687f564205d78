"""How an objective reaches another process.

By reference where it has a name in a module, as functions and instances of classes do. With
cloudpickle, if that is installed, by value where it has none: lambdas, functions of a notebook.

Ray's own cloudpickle serves where Ray is in use, as in its actors.
"""

from __future__ import annotations

import importlib
import pickle
import sys
from typing import Any


class CannotSend(TypeError):
    """An objective that no other process could be handed."""


def pickled(thing: Any) -> bytes:
    """The bytes that another process makes it from."""
    try:
        return pickle.dumps(thing)
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
