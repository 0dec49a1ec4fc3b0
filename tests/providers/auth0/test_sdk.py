"""The referee of the emulator: Auth0's own Python SDK, unmodified, over verified TLS.

The SDK has no module for the MFA API; those requests are made with the client that its
Authentication half makes all of its own with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from auth0.authentication import GetToken
from auth0.authentication.exceptions import Auth0Error, RateLimitError, TokenValidationError
from auth0.authentication.token_verifier import AsymmetricSignatureVerifier, TokenVerifier
from auth0.management import ManagementClient
from auth0.management.errors import (
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
)

from mfagate.providers.auth0.probes import GRANT, UNKNOWN_USER_ID
from mfagate.providers.totp import Totp
from mfagate.sandbox import Running

PROVIDER = "auth0"


@pytest.fixture(autouse=True)
def trusted(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests and httpx are told of the sandbox's authority in different ways."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running.ca_bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(running.ca_bundle))


def domain(running: Running) -> str:
    return f"localhost:{urlsplit(running.endpoint).port}"


def tokens(running: Running, name: str = "", **changed: Any) -> Any:
    values = {field: running.values[f"{name}{field}"] for field in ("client_id", "client_secret")} | changed
    return GetToken(domain(running), values["client_id"], client_secret=values["client_secret"])


def management(running: Running, token: str | None = None, name: str = "admin_", **changed: str) -> Any:
    """Without a token it fetches one by itself."""
    if token is not None:
        return ManagementClient(domain=domain(running), token=token)
    values = {field: running.values[f"{name}{field}"] for field in ("client_id", "client_secret")} | changed
    return ManagementClient(domain=domain(running), audience=running.values["audience"], **values)


class Phone:
    """The MFA API, asked with the SDK's own client."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.sdk = tokens(running)
        self.url = f"https://{domain(running)}"

    def login(self, who: str) -> str:
        with pytest.raises(Auth0Error) as raised:
            self.sdk.login(self.running.values[who], self.running.values["password"], scope="openid email",
                           realm=self.running.values["connection"])  # fmt: skip
        assert (raised.value.status_code, raised.value.error_code) == (403, "mfa_required")
        token: str = raised.value.content["mfa_token"]
        assert len(token.split("*")) == 8
        return token

    def authenticators(self, login: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sdk.client.get(
            f"{self.url}/mfa/authenticators", headers={"Authorization": f"Bearer {login}"}
        )
        return found

    def challenge(self, login: str, kind: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.sdk.authenticated_post(
            f"{self.url}/mfa/challenge",
            data={"client_id": self.sdk.client_id, "mfa_token": login, "challenge_type": kind},
        )
        return answer

    def redeem(self, grant: str, **fields: str) -> dict[str, Any]:
        data = {"client_id": self.sdk.client_id, "grant_type": GRANT + grant, **fields}
        answer: dict[str, Any] = self.sdk.authenticated_post(f"{self.url}/oauth/token", data=data)
        return answer


@pytest.fixture
def phone(running: Running) -> Phone:
    return Phone(running)


@pytest.fixture
def user(running: Running) -> Iterator[tuple[str, Totp]]:
    """A fresh user with an imported TOTP authenticator: the address and the authenticator."""
    sdk, totp = management(running), Totp.generate()
    email = f"sdk-{totp.secret[:8].lower()}@example.com"
    created = sdk.users.create(
        connection=running.values["connection"], email=email, password=running.values["password"], verify_email=False
    )
    sdk.users.authentication_methods.create(created.user_id, type="totp", name="sdk", totp_secret=totp.secret)
    yield email, totp
    sdk.users.delete(created.user_id)
    with pytest.raises(NotFoundError):
        sdk.users.get(created.user_id)


def error(call: Any, *arguments: Any, **more: Any) -> tuple[int, str, str]:
    with pytest.raises(Auth0Error) as raised:
        call(*arguments, **more)
    return raised.value.status_code, raised.value.error_code, raised.value.message


def test_login_with_a_code(running: Running, phone: Phone, user: tuple[str, Totp]) -> None:
    email, totp = user
    phone.running = Running(running.endpoint, {**running.values, "fresh": email})
    login = phone.login("fresh")
    (one,) = phone.authenticators(login)
    assert (one["authenticator_type"], one["active"]) == ("otp", True)
    assert phone.challenge(login, "otp") == {"challenge_type": "otp"}
    wrong = error(phone.redeem, "mfa-otp", mfa_token=login, otp=totp.wrong_code())
    assert wrong == (403, "invalid_grant", "Invalid otp_code.")
    answer = phone.redeem("mfa-otp", mfa_token=login, otp=totp.code())
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 86400, "openid email")
    keys = AsymmetricSignatureVerifier(f"https://{domain(running)}/.well-known/jwks.json")
    issuer = f"https://{running.values['domain']}/"
    told = TokenVerifier(keys, issuer, running.values["client_id"]).verify(answer["id_token"])
    assert told["email"] == email
    with pytest.raises(TokenValidationError):
        TokenVerifier(keys, issuer, "another").verify(answer["id_token"])
    assert error(phone.redeem, "mfa-otp", mfa_token=login, otp=totp.code())[1] == "invalid_grant"


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("user", (400, "authorization_pending")),
        ("declining_user", (400, "access_denied")),
        ("accepting_user", None),
    ],
)
def test_login_with_a_push(phone: Phone, who: str, expected: tuple[int, str] | None) -> None:
    login = phone.login(who)
    sent = phone.challenge(login, "oob")
    assert sent.keys() == {"challenge_type", "oob_code"}
    fields = {"mfa_token": login, "oob_code": sent["oob_code"]}
    if expected is None:
        assert phone.redeem("mfa-oob", **fields)["access_token"]
    else:
        assert error(phone.redeem, "mfa-oob", **fields)[:2] == expected


