"""Recorded answers of every provider: a user's refusal is none of our problems, and ours is no user's."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from mfagate.cassettes.reader import load as load_cassette
from mfagate.cassettes.reader import path_for
from mfagate.contract.pact_file import load as load_contract
from mfagate.core.exchange import Exchange
from mfagate.monitor import Answer, CallResult, monitor

from ..support.project import REPOSITORY

PROVIDERS = ("auth0", "duo", "entra", "okta", "privacyidea", "twilio")

OURS = {
    ("entra", "metadata of an unknown tenant"): "credential.unknown-key",
    ("entra", "unknown tenant"): "credential.unknown-key",
    ("twilio", "unknown service"): "account.resource-missing",
    # privacyIDEA answers 500 to an expired key; by the settings of the gate it is known to be expired.
    ("privacyidea", "expired key"): "provider.outage",
}
"""What the name of the provider state does not tell."""


def recordings() -> Iterator[Any]:
    for name in PROVIDERS:
        (path,) = (REPOSITORY / "contracts" / name).glob("*.json")
        for interaction in load_contract(path).interactions:
            recording = path_for(REPOSITORY / "cassettes" / name, interaction.description)
            exchange = load_cassette(recording).exchanges[-1]
            states = [state.name for state in interaction.states]
            yield pytest.param(name, interaction.description, states, exchange, id=f"{name}: {interaction.description}")


def observed(name: str, exchange: Exchange) -> tuple[CallResult | None, tuple[str, ...]]:
    watching = monitor(name, registry=CollectorRegistry())
    response = exchange.response
    assert response is not None
    request = SimpleNamespace(method=exchange.request.method, url=exchange.request.url)
    answer = Answer(response.status, dict(response.headers.items_in_order), response.body)
    return watching.observe(request, answer, 0.1), watching.causes


@pytest.mark.parametrize(("name", "description", "states", "exchange"), [*recordings()])
def test_a_recorded_answer(name: str, description: str, states: list[str], exchange: Exchange) -> None:
    assert exchange.response is not None
    result, causes = observed(name, exchange)
    if (name, description) in OURS:
        assert (result, causes) == (CallResult.PROBLEM, (OURS[name, description],))
    elif exchange.response.status < 400:
        assert (result, causes) == (CallResult.OK, ())
    elif any(state.startswith("the credential ") and "accepted" not in state for state in states):
        (cause,) = causes
        assert result is CallResult.PROBLEM and cause.startswith("credential."), cause
    else:
        assert (result, causes) == (CallResult.REFUSED, ())


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://user:pw@portal.example/?token=1", "portal.example"),
        ("//portal.example/", "portal.example"),
        ("https://a\x1bcb/", r"a\x1bcb"),
        ("https://[::1/", "an invalid address"),
        (f"https://{'a' * 3000}/", "a" * 252 + "…"),
    ],
)
def test_where_a_redirect_leads(location: str, told: str, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody else has written it: what it says moves no terminal, and is no defect of the monitor."""
    request = SimpleNamespace(method="GET", url="https://api.example/auth")
    result = monitor("duo", registry=CollectorRegistry()).observe(request, Answer(302, {"Location": location}), 0.1)
    assert result is CallResult.PROBLEM
    assert caplog.messages[0].startswith(f"MFA provider of duo: the API answered with a redirect to {told}. ")


@pytest.mark.parametrize("location", ["/auth", "https://api.example/", "?x=1"])
def test_a_redirect_on_the_same_host(location: str) -> None:
    request = SimpleNamespace(method="GET", url="https://api.example/login")
    watching = monitor("duo", registry=CollectorRegistry())
    assert watching.observe(request, Answer(302, {"Location": location}), 0.1) is CallResult.OK


@pytest.mark.parametrize(
    ("status", "body", "cause", "level"),
    [
        (401, b'{"stat": "FAIL", "code": 40103, "message": "m"}', "credential.rejected", "ERROR"),
        (401, b'{"stat": "FAIL", "code": 40199, "message": "m"}', "provider.refusal-unrecognised", "WARNING"),
        (403, b'{"message": "Forbidden"}', "provider.refusal-unrecognised", "WARNING"),
        (401, b"", "provider.refusal-unrecognised", "WARNING"),
        (403, b"", "provider.refusal-unrecognised", "WARNING"),
    ],
)
def test_a_refusal_that_nobody_knows_may_be_a_users(
    status: int, body: bytes, cause: str, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged as a warning: a login service has no second question that would settle it."""
    request = SimpleNamespace(method="POST", url="https://api.example/auth/v2/preauth")
    watching = monitor("duo", registry=CollectorRegistry())
    answer = Answer(status, {"Content-Type": "application/json"}, body)
    assert watching.observe(request, answer, 0.1) is CallResult.PROBLEM
    assert watching.causes == (cause,)
    assert [record.levelname for record in caplog.records] == [level]
