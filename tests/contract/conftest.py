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


@pytest.fixture(scope="session")
def write_pact(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[Any], object]], Path]:
    """Writes the pact that a function describes on a ``pact.Pact`` of auth-service and provider."""
    from pact import Pact

    def write(describe: Callable[[Any], object]) -> Path:
        pact = Pact("auth-service", "provider").with_specification("V4")
        describe(pact)
        directory = tmp_path_factory.mktemp("pact")
        pact.write_file(directory)
        return directory / "auth-service-provider.json"

    return write