def test_login_with_an_sms(running: Running, phone: Phone) -> None:
    login = phone.login("sms_user")
    sent = phone.challenge(login, "oob")
    assert sent["binding_method"] == "prompt"
    fields = {"mfa_token": login, "oob_code": sent["oob_code"]}
    assert error(phone.redeem, "mfa-oob", **fields)[1] == "invalid_request"
    assert error(phone.redeem, "mfa-oob", **fields, binding_code="x")[1] == "invalid_grant"
    assert phone.redeem("mfa-oob", **fields, binding_code=running.values["sms_code"])["access_token"]


def test_enrolment_and_recovery(running: Running, phone: Phone) -> None:
    """The first authenticator is enrolled with the mfa_token, and is active once it was used."""
    sdk, email = management(running), "sdk-enrols@example.com"
    created = sdk.users.create(
        connection=running.values["connection"], email=email, password=running.values["password"]
    )
    phone.running = Running(running.endpoint, {**running.values, "fresh": email})
    login = phone.login("fresh")
    assert phone.authenticators(login) == []
    assert error(phone.challenge, login, "otp")[:2] == (401, "unsupported_challenge_type")
    bearer = {"Authorization": f"Bearer {login}"}
    made = phone.sdk.client.post(f"{phone.url}/mfa/associate", data={"authenticator_types": ["otp"]}, headers=bearer)
    assert len(made["secret"]) == 32
    assert made["secret"] in made["barcode_uri"]
    assert [one["active"] for one in phone.authenticators(login)] == [False, True]
    phone.redeem("mfa-otp", mfa_token=login, otp=Totp(made["secret"]).code())
    (kept, _) = sdk.users.authentication_methods.list(created.user_id).items
    assert (kept.type, kept.confirmed) == ("totp", True)
    (code,) = made["recovery_codes"]
    login = phone.login("fresh")
    again = phone.redeem("mfa-recovery-code", mfa_token=login, recovery_code=code)["recovery_code"]
    assert len(again) == 24
    login = phone.login("fresh")
    assert error(phone.redeem, "mfa-recovery-code", mfa_token=login, recovery_code=code)[:2] == (403, "invalid_grant")
    sdk.users.delete(created.user_id)


def test_an_expired_login(running: Running, phone: Phone) -> None:
    login = running.values["expired_mfa_token"]
    expired = error(phone.redeem, "mfa-otp", mfa_token=login, otp="123456")
    assert expired == (403, "expired_token", "mfa_token is expired")


def test_a_user_who_needs_no_second_factor(running: Running) -> None:
    answer = tokens(running).login(
        running.values["exempt_user"], running.values["password"], realm=running.values["connection"]
    )
    assert answer["access_token"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"client_secret": "s" * 64}, (401, "access_denied", "Unauthorized")),
        ({"client_secret": None}, (401, "access_denied", "Unauthorized")),
        ({"client_id": "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"}, (401, "access_denied", "Unauthorized")),
    ],
)
def test_refused_clients(running: Running, changed: dict[str, Any], expected: tuple[int, str, str]) -> None:
    audience = running.values["audience"]
    assert error(tokens(running, **changed).client_credentials, audience) == expected
    assert error(tokens(running, **changed).login, "nobody@example.com", "x", realm="y") == expected


