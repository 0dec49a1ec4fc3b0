"""Pacts to test with, written by pact-python itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from . import pacts


@pytest.fixture(scope="session")
def write_pact(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[Any], object]], Path]:
    """Write the pact between auth-service and provider that a function describes."""
    return lambda describe: pacts.write(tmp_path_factory.mktemp("pact"), describe)
