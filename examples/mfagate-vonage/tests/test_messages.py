"""What sends somebody a message, and what is asked again later."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from mfagate_vonage.probes import NO_SUCH_REQUEST
from mfagate_vonage.provider import PROVIDER

from mfagate.core.exchange import Exchange, Request, Response

CONFLICT = b'{"title":"Conflict","detail":"Concurrent verifications to the same number are not allowed."}'


@pytest.mark.parametrize(
    ("method", "path", "fields", "sends"),
    [
        ("POST", "/v2/verify", {"brand": "mfagate", "workflow": []}, True),
        ("POST", f"/v2/verify/{NO_SUCH_REQUEST}", {"code": "0000"}, False),
        ("POST", f"/v2/verify/{NO_SUCH_REQUEST}/next_workflow", {}, True),
        ("DELETE", f"/v2/verify/{NO_SUCH_REQUEST}", {}, False),
        ("GET", "/accounts/0a1b2c3d/secrets", {}, False),
    ],
)
def test_a_code_that_is_checked_is_no_message(method: str, path: str, fields: dict[str, object], sends: bool) -> None:
    assert PROVIDER.api.sends_message(method, path, fields) is sends


@pytest.mark.parametrize(
    ("path", "body", "is_too_soon"),
    [
        ("/v2/verify", CONFLICT, True),
        ("/v2/verify", CONFLICT.replace(b"Conflict", b"Invalid params"), False),
        (f"/v2/verify/{NO_SUCH_REQUEST}", CONFLICT, False),
    ],
)
def test_another_verification_is_waited_for(path: str, body: bytes, is_too_soon: bool) -> None:
    answer = Response(409, body=body)
    exchange = Exchange(Request("POST", f"https://api.nexmo.com{path}"), datetime.now(UTC), answer)
    error = PROVIDER.dialect.error_of(answer)
    assert error is not None
    assert (PROVIDER.dialect.too_soon(error, exchange) is not None) is is_too_soon
