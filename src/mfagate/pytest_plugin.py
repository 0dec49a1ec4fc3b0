"""The pytest plugin: the gate's checks as test items, and fixtures for consumer tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mfagate.consumer import ConsumerPact, ContractTestFailed, compare

CONSUMER = "auth-service"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register every option in one group."""
    group = parser.getgroup("mfagate")
    group.addoption(
        "--mfagate-update-pacts",
        action="store_true",
        help="Let consumer tests replace the committed pacts instead of comparing with them.",
    )


@pytest.fixture(scope="module")
def pact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsumerPact]:
    """The pact that the consumer tests of a module write, compared with the committed one.

    The module names its ``PROVIDER``, and ``CONSUMER`` where it is not ``auth-service``.
    The committed pact stands beside the module. It is compared only when all
    tests of the module ran, because a selection writes a part.
    """
    module = request.module
    writer = ConsumerPact(
        getattr(module, "CONSUMER", CONSUMER), module.PROVIDER, tmp_path_factory.mktemp("pact")
    )
    failed_before = request.session.testsfailed
    yield writer
    committed = request.path.parent / writer.file.name
    if request.session.testsfailed > failed_before or not _all_ran(request):
        return
    if request.config.getoption("--mfagate-update-pacts"):
        committed.write_bytes(writer.file.read_bytes())
    elif difference := compare(writer.file, committed):
        raise ContractTestFailed(f"{difference}\nIf that is meant: pytest {_shown(request.path)} --mfagate-update-pacts")


def _all_ran(request: pytest.FixtureRequest) -> bool:
    option = request.config.option
    selected = bool(option.keyword or option.markexpr) or any("::" in argument for argument in request.config.args)
    return not selected


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
