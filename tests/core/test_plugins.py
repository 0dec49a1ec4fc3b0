"""Plugins are loaded once, and by one thread at a time."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TypeGuard

import pytest

from mfagate.core import plugins
from mfagate.core.plugins import Plugins


def is_text(found: object) -> TypeGuard[str]:
    return isinstance(found, str)


def test_threads_that_load_a_package_and_its_module_at_once_do_not_block_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "slowly_imported"
    package.mkdir()
    (package / "__init__.py").write_text("import time\ntime.sleep(0.3)\nfrom slowly_imported.module import NAME\n")
    (package / "module.py").write_text("NAME = 'found'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    entries = [
        EntryPoint("package", "slowly_imported:NAME", "group"),
        EntryPoint("module", "slowly_imported.module:NAME", "group"),
    ]
    monkeypatch.setattr(plugins, "entry_points", lambda group: entries)
    group = Plugins("group", "name", is_text)
    try:
        with ThreadPoolExecutor() as pool:
            assert list(pool.map(group.get, ["package", "module"])) == ["found", "found"]
    finally:
        for name in ("slowly_imported", "slowly_imported.module"):
            sys.modules.pop(name, None)
