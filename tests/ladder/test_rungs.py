"""What the rungs make of a provider's declarations: several hosts, expiry dates, settings to change, narrowing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
import requests
from pydantic import SecretStr
from requests.auth import AuthBase

from mfagate import gate
from mfagate.causes import CauseId, Outcome
from mfagate.config import load
from mfagate.config.settings import ProviderSettings, Setting
from mfagate.exchange import Response
from mfagate.ladder import Stage
from mfagate.providers import registry
from mfagate.providers.base import ApiError, Expiry, ExpiryProbe, Meaning, Probe, Provider, Send
from mfagate.providers.oauth import ClientCredentials, Tokens
from mfagate.result import Check, Finding, IntegrationReport
from mfagate.sandbox.front import Handler, front

CANARY = "c4n4ry-client-s3cret"
TOKEN = "c4n4ry-access-t0ken"


class Settings(ProviderSettings):
    tenant: Annotated[str, Setting(description="A tenant.", where="in the console, on top", example="t")]
    client_secret: Annotated[SecretStr, Setting(description="A secret.", where="in the console", example="env:SECRET")]


def is_ok(response: Response) -> bool:
    return response.status == 200


class Fake(Provider):
    """Two hosts, a token before everything, and what a test says about the rest."""

    name: ClassVar[str] = "fake"
    title: ClassVar[str] = "Fake"
    settings: ClassVar[type[Settings]] = Settings
    meanings: ClassVar[Mapping[str | int, Meaning]] = {
        "no_tenant": Meaning(CauseId.CREDENTIAL_UNKNOWN_KEY, "there is no such tenant", setting="tenant"),
        "bad_secret": Meaning(CauseId.CREDENTIAL_REJECTED, "the secret is refused"),
        "no_application": Meaning(CauseId.ACCOUNT_RESOURCE_MISSING, "there is no such application"),
        "no_right": Meaning(CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, "the right is missing"),
    }

    def __init__(self) -> None:
        self.login = self.api = "http://127.0.0.1:9"
        self.expiring: Sequence[Expiry] = ()
        self.narrowed: CauseId | None = None

    def base_url(self, settings: Settings) -> str:
        return self.api

    def url(self, settings: Settings, path: str) -> str:
        return (self.login if path.startswith("/login") else self.api) + path

    def auth(self, settings: Settings, tokens: Tokens) -> AuthBase:
        return ClientCredentials(
            tokens,
            settings,
            authenticated=lambda path: path == "/login/token",
            fields=lambda url: {"client_secret": settings.secret("client_secret")},
            request=lambda: requests.Request("POST", self.login + "/login/token", data={"grant": "c"}),
        )

    def pings(self, settings: Settings) -> Sequence[Probe]:
        return [Probe("login", "GET", "/login/ping", is_ok), Probe("api", "GET", "/api/ping", is_ok)]

    def server_time(self, response: Response) -> float | None:
        told = response.json().get("time") if response.status == 200 else None
        return float(told) if told is not None else None

    def credentials(self, settings: Settings) -> Sequence[Probe]:
        return [Probe("client_secret", "POST", "/login/token", is_ok, data={"grant": "c"})]

    def known_bad(self, settings: Settings, subject: str) -> Settings:
        return settings.model_copy(update={subject: SecretStr("worthless")})

    def permissions(self, settings: Settings) -> Sequence[Probe]:
        return [Probe("read", "GET", "/api/read", is_ok)]

    def expiries(self, settings: Settings) -> Sequence[ExpiryProbe]:
        probe = Probe("client_secret", "GET", "/api/secrets", is_ok)
        return [ExpiryProbe(probe, "the right to list secrets", lambda response: self.expiring)]

    def narrow(self, finding: Finding, settings: Settings, send: Send) -> Finding:
        return Finding(self.narrowed, "a second look") if self.narrowed else finding

    def error_of(self, response: Response) -> ApiError | None:
        try:
            return ApiError(response.json()["error"], "in its own words", "request-4711")
        except (ValueError, LookupError, TypeError):
            return None


class Server:
    """Answers by path; a test replaces an answer."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {
            "/login/ping": (200, {}),
            "/api/ping": (200, {}),
            "/api/read": (200, {}),
            "/api/secrets": (200, {}),
        }
        self.bodies: dict[str, list[bytes]] = {}

    def __call__(self, handler: Handler) -> bool:
        path = handler.path.partition("?")[0]
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.bodies.setdefault(path, []).append(body)
        status, answer = self.answers.get(path) or self._token(body)
        if (
            path.startswith("/api")
            and path != "/api/ping"
            and handler.headers.get("Authorization") != f"Bearer {TOKEN}"
        ):
            status, answer = 401, {"error": "no token"}
        return handler.answer(status, json.dumps(answer).encode(), "application/json")

    @staticmethod
    def _token(body: bytes) -> tuple[int, Any]:
        if CANARY.encode() not in body:
            return 401, {"error": "bad_secret"}
        return 200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}


