"""Projects that check the real server, directly or through a front that does one thing wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mfagate.providers.privacyidea.sandbox import PrivacyIDEASandbox
from mfagate.sandbox import Running

from .project import Project


@pytest.fixture
def project(tmp_path: Path, server: Running) -> Project:
    """Somebody's project, healthy as it is."""
    return Project(tmp_path, server.values)


@pytest.fixture(scope="session")
def other_server() -> Iterator[Running]:
    """The server of another environment."""
    with PrivacyIDEASandbox().start() as running:
        yield running
