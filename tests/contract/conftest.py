"""Pacts to test with, written by pact-python itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

os.environ["PACT_DO_NOT_TRACK"] = "true"
# The helpers beside this file, whatever import mode pytest runs in.
sys.path.insert(0, str(Path(__file__).parent))

import pacts


@pytest.fixture(scope="session")
def write_pact(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[Any], object]], Path]:
    """Writes the pact between auth-service and provider that a function describes."""
    return lambda describe: pacts.write(tmp_path_factory.mktemp("pact"), describe)
