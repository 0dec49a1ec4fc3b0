from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Resolved, StoreContext, Stores

Resolve = Callable[[str], Resolved]
Missed = Callable[[str], str]
Put = Callable[[str, str | bytes], Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write a file beside the configuration."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def resolve(tmp_path: Path) -> Resolve:
    """Resolve a reference as a configuration in ``tmp_path`` would."""

    def look_up(text: str) -> Resolved:
        reference = Reference.parse(text)
        assert reference is not None
        return Stores(StoreContext(tmp_path, os.environ, {"url": "http://127.0.0.1:1"})).resolve(reference)

    return look_up


@pytest.fixture
def missed(resolve: Resolve) -> Missed:
    """The message of a reference that points at nothing."""

    def fail(text: str) -> str:
        with pytest.raises(Unresolved) as caught:
            resolve(text)
        return str(caught.value)

    return fail
