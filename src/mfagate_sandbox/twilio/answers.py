"""What all of Twilio's answers share: ids, times, errors and pages."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mfagate.providers.published import published
from mfagate.sandbox.emulator import IncomingRequest, Reply, RequestRejected

HOME = "https://verify.twilio.com"

_LARGEST_PAGE = 1000

_PUBLISHED = published(Path(__file__).parents[2] / "mfagate" / "providers" / "twilio")

_UNPUBLISHED = {
    20001: 400,
    20003: 401,
    20004: 405,
    20008: 403,
    20403: 403,
    20404: 404,
    20429: 429,
    20500: 500,
    20503: 503,
    60204: 403,
    60306: 400,
    60312: 429,
    60326: 429,
    70051: 401,
}
"""Statuses that Twilio's pages of error codes do not name; they follow its API reference, recordings and reports."""


def new_sid(prefix: str) -> str:
    """Return a new SID."""
    return prefix + secrets.token_hex(16)


def moment(seconds: float) -> str:
    """Return a time (seconds since 1970) in Verify's format."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def error(code: int, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    """Return an error in Twilio's envelope, with the published status of its code."""
    status = _UNPUBLISHED.get(code) or _PUBLISHED.status(code)
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Reply(status, {"code": code, "message": message, "more_info": more, "status": status}, headers or {})


def refused(code: int, message: str) -> RequestRejected:
    """Return an error, to raise."""
    return RequestRejected(error(code, message))


def not_found(request: IncomingRequest) -> RequestRejected:
    """Return the error for everything that does not exist, including expired verifications, to raise."""
    return refused(20404, f"The requested resource {request.path} was not found")


def invalid(code: int, name: str, value: str = "") -> RequestRejected:
    """Return the error for an invalid parameter, to raise: 60200 in older parts of Verify, 60306 for factors."""
    if code != 60200:
        return refused(code, "Invalid Request")
    return refused(code, f"Invalid parameter `{name}`: {value}" if name == "To" else f"Invalid parameter: {name}")


def page(request: IncomingRequest, key: str, resources: Sequence[Any], code: int) -> Reply:
    """Return one page of a list; ``code`` is the error of an invalid parameter.

    The URLs of other pages lead to the host that the client asked, and not to Twilio.
    """
    size = _number(request, "PageSize", 50, 1, _LARGEST_PAGE, code)
    number = _number(request, "Page", 0, 0, 10**9, code)
    # The port speaks TLS and plain HTTP; plain HTTP needs no certificate authority.
    origin = f"http://{request.local_host}" if request.local_host else HOME
    is_last = (number + 1) * size >= len(resources)

    def url(which: int) -> str:
        token = f"&PageToken=PA{which}" if which else ""
        return f"{origin}{request.path}?PageSize={size}&Page={which}{token}"

    meta = {
        "page": number,
        "page_size": size,
        "first_page_url": url(0),
        "previous_page_url": url(number - 1) if number else None,
        "url": url(number),
        "next_page_url": None if is_last else url(number + 1),
        "key": key,
    }
    return Reply(200, {key: resources[number * size : (number + 1) * size], "meta": meta})


def _number(request: IncomingRequest, name: str, default: int, least: int, most: int, code: int) -> int:
    text = request.parameter(name, str(default))
    if not re.fullmatch(r"[0-9]{1,10}", text) or not least <= int(text) <= most:
        raise invalid(code, name)
    return int(text)
