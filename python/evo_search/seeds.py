"""The seeds of whatever an objective draws.

Python's, NumPy's and PyTorch's generators are set back before each evaluation, by the repeat alone:
what an earlier program has drawn would otherwise decide what a later one scores, and with it how
many workers there are.
"""

from __future__ import annotations

import random
import sys


def seed_generators(repeat: int) -> None:
    """Sets back the global generators of those libraries that are in use."""
    random.seed(repeat)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(repeat)
    torch = sys.modules.get("torch")
    if torch is not None:
        # Not `torch.manual_seed`, which asks every kind of device and takes 0.1 ms.
        torch.default_generator.manual_seed(repeat)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(repeat)
