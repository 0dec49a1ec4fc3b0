"""The provider interface: a provider is data plus a signer.

HTTP, timing, redaction and the mapping of outcomes belong to the engine. What
a provider adds is declared here, and nothing of it is written twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from mfagate.config.settings import ProviderSettings
from mfagate.exchange import Exchange, Response
from mfagate.result import Finding
from mfagate.scrub import Scrubbing

if TYPE_CHECKING:
    import requests

    from mfagate.providers.states import States
    from mfagate.sandbox import Sandbox

Send = Callable[["requests.Request"], Exchange]
"""Signs a request with the integration's credential, sends it, and says what happened."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A request that is safe in production, and what its answer shows.

    ``subject`` names what is probed: the setting that holds a credential, or a
    permission. ``accepted`` says whether an answer shows that it is in order;
    ``review`` may find fault with an accepted answer, for example a right that
    is missing from a list.
    """

    subject: str
    method: str
    path: str
    accepted: Callable[[Response], bool]
    params: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    review: Callable[[Response], Finding | None] | None = None

    def request(self) -> requests.Request:
        """The request, relative to the base URL and unsigned."""
        import requests

        return requests.Request(
            self.method, self.path, params=dict(self.params), data=dict(self.data) or None, headers=dict(self.headers)
        )


class Provider(ABC):
    """One MFA provider. Subclass it, and register an instance as entry point ``mfagate.providers``."""

    name: ClassVar[str]
    """Name in ``integrations.toml``."""

    title: ClassVar[str]
    """The provider's own spelling of its name."""

    settings: ClassVar[type[ProviderSettings]]
    """The declared settings."""

    expectations: ClassVar[Mapping[str, str]] = {}
    """Keys of the ``expect`` table, each with what it is compared with."""

    test_data: ClassVar[Mapping[str, str]] = {}
    """Keys of the ``test_data`` table, each with what it must be."""

    test_secrets: ClassVar[frozenset[str]] = frozenset()
    """Keys of ``test_data`` whose values are secrets."""

    clock_tolerance_seconds: ClassVar[float] = 300.0
    """How far clocks may differ before the provider refuses."""

    scrubbing: ClassVar[Scrubbing] = Scrubbing()

    sandbox_is_emulator: ClassVar[bool] = False
    """Whether the local sandbox only imitates the provider."""

    @abstractmethod
    def base_url(self, settings: Any) -> str:
        """Where the API is, without a trailing slash."""

    @abstractmethod
    def auth(self, settings: Any) -> requests.auth.AuthBase:
        """The signer of one request."""

    @abstractmethod
    def ping(self) -> Probe:
        """A request that needs no credential."""

    @abstractmethod
    def credentials(self, settings: Any) -> Sequence[Probe]:
        """One probe for each credential that is set."""

    @abstractmethod
    def known_bad(self, settings: Any, subject: str) -> Any:
        """The settings with the credential ``subject`` replaced by a well-formed, worthless one."""

    def identity(self, response: Response, settings: Any, expected: Mapping[str, str]) -> Mapping[str, str]:
        """Who answered, read from an accepted credential probe; keys are those of ``expect``.

        ``expected`` are the values to be found: some can be confirmed, but not read.
        """
        return {}

    def permissions(self, settings: Any) -> Sequence[Probe]:
        """Probes of what the contract needs beyond a valid credential."""
        return ()

    def inspect(self, settings: Any) -> Sequence[tuple[str, Finding]]:
        """Offline findings that need more than one setting, each with the setting to change."""
        return ()

    @abstractmethod
    def explain(self, exchange: Exchange, settings: Any) -> Finding | None:
        """The cause behind an answer by the provider's own error code, or None if it has none."""

    def states(self, send: Send, settings: Any, test_data: Mapping[str, str]) -> States | None:
        """What can arrange the contract's provider states on this target."""
        return None

    def sandbox(self) -> Sandbox | None:
        """How a local instance is started."""
        return None