Run = Callable[[], IntegrationReport]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake()
    monkeypatch.setattr(registry, "get", lambda name: fake)
    return fake


@pytest.fixture
def server(provider: Fake) -> Iterator[Server]:
    one = Server()
    with front("http://127.0.0.1:9", one) as before:
        provider.login = provider.api = before.url
        yield one


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server, provider: Fake) -> Run:
    monkeypatch.setenv("SECRET", CANARY)
    (tmp_path / "integrations.toml").write_text(
        '[integrations.x]\nprovider = "fake"\nenvironment = "staging"\n'
        '[integrations.x.settings]\ntenant = "acme"\nclient_secret = "env:SECRET"\n'
    )
    configuration = load(tmp_path / "integrations.toml", ["fake"])

    def run() -> IntegrationReport:
        report = gate.run(configuration, configuration.select(), Stage.GATE)
        text = report.model_dump_json()
        assert CANARY not in text
        assert TOKEN not in text
        return report.integrations[0]

    return run


def of(report: IntegrationReport, check_id: str) -> dict[str | None, Check]:
    return {check.subject: check for check in report.checks if check.id == check_id}


def red(report: IntegrationReport) -> Check:
    return next(check for check in report.checks if check.outcome.is_red)


def test_each_host_is_looked_at(run: Run) -> None:
    report = run()
    for rung in ("network.resolve", "network.connect", "provider.ping"):
        assert {name: check.outcome for name, check in of(report, rung).items()} == {
            "login": Outcome.PASS,
            "api": Outcome.PASS,
        }


def test_one_host_of_two_is_gone(run: Run, provider: Fake) -> None:
    with front("http://127.0.0.1:9") as closed:
        provider.api = closed.url
    report = run()
    assert report.cause is CauseId.NETWORK_CONNECTION_REFUSED
    assert {name: check.outcome for name, check in of(report, "network.connect").items()} == {
        "login": Outcome.PASS,
        "api": Outcome.INCONCLUSIVE,
    }


def test_the_token_is_fetched_once_and_used(run: Run, server: Server) -> None:
    report = run()
    assert {check.outcome for check in report.checks if check.id in ("permission", "credential.expiry")} == {
        Outcome.PASS,
        Outcome.SKIPPED,
    }
    # The probe, the negative control, and one for all that needs a token.
    assert len(server.bodies["/login/token"]) == 3


def test_a_refused_token_is_explained_like_any_answer(run: Run, server: Server) -> None:
    """The probe was answered; the token for what comes next is not."""
    first = iter([(200, {}), *[(401, {"error": "bad_secret"})]])
    server._token = lambda body: next(first, (401, {"error": "no_tenant"}))  # type: ignore[method-assign]
    report = run()
    assert (red(report).id, red(report).cause) == ("permission", CauseId.CREDENTIAL_UNKNOWN_KEY)


