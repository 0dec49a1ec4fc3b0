"""Classify answers and exceptions: a success, the refusal of a user, or a problem with its cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urljoin, urlsplit

from pydantic import SecretStr

from mfagate.config.settings import ProviderSettings
from mfagate.core.causes import CauseId
from mfagate.core.diagnosis import cause_without_body, diagnose, is_html
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.core.foreign.parsing import raw
from mfagate.monitor.answer import answer_in, exchange_of, host_of, status_of
from mfagate.monitor.exceptions import failure_of
from mfagate.providers.errors import ProviderDialect
from mfagate.providers.provider import InstalledProvider


class CallResult(StrEnum):
    """How one call ended, as the label ``result`` of ``mfagate_client_requests_total``."""

    OK = "ok"
    REFUSED = "refused"
    """The provider refused a user (a wrong code, a denied push): the integration works."""
    PROBLEM = "problem"
    """The call failed, and the cause is known."""
    UNEXPLAINED = "unexplained"
    """A refusal whose body was not read or hides its reason, or an exception that names no cause."""
    ABANDONED = "abandoned"
    """The login service cancelled the call, or was interrupted."""


@dataclass(frozen=True, slots=True)
class Classification:
    """How a call ended, and for a problem the finding and the provider's own code."""

    result: CallResult
    finding: Finding | None = None
    code: str | int | None = None


_LONGEST_HOST = 253

OK = Classification(CallResult.OK)
UNEXPLAINED = Classification(CallResult.UNEXPLAINED)
ABANDONED = Classification(CallResult.ABANDONED)


class Classifier:
    """Classifies the answers of one provider.

    Args:
        provider: Explains its error codes.
        settings: The settings of the integration. Without them some explanations are less precise.
    """

    def __init__(self, provider: InstalledProvider, settings: ProviderSettings | None) -> None:
        self._provider = provider
        self._dialect = ProviderDialect(
            provider.dialect, settings if settings is not None else _blank(provider.settings)
        )

    def answer(self, request: Any, response: Any) -> Classification:
        """Classify an answer. The body and the request of a successful one are not read."""
        status = status_of(response)
        headers: Mapping[str, str] = response.headers
        history = getattr(response, "history", None)
        if status < 300 and not history and "html" not in headers.get("content-type", "").lower():
            return OK
        return self._look(request, response, status, history or ())

    def exception(self, request: Any, error: BaseException) -> Classification:
        """Classify an exception."""
        if not isinstance(error, Exception):
            return ABANDONED  # KeyboardInterrupt, CancelledError, GeneratorExit
        failure = failure_of(error, host_of(request) or "the provider")
        if failure is None:
            answer = answer_in(error)
            classification = self.answer(request, answer) if answer is not None else UNEXPLAINED
            # An SDK that raises for a good status has read more of the answer than its exception contains.
            return classification if classification is not OK else UNEXPLAINED
        evidence = {"phase": str(failure.phase), "exception": type(error).__name__}
        return Classification(
            CallResult.PROBLEM, Finding(failure.cause, failure.message, evidence, outcome=failure.outcome)
        )

    def _look(self, request: Any, response: Any, status: int, history: Any) -> Classification:
        exchange, answer, read = exchange_of(request, response)
        if status < 400:
            return self._no_error(request, response, answer, history)
        if status == 407:
            return Classification(
                CallResult.PROBLEM, Finding(CauseId.NETWORK_PROXY, "a proxy requires a user name and password")
            )
        error = self._provider.dialect.error_of(answer)
        if error is not None and self._provider.dialect.is_about_a_user(error, exchange):
            return Classification(CallResult.REFUSED, code=error.code)
        # A truncated body holds no readable code, and the monitor never reads more of it.
        if not read or (answer.truncated and not is_html(answer)):
            return self._unread(exchange, status)
        finding = diagnose(exchange, self._dialect)
        if finding.cause is CauseId.CREDENTIAL_NOT_PROVABLE:
            # The provider answers a mistyped user name and a bad key alike, so this raises no alarm.
            return Classification(CallResult.UNEXPLAINED, code=error.code if error else None)
        return Classification(CallResult.PROBLEM, finding, error.code if error else None)

    def _unread(self, exchange: Exchange, status: int) -> Classification:
        # Only the code shows whether the user or the integration was refused, and only the caller may read the body.
        if status < 500 and status != 429 and self._dialect.explain(exchange) is None:
            return UNEXPLAINED
        return Classification(CallResult.PROBLEM, cause_without_body(exchange, self._dialect))

    def _no_error(self, request: Any, response: Any, answer: Response, history: Any) -> Classification:
        asked = host_of(history[0] if history else request)
        answered = str(getattr(response, "url", "") or getattr(request, "url", ""))
        location = raw(answer.headers.get("location")) if 300 <= answer.status < 400 else None
        elsewhere = _host(answered, location or "") or asked
        if asked and elsewhere != asked:
            message = f"the API answered with a redirect to {elsewhere}"
            finding = Finding(CauseId.NETWORK_UNEXPECTED_REDIRECT, message, {"redirected to": elsewhere})
            return Classification(CallResult.PROBLEM, finding)
        if answer.status < 300 and answer.media_type in ("text/html", "application/xhtml+xml"):
            finding = Finding(CauseId.CONTRACT_NOT_JSON, "the answer is HTML, and JSON was expected")
            return Classification(CallResult.PROBLEM, finding)
        return OK

    @property
    def known_codes(self) -> frozenset[str | int]:
        """The documented codes of the provider, which cannot repeat a part of a request."""
        return frozenset(self._provider.dialect.meanings) | self._provider.dialect.about_a_user


def _host(url: str, location: str) -> str:
    """Return the target host of a redirect, cut to the length of a name (RFC 1035)."""
    try:
        return quoted(urlsplit(urljoin(url, location)).hostname or "", _LONGEST_HOST)
    except ValueError:
        return "an invalid address"


def _blank(settings: type[ProviderSettings]) -> ProviderSettings:
    """Return settings with empty values for what is required, and defaults for the rest."""
    empty: dict[str, Any] = {
        field.name: SecretStr("") if field.secret else "" for field in settings.fields() if field.required
    }
    return settings.model_construct(None, **empty)
