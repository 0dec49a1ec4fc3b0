"""What an answer or an exception says: in order, a user's refusal, or a problem of ours with its cause."""

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
from mfagate.providers.base import Provider, ProviderDialect


class CallResult(StrEnum):
    """How one call ended, as the label ``result`` of ``mfagate_client_requests_total``."""

    OK = "ok"
    REFUSED = "refused"
    """The provider refused a user (a wrong code, a denied push): the integration works."""
    PROBLEM = "problem"
    """It has a cause."""
    UNEXPLAINED = "unexplained"
    """A refusal whose body nobody read or that hides its reason, or an exception that tells nothing of either side."""
    ABANDONED = "abandoned"
    """Cancelled or interrupted by us."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A result, and for a problem the finding and the provider's own code."""

    result: CallResult
    finding: Finding | None = None
    code: str | int | None = None


_LONGEST_HOST = 253

OK = Judgement(CallResult.OK)
UNEXPLAINED = Judgement(CallResult.UNEXPLAINED)
ABANDONED = Judgement(CallResult.ABANDONED)


class Judge:
    """Judges the answers of one provider.

    Args:
        provider: Explains its error codes.
        settings: Of the integration. Without them explanations are a little vaguer.
    """

    def __init__(self, provider: Provider, settings: ProviderSettings | None) -> None:
        self._provider = provider
        self._dialect = ProviderDialect(provider, settings if settings is not None else _blank(provider.settings))

    def answer(self, request: Any, response: Any) -> Judgement:
        """Classify an answer. The body and the request of a successful one are not read."""
        status = status_of(response)
        headers: Mapping[str, str] = response.headers
        history = getattr(response, "history", None)
        if status < 300 and not history and "html" not in headers.get("content-type", "").lower():
            return OK
        return self._look(request, response, status, history or ())

    def exception(self, request: Any, error: BaseException) -> Judgement:
        """Classify an exception."""
        if not isinstance(error, Exception):
            return ABANDONED  # KeyboardInterrupt, CancelledError, GeneratorExit
        failure = failure_of(error, host_of(request) or "the provider")
        if failure is None:
            answer = answer_in(error)
            judgement = self.answer(request, answer) if answer is not None else UNEXPLAINED
            # An SDK that raises on a good status has seen more of the answer than its exception holds.
            return judgement if judgement is not OK else UNEXPLAINED
        evidence = {"phase": str(failure.phase), "exception": type(error).__name__}
        return Judgement(CallResult.PROBLEM, Finding(failure.cause, failure.message, evidence, outcome=failure.outcome))

    def _look(self, request: Any, response: Any, status: int, history: Any) -> Judgement:
        exchange, read = exchange_of(request, response)
        answer = exchange.response
        assert answer is not None, "it was made from one"
        if status < 400:
            return self._no_error(request, response, answer, history)
        if status == 407:
            return Judgement(
                CallResult.PROBLEM, Finding(CauseId.NETWORK_PROXY, "a proxy wants a user name and password")
            )
        error = self._provider.error_of(answer)
        if error is not None and self._provider.is_about_a_user(error, exchange):
            return Judgement(CallResult.REFUSED, code=error.code)
        # Of half a body no code can be read, and the monitor reads no more.
        if not read or (answer.truncated and not is_html(answer)):
            return self._unread(exchange, status)
        finding = diagnose(exchange, self._dialect)
        if finding.cause is CauseId.CREDENTIAL_NOT_PROVABLE:
            # The same words for a mistyped user name as for a bad key: nobody is woken for one of them.
            return Judgement(CallResult.UNEXPLAINED, code=error.code if error else None)
        return Judgement(CallResult.PROBLEM, finding, error.code if error else None)

    def _unread(self, exchange: Exchange, status: int) -> Judgement:
        # A refusal may be a user's or ours: only its code tells, and the body is the caller's to read.
        if status < 500 and status != 429 and self._dialect.explain(exchange) is None:
            return UNEXPLAINED
        return Judgement(CallResult.PROBLEM, cause_without_body(exchange, self._dialect))

    def _no_error(self, request: Any, response: Any, answer: Response, history: Any) -> Judgement:
        asked = host_of(history[0] if history else request)
        answered = str(getattr(response, "url", "") or getattr(request, "url", ""))
        location = raw(answer.headers.get("location")) if 300 <= answer.status < 400 else None
        elsewhere = _host(answered, location or "") or asked
        if asked and elsewhere != asked:
            message = f"the API answered with a redirect to {elsewhere}"
            finding = Finding(CauseId.NETWORK_UNEXPECTED_REDIRECT, message, {"redirected to": elsewhere})
            return Judgement(CallResult.PROBLEM, finding)
        if answer.status < 300 and answer.media_type in ("text/html", "application/xhtml+xml"):
            finding = Finding(CauseId.CONTRACT_NOT_JSON, "the answer is HTML where JSON is due")
            return Judgement(CallResult.PROBLEM, finding)
        return OK

    @property
    def known_codes(self) -> frozenset[str | int]:
        """The codes that the provider's documentation has, which cannot be an echo of anything."""
        return frozenset(self._provider.meanings) | self._provider.about_a_user


def _host(url: str, location: str) -> str:
    """Return the host that a redirect leads to, in no more characters than a name has (RFC 1035)."""
    try:
        return quoted(urlsplit(urljoin(url, location)).hostname or "", _LONGEST_HOST)
    except ValueError:
        return "what is no address"


def _blank(settings: type[ProviderSettings]) -> ProviderSettings:
    """Return settings with empty values for what is required, and defaults for the rest."""
    empty: dict[str, Any] = {
        field.name: SecretStr("") if field.secret else "" for field in settings.fields() if field.required
    }
    return settings.model_construct(None, **empty)
