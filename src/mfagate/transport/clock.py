"""Compare the local clock with the server's."""

from __future__ import annotations

from datetime import datetime, timedelta

from mfagate.core import numbers
from mfagate.core.exchange import Exchange, Headers, Phase
from mfagate.core.foreign.parsing import raw

BEFORE_PROCESSING = (Phase.RESOLVE, Phase.CONNECT, Phase.TLS)

# Date holds truncated seconds: on average the server's clock was half a second ahead of it.
CUT_OFF = timedelta(seconds=0.5)


def clock_offset(exchange: Exchange, body_time: float | None = None) -> float | None:
    """Return the seconds by which the server's clock is ahead of ours, exact to about half a second.

    ``body_time`` (seconds since 1970, from the body), or else the ``Date`` field (RFC 9110 section 6.6.1, any
    format of section 5.6.7), is compared with the middle of the processing phase. Return None
    without a usable time, or if the answer comes from a cache (``Age``, RFC 9111 section
    5.1), whose date is old.
    """
    if exchange.response is None or Phase.PROCESSING not in exchange.phases:
        return None
    headers = exchange.response.headers
    if (raw(headers.get("age")) or "0").strip() != "0":
        return None
    server = numbers.moment(body_time) if body_time is not None else _date(headers)
    return (server - _middle_of_processing(exchange) + CUT_OFF).total_seconds() if server is not None else None


def _date(headers: Headers) -> datetime | None:
    dates = headers.all("date")
    return dates[0].http_date() if len(dates) == 1 else None


def _middle_of_processing(exchange: Exchange) -> datetime:
    before = sum(exchange.phases.get(phase, 0.0) for phase in BEFORE_PROCESSING)
    return exchange.started + timedelta(seconds=before + exchange.phases[Phase.PROCESSING] / 2)
