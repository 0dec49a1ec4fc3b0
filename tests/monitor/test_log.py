"""One line when a cause appears, one when it has gone, and no secret in any of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics import exposition

from mfagate.core.causes import CauseId, load
from mfagate.monitor import Answer, CallResult, Monitor, monitor
from mfagate.monitor.incidents import Described, Incidents, logger
from mfagate.secrets.redaction import Redactor

from .conftest import SECRET, Provider


class Kept(logging.Handler):
    """What was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(json.dumps(record.mfagate)) for record in self.records]  # type: ignore[attr-defined]


@pytest.fixture
def kept() -> Iterator[Kept]:
    handler = Kept()
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def test_the_line_of_a_new_cause(provider: Provider, watching: Monitor, kept: Kept) -> None:
    with watching.wrap(requests.Session()) as session:
        for _ in range(20):
            session.get(f"{provider.url}/refused?username=alice")
    (record,) = kept.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith("MFA provider of duo-eu: ")
    assert record.getMessage().endswith(" (credential.rejected)")
    (event,) = kept.events
    # Without settings, nobody knows which of them is to blame.
    assert event.pop("next_step") and event.pop("message") == load(CauseId.CREDENTIAL_REJECTED).title
    assert event == {
        "event": "new",
        "integration": "duo-eu",
        "cause": "credential.rejected",
        "outcome": "fail",
        "provider_code": 40103,
        "method": "GET",
        "host": "127.0.0.1",
    }
    assert "alice" not in record.getMessage()


def test_settings_make_it_more_precise(provider: Provider, registry: CollectorRegistry, kept: Kept) -> None:
    settings = {"host": "api-1a2b3c4d.duosecurity.com", "integration_key": "DI" + "A" * 18, "secret_key": SECRET}
    with monitor("duo", settings, registry=registry).wrap(requests.Session()) as session:
        session.get(f"{provider.url}/refused")
    (event,) = kept.events
    assert "the secret key is wrong" in event["message"]


def test_what_is_the_providers_is_a_warning_and_a_user_who_is_refused_ends_it(
    registry: CollectorRegistry, kept: Kept
) -> None:
    watching = monitor("duo", registry=registry, quiet_seconds=0)
    watching.observe(None, Answer(502, body=b"bad gateway"), 0.1)
    asked = requests.Request("GET", "https://api-1a2b3c4d.duosecurity.com/auth/v2/auth_status").prepare()
    refused = Answer(
        400, {"Content-Type": "application/json"}, b'{"stat": "FAIL", "code": 40002, "message": "Invalid"}'
    )
    assert watching.observe(asked, refused, 0.1) is CallResult.REFUSED
    assert [event["event"] for event in kept.events] == ["new", "recovered"]
    assert [record.levelname for record in kept.records] == ["WARNING", "WARNING"]


def test_recovery_is_logged_when_the_cause_is_quiet(kept: Kept) -> None:
    now = 0.0
    incidents = Incidents("duo-eu", quiet_seconds=60, clock=lambda: now)

    def describe() -> Described:
        return "refused", {}

    incidents.seen("credential.rejected", True, describe)
    now = 30
    incidents.fine()
    incidents.seen("credential.rejected", True, describe)
    now = 89
    incidents.fine()
    assert [event["event"] for event in kept.events] == ["new"]
    now = 90
    incidents.fine()
    incidents.fine()
    assert [event["event"] for event in kept.events] == ["new", "recovered"]
    assert kept.events[1] | {"failed_calls": 2, "seconds": 30.0} == kept.events[1]


CALLS = st.lists(st.tuples(st.floats(0, 100), st.sampled_from(["", "a", "b"])), max_size=60)


