"""The expiry dates of API tokens and trial orgs.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApiToken/ and
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/OrgSettingGeneral/.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from mfagate.core import numbers
from mfagate.core.exchange import Response
from mfagate.core.foreign import quoted
from mfagate.core.foreign.parsing import beginning, raw
from mfagate.providers.probes import Expiry

_JUST_NOW = timedelta(seconds=10)

_NUMBER = r"(\d{1,6})"
_DURATION = re.compile(rf"P(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?", re.ASCII)
_LONGEST_DURATION = 50


def expiry_of_token(response: Response) -> Sequence[Expiry]:
    """Read the expiry of one token, or in a list, of the token that was used just now: it must be the configured one.

    Using a token, for example to list tokens, moves its expiry and its ``lastUpdated``. If several tokens were used
    within the same seconds, return nothing.
    """
    body = response.json()
    tokens = [token for token in (body if isinstance(body, list) else [body]) if isinstance(token, dict)]
    if isinstance(body, list):
        now = _moment(raw(response.headers.get("date")))
        tokens = [
            token for token in tokens if now and (used := _moment(token.get("lastUpdated"))) and now - used < _JUST_NOW
        ]
    if len(tokens) != 1:
        return ()
    (token,) = tokens
    ends = _moment(token.get("expiresAt"))
    name = f'the API token "{quoted(token.get("name"), 80)}" ({quoted(token.get("id"), 80)})'
    return (Expiry("api_token", ends, name, _duration(token.get("tokenWindow"))),) if ends else ()


def expiry_of_org(response: Response) -> Sequence[Expiry]:
    """Read the expiry of a trial org; other orgs have none."""
    body = response.json()
    ends = _moment(body.get("expiresAt")) if isinstance(body, dict) else None
    return (Expiry("org_url", ends, "the trial org"),) if ends else ()


def _moment(text: Any) -> datetime | None:
    """Parse a time from JSON or from a Date header."""
    return numbers.iso_date(text, zoned=True) or numbers.http_date(text)


def _duration(text: Any) -> timedelta | None:
    """Parse an ISO 8601 duration in weeks, days, hours, minutes and seconds, such as P30D."""
    found = _DURATION.fullmatch(beginning(text, _LONGEST_DURATION))
    if found is None:
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds) or None
