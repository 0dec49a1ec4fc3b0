"""The requests that prove a configuration and are safe in production."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from mfagate.config.settings import ProviderSettings
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding

if TYPE_CHECKING:
    import requests

Settings = TypeVar("Settings", bound=ProviderSettings)
SignedWith = TypeVar("SignedWith", bound=ProviderSettings, contravariant=True)


class Send(Protocol[SignedWith]):
    """Signs a request with the integration's credential and sends it."""

    def __call__(self, request: requests.Request, settings: SignedWith | None = None) -> Exchange:
        """Send ``request``, signed with ``settings`` if given, and return the exchange."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A request that is safe in production, and how to read its answer.

    Args:
        subject: What the probe proves: the setting that contains a credential, or a permission.
        method: HTTP method.
        path: Below the base URL, or an absolute URL at one of the provider's ``origins``.
        accepted: Returns whether an answer proves the subject.
        params: Parameters of the query.
        data: Fields of a form body.
        json: A JSON body.
        headers: Further headers.
        review: Finds problems in an accepted answer, such as a missing right.
        shape: The JSON fields of an accepted answer that mfagate reads; the report names differences in type. Not
            needed if the contract covers the endpoint.
        instead: Another probe of the same subject, sent if this one's answer is ``credential.not-provable``.
    """

    subject: str
    method: str
    path: str
    accepted: Callable[[Response], bool]
    params: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    review: Callable[[Response], Finding | None] | None = None
    shape: Mapping[str, object] | None = None
    instead: Probe | None = None

    def request(self) -> requests.Request:
        """Return the request, relative to the base URL and unsigned."""
        import requests

        return requests.Request(
            self.method,
            self.path,
            params=dict(self.params),
            data=dict(self.data) or None,
            json=self.json,
            headers=dict(self.headers),
        )


@dataclass(frozen=True, slots=True)
class Expiry:
    """When a credential expires, according to the provider.

    ``subject`` is the setting that contains it, ``what`` its name in the provider's console. ``window`` is the time
    after which an unused credential expires, if each use extends its life.
    """

    subject: str
    when: datetime
    what: str
    window: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ExpiryProbe:
    """A request for expiry dates. ``needs`` names the permission that it requires."""

    probe: Probe
    needs: str
    read: Callable[[Response], Sequence[Expiry]]


class ProviderProbes(ABC, Generic[Settings]):
    """The probes of one provider."""

    @abstractmethod
    def pings(self, settings: Settings) -> Sequence[Probe]:
        """Return a request that needs no credential, one for each host."""

    def server_time(self, response: Response) -> float | None:
        """Return the time (seconds since 1970) in the body of a ping's answer, if it has one."""
        return None

    @abstractmethod
    def credentials(self, settings: Settings) -> Sequence[Probe]:
        """Return one probe for each credential that is set."""

    @abstractmethod
    def with_bad_credential(self, settings: Settings, subject: str) -> Settings | None:
        """Return the settings with the credential ``subject`` replaced by a well-formed, worthless one.

        None if ``subject`` is not a credential, because the provider is used without one.
        """

    def identity(self, response: Response, settings: Settings, expected: Mapping[str, str]) -> Mapping[str, str]:
        """Return whose account answered a ping or an accepted credential probe.

        Args:
            response: The answer.
            settings: The provider's settings.
            expected: The expected values, by the keys of ``Provider.expectations``; some can only be confirmed.

        Returns:
            The values found, by the same keys.
        """
        return {}

    def permissions(self, settings: Settings) -> Sequence[Probe]:
        """Return probes of what the contract needs beyond a valid credential."""
        return ()

    def expiries(self, settings: Settings) -> Sequence[ExpiryProbe]:
        """Return requests for the expiry dates of the credentials, if the provider supports them."""
        return ()

    def refine(self, finding: Finding, settings: Settings, send: Send[Settings]) -> Finding:
        """Make a refusal more precise by further requests that are safe in production."""
        return finding
