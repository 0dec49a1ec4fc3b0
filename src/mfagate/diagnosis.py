"""From an exchange that is not in order to its cause.

The provider's own error code comes first, the status second, and neither is
looked at before the transport: a status code is never the diagnosis.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from mfagate import numbers
from mfagate.causes import CauseId
from mfagate.exchange import Exchange, Response
from mfagate.foreign import ForeignText, quoted
from mfagate.intermediaries import proxy_finding
from mfagate.result import Finding

_LONGEST_WORD = 80
"""Characters of a header or a title that are shown."""

_LONGEST_URL = 4096

_LONGEST_WAIT = 10 * 365 * 86_400
"""Seconds. A larger number is not shown as a time to wait."""

_TITLE_BYTES = 1 << 14
"""Bytes of a page that are searched for its title."""


class Dialect(Protocol):
    """Reads answers as one provider words them."""

    def explain(self, exchange: Exchange) -> Finding | None:
        """The cause that the provider's own error code stands for, if it is a known one."""

    def evidence(self, exchange: Exchange) -> Mapping[str, Any]:
        """The provider's own code and words, known or not."""


def diagnose(exchange: Exchange, dialect: Dialect) -> Finding:
    """The cause of an exchange that was not accepted."""
    return definite_cause(exchange, dialect) or unexpected(exchange, dialect)


def definite_cause(exchange: Exchange, dialect: Dialect) -> Finding | None:
    """The cause, where transport, provider code or status leave no doubt; None for a mere difference."""
    if exchange.failure is not None:
        failure = exchange.failure
        evidence = {"request": _request(exchange), "phase": str(failure.phase), **failure.evidence}
        return Finding(failure.cause, failure.message, evidence, outcome=failure.outcome, next_step=failure.next_step)
    response = exchange.response
    assert response is not None, "an exchange has a failure or a response"
    found = proxy_finding(exchange) or dialect.explain(exchange) or _by_status(response) or _gone(exchange, dialect)
    found = found or _unreadable(response)
    if found is None:
        return None
    words = dialect.evidence(exchange)
    evidence = {"request": _request(exchange), "status": response.status, **words, **found.evidence}
    return replace(found, evidence=evidence)


def cause_without_body(exchange: Exchange, dialect: Dialect) -> Finding:
    """The cause of a refusal whose body nobody has read: by its headers and its status."""
    response = exchange.response
    assert response is not None, "a failure has no status"
    finding = proxy_finding(exchange) or dialect.explain(exchange) or _by_status(response)
    return finding or unexpected(exchange, dialect)


def _request(exchange: Exchange) -> str:
    # Without the query: it may hold a transaction or a user.
    return f"{exchange.request.method} {exchange.request.url.partition('?')[0]}"


def _by_status(response: Response) -> Finding | None:
    status = response.status
    if 300 <= status < 400:
        location = _where_to(response)
        return Finding(
            CauseId.NETWORK_UNEXPECTED_REDIRECT,
            f"the API answered with a redirect ({status}) to {location}",
            {"location": location},
        )
    if status == 429:
        return Finding(
            CauseId.PROVIDER_RATE_LIMITED, f"the provider asks to slow down (429){_wait(response)}", _retry(response)
        )
    if status == 503 and "retry-after" in response.headers:
        return Finding(
            CauseId.PROVIDER_MAINTENANCE, f"the provider is unavailable (503){_wait(response)}", _retry(response)
        )
    if status >= 500:
        return Finding(
            CauseId.PROVIDER_OUTAGE, f"the provider answered with a server error ({status})", _looks(response)
        )
    return None


def is_absent(response: Response) -> bool:
    """Return whether an answer says that something is absent: an endpoint, or an object."""
    return response.status in (404, 410)


def _gone(exchange: Exchange, dialect: Dialect) -> Finding | None:
    """Return the retirement of the endpoint, unless an error of the provider's own may name an object instead.

    A gateway words such an answer as it likes, so its form says nothing about the API.
    """
    response = exchange.response
    if response is None or not is_absent(response) or "provider code" in dialect.evidence(exchange):
        return None
    return unexpected(exchange, dialect)


def _unreadable(response: Response) -> Finding | None:
    if response.truncated and not is_html(response):
        return Finding(
            CauseId.CONTRACT_BODY_UNREADABLE,
            f"the answer is larger than {len(response.body)} bytes; the rest was not read",
            {"announced bytes": _announced(response), **_looks(response)},
        )
    if response.undecodable is not None:
        message = f"the answer is not in {response.undecodable.quoted(_LONGEST_WORD)}, as the header claims"
        return Finding(CauseId.CONTRACT_BODY_UNREADABLE, message, _looks(response))
    if not response.body.strip():
        return Finding(
            CauseId.CONTRACT_BODY_UNREADABLE, f"the answer ({response.status}) has no body", _looks(response)
        )
    if is_html(response) or "json" not in response.media_type:
        if _is_json(response):
            return Finding(
                CauseId.CONTRACT_HEADER_CHANGED,
                f"the answer is JSON, but its content type is {response.shown_type or 'not given'}",
                _looks(response),
            )
        kind = "HTML" if is_html(response) else response.shown_type or "text without a content type"
        return Finding(CauseId.CONTRACT_NOT_JSON, f"the answer is {kind} where JSON is due", _looks(response))
    if not _is_json(response):
        return Finding(CauseId.CONTRACT_BODY_UNREADABLE, "the answer is damaged JSON", _looks(response))
    return None


