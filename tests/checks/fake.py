"""A provider that a test controls: two hosts, a token for every request, and a server that answers by path."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar

import requests
from pydantic import SecretStr
from requests.auth import AuthBase

from mfagate.config.settings import ProviderSettings, Setting
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Response
from mfagate.core.finding import Finding
from mfagate.core.result import Check, IntegrationReport
from mfagate.providers.api import ProviderApi
from mfagate.providers.errors import ApiError, ErrorDialect, ErrorMeaning
from mfagate.providers.oauth import ClientCredentials, Tokens
from mfagate.providers.probes import Expiry, ExpiryProbe, Probe, ProviderProbes, Send
from mfagate.providers.provider import Provider
from mfagate.sandbox.faulty_proxy import Handler

CANARY = "c4n4ry-client-s3cret"
TOKEN = "c4n4ry-access-t0ken"


class Settings(ProviderSettings):
    tenant: Annotated[str, Setting(description="A tenant.", where="in the console, on top", example="t")]
    client_secret: Annotated[SecretStr, Setting(description="A secret.", where="in the console", example="env:SECRET")]


def is_ok(response: Response) -> bool:
    return response.status == 200


class FakeDialect(ErrorDialect[Settings]):
    errors_page: ClassVar[str] = "https://fake.example/errors"
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = {
        "no_tenant": ErrorMeaning(CauseId.CREDENTIAL_UNKNOWN_KEY, "there is no such tenant", setting="tenant"),
        "bad_secret": ErrorMeaning(CauseId.CREDENTIAL_REJECTED, "the secret is refused"),
        "no_application": ErrorMeaning(CauseId.ACCOUNT_RESOURCE_MISSING, "there is no such application"),
        "no_right": ErrorMeaning(CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, "the right is missing"),
    }

    def error_of(self, response: Response) -> ApiError | None:
        try:
            return ApiError(response.json()["error"], "in its own words", "request-4711")
        except (ValueError, LookupError, TypeError):
            return None


class FakeProbes(ProviderProbes[Settings]):
    """A test sets the results ``expiring`` and ``refined``."""

    def __init__(self) -> None:
        self.expiring: Sequence[Expiry] = ()
        self.refined: CauseId | None = None

    def pings(self, settings: Settings) -> Sequence[Probe]:
        return [Probe("login", "GET", "/login/ping", is_ok), Probe("api", "GET", "/api/ping", is_ok)]

    def server_time(self, response: Response) -> float | None:
        seconds = response.json().get("time") if response.status == 200 else None
        return float(seconds) if seconds is not None else None

    def credentials(self, settings: Settings) -> Sequence[Probe]:
        return [Probe("client_secret", "POST", "/login/token", is_ok, data={"grant": "c"})]

    def with_bad_credential(self, settings: Settings, subject: str) -> Settings:
        return settings.model_copy(update={subject: SecretStr("worthless")})

    def permissions(self, settings: Settings) -> Sequence[Probe]:
        return [Probe("read", "GET", "/api/read", is_ok)]

    def expiries(self, settings: Settings) -> Sequence[ExpiryProbe]:
        probe = Probe("client_secret", "GET", "/api/secrets", is_ok)
        return [ExpiryProbe(probe, "the right to list secrets", lambda response: self.expiring)]

    def refine(self, finding: Finding, settings: Settings, send: Send[Settings]) -> Finding:
        return Finding(self.refined, "a second look") if self.refined else finding


class FakeApi(ProviderApi[Settings]):
    """Two hosts, ``login`` and ``api``, and a token for every request."""

    def __init__(self) -> None:
        self.login = self.api = "http://127.0.0.1:9"

    def base_url(self, settings: Settings) -> str:
        return self.api

    def url(self, settings: Settings, path: str) -> str:
        return (self.login if path.startswith("/login") else self.api) + path

    def hosts(self, settings: Settings) -> Sequence[str]:
        return [self.login, self.api]

    def signer(self, settings: Settings, tokens: Tokens) -> AuthBase:
        return ClientCredentials(
            tokens,
            settings,
            authenticated=lambda path: path == "/login/token",
            fields=lambda url: {"client_secret": settings.secret("client_secret")},
            request=lambda: requests.Request("POST", self.login + "/login/token", data={"grant": "c"}),
        )


class Fake(Provider[Settings]):
    """A provider that a test controls."""

    name: ClassVar[str] = "fake"
    title: ClassVar[str] = "Fake"
    settings = Settings
    dialect = FakeDialect()

    def __init__(self) -> None:
        self._probes = FakeProbes()
        self._api = FakeApi()

    @property
    def probes(self) -> FakeProbes:
        return self._probes

    @property
    def api(self) -> FakeApi:
        return self._api


def token(body: bytes) -> tuple[int, Any]:
    """A token for the right secret."""
    if CANARY.encode() not in body:
        return 401, {"error": "bad_secret"}
    return 200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}


class Server:
    """Answers by path; a test replaces an answer. Bytes are sent unchanged, other values as JSON."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {
            "/login/ping": (200, {}),
            "/api/ping": (200, {}),
            "/api/read": (200, {}),
            "/api/secrets": (200, {}),
        }
        self.token: Callable[[bytes], tuple[int, Any]] = token
        self.headers: dict[str, dict[str, str]] = {}
        self.bodies: dict[str, list[bytes]] = {}

    def __call__(self, handler: Handler) -> bool:
        path = handler.path.partition("?")[0]
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.bodies.setdefault(path, []).append(body)
        status, answer = self.answers.get(path) or self.token(body)
        if (
            path.startswith("/api")
            and path != "/api/ping"
            and handler.headers.get("Authorization") != f"Bearer {TOKEN}"
        ):
            status, answer = 401, {"error": "no token"}
        headers = self.headers.get(path, {})
        if isinstance(answer, bytes):
            return handler.answer(status, answer, "text/html" if answer.startswith(b"<") else "text/plain", **headers)
        return handler.answer(status, json.dumps(answer).encode(), "application/json", **headers)


Run = Callable[[], IntegrationReport]


def of(report: IntegrationReport, check_id: str) -> dict[str | None, Check]:
    return {check.subject: check for check in report.checks if check.id == check_id}


def red(report: IntegrationReport) -> Check:
    return next(check for check in report.checks if check.outcome.is_red)
