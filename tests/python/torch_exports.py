"""Exports to PyTorch as classes, and parameters for them: what the tests of several files share."""

import importlib.util
import inspect
import os
import sys
import unittest

import torch

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DIRECTORY = os.path.join(ROOT, "target", "export-cases")
torch.set_num_threads(1)  # The tensors are tiny.


ZOO = sorted(name.removesuffix(".py") for name in os.listdir(os.path.join(ROOT, "dsl", "zoo")))


def optimizer(name):
    """The class in the export of a program."""
    path = os.path.join(DIRECTORY, f"{name}_torch.py")
    spec = importlib.util.spec_from_file_location(f"{name}_torch", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    own = [value for value in vars(module).values() if inspect.isclass(value)]
    (found,) = [value for value in own if value.__module__ == module.__name__]
    return found


def waves(shapes):
    """Parameters of these shapes, the same for every call."""
    count = [torch.arange(float(torch.Size(shape).numel())) for shape in shapes]
    values = [torch.sin(3.7 * numbers + 1) for numbers in count]
    return [torch.nn.Parameter(value.reshape(shape)) for value, shape in zip(values, shapes)]


def run():
    """Runs the tests of a file whose first argument may be the folder of the exports."""
    global DIRECTORY
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        DIRECTORY = sys.argv.pop(1)
    unittest.main()
