from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mfagate.config.load import load
from mfagate.config.model import Configuration

Load = Callable[[str | bytes], Configuration]
Dump = Callable[[Any], str]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    """Load what stands in a file ``integrations.toml``; the only provider is privacyidea."""

    def write_and_load(content: str | bytes) -> Configuration:
        path = tmp_path / "integrations.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(path, ["privacyidea"])

    return write_and_load


@pytest.fixture(scope="session")
def dump() -> Dump:
    """A document as TOML, a line for each key of the top."""

    def value(node: Any) -> str:
        if isinstance(node, dict):
            return "{" + ", ".join(f"{json.dumps(key)} = {value(item)}" for key, item in node.items()) + "}"
        if isinstance(node, list):
            return "[" + ", ".join(map(value, node)) + "]"
        if isinstance(node, str):
            return json.dumps(node).replace("\x7f", "\\u007f")
        return str(node).lower() if isinstance(node, bool | float) else str(node)

    return lambda document: "".join(f"{json.dumps(key)} = {value(item)}\n" for key, item in document.items())
