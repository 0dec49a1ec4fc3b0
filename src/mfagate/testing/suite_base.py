"""What a provider declares for the suite, and the sandboxes and projects that the tests share."""

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
"""Bad credentials that only the provider can detect."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A case that does not exist for this provider, and why."""

    reason: str


class SuiteBase:
    """What a provider declares, and the fixtures of its tests."""

    provider: ClassVar[str]
    """The provider's name in ``integrations.toml``."""

    contract: ClassVar[Path]
    cassettes: ClassVar[Path]

    expect: ClassVar[Mapping[str, str]] = {}
    """The account that must answer; ``sandbox:NAME`` for a value of the sandbox."""

    live: ClassVar[Mapping[str, SettingChange | Absent]]
    """One entry for each of :data:`LIVE_CASES`."""

    offline: ClassVar[Sequence[SettingChange]]
    """Wrong values that are found offline; the suite adds common mistakes for every setting."""

    doubtful: ClassVar[Sequence[SettingChange]] = ()
    """Values in an unusual form, which cause a warning because the provider documents no form."""

    swapped: ClassVar[Sequence[tuple[str, str]]] = ()
    """Pairs of settings whose swapped values are recognised."""

    rate_limit: ClassVar[Fault]
    """The provider's own answer to too many requests."""

    most_skipped: ClassVar[int] = 0
    """How many interactions need a state that the sandbox cannot provide."""

    @pytest.fixture(scope="class")
    @classmethod
    def running(cls) -> Iterator[Running]:
        """Return the sandbox."""
        with _short_intervals(), sandboxes.get(cls.provider).start() as running:
            yield running

    @pytest.fixture
    def project(self, tmp_path: Path, running: Running) -> ProviderProject:
        """Return a healthy project."""
        return ProviderProject(tmp_path, self, running)

    @pytest.fixture(scope="class")
    @classmethod
    def drilled(cls) -> Iterator[Running]:
        """Return another sandbox, whose faults can be changed."""
        with _short_intervals(), sandboxes.get(cls.provider).start(faults=[]) as running:
            yield running

    @pytest.fixture(scope="class")
    @classmethod
    def healthy(cls, running: Running, tmp_path_factory: pytest.TempPathFactory) -> tuple[CommandResult, int]:
        """Return the result of a healthy run of the gate, and its number of requests."""
        project = ProviderProject(tmp_path_factory.mktemp("healthy"), cls(), running)
        with faulty_proxy(project.endpoint) as front:
            project.endpoint = front.url
            return project.run("gate"), len(front.requests)

    @pytest.fixture
    def definition(self) -> InstalledProvider:
        """Return the provider itself."""
        return registry.get(self.provider)


@contextmanager
def _short_intervals() -> Iterator[None]:
    """Start sandboxes with short intervals between messages, so that tests do not wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BETWEEN_MESSAGES, "1")
        yield


def messages(checks: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the message of each check that did not pass."""
    return [f"{check['subject']}: {check['message']}" for check in checks if check["outcome"] != "pass"]