def test_a_finding_names_the_setting_that_it_is_about(run: Run, server: Server) -> None:
    server._token = lambda body: (400, {"error": "no_tenant"})  # type: ignore[method-assign]
    check = red(run())
    assert (check.subject, check.cause) == ("client_secret", CauseId.CREDENTIAL_UNKNOWN_KEY)
    assert check.message.startswith("tenant: there is no such tenant")
    assert check.evidence["setting"] == "x.settings.tenant"
    assert check.evidence["value"] == "acme"
    assert check.location is not None
    assert check.location.line == 5
    assert "in the console, on top" in (check.next_step or "")
    assert check.evidence["provider reference"] == "request-4711"


def test_a_missing_right_names_the_setting_too(run: Run, server: Server) -> None:
    server.answers["/api/read"] = (404, {"error": "no_tenant"})
    check = red(run())
    assert (check.id, check.subject, check.cause) == ("permission", "read", CauseId.CREDENTIAL_UNKNOWN_KEY)
    assert check.evidence["setting"] == "x.settings.tenant"
    assert check.location is not None
    assert check.location.line == 5


def test_an_unknown_code_is_shown(run: Run, server: Server) -> None:
    server._token = lambda body: (401, {"error": "a code nobody has seen"})  # type: ignore[method-assign]
    check = red(run())
    assert check.cause is CauseId.CREDENTIAL_REJECTED
    assert check.evidence["provider code"] == "a code nobody has seen"
    assert check.evidence["provider message"] == "in its own words"


@pytest.mark.parametrize("error", ["bad_secret", "no_application"])
def test_a_refusal_is_narrowed(run: Run, server: Server, provider: Fake, error: str) -> None:
    provider.narrowed = CauseId.ACCOUNT_SUSPENDED
    server._token = lambda body: (401, {"error": error})  # type: ignore[method-assign]
    assert red(run()).cause is CauseId.ACCOUNT_SUSPENDED


@pytest.mark.parametrize(
    ("days", "window", "outcome", "cause"),
    [
        (40, None, Outcome.PASS, None),
        (29, None, Outcome.WARN, CauseId.CREDENTIAL_EXPIRING_SOON),
        (-1, None, Outcome.FAIL, CauseId.CREDENTIAL_EXPIRED),
        # Used daily, it is never more than its window from its end.
        (29, 30, Outcome.PASS, None),
        (9, 30, Outcome.WARN, CauseId.CREDENTIAL_EXPIRING_SOON),
        (29, 900, Outcome.WARN, CauseId.CREDENTIAL_EXPIRING_SOON),
    ],
)
def test_expiry(
    run: Run, provider: Fake, days: int, window: int | None, outcome: Outcome, cause: CauseId | None
) -> None:
    when = datetime.now(UTC) + timedelta(days=days, minutes=1)
    slides = timedelta(days=window) if window else None
    provider.expiring = [Expiry("client_secret", when, "the secret 'ci'", slides)]
    check = of(run(), "credential.expiry")["client_secret"]
    assert (check.outcome, check.cause) == (outcome, cause)
    assert f"{when:%Y-%m-%d}" in check.message
    if cause is not None:
        assert check.evidence["read from"] == "env:SECRET"


def test_an_expiry_that_may_not_be_looked_up_is_no_fault(run: Run, server: Server) -> None:
    server.answers["/api/secrets"] = (403, {"error": "no_right"})
    report = run()
    check = of(report, "credential.expiry")["client_secret"]
    assert check.outcome is Outcome.SKIPPED
    assert "grant the right to list secrets" in check.message


def test_an_expiry_look_up_that_fails_is_told(run: Run, server: Server) -> None:
    server.answers["/api/secrets"] = (500, {})
    assert red(run()).cause is CauseId.PROVIDER_OUTAGE


@pytest.mark.parametrize(("ahead", "cause"), [(0, None), (3600, CauseId.CLOCK_SKEW)])
def test_the_time_in_an_answer_counts_before_the_header(
    run: Run, server: Server, ahead: float, cause: CauseId | None
) -> None:
    server.answers["/login/ping"] = (200, {"time": time.time() + ahead})
    (check,) = of(run(), "clock").values()
    assert check.cause is cause
    if cause is not None:
        assert check.evidence["measured against"] == "the time in the ping's answer"
