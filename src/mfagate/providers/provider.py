"""A provider: its configuration and its roles.

HTTP, timing, redaction and outcomes belong to the engine. A new role is a class of its own, in a module next to
errors.py, probes.py and api.py, and an attribute here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, TypeAlias, final

from mfagate.cassettes.scrub import Scrubbing
from mfagate.config.settings import ProviderSettings
from mfagate.core.finding import Finding
from mfagate.providers.api import ProviderApi
from mfagate.providers.errors import ErrorDialect
from mfagate.providers.probes import ProviderProbes, Send, Settings

if TYPE_CHECKING:
    from mfagate.providers.states import States


class Provider(ABC, Generic[Settings]):
    """One MFA provider. Subclass it, and register an instance as entry point ``mfagate.providers``."""

    name: ClassVar[str]
    """Name in ``integrations.toml``."""

    title: ClassVar[str]
    """The provider's own spelling of its name."""

    settings: type[Settings]
    """The declared settings."""

    @property
    @abstractmethod
    def dialect(self) -> ErrorDialect[Settings]:
        """What its errors mean."""

    @property
    @abstractmethod
    def probes(self) -> ProviderProbes[Settings]:
        """The requests that are safe in production."""

    @property
    @abstractmethod
    def api(self) -> ProviderApi[Settings]:
        """The addresses of its API, and the signer of requests."""

    expectations: ClassVar[Mapping[str, str]] = {}
    """Keys of the ``expect`` table, each with the value that it is compared with."""

    not_identifying: ClassVar[frozenset[str]] = frozenset()
    """Keys of ``expect`` that do not identify the account, such as a version."""

    test_data: ClassVar[Mapping[str, str]] = {}
    """Keys of the ``test_data`` table, each with a description of the value."""

    test_secrets: ClassVar[frozenset[str]] = frozenset()
    """Keys of ``test_data`` whose values are secrets."""

    clock_tolerance_seconds: ClassVar[float] = 300.0
    """How far clocks may differ before the provider rejects requests."""

    scrubbing: ClassVar[Scrubbing] = Scrubbing()
    """What is scrubbed from recordings."""

    @final
    def identifying(self) -> frozenset[str]:
        """Return the keys of ``expect`` that identify the account."""
        return frozenset(self.expectations) - self.not_identifying

    def credential_for(self, path: str, configured: Collection[str]) -> str | None:
        """Return the setting without which a login that uses this path fails; None if any credential suffices.

        Override it if paths take different credentials. ``configured`` are the names of the configured settings.
        """
        return None

    def inspect(self, settings: Settings) -> Sequence[tuple[str, Finding]]:
        """Return offline findings about several settings together, each with the setting to change."""
        return ()

    def states(self, send: Send[Settings], settings: Settings, test_data: Mapping[str, str]) -> States | None:
        """Return the object that sets up the contract's provider states on this target; None if there is none."""
        return None


InstalledProvider: TypeAlias = Provider[ProviderSettings]
"""A provider found by name; the type of its settings is known only at run time."""