@pytest.mark.parametrize(
    ("name", "audience", "status", "code", "words"),
    [
        ("", "https://acme.eu.auth0.com/api/v2/", 403, "access_denied", "Service not found"),
        ("ungranted_", None, 403, "access_denied", "client-grant"),
        ("web_", None, 403, "unauthorized_client", "not allowed for the client"),
    ],
)
def test_refused_tokens(running: Running, name: str, audience: str | None, status: int, code: str, words: str) -> None:
    seen = error(tokens(running, name).client_credentials, audience or running.values["audience"])
    assert seen[:2] == (status, code)
    assert words in seen[2]


def test_too_many_passwords(running: Running) -> None:
    sdk, email = management(running), "sdk-guesses@example.com"
    created = sdk.users.create(connection=running.values["connection"], email=email, password="Aa1-correct-horse")
    login = tokens(running).login
    for _ in range(10):
        assert error(login, email, "wrong", realm=running.values["connection"])[:2] == (403, "invalid_grant")
    with pytest.raises(RateLimitError) as raised:
        login(email, "Aa1-correct-horse", realm=running.values["connection"])
    assert raised.value.error_code == "too_many_attempts"
    assert raised.value.reset_at > 0
    sdk.users.delete(created.user_id)


def test_management(running: Running) -> None:
    sdk = management(running)
    factors = {factor.name: factor.enabled for factor in sdk.guardian.factors.list()}
    assert factors["otp"] is True
    assert len(factors) == 8
    assert sdk.tenants.settings.get().friendly_name == "mfagate sandbox"
    with pytest.raises(NotFoundError) as raised:
        sdk.users.authentication_methods.list(UNKNOWN_USER_ID)
    assert raised.value.body["errorCode"] == "inexistent_user"
    with pytest.raises(ConflictError):
        sdk.users.create(
            connection=running.values["connection"], email=running.values["user"], password="Aa1-correct-horse",
            request_options={"max_retries": 0},
        )  # fmt: skip
    with pytest.raises(BadRequestError):
        sdk.users.create(connection="none", email="a@example.com", password="Aa1-correct-horse")


def test_authentication_methods(running: Running, user: tuple[str, Totp]) -> None:
    sdk, email = management(running), "sdk-methods@example.com"
    user_id = sdk.users.create(
        connection=running.values["connection"], email=email, password=running.values["password"]
    ).user_id
    methods = sdk.users.authentication_methods
    made = methods.create(user_id, type="phone", phone_number="+15555550100", preferred_authentication_method="sms")
    assert (made.type, made.phone_number) == ("phone", "+15555550100")
    assert [one.id for one in methods.list(user_id)] == [made.id]
    assert methods.get(user_id, made.id).confirmed is True
    methods.delete(user_id, made.id)
    with pytest.raises(NotFoundError):
        methods.get(user_id, made.id)
    methods.create(user_id, type="email", email=email)
    methods.delete_all(user_id)
    assert list(methods.list(user_id)) == []
    sdk.users.delete(user_id)


@pytest.mark.parametrize(
    ("token", "raised", "message"),
    [
        ("client_id", BadRequestError, "Bad HTTP authentication header format"),
        ("expired_management_token", UnauthorizedError, "Expired token received for JSON Web Token validation"),
        ("foreign_management_token", UnauthorizedError, "Invalid token"),
    ],
)
def test_refused_management_tokens(running: Running, token: str, raised: type[Any], message: str) -> None:
    with pytest.raises(raised) as seen:
        management(running, running.values[token]).users.get(UNKNOWN_USER_ID)
    assert seen.value.body["message"] == message


def test_a_token_for_another_api(running: Running) -> None:
    other = tokens(running).client_credentials(running.values["other_audience"])
    assert "scope" not in other
    with pytest.raises(UnauthorizedError) as seen:
        management(running, other["access_token"]).users.get(UNKNOWN_USER_ID)
    assert "Bad audience" in seen.value.body["message"]


def test_a_token_without_the_scope(running: Running) -> None:
    with pytest.raises(ForbiddenError) as seen:
        management(running, name="restricted_").users.authentication_methods.list(UNKNOWN_USER_ID)
    assert seen.value.body["errorCode"] == "insufficient_scope"
    assert "read:authentication_methods" in seen.value.body["message"]


def test_the_sdk_fetches_its_token_with_a_wrong_secret(running: Running) -> None:
    with pytest.raises(httpx.HTTPStatusError) as seen:
        management(running, client_secret="s" * 64).users.get(UNKNOWN_USER_ID)
    assert seen.value.response.status_code == 401
