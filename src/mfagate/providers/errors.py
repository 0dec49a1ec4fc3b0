"""What a provider's errors mean.

This is the only role that a monitor needs: it neither sends requests nor reads a configuration.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding
from mfagate.core.foreign import ForeignText, quoted

Known = TypeVar("Known", contravariant=True)
"""The provider's settings, as far as they are known."""

CORRECT_REQUEST = (
    "Find the part of the contract's request that the provider's message names. Correct it in the contract and in "
    "the client of the login service, which sends the same request. Do not change the credential."
)
"""The next step if a provider rejects a field of one request."""

ABOUT_THE_USER = (
    "Do not change the credential: the answer is about a user or about a login in progress. If it is the user named "
    "in test_data, find that user in the provider's console and correct the account there. For any other user, look "
    "for this login in the provider's log."
)
"""The next step if the provider's answer is about a user."""

LONGEST_CODE = 80
"""Characters of an error code that are shown."""

POSSIBLE_CAUSES = "possible causes"
"""The key of the evidence that lists what may be wrong, the likeliest first."""


def possible_causes(*causes: str) -> Mapping[str, object]:
    """Return the evidence of an error that has several possible causes, the likeliest first."""
    return {POSSIBLE_CAUSES: list(causes)}


@dataclass(frozen=True, slots=True, init=False)
class ApiError:
    """An error in the provider's own words.

    ``code`` is not quoted, so that it can be looked up. The provider's support asks for ``reference``.
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
    """What an error code means: a cause, and a sentence fragment for people.

    ``setting`` names the setting to change, if it is not the credential of the probe.
    """

    cause: CauseId
    text: str
    next_step: str | None = None
    setting: str | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)


class ErrorDialect(ABC, Generic[Known]):
    """How one provider reports errors."""

    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = {}
    """What each error code means."""

    known_codes: ClassVar[frozenset[str | int]] = frozenset()
    """Further codes that ``meaning`` explains. Messages quote only these codes and those in ``meanings``."""

    about_a_user: ClassVar[frozenset[str | int]] = frozenset()
    """Codes about one user or login, not about the integration: a wrong code, a locked user, an expired login."""

    errors_page: ClassVar[str] = ""
    """URL of the provider's list of errors, for errors that mfagate does not know."""

    @abstractmethod
    def error_of(self, response: Response) -> ApiError | None:
        """Read the error in an answer."""

    def meaning(self, error: ApiError, exchange: Exchange, settings: Known) -> ErrorMeaning | None:
        """Return what an error means. Override it for codes with several meanings, and call ``super`` for the rest."""
        return self.meanings.get(error.code)

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """Return whether an error is about one user or one login. Override it if the code alone does not decide."""
        return error.code in self.about_a_user

    def too_soon(self, error: ApiError, exchange: Exchange) -> float | None:
        """Return the longest time in seconds until the provider accepts the same request again.

        Only for a limit on one user, number or factor, and only on the paths that have the limit; None for other
        errors.
        """
        return None

    def explain(self, exchange: Exchange, settings: Known) -> Finding | None:
        """Return the cause that the provider's own error code names, or None if the code is unknown."""
        error = self.error_of(exchange.response) if exchange.response else None
        meaning = self.meaning(error, exchange, settings) if error else None
        if error is None or meaning is None:
            return None
        known = error.code in self.meanings or error.code in self.known_codes
        # Any other code may be an echo of the request; only the evidence quotes it.
        message = f"{meaning.text} (code {quoted(error.code, LONGEST_CODE)})" if known else meaning.text
        return Finding(meaning.cause, message, meaning.evidence, next_step=meaning.next_step, setting=meaning.setting)

    def evidence(self, exchange: Exchange) -> Mapping[str, object]:
        """Return the provider's own words, for the report."""
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
        """Return the page that lists errors such as this one. Override it if the APIs have different pages."""
        return self.errors_page


@dataclass(frozen=True, slots=True)
class ProviderDialect(Generic[Known]):
    """An error dialect together with the settings by which it explains answers."""

    dialect: ErrorDialect[Known]
    settings: Known

    def explain(self, exchange: Exchange) -> Finding | None:
        """Return the cause that the provider's own error code names."""
        return self.dialect.explain(exchange, self.settings)

    def evidence(self, exchange: Exchange) -> Mapping[str, object]:
        """Return the provider's own words."""
        return self.dialect.evidence(exchange)

    def errors_page(self, exchange: Exchange) -> str:
        """Return the URL of the provider's list of such errors."""
        return self.dialect.errors_page_of(exchange)
