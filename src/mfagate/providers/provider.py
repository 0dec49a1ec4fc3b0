"""A provider: what its configuration is, and its roles.

HTTP, timing, redaction and outcomes belong to the engine. A new role is a class of its own, in a module beside
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
        """What may be asked of it in production."""

    @property
    @abstractmethod
    def api(self) -> ProviderApi[Settings]:
        """Where its API is, and what signs requests."""

    expectations: ClassVar[Mapping[str, str]] = {}
    """Keys of the ``expect`` table, each with what it is compared with."""

    not_identifying: ClassVar[frozenset[str]] = frozenset()
    """Keys of ``expect`` that do not show whose account answers, such as a version."""

    test_data: ClassVar[Mapping[str, str]] = {}
    """Keys of the ``test_data`` table, each with what it must be."""

    test_secrets: ClassVar[frozenset[str]] = frozenset()
    """Keys of ``test_data`` whose values are secrets."""

    clock_tolerance_seconds: ClassVar[float] = 300.0
    """How far clocks may differ before the provider refuses."""

    scrubbing: ClassVar[Scrubbing] = Scrubbing()
    """What is removed from recordings."""

    @final
    def identifying(self) -> frozenset[str]:
        """Return the keys of ``expect`` that show whose account answers."""
        return frozenset(self.expectations) - self.not_identifying

    def credential_for(self, path: str, configured: Collection[str]) -> str | None:
        """Return the setting without which a login that asks for this path fails; None if any credential will do.

        Override it where paths take different credentials. ``configured`` are the names of the settings in the
        configuration.
        """
        return None

    def inspect(self, settings: Settings) -> Sequence[tuple[str, Finding]]:
        """Return offline findings about several settings together, each with the setting to change."""
        return ()

    def states(self, send: Send[Settings], settings: Settings, test_data: Mapping[str, str]) -> States | None:
        """Return what sets up the contract's provider states on this target, if anything can."""
        return None


InstalledProvider: TypeAlias = Provider[ProviderSettings]
"""A provider found by name: its settings are of its own ``settings`` type, which only the run knows."""
