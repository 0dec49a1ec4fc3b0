"""A code that no table has is in the evidence alone: it may be an echo of what was sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from mfagate.core.diagnosis import diagnose
from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.providers import registry
from mfagate.providers.auth0.errors import BY_SENTENCE
from mfagate.providers.errors import ProviderDialect
from mfagate.providers.okta.errors import BY_DESCRIPTION
from mfagate.providers.privacyidea.errors import POLICY_MESSAGES

TEXT, NUMBER = "canary_qzxv", 987654321

SETTINGS: Mapping[str, Mapping[str, str]] = {
    "okta": {"org_url": "https://acme.okta.com", "client_id": "0oaabcdefg1234567890", "api_token": "t" * 42},
    "twilio": {"account_sid": "AC" + "0" * 32, "service_sid": "VA" + "0" * 32, "auth_token": "0" * 32},
    "duo": {"host": "api-1a2b3c4d.duosecurity.com", "integration_key": "DI" + "X" * 18, "secret_key": "s" * 40},
    "auth0": {"domain": "acme.eu.auth0.com", "client_id": "c" * 32, "client_secret": "s" * 64},
    "entra": {
        "tenant_id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "client_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "client_secret": "s" * 40,
    },
    "privacyidea": {"url": "https://mfa.example.com", "validate_key": "a.b.c"},
}

SENTENCES = (
    "",
    "a sentence",
    *(part for parts in BY_DESCRIPTION.values() for part in parts),
    *(sentence.replace("\\b", "").strip("^$").partition("|")[0] for _, sentence in BY_SENTENCE),
    *POLICY_MESSAGES,
    "Resource not found for the segment",
    "time range; key used is expired; did not match; audience; expired; empty; scope; integration type",
    "invalid username; no credentials provided",
)

Body = Mapping[str, Any]
NO_HEADERS: Mapping[str, str] = {}


def of_okta(said: str) -> Iterator[tuple[Body, Mapping[str, str]]]:
    yield {"errorCode": TEXT, "errorSummary": said}, NO_HEADERS
    yield {"error": TEXT, "error_description": said}, NO_HEADERS
    yield {}, {"WWW-Authenticate": f'Bearer error="{TEXT}", error_description="{said}"'}


def of_twilio(said: str) -> Iterator[tuple[Body, Mapping[str, str]]]:
    yield {"code": NUMBER, "message": said}, NO_HEADERS
    yield {"code": TEXT, "message": said}, NO_HEADERS
    yield {"code": NUMBER, "title": said, "detail": said}, NO_HEADERS


def of_duo(said: str) -> Iterator[tuple[Body, Mapping[str, str]]]:
    for code in (NUMBER, TEXT):
        yield {"stat": "FAIL", "code": code, "message": said, "message_detail": said}, NO_HEADERS


def of_auth0(said: str) -> Iterator[tuple[Body, Mapping[str, str]]]:
    for code in (TEXT, f"inexistent_{TEXT}"):
        yield {"error": code, "error_description": said}, NO_HEADERS
        yield {"statusCode": 400, "error": code, "message": said}, NO_HEADERS
        yield {"statusCode": 400, "error": "Bad Request", "errorCode": code, "message": said}, NO_HEADERS


def of_entra(said: str) -> Iterator[tuple[Body, Mapping[str, str]]]:
    yield {"error": TEXT, "error_description": said}, NO_HEADERS
    yield {"error": {"code": TEXT, "message": said}}, NO_HEADERS
    for error in ("invalid_client", "unauthorized_client", "invalid_grant", "invalid_request", TEXT):
        yield {"error": error, "error_description": said, "error_codes": [NUMBER]}, NO_HEADERS
        yield {"error": error, "error_description": f"AADSTS{NUMBER}: {said}"}, NO_HEADERS


def of_privacyidea(said: str) -> Iterator[tuple[Body, Mapping[str, str]]]:
    for code in (NUMBER, TEXT):
        yield {"result": {"status": False, "error": {"code": code, "message": said}}}, NO_HEADERS


SHAPES: Mapping[str, Callable[[str], Iterator[tuple[Body, Mapping[str, str]]]]] = {
    "okta": of_okta,
    "twilio": of_twilio,
    "duo": of_duo,
    "auth0": of_auth0,
    "entra": of_entra,
    "privacyidea": of_privacyidea,
}


def paths(name: str) -> Sequence[str]:
    settings = registry.get(name).settings.model_validate(SETTINGS[name])
    return [
        registry.get(name).api.url(settings, probe.path) for probe in registry.get(name).probes.credentials(settings)
    ]


def test_each_shipped_provider_is_tried() -> None:
    assert {name for name in registry.names() if name in SETTINGS} == SHAPES.keys()
    own = {name for name in registry.names() if type(registry.get(name)).__module__.startswith("mfagate.")}
    assert own == SHAPES.keys()


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 410, 429, 500])
@pytest.mark.parametrize("name", SHAPES)
def test_no_message_quotes_it(name: str, status: int) -> None:
    provider = registry.get(name)
    settings = provider.settings.model_validate(SETTINGS[name])
    quoting = []
    for url in paths(name):
        for said in SENTENCES:
            for body, headers in SHAPES[name](said):
                response = Response(status, headers=Headers(tuple(headers.items())), body=json.dumps(body).encode())
                exchange = Exchange(Request("POST", url), datetime.now(UTC), response)
                finding = diagnose(exchange, ProviderDialect(provider.dialect, settings))
                shown = f"{finding.message} {finding.next_step}"
                if TEXT in shown or str(NUMBER) in shown:
                    quoting.append((body, shown))
                error = provider.dialect.error_of(response)
                if error is not None and error.code not in ("", None):
                    assert str(error.code) in str(finding.evidence.get("provider code")), body
    assert quoting == []
