"""What loads the package, and what it says where it cannot be loaded."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

import evo_search
from evo_search import _loadable

PACKAGE = [str(Path(evo_search.__file__).parent)]


def test_a_free_threaded_interpreter_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _loadable.check(PACKAGE)
    monkeypatch.setattr(sysconfig, "get_config_var", {"Py_GIL_DISABLED": 1}.get)
    for folder in (PACKAGE, [str(tmp_path)]):
        with pytest.raises(ImportError, match="free-threaded build.*stable ABI"):
            _loadable.check(folder)


def test_one_built_for_a_free_threaded_interpreter_is_loaded_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sysconfig, "get_config_var", {"Py_GIL_DISABLED": 1}.get)
    # A suffix that is for this interpreter alone.
    suffix = sysconfig.get_config_vars()["EXT_SUFFIX"]
    (tmp_path / f"_engine{suffix}").touch()
    _loadable.check([str(tmp_path)])
