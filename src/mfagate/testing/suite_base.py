"""What a provider says of itself for the suite, and the sandboxes and projects that the tests share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from mfagate.providers import registry
from mfagate.providers.provider import InstalledProvider
from mfagate.sandbox import BETWEEN_MESSAGES, Running
from mfagate.sandbox import registry as sandboxes
from mfagate.sandbox.faulty_proxy import Fault, faulty_proxy
from mfagate.testing.project import CommandResult
from mfagate.testing.provider_project import ProviderProject, SettingChange

PASS, FAIL, INCONCLUSIVE = 0, 1, 3

LIVE_CASES = (
    "refused",
    "unknown key",
    "wrong kind",
    "expired",
    "revoked",
    "wrong account",
    "missing permission",
)
"""Credentials that only the provider can tell from good ones."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A case that this provider does not have, and why."""

    reason: str


class SuiteBase:
    """What is particular to a provider, and what its tests use."""

    provider: ClassVar[str]
    """Its name in ``integrations.toml``."""

    contract: ClassVar[Path]
    cassettes: ClassVar[Path]

    expect: ClassVar[Mapping[str, str]] = {}
    """Who must answer; ``sandbox:NAME`` for what the sandbox hands out."""

    live: ClassVar[Mapping[str, SettingChange | Absent]]
    """Each of :data:`LIVE_CASES`."""

    offline: ClassVar[Sequence[SettingChange]]
    """Mix-ups and slips that are found without asking; the secret settings' usual slips are added."""

    doubtful: ClassVar[Sequence[SettingChange]] = ()
    """Values in another form than usual, where the provider documents none: a warning, because they may be right."""

    swapped: ClassVar[Sequence[tuple[str, str]]] = ()
    """Pairs of settings whose exchanged values are recognised."""

    rate_limit: ClassVar[Fault]
    """The provider's own answer to too many requests."""

    most_skipped: ClassVar[int] = 0
    """Interactions that the sandbox cannot be put into the state for."""

    @pytest.fixture(scope="class")
    @classmethod
    def running(cls) -> Iterator[Running]:
        """Return the sandbox."""
        with _impatient(), sandboxes.get(cls.provider).start() as running:
            yield running

    @pytest.fixture
    def project(self, tmp_path: Path, running: Running) -> ProviderProject:
        """Somebody's project, healthy as it is."""
        return ProviderProject(tmp_path, self, running)

    @pytest.fixture(scope="class")
    @classmethod
    def drilled(cls) -> Iterator[Running]:
        """Another one, in which something goes wrong; most tests do without what stands before it."""
        with _impatient(), sandboxes.get(cls.provider).start(faults=[]) as running:
            yield running

    @pytest.fixture(scope="class")
    @classmethod
    def healthy(cls, running: Running, tmp_path_factory: pytest.TempPathFactory) -> tuple[CommandResult, int]:
        """Return what a healthy gate says, and how many requests it makes."""
        project = ProviderProject(tmp_path_factory.mktemp("healthy"), cls(), running)
        with faulty_proxy(project.endpoint) as before:
            project.endpoint = before.url
            return project.run("gate"), len(before.requests)

    @pytest.fixture
    def definition(self) -> InstalledProvider:
        """Return the provider itself."""
        return registry.get(self.provider)


@contextmanager
def _impatient() -> Iterator[None]:
    """Sandboxes that are started now have short intervals between messages, so that no test waits for long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BETWEEN_MESSAGES, "1")
        yield


def messages(checks: Sequence[Mapping[str, str]]) -> list[str]:
    """Return what each check says that did not pass."""
    return [f"{check['subject']}: {check['message']}" for check in checks if check["outcome"] != "pass"]
