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


def test_plugins_are_loaded_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that import a package and its modules at once can wait for each other for ever."""
    events = tmp_path / "events"
    for name in ("first", "second"):
        (tmp_path / f"plugin_{name}.py").write_text(
            "import time\n"
            f"log = open({str(events)!r}, 'a')\n"
            "log.write('begin ')\nlog.flush()\ntime.sleep(0.3)\nlog.write('end ')\nlog.close()\nNAME = 'found'\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    entries = [EntryPoint(name, f"plugin_{name}:NAME", "group") for name in ("first", "second")]
    monkeypatch.setattr(plugins, "entry_points", lambda group: entries)
    group = Plugins("group", "name", is_text)
    try:
        with ThreadPoolExecutor() as pool:
            assert list(pool.map(group.get, ["first", "second"])) == ["found", "found"]
    finally:
        for name in ("plugin_first", "plugin_second"):
            sys.modules.pop(name, None)
    assert events.read_text().split() == ["begin", "end", "begin", "end"]
