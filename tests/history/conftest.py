"""Run the same tests on both databases."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from mfagate.history.location import HistoryLocation
from mfagate.history.store import History

from ..support.postgres import Server, postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    with postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> HistoryLocation:
    """The location of a history that does not exist yet."""
    if request.param == "sqlite":
        return HistoryLocation.of("below/history.db", tmp_path)
    server: Server = request.getfixturevalue("postgres_server")
    return HistoryLocation.of(server.new_database(f"h{uuid.uuid4().hex}"), tmp_path)


@pytest.fixture
def history(location: HistoryLocation) -> Iterator[History]:
    with History.open(location) as opened:
        yield opened
