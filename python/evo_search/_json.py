"""What a configuration in a dict may hold beside plain values: paths, and numbers of NumPy."""

import os
from typing import Any


def plain(value: Any) -> Any:
    """The plain value that stands for another one, for `json.dumps`."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    item = getattr(value, "item", None)
    if item is not None:
        return item()
    raise TypeError(f"a configuration cannot hold {value!r}")
