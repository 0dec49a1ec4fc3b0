"""The provider interface: a provider is data plus a signer.

HTTP, timing, redaction and the mapping of outcomes belong to the engine. What
a provider adds is declared here, and nothing of it is written twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, final

from mfagate.cassettes.scrub import Scrubbing
from mfagate.config.settings import ProviderSettings
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding
from mfagate.core.foreign import ForeignText, quoted
from mfagate.core.origins import Origins

if TYPE_CHECKING:
    import requests

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States
    from mfagate.sandbox import Sandbox


class Send(Protocol):
    """Signs a request with the integration's credential, sends it, and says what happened."""

    def __call__(self, request: requests.Request, settings: Any = None) -> Exchange:
        """Send ``request``; ``settings`` sign it in place of the integration's own."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A request that is safe in production, and what its answer shows.

    ``subject`` names what is probed: the setting that holds a credential, or a
    permission. ``path`` is below the base URL, or an absolute URL at one of the provider's
    ``origins``. ``accepted`` says whether an answer shows that it is in order; ``review`` may
    find fault with an accepted answer, for example a right that is missing from a list.
    ``shape`` is the JSON of an accepted answer, as far as it is looked at: of one with other
    types the report tells which. It is not needed where the contract has the endpoint.
    ``instead`` asks the same in another way; it is sent where the answer is ``credential.not-provable``.
    """

    subject: str
    method: str
    path: str
    accepted: Callable[[Response], bool]
    params: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    review: Callable[[Response], Finding | None] | None = None
    shape: Mapping[str, Any] | None = None
    instead: Probe | None = None

    def request(self) -> requests.Request:
        """The request, relative to the base URL and unsigned."""
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
    """When a credential runs out, as the provider tells it.

    ``subject`` is the setting that holds it, ``what`` how the provider's console names
    it. ``window`` is set where each use prolongs it, to how long it lasts unused.
    """

    subject: str
    when: datetime
    what: str
    window: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ExpiryProbe:
    """A look-up of expiry dates. ``needs`` names the permission without which it is refused."""

    probe: Probe
    needs: str
    read: Callable[[Response], Sequence[Expiry]]


@dataclass(frozen=True, slots=True, init=False)
class ApiError:
    """An error in the provider's own words. ``reference`` is what its support asks for.

    ``code`` is bare, to be looked up; in a sentence it is quoted.
    """

    code: str | int
    message: ForeignText
    reference: ForeignText | None

    def __init__(
        self, code: str | int, message: str | ForeignText = "", reference: str | ForeignText | None = None
    ) -> None:
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "message", _foreign(message))
        object.__setattr__(self, "reference", None if reference is None else _foreign(reference))


def _foreign(text: str | ForeignText) -> ForeignText:
    return text if isinstance(text, ForeignText) else ForeignText(text)


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """What an error code says: a cause, and a sentence fragment for people.

    ``setting`` names the setting to change, where it is another than the credential that was probed.
    """

    cause: CauseId
    text: str
    next_step: str | None = None
    setting: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


CORRECT_REQUEST = (
    "Find what the provider's message names in the request of the contract, and correct it there and in the client of "
    "the login service, which sends the same. Leave the credential as it is."
)
"""The next step where a provider refuses a field of one request."""

ABOUT_THE_USER = (
    "Leave the credential as it is: the answer is about a user, or a login under way. If it is the user of test_data, "
    "look it up in the provider's console and repair it there; else look for this login in the provider's log."
)
"""The next step where a provider answers about a user."""

