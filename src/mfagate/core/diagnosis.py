"""Find the cause of an exchange that was not accepted.

The provider's own error code comes first, the status second, and neither is
looked at before the transport: a status code is never the diagnosis.

A code in the provider's table decides, at any status. A refusal (401 or 403) that no table
explains is ``provider.refusal-unrecognised``, which accuses nothing. Only the credential check
turns a refusal without a message into ``credential.rejected``, and only after further requests.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from mfagate.core import numbers
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding
from mfagate.core.foreign import ForeignText, quoted
from mfagate.core.intermediaries import edge_finding, offered_schemes, proxy_finding

_LONGEST_WORD = 80
"""Characters of a header or a title that are shown."""

_LONGEST_URL = 4096

_LONGEST_WAIT = 10 * 365 * 86_400
"""Seconds. A larger number is not shown as a time to wait."""

_TITLE_BYTES = 1 << 14
"""Bytes of a page that are searched for its title."""


class Dialect(Protocol):
    """Read the errors of one provider."""

    def explain(self, exchange: Exchange) -> Finding | None:
        """Return the cause of the provider's own error code, if the code is known."""

    def evidence(self, exchange: Exchange) -> Mapping[str, Any]:
        """Return the provider's code and message, known or not."""

    def errors_page(self, exchange: Exchange) -> str:
        """Return the URL of the page that lists such errors; empty if the provider publishes no list."""


def diagnose(exchange: Exchange, dialect: Dialect) -> Finding:
    """Return the cause of an exchange that was not accepted."""
    return definite_cause(exchange, dialect) or unexpected(exchange, dialect)


def definite_cause(exchange: Exchange, dialect: Dialect) -> Finding | None:
    """Return the cause if transport, provider code or status leave no doubt; None for a mere difference."""
    if exchange.failure is not None:
        failure = exchange.failure
        evidence = {"request": _request(exchange), "phase": str(failure.phase), **failure.evidence}
        return Finding(
            failure.cause, failure.message, evidence,
            outcome=failure.outcome, next_step=failure.next_step, setting=failure.setting,
        )  # fmt: skip
    response = exchange.response
    assert response is not None, "an exchange has a failure or a response"
    found = _by_others(exchange) or dialect.explain(exchange) or _by_status(response) or _gone(exchange, dialect)
    if found is None and not _is_refused_by_api(response):
        found = _unreadable(response)
    if found is None:
        return None
    if found.cause is CauseId.PROVIDER_RATE_LIMITED:
        found = _with_wait(found, response)
    words = dialect.evidence(exchange)
    evidence = {"request": _request(exchange), "status": response.status, **words, **found.evidence}
    return replace(found, evidence=evidence)


def cause_without_body(exchange: Exchange, dialect: Dialect) -> Finding:
    """Return the cause of a refusal whose body was not read, by its headers and its status."""
    response = exchange.response
    assert response is not None, "a failure has no status"
    finding = _by_others(exchange) or dialect.explain(exchange) or _by_status(response)
    return finding or unexpected(exchange, dialect)


def _by_others(exchange: Exchange) -> Finding | None:
    """Return the finding of an answer from a device between this machine and the provider."""
    return proxy_finding(exchange) or edge_finding(exchange)


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
            CauseId.PROVIDER_RATE_LIMITED,
            f"the provider limits the rate of requests (429){_wait(response)}",
            _retry(response),
        )
    if status == 503 and "retry-after" in response.headers:
        return Finding(
            CauseId.PROVIDER_MAINTENANCE, f"the provider is unavailable (503){_wait(response)}", _retry(response)
        )
    if status == 400 and (demand := _client_certificate(response)):
        return Finding(CauseId.NETWORK_TLS_CLIENT_CERTIFICATE, f"the server {demand} (400)", _looks(response))
    if status >= 500:
        return Finding(
            CauseId.PROVIDER_OUTAGE, f"the provider answered with a server error ({status})", _looks(response)
        )
    return None


_ABOUT_CERTIFICATES = {
    b"No required SSL certificate was sent": "demands a client certificate",
    b"The SSL certificate error": "refuses the client certificate",
}
"""What nginx writes on its pages for 496 and 495, which it sends as 400
(https://nginx.org/en/docs/http/ngx_http_ssl_module.html#errors)."""


def _client_certificate(response: Response) -> str | None:
    page = response.body[:_TITLE_BYTES] if is_html(response) else b""
    return next((demand for words, demand in _ABOUT_CERTIFICATES.items() if words in page), None)


def is_absent(response: Response) -> bool:
    """Return whether an answer says that something is absent: an endpoint, or an object."""
    return response.status in (404, 410)


