"""The server's clock against ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.core.exchange import Exchange, Headers, Phase, Request, Response
from mfagate.transport import clock_offset
from tests.transport.conftest import Serve
from tests.transport.helpers import answered, without_hurry
from tests.transport.servers import ok

STARTED = datetime(1994, 11, 6, 8, 49, 30, tzinfo=UTC)
PHASES = {
    Phase.RESOLVE: 0.5,
    Phase.CONNECT: 0.5,
    Phase.TLS: 1.0,
    Phase.PROCESSING: 4.0,
    Phase.TRANSFER: 100.0,
}


def exchange_with(*headers: tuple[str, str]) -> Exchange:
    return Exchange(Request("GET", "/"), STARTED, Response(200, headers=Headers(headers)), phases=PHASES)


@pytest.mark.parametrize(
    "date",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_all_three_formats_against_the_middle_of_processing(date: str) -> None:
    # Asked from :32 to :36, so :34; answered at :37 to :38, so :37.5.
    assert clock_offset(exchange_with(("Date", date))) == 3.5


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("Date", ""),),
        (("Date", "0"),),
        (("Date", "yesterday"),),
        (("Date", "Sun, 99 Nov 1994 08:49:37 GMT"),),
        (("Date", "Sun, 06 Nov 99999999999999999999 08:49:37 GMT"),),
        (("Date", "Fri, 31 Dec 9999 23:59:59 GMT"), ("Date", "again")),
        (("Date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("Age", "60")),
    ],
)
def test_no_usable_date(headers: tuple[tuple[str, str], ...]) -> None:
    assert clock_offset(exchange_with(*headers)) is None


@without_hurry
@given(st.text())
def test_no_date_is_too_odd(date: str) -> None:
    offset = clock_offset(exchange_with(("Date", date)))
    assert offset is None or isinstance(offset, float)


def test_a_failed_exchange_has_none() -> None:
    assert clock_offset(Exchange(Request("GET", "/"), STARTED)) is None


@pytest.mark.parametrize("ahead", [0, 3600, -86400])
def test_a_real_server(serve: Serve, get: object, ahead: int) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    exchange = get(serve(ok(b"", b"Date: " + date.encode())).url())  # type: ignore[operator]
    answered(exchange)
    offset = clock_offset(exchange)
    assert offset is not None
    assert abs(offset - ahead) < 30
