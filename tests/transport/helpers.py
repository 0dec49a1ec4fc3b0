"""Requests to send, certificates to serve, failures to look into."""

from __future__ import annotations

import json
import ssl
from typing import Any

import requests
import trustme
from hypothesis import HealthCheck, settings

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Failure, Phase, Response

# Long enough for a busy machine to do everything that is not meant to time out.
PATIENCE = 10.0
# Short enough to wait for.
IMPATIENCE = 0.4

# For properties: a busy machine is not a counterexample.
without_hurry = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def server_tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def prepared(url: str, method: str = "GET", **options: Any) -> requests.PreparedRequest:
    return requests.Request(method, url, **options).prepare()


def failed(exchange: Exchange, cause: CauseId, phase: Phase) -> Failure:
    """The failure of an exchange, which has to be this one."""
    assert exchange.response is None, exchange.response
    failure = exchange.failure
    assert failure is not None
    assert (failure.cause, failure.phase) == (cause, phase), failure
    json.dumps(failure.evidence)
    return failure


def answered(exchange: Exchange) -> Response:
    assert exchange.failure is None, exchange.failure
    assert exchange.response is not None
    return exchange.response


def everything_shown(exchange: Exchange) -> str:
    """All that a report could show of an exchange without asking for header values or bodies."""
    parts: list[Any] = [exchange, str(exchange), exchange.request.headers, exchange.request.url]
    if exchange.failure:
        parts += [exchange.failure.message, dict(exchange.failure.evidence)]
    return "\n".join(map(repr, parts))
