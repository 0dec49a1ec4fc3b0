"""Pages by which web servers ask for a client certificate, where they finish the handshake first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mfagate.core.causes import CauseId
from mfagate.core.diagnosis import diagnose
from mfagate.core.exchange import Exchange, Headers, Request, Response

PAGE = (
    "<html><head><title>400 {title}</title></head><body><center><h1>400 Bad Request</h1></center>{title}</body></html>"
)


class Plain:
    """A provider that knows no error of its own."""

    def errors_page(self, exchange: Exchange) -> str:
        return ""

    def explain(self, exchange: Exchange) -> None:
        """Know nothing."""

    def evidence(self, exchange: Exchange) -> dict[str, Any]:
        """Show nothing."""
        return {}


def answered(status: int, body: str, kind: str = "text/html") -> Exchange:
    response = Response(status, headers=Headers((("Content-Type", kind),)), body=body.encode())
    return Exchange(Request("GET", "https://mfa.example.com/ping"), datetime.now(UTC), response)


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("No required SSL certificate was sent", "the server demands a client certificate (400)"),
        ("The SSL certificate error", "the server refuses the client certificate (400)"),
    ],
)
def test_a_page_about_the_client_certificate(title: str, message: str) -> None:
    finding = diagnose(answered(400, PAGE.format(title=title)), Plain())
    assert (finding.cause, finding.message) == (CauseId.NETWORK_TLS_CLIENT_CERTIFICATE, message)


@pytest.mark.parametrize(
    ("status", "title", "kind"),
    [
        (400, "Bad Request", "text/html"),
        (403, "No required SSL certificate was sent", "text/html"),
        (400, "No required SSL certificate was sent", "application/json"),
    ],
)
def test_other_answers_are_not_about_it(status: int, title: str, kind: str) -> None:
    body = PAGE.format(title=title) if kind == "text/html" else f'{{"error": "{title}"}}'
    assert diagnose(answered(status, body, kind), Plain()).cause is not CauseId.NETWORK_TLS_CLIENT_CERTIFICATE
