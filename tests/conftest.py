"""Real servers for all tests that need one, and projects that check them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mfagate.providers.privacyidea.sandbox import PrivacyIDEASandbox
from mfagate.sandbox import Running

from .support.project import Project

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """The sandbox, running."""
    with PrivacyIDEASandbox().start() as running:
        yield running


@pytest.fixture(scope="session")
def other_server() -> Iterator[Running]:
    """The server of another environment."""
    with PrivacyIDEASandbox().start() as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: Running) -> Project:
    """Somebody's project, healthy as it is."""
    return Project(tmp_path, server.values)
