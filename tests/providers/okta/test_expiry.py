"""When tokens and trial orgs end, as Okta's answers tell it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mfagate.core.exchange import Headers, Response
from mfagate.providers.okta.expiry import expiry_of_org, expiry_of_token
from mfagate.providers.probes import Expiry

DATE = "Tue, 24 Nov 2026 12:00:00 GMT"


def token(name: str, used: str, **changed: Any) -> dict[str, Any]:
    """A token as Okta lists it; it ends 30 days after its last use."""
    ends = datetime.fromisoformat(used) + timedelta(days=30)
    more = {"lastUpdated": used, "expiresAt": ends.isoformat(), "tokenWindow": "P30D", **changed}
    return {"id": f"00T{name:a>17}", "name": name, **more}


def read(body: Any, date: str | None = DATE) -> Sequence[Expiry]:
    headers = Headers((("Date", date),) if date else ())
    return expiry_of_token(Response(200, headers=headers, body=json.dumps(body).encode()))


OURS, IDLE = token("ours", "2026-11-24T12:00:00.000Z"), token("idle", "2026-11-01T00:00:00.000Z")


def test_one_token() -> None:
    (expiry,) = read(IDLE)
    assert expiry.when == datetime(2026, 12, 1, tzinfo=UTC)
    assert expiry.window == timedelta(days=30)
    assert (expiry.subject, expiry.what) == ("api_token", 'the API token "idle" (00Taaaaaaaaaaaaaidle)')


def test_the_token_in_use_is_found_in_the_list() -> None:
    (expiry,) = read([IDLE, OURS])
    assert '"ours"' in expiry.what


@pytest.mark.parametrize(
    ("listed", "date"),
    [
        ([OURS, token("busy", "2026-11-24T11:59:57.000Z")], DATE),
        ([IDLE], DATE),
        ([], DATE),
        ([OURS], None),
        ([OURS], "yesterday"),
        ([{"name": "without dates"}], DATE),
        (["text"], DATE),
        ("text", DATE),
    ],
)
def test_nothing_is_guessed(listed: Any, date: str | None) -> None:
    assert not read(listed, date)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("P30D", timedelta(days=30)),
        ("PT5M", timedelta(minutes=5)),
        ("P2WT1H30S", timedelta(weeks=2, hours=1, seconds=30)),
        ("P1M", None),
        ("P99999999999999D", None),
        ("P", None),
        ("30", None),
        (None, None),
    ],
)
def test_windows(text: str | None, window: timedelta | None) -> None:
    (expiry,) = read({**IDLE, "tokenWindow": text})
    assert expiry.window == window


@pytest.mark.parametrize("ends", [None, "never", 1, "2026-12-24"])
def test_an_end_that_is_none(ends: Any) -> None:
    assert not read({**IDLE, "expiresAt": ends})
    assert not expiry_of_org(Response(200, body=json.dumps({"expiresAt": ends}).encode()))


def test_a_trial_org() -> None:
    (expiry,) = expiry_of_org(Response(200, body=b'{"expiresAt": "2026-12-24T14:15:22Z"}'))
    assert (expiry.subject, expiry.when) == ("org_url", datetime(2026, 12, 24, 14, 15, 22, tzinfo=UTC))
