"""Numbers and dates of others: whatever they are, they are data and no defect."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.core import numbers
from mfagate.core.diagnosis import _by_status, seconds_to_wait
from mfagate.core.exchange import Exchange, Headers, Phase, Request, Response
from mfagate.providers import registry
from mfagate.providers.oauth import token_in
from mfagate.transport import clock_offset

FAR = "Fri, 31 Dec 9999 23:59:59 GMT"
WAITS: list[tuple[str, float | None]] = [
    ("0", 0.0),
    ("30", 30.0),
    (" 30 ", 30.0),
    ("9" * 15, 999_999_999_999_999.0),
    ("9" * 5_000, None),
    ("9" * 60_000, None),
    ("-1", None),
    ("+1", None),
    ("1.5", None),
    ("1e3", None),
    ("²", None),
    ("٣", None),
    ("", None),
    ("soon", None),
    ("1, 2", None),
    ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
    ("Sun, 06 Nov 1994 08:49:37 +9999999999", None),
    (f"Sun, {'0' * 5_000}6 Nov 1994 08:49:37 GMT", None),
    ("Sun, 06 Nov 99999 08:49:37 GMT", None),
]
DATES = st.one_of(
    st.text(),
    st.from_regex(r"(Mon, )?[0-9]{1,9} (Jan|Feb|Nov) [0-9]{1,9} [0-9]{1,9}:[0-9]{1,3}(:[0-9]{1,9})? [+-]?[0-9]{0,12}"),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?([+-][0-9]{2}:[0-9]{2}|Z)?"),
    st.datetimes(timezones=st.timezones()).map(str),
)


def answer(status: int = 429, body: bytes = b"", **headers: str) -> Response:
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Response(status, headers=Headers(fields), body=body)


@pytest.mark.parametrize(("wait", "seconds"), WAITS)
@pytest.mark.parametrize("name", ["retry_after", "x_rate_limit_reset", "x_ratelimit_reset", "ratelimit_reset"])
def test_a_time_to_wait(name: str, wait: str, seconds: float | None) -> None:
    headers = Headers(((name.replace("_", "-"), wait),))
    assert seconds_to_wait(Response(429, headers=headers)) == seconds


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("wait", [*(wait for wait, _ in WAITS), FAR, "1780000000", "9999999999"])
def test_a_limit_is_reported_whatever_it_says(status: int, wait: str) -> None:
    finding = _by_status(answer(status, retry_after=wait))
    assert finding is not None
    assert len(finding.message) < 120
    assert len(str(finding.evidence["retry-after"])) <= 80
    assert finding.cause == ("provider.rate-limited" if status == 429 else "provider.maintenance")


@given(st.text() | DATES)
def test_no_header_is_a_defect(text: str) -> None:
    response = answer(retry_after=text, date=text, age="0")
    seconds_to_wait(response)
    assert _by_status(response) is not None
    exchange = Exchange(Request("GET", "https://x/"), datetime.now(UTC), response, phases={Phase.PROCESSING: 0.1})
    assert isinstance(clock_offset(exchange), float | None)


@given(DATES)
def test_dates_are_in_utc_or_none(text: str) -> None:
    for found in (numbers.iso_date(text), numbers.http_date(text)):
        assert found is None or (found.tzinfo is UTC and isinstance(found < datetime.now(UTC), bool))


@given(st.integers() | st.floats() | st.text() | st.none() | st.booleans() | st.just(10**4299))
def test_numbers_are_finite_or_none(value: Any) -> None:
    assert numbers.finite(value) is None or abs(float(numbers.finite(value) or 0)) <= 1.8e308
    assert numbers.moment(value) is None or 1 <= numbers.moment(value).year <= 9999  # type: ignore[union-attr]


@given(st.text() | st.from_regex(r"[0-9]{1,20}"))
def test_whole_numbers_are_ascii_digits(text: str) -> None:
    number = numbers.whole(text)
    assert number is None or str(number) == text.strip().lstrip("0") or not text.strip().strip("0")


@pytest.mark.parametrize("lifetime", [b"1" + b"0" * 400, b"1e999", b"-1", b"NaN", b'"x"', b"true", b"null", b"3600"])
def test_an_access_token_with_any_lifetime_is_one(lifetime: bytes) -> None:
    body = b'{"access_token": "t", "token_type": "Bearer", "expires_in": ' + lifetime + b"}"
    assert token_in(answer(200, body)) == ("t", 3600.0 if lifetime == b"3600" else 0.0)


@pytest.mark.parametrize("told", [b"1" + b"0" * 400, b"-1", b"1e999", b"99999999999999"])
def test_a_time_in_an_answer_is_any_number(told: bytes) -> None:
    response = answer(200, b'{"stat": "OK", "response": {"time": ' + told + b"}}")
    exchange = Exchange(Request("GET", "https://x/"), datetime.now(UTC), response, phases={Phase.PROCESSING: 0.1})
    assert isinstance(clock_offset(exchange, registry.get("duo").probes.server_time(response)), float | None)