LONGEST_CODE = 80
"""Characters of an error code that are shown."""


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

    not_identifying: ClassVar[frozenset[str]] = frozenset()
    """Keys of ``expect`` that do not tell whose account answers, such as a version."""

    test_data: ClassVar[Mapping[str, str]] = {}
    """Keys of the ``test_data`` table, each with what it must be."""

    test_secrets: ClassVar[frozenset[str]] = frozenset()
    """Keys of ``test_data`` whose values are secrets."""

    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = {}
    """What each of the provider's error codes says."""

    known_codes: ClassVar[frozenset[str | int]] = frozenset()
    """Further codes that ``meaning`` explains, beside those of ``meanings``. No other code is quoted in a message."""

    errors_page: ClassVar[str] = ""
    """URL of the page on which the provider lists its errors: for a refusal that no table explains."""

    about_a_user: ClassVar[frozenset[str | int]] = frozenset()
    """Error codes by which the provider answers about one user, or one login under way, and not about the integration:
    a wrong code, a locked user, a challenge that is over."""

    clock_tolerance_seconds: ClassVar[float] = 300.0
    """How far clocks may differ before the provider refuses."""

    scrubbing: ClassVar[Scrubbing] = Scrubbing()

    sandbox_is_emulator: ClassVar[bool] = False
    """Whether the local sandbox only imitates the provider."""

    @abstractmethod
    def base_url(self, settings: Any) -> str:
        """Where the API is, without a trailing slash."""

    def url(self, settings: Any, path: str) -> str:
        """The whole URL of a path: override it, and ``hosts``, where the provider has hosts beside the base URL's."""
        return self.base_url(settings) + path

    def hosts(self, settings: Any) -> Sequence[str]:
        """Base URLs of all hosts that get a credential; a signed request goes nowhere else."""
        return [self.base_url(settings)]

    def public_hosts(self, settings: Any) -> Sequence[str]:
        """Base URLs of further hosts that may be asked, and never get a credential."""
        return ()

    def origins(self, settings: Any) -> Origins:
        """Where requests of these settings may go."""
        return Origins.of(self.hosts(settings), self.public_hosts(settings))

    @final
    def auth(self, settings: Any, tokens: Tokens) -> requests.auth.AuthBase:
        """Return what signs a request to one of the provider's own ``origins``, and refuses any other."""
        from mfagate.providers.signing import OwnOriginOnly

        origins = self.origins(settings)
        return OwnOriginOnly(self.signer(settings, tokens.at(origins)), origins)

    @abstractmethod
    def signer(self, settings: Any, tokens: Tokens) -> requests.auth.AuthBase:
        """Return what signs a request; ``tokens`` fetches and keeps access tokens where it needs any.

        Only ``auth`` calls it.
        """

    @abstractmethod
    def pings(self, settings: Any) -> Sequence[Probe]:
        """A request that needs no credential, one for each host."""

    def server_time(self, response: Response) -> float | None:
        """The time (seconds since 1970) that a ping's answer tells, where the body has one."""
        return None

    @abstractmethod
    def credentials(self, settings: Any) -> Sequence[Probe]:
        """One probe for each credential that is set."""

    @abstractmethod
    def with_bad_credential(self, settings: Any, subject: str) -> Any | None:
        """The settings with the credential ``subject`` replaced by a well-formed, worthless one.

        None if ``subject`` is no credential: the provider is used without any.
        """

    @final
    def identifying(self) -> frozenset[str]:
        """Keys of ``expect`` that tell whose account answers."""
        return frozenset(self.expectations) - self.not_identifying

    def identity(self, response: Response, settings: Any, expected: Mapping[str, str]) -> Mapping[str, str]:
        """Who answered, read from a ping or an accepted credential probe; keys are those of ``expect``.

        ``expected`` are the values to be found: some can be confirmed, but not read.
        """
        return {}

    def permissions(self, settings: Any) -> Sequence[Probe]:
        """Probes of what the contract needs beyond a valid credential."""
        return ()

    def expiries(self, settings: Any) -> Sequence[ExpiryProbe]:
        """Look-ups of when the credentials run out, where the provider tells."""
        return ()

    def credential_for(self, path: str, configured: Collection[str]) -> str | None:
        """Return the setting that no login works without, if the contract asks for this path.

        Override it where paths take different credentials. ``configured`` are the names of the settings that the
        configuration has. None: any configured credential will do.
        """
        return None

    def inspect(self, settings: Any) -> Sequence[tuple[str, Finding]]:
        """Offline findings that need more than one setting, each with the setting to change."""
        return ()

    @abstractmethod
    def error_of(self, response: Response) -> ApiError | None:
        """The error that an answer holds, read in the provider's own dialect."""

    def meaning(self, error: ApiError, exchange: Exchange, settings: Any) -> ErrorMeaning | None:
        """What an error says. Override for codes that stand for several things, and ask ``super`` for the rest."""
        return self.meanings.get(error.code)

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """Whether an error refuses one user or one login. Override where the code alone does not tell."""
        return error.code in self.about_a_user

    def too_soon(self, error: ApiError, exchange: Exchange) -> float | None:
        """How many seconds at most until the same may be asked again, of an error that says that it was asked too soon.

        Only of a limit on one user, number or factor, and only on the paths that have it; None for any other error.
        """
        return None

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """Whether a request makes the provider send somebody a message, a push or a call: such a request is sent once.

        ``fields`` are those of the form or of the JSON object in its body.
        """
        return method == "POST"

    def explain(self, exchange: Exchange, settings: Any) -> Finding | None:
        """The cause behind an answer by the provider's own error code, or None if it has none that is known."""
        error = self.error_of(exchange.response) if exchange.response else None
        meaning = self.meaning(error, exchange, settings) if error else None
        if error is None or meaning is None:
            return None
        known = error.code in self.meanings or error.code in self.known_codes
        # Any other code may be an echo of what was sent. It is in the evidence, as all of the provider's words.
        message = f"{meaning.text} (code {quoted(error.code, LONGEST_CODE)})" if known else meaning.text
        return Finding(meaning.cause, message, meaning.evidence, next_step=meaning.next_step, setting=meaning.setting)

    def evidence(self, exchange: Exchange) -> Mapping[str, Any]:
        """The provider's own words, for the report."""
        error = self.error_of(exchange.response) if exchange.response else None
        if error is None:
            return {}
        evidence = {
            "provider code": error.code if isinstance(error.code, int) else quoted(error.code, LONGEST_CODE),
            "provider message": error.message.quoted(),
            "provider reference": error.reference.quoted() if error.reference is not None else None,
        }
        return {name: value for name, value in evidence.items() if value not in (None, "")}

    def errors_page_of(self, exchange: Exchange) -> str:
        """Return the page that lists errors such as this one. Override where each of the APIs has its own."""
        return self.errors_page

    def refine(self, finding: Finding, settings: Any, send: Send) -> Finding:
        """A refusal, made more precise by further requests that are safe in production."""
        return finding

    def states(self, send: Send, settings: Any, test_data: Mapping[str, str]) -> States | None:
        """What can arrange the contract's provider states on this target."""
        return None

    def sandbox(self) -> Sandbox | None:
        """How a local instance is started."""
        return None

    def sandbox_settings(self, values: Mapping[str, str]) -> Sequence[str]:
        """The settings of a healthy configuration of the sandbox, out of those that it hands out.

        Override where it hands out alternatives, such as two kinds of credential.
        """
        return [field.name for field in self.settings.fields() if field.name in values]


@dataclass(frozen=True, slots=True)
class ProviderDialect:
    """A provider together with the settings by which it explains answers."""

    provider: Provider
    settings: ProviderSettings

    def explain(self, exchange: Exchange) -> Finding | None:
        """The cause by the provider's own error code."""
        return self.provider.explain(exchange, self.settings)

    def evidence(self, exchange: Exchange) -> Mapping[str, Any]:
        """The provider's own words."""
        return self.provider.evidence(exchange)

    def errors_page(self, exchange: Exchange) -> str:
        """Return the URL of the provider's list of such errors."""
        return self.provider.errors_page_of(exchange)