def _gone(exchange: Exchange, dialect: Dialect) -> Finding | None:
    """Return the retirement of the endpoint, unless the provider's error code may name an object.

    A gateway may phrase such an answer in any way, so its form says nothing about the API.
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
        if (scheme := _login_of_a_front_end(response)) is not None:
            return _front_end(response, scheme)
        kind = "HTML" if is_html(response) else response.shown_type or "text without a content type"
        evidence = {**_looks(response), **(_BETWEEN if is_html(response) and response.status < 300 else {})}
        return Finding(CauseId.CONTRACT_NOT_JSON, f"the answer is {kind} instead of JSON", evidence)
    if not _is_json(response):
        return Finding(CauseId.CONTRACT_BODY_UNREADABLE, "the answer is damaged JSON", _looks(response))
    return None


_BETWEEN: Mapping[str, Any] = {
    "possible causes": [
        "the host or path is that of a web page, not of the API",
        "a filter, proxy or captive portal between this machine and the provider answered instead",
    ]
}


_FRONT_ENDS = ("basic", "digest", "negotiate", "ntlm")
"""Schemes with which web servers protect a site (RFC 9110 section 11), in lower case."""


def _login_of_a_front_end(response: Response) -> str | None:
    """Return the scheme of a page that asks for a login: no API of a provider does so with a page.

    nginx with ``auth_basic`` in front of an API that has a key of its own in the same header:
    https://github.com/Tmeister/wp-api-jwt-auth/issues/291
    """
    if response.status != 401 or not is_html(response):
        return None
    schemes = offered_schemes(response.headers.all("www-authenticate"))
    return next((scheme for scheme in schemes if scheme.lower() in _FRONT_ENDS), None)


def _front_end(response: Response, scheme: str) -> Finding:
    return Finding(
        CauseId.CONTRACT_NOT_JSON,
        f"a web server in front of the API demands its own login ({scheme}), with a page",
        {**_looks(response), "scheme": scheme},
        next_step="The API did not receive the request: do not change the credential. Have the owner of the web server "
        "that the report names except the API's paths from its login; it uses the header Authorization, in which the "
        "key is.",
    )


def unexpected(exchange: Exchange, dialect: Dialect, *, probing: bool = False) -> Finding:
    """Return the cause of an answer by its status alone, if it says nothing more definite.

    No contract describes the answer to a request that only probes (``probing``). There, every 4xx
    with a provider code is a refusal, except those that mean that nothing is at the address.
    """
    response = exchange.response
    assert response is not None, "a failure is always a definite cause"
    evidence: dict[str, Any] = {"request": _request(exchange), "status": response.status}
    words = dialect.evidence(exchange)
    evidence |= {**words, **_looks(response)}
    if response.status in _REFUSED or (probing and "provider code" in words and response.status in _REQUEST_REFUSED):
        return _unrecognised(response, dialect.errors_page(exchange), evidence)
    if is_absent(response):
        message = f"the provider has no such endpoint ({response.status})"
        return Finding(CauseId.CONTRACT_ENDPOINT_RETIRED, message, evidence)
    if response.status >= 400:
        message = f"the provider refused the request ({response.status}) with an error that mfagate does not know"
        return Finding(CauseId.CONTRACT_STATUS_CHANGED, message, evidence)
    if (root := _bare_root(response)) is not None:
        message = f"the answer ({response.status}) is {root} instead of an object or a list"
        return Finding(CauseId.CONTRACT_TYPE_CHANGED, message, evidence)
    message = f"the answer ({response.status}) does not have the known form of this provider's answers"
    return Finding(CauseId.CONTRACT_VALUE_UNEXPECTED, message, evidence)


_REFUSED = (401, 403)

_REQUEST_REFUSED = frozenset(range(400, 500)) - {404, 405, 410}
"""Statuses that refuse one request; the others say that nothing is at this address."""


def _is_refused_by_api(response: Response) -> bool:
    """Return whether an answer is a refusal by the API, not a page of a device in front of it."""
    whole = not response.truncated and response.undecodable is None
    return response.status in _REFUSED and whole and not is_html(response)


def is_bare_refusal(response: Response | None) -> bool:
    """Return whether an answer refuses and gives no reason, neither in its body nor in its challenge (RFC 6750)."""
    if response is None or response.status not in _REFUSED or response.body.strip():
        return False
    challenge = response.headers.get("www-authenticate")
    return challenge is None or "error=" not in challenge


def _unrecognised(response: Response, page: str, evidence: Mapping[str, Any]) -> Finding:
    """Return the finding of a refusal that no table explains.

    The message and the next step hold no text of the provider: an unknown code may be an echo.
    """
    what = "without giving a reason" if is_bare_refusal(response) else "with an error that mfagate does not know"
    words = {name: value for name, value in _words(response).items() if name not in evidence}
    shown = {**evidence, **words, **({"provider's errors": page} if page else {})}
    look = f"Look up the provider's code and message in {page}. " if page else ""
    if "provider code" not in evidence and response.body.strip():
        look = f"{_FOREIGN_FORM}{look}"
    return Finding(
        CauseId.PROVIDER_REFUSAL_UNRECOGNISED,
        f"the provider refused the request ({response.status}) {what}",
        shown,
        next_step=f"Do not rotate the credential: nothing shows that it is wrong. {look}If that does not explain it, "
        "give the provider's support the reference in the evidence, or the time of the request in UTC.",
    )


_FOREIGN_FORM = (
    "The answer does not have the known form of this provider's errors, so look first for a gateway or proxy in "
    "front of it that may have given it. "
)
"""Gateways refuse in JSON of their own, such as AWS's (https://github.com/optiv/Go365/issues/4)."""