@given(calls=CALLS)
def test_each_outage_has_one_beginning_and_one_end(calls: list[tuple[float, str]]) -> None:
    now = 0.0
    incidents = Incidents("x", quiet_seconds=60, clock=lambda: now)
    kept = Kept()
    logger.addHandler(kept)
    logger.propagate = False
    try:
        for pause, cause in calls:
            now += pause
            if cause:
                incidents.seen(cause, False, lambda: ("", {}))
            else:
                incidents.fine()
    finally:
        logger.removeHandler(kept)
        logger.propagate = True
    for cause in "ab":
        events = [event["event"] for event in kept.events if event["cause"] == cause]
        assert events == ["new", "recovered"] * (len(events) // 2) + ["new"] * (len(events) % 2)
        assert bool(len(events) % 2) == (cause in incidents.active)
        # Two lines a minute at most, and one before the first has passed.
        assert len(events) <= 2 * (now / 60) + 1
    failed = sum(event.get("failed_calls", 0) for event in kept.events)
    assert failed <= sum(1 for _, cause in calls if cause)


def echoing(secret: str) -> list[dict[str, Any]]:
    """Refusals that give back what they were sent, wherever a provider puts words of its own."""
    return [
        {"stat": "FAIL", "code": 40103, "message": secret, "message_detail": secret},
        {"errorCode": secret, "errorSummary": secret, "errorId": secret},
        {"error": secret, "error_description": secret},
        {"statusCode": 401, "error": "Unauthorized", "message": secret, "errorCode": secret},
        {"error": {"code": secret, "message": secret, "innerError": {"request-id": secret}}},
        {"code": 20003, "message": secret, "more_info": secret, "status": 401},
        {"result": {"status": False, "error": {"code": 303, "message": secret}}},
    ]


def metrics(registry: CollectorRegistry) -> str:
    """The metrics as they are scraped."""
    text: bytes = exposition.generate_latest(registry)  # type: ignore[no-untyped-call]
    return text.decode()


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """One for all: to make one takes longer than to use it."""
    with httpx.Client(trust_env=False) as made:
        yield made


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize("name", ["auth0", "duo", "entra", "okta", "privacyidea", "twilio"])
def test_no_secret_is_logged(
    provider: Provider, kept: Kept, client: httpx.Client, name: str, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    registry = CollectorRegistry()
    redactor = Redactor({"canary": SECRET})
    headers = {"WWW-Authenticate": f'Bearer error="{SECRET}", scope="{SECRET}"', "Server": SECRET}
    for number, body in enumerate(echoing(SECRET)):
        for path in (f"/{SECRET}/{number}", f"/{number}"):
            provider.says(path, status, body, **headers)
        with monitor(name, registry=registry).wrap(requests.Session()) as session:
            session.post(
                f"{provider.url}/{SECRET}/{number}?passcode={SECRET}",
                headers={"Authorization": f"SSWS {SECRET}", "X-Api-Key": SECRET, "Cookie": f"sid={SECRET}"},
                data={"client_secret": SECRET},
            )
        with monitor(name, registry=registry).wrap(requests.Session()) as session:
            session.post(f"{provider.url}/{number}", json={"client": {"secrets": [SECRET]}})
        for sent in ({"auth": ("user", SECRET)}, {"data": {"client_secret": SECRET}}, {"json": {"passcode": SECRET}}):
            remove = monitor(name, registry=registry).install(client)
            client.post(f"{provider.url}/{SECRET}/{number}", **sent)
            remove()
        content = json.dumps(body).encode()
        with monitor(name, registry=registry).call() as call:
            call.answered(Answer(status, {**headers, "Content-Type": "application/json"}, content))
    formatter = logging.Formatter()
    written = [formatter.format(record) + str(vars(record)) for record in kept.records]
    written += [metrics(registry), *capfd.readouterr()]
    assert kept.records
    assert redactor.found_in("\n".join(written)) == []


@pytest.mark.parametrize(
    ("code", "sent", "told"),
    [
        ("E0009999", {"json": {"user": "alice"}}, "E0009999"),
        ("E0009999", {}, "E0009999"),
        (f"bad-{SECRET}", {"json": {"secret": SECRET}}, "bad-[redacted request 0]"),
        ("alice", {"files": {"user": (None, "alice")}}, None),
        ("E0009999", {"data": iter([b"nobody has it any more"])}, None),
        ("nobody alice knows", {}, None),
        ("E1\nERROR: \x1b[31m", {}, None),
    ],
)
def test_a_code_that_no_documentation_has(
    registry: CollectorRegistry, kept: Kept, code: str, sent: dict[str, Any], told: str | None
) -> None:
    """It is told if it is one, and if it is nothing that was sent."""
    request = requests.Request("POST", "https://example.okta.com", {"Accept": "*/*"}, **sent).prepare()
    answer = Answer(401, {"Content-Type": "application/json"}, json.dumps({"errorCode": code}).encode())
    monitor("okta", registry=registry).observe(request, answer, 0.1)
    (event,) = kept.events
    assert event.get("provider_code") == told


def test_an_exception_with_a_secret_in_its_words(watching: Monitor, kept: Kept, registry: CollectorRegistry) -> None:
    with watching.wrap(requests.Session()) as session, pytest.raises(requests.ConnectionError):
        session.get(f"http://user:{SECRET}@127.0.0.1:1/{SECRET}?token={SECRET}")
    assert len(kept.records) == 1
    written = str(vars(kept.records[0])) + kept.records[0].getMessage() + metrics(registry)
    assert SECRET not in written


def test_settings_that_are_none_name_no_value(registry: CollectorRegistry) -> None:
    with pytest.raises(ValueError, match="invalid settings of duo") as refused:
        monitor("duo", {"host": 3, "secret_key": SECRET, SECRET: "x"}, registry=registry)
    assert "host" in str(refused.value)
    assert str(refused.value).count(SECRET) == 0
    with pytest.raises(ValueError, match="installed: auth0, duo"):
        monitor("dou", registry=registry)