def unexpected(exchange: Exchange, dialect: Dialect) -> Finding:
    """The cause of an answer that says nothing definite: by its status alone."""
    response = exchange.response
    assert response is not None, "a failure is always a definite cause"
    evidence: dict[str, Any] = {"request": _request(exchange), "status": response.status}
    evidence |= {**dialect.evidence(exchange), **_looks(response)}
    if response.status == 401:
        message = "the provider refused the credential (401) with an error that mfagate does not know"
        return Finding(CauseId.CREDENTIAL_REJECTED, message, evidence)
    if response.status == 403:
        message = "the provider forbids the request (403) with an error that mfagate does not know"
        return Finding(CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, message, evidence)
    if is_absent(response):
        message = f"the provider has no such endpoint ({response.status})"
        return Finding(CauseId.CONTRACT_ENDPOINT_RETIRED, message, evidence)
    if response.status >= 400:
        message = f"the provider refused the request ({response.status}) with an error that mfagate does not know"
        return Finding(CauseId.CONTRACT_STATUS_CHANGED, message, evidence)
    if (root := _bare_root(response)) is not None:
        message = f"the answer ({response.status}) is {root}, where the API answers with an object or a list"
        return Finding(CauseId.CONTRACT_TYPE_CHANGED, message, evidence)
    message = f"the answer ({response.status}) has another shape than the provider is known to give"
    return Finding(CauseId.CONTRACT_VALUE_UNEXPECTED, message, evidence)


def is_html(response: Response) -> bool:
    """Whether an answer is a page, by its type or its beginning."""
    start = response.body.lstrip()[:200].lower()
    return response.media_type in ("text/html", "application/xhtml+xml") or start.startswith(
        (b"<!doctype html", b"<html")
    )


_ROOTS = {type(None): "null", bool: "a boolean", int: "a number", float: "a number", str: "a string"}


def _bare_root(response: Response) -> str | None:
    """Return what the whole body is, if it is JSON and neither an object nor a list."""
    try:
        return _ROOTS.get(type(response.json()))
    except ValueError:
        return None


def _is_json(response: Response) -> bool:
    try:
        response.json()
    except ValueError:
        return False
    return True


def _looks(response: Response) -> dict[str, Any]:
    """What may be told of an answer: never its body, which may echo a secret."""
    looks: dict[str, Any] = {"content type": response.shown_type or "none", "bytes": len(response.body)}
    if is_html(response) and (title := _title(response.body[:_TITLE_BYTES])):
        looks["page title"] = quoted(title, _LONGEST_WORD)
    if server := response.headers.get("server"):
        looks["server"] = server.quoted(_LONGEST_WORD)
    return looks


def _title(page: bytes) -> str:
    """Return the whole title of a page; it is cut when it is shown."""
    begin = page.lower().find(b"<title")
    behind = page.find(b">", begin) + 1 if begin >= 0 else 0
    return page[behind:].partition(b"<")[0].decode("utf-8", "replace") if behind else ""


def _where_to(response: Response) -> str:
    """Without the query, which may hold a transaction or a user."""
    location = response.headers.get("location")
    return quoted(location.quoted(_LONGEST_URL).partition("?")[0]) if location is not None else "nowhere"


def _announced(response: Response) -> str:
    announced = response.headers.get("content-length")
    return announced.quoted(_LONGEST_WORD) if announced is not None else "more"


_RESETS = ("x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset")
"""When a limit begins anew: Okta, Auth0 and others, in seconds since 1970 or from now."""


def _retry(response: Response) -> dict[str, Any]:
    names = ("retry-after", *_RESETS)
    return {name: response.headers[name].quoted(_LONGEST_WORD) for name in names if name in response.headers} | _looks(
        response
    )


def seconds_to_wait(response: Response) -> float | None:
    """How long the provider asks to wait: a number of seconds, a moment in seconds since 1970, or a date.

    None for anything else (RFC 9110 section 10.2.3 allows for neither a sign nor a fraction).
    """
    wait = _told_wait(response)
    seconds = wait.whole_number() if wait is not None else None
    if wait is None or seconds is None:
        date = wait.http_date() if wait is not None else None
        return max(0.0, date.timestamp() - time.time()) if date is not None else None
    return max(0.0, seconds - time.time()) if _is_moment(seconds) else float(seconds)


def _wait(response: Response) -> str:
    wait = _told_wait(response)
    if wait is None:
        return ""
    seconds = wait.whole_number()
    moment = wait.http_date() if seconds is None else numbers.moment(seconds)
    if seconds is not None and not _is_moment(seconds):
        return f"; try again in {seconds} s" if seconds <= _LONGEST_WAIT else ""
    return f"; try again after {moment:%Y-%m-%d %H:%M:%S} UTC" if moment is not None else ""


def _told_wait(response: Response) -> ForeignText | None:
    names = ("retry-after", *_RESETS)
    return next((response.headers[name] for name in names if name in response.headers), None)


def _is_moment(seconds: int) -> bool:
    """A number of seconds between 2001 and 2286 is a moment, any other a duration."""
    return 1_000_000_000 <= seconds <= 10_000_000_000