_MESSAGE_FIELDS = ("error_description", "message", "Message", "detail", "title", "error", "reason")
"""Fields in which APIs and gateways explain an error, the most specific first."""

_REFERENCES = (
    "x-request-id", "request-id", "x-correlation-id", "x-ms-request-id", "x-auth0-requestid", "x-okta-request-id",
    "twilio-request-id", "x-amzn-requestid", "cf-ray",
)  # fmt: skip
"""Headers that name one request, as providers and the gateways in front of them send them."""


def _words(response: Response) -> dict[str, str]:
    """Return the message of a refusal in an unknown form, and the reference for the provider's support."""
    reference = next((response.headers[name] for name in _REFERENCES if name in response.headers), None)
    shown = {
        "provider message": quoted(_message(response)),
        "provider reference": reference.quoted() if reference is not None else "",
    }
    return {name: value for name, value in shown.items() if value}


def _message(response: Response) -> str | ForeignText:
    if not response.body.strip() or is_html(response):
        return ""
    try:
        body = response.json()
    except ValueError:
        return response.text
    fields = body if isinstance(body, dict) else {"message": body}
    words = (fields[name] for name in _MESSAGE_FIELDS if isinstance(fields.get(name), str))
    return next(filter(None, words), "")


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
    """Return what a report may show of an answer: never its body, which may echo a secret."""
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
"""When a limit is reset (Okta, Auth0 and others), in seconds since 1970 or from now."""


def _retry(response: Response) -> dict[str, Any]:
    names = ("retry-after", *_RESETS)
    return {name: response.headers[name].quoted(_LONGEST_WORD) for name in names if name in response.headers} | _looks(
        response
    )


def seconds_to_wait(response: Response) -> float | None:
    """Return how long the provider asks to wait, given in seconds, in seconds since 1970, or as a date.

    Return None for anything else (RFC 9110 section 10.2.3 allows neither a sign nor a fraction).
    """
    wait = _requested_wait(response)
    seconds = wait.whole_number() if wait is not None else None
    if wait is None or seconds is None:
        date = wait.http_date() if wait is not None else None
        return max(0.0, date.timestamp() - time.time()) if date is not None else None
    return max(0.0, seconds - time.time()) if _is_moment(seconds) else float(seconds)


def _wait(response: Response) -> str:
    wait = _requested_wait(response)
    if wait is None:
        return ""
    seconds = wait.whole_number()
    moment = wait.http_date() if seconds is None else numbers.moment(seconds)
    if seconds is not None and not _is_moment(seconds):
        return f"; try again in {seconds} s" if seconds <= _LONGEST_WAIT else ""
    if moment is None or moment.timestamp() <= time.time():
        return ""  # A time in the past is useless: this machine's clock or the provider's estimate is wrong.
    return f"; try again after {moment:%Y-%m-%d %H:%M:%S} UTC"


def _with_wait(found: Finding, response: Response) -> Finding:
    """Add when to try again to a known provider code that only reports a rate limit."""
    if _requested_wait(response) is None:
        return found
    wait = _wait(response)
    message = found.message if wait in found.message else found.message + wait
    return replace(found, message=message, evidence={**_retry(response), **found.evidence})


def _requested_wait(response: Response) -> ForeignText | None:
    names = ("retry-after", *_RESETS)
    return next((response.headers[name] for name in names if name in response.headers), None)


def _is_moment(seconds: int) -> bool:
    """Read a number of seconds: a time between 2001 and 2286, or else a duration."""
    return 1_000_000_000 <= seconds <= 10_000_000_000
