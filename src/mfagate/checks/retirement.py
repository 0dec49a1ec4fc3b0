"""Read what an answer announces about the end of its endpoint: the headers ``Deprecation`` and ``Sunset``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mfagate.core import numbers
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange, Headers
from mfagate.core.finding import Finding
from mfagate.core.foreign import ForeignText
from mfagate.core.foreign.parsing import raw

_LONGEST_WORD = 80

_LONGEST_LINK = 300

_LINK_RELATIONS = ("sunset", "deprecation", "successor-version")


def announced(exchange: Exchange) -> Finding | None:
    """Return a finding if the answer announces the end of its endpoint: a warning, or from that date on a failure.

    ``Sunset`` (RFC 8594) states when an endpoint is expected to stop. ``Deprecation`` (RFC 9745) alone does not affect
    the endpoint and usually has a date in the past, so it is a warning at any date.
    """
    response = exchange.response
    if response is None:
        return None
    sunset, deprecation = _first(response.headers, "sunset"), _first(response.headers, "deprecation")
    if deprecation is not None and raw(deprecation).strip().lower() in ("?0", "false"):
        deprecation = None
    if sunset is None and deprecation is None:
        return None
    end = sunset.http_date() if sunset is not None else None
    passed = end is not None and end <= exchange.started
    return Finding(
        CauseId.CONTRACT_ENDPOINT_RETIRED,
        _message(endpoint_of(exchange), sunset, end, deprecation, passed=passed),
        _evidence(response.headers, sunset, deprecation),
        outcome=Outcome.FAIL if passed else Outcome.WARN,
        expires=end,
    )


def _first(headers: Headers, name: str) -> ForeignText | None:
    return next(iter(headers.all(name)), None)


def endpoint_of(exchange: Exchange) -> str:
    """Return method and URL without the query, which may contain a transaction or a user."""
    return f"{exchange.request.method} {exchange.request.url.partition('?')[0]}"


def _message(
    endpoint: str, sunset: ForeignText | None, end: datetime | None, deprecation: ForeignText | None, *, passed: bool
) -> str:
    if end is not None:
        when = f"{end:%Y-%m-%d %H:%M} UTC"
        if passed:
            return f"{endpoint} still answers, but the provider announced its end for {when} (Sunset)"
        return f"the provider announces the end of {endpoint} for {when} (Sunset)"
    if sunset is not None:
        return f"the provider announces the end of {endpoint} (Sunset: {sunset.quoted(_LONGEST_WORD)})"
    since = _deprecated_since(deprecation)
    return f"the provider calls {endpoint} deprecated{f' as of {since:%Y-%m-%d}' if since else ''} (Deprecation)"


def _deprecated_since(deprecation: ForeignText | None) -> datetime | None:
    """Return the date: ``@`` and seconds since 1970 (RFC 9745), or an HTTP date, or just ``true`` (its drafts)."""
    if deprecation is None:
        return None
    text = raw(deprecation).strip()
    if text.startswith("@"):
        seconds = ForeignText(text[1:]).whole_number()
        return numbers.moment(seconds) if seconds is not None else None
    return deprecation.http_date()


def _evidence(headers: Headers, sunset: ForeignText | None, deprecation: ForeignText | None) -> Mapping[str, Any]:
    links = [link for link in headers.all("link") if any(relation in raw(link) for relation in _LINK_RELATIONS)]
    announced = {"Sunset": sunset, "Deprecation": deprecation}
    return {
        **{name: text.quoted(_LONGEST_WORD) for name, text in announced.items() if text is not None},
        **({"Link": links[0].quoted(_LONGEST_LINK)} if links else {}),
    }
