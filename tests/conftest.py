"""Real servers for all tests that need one, and projects that check them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from mfagate.sandbox import Running, supervisor
from mfagate_sandbox.privacyidea.sandbox import PrivacyIDEASandbox

from .support.project import Project
from .support.slow import STALE, proofs, stale

pytest_plugins = ["pytester"]

# Emulators that fixtures start are measured too; how coverage is told to begin is not handed on otherwise.
supervisor._ENVIRONMENT += ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")

# A script's background job starts with SIGINT ignored, and so would all processes that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Generated inputs are the same for everybody and for CI; `--hypothesis-profile explore` looks further.
settings.register_profile("repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")


# Before the options -m and -k are applied.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the long proofs."""
    known = proofs()
    for item in items:
        for proof in known:
            if proof.is_slow(item.nodeid):
                item.add_marker(pytest.mark.slow(f"{proof.seconds:g} s: {proof.why}"))
    if config.args == config.getini("testpaths"):
        config.stash[STALE] = stale(known, [item.nodeid for item in items])


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
