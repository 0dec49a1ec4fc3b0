"""What the login service expects of Entra: its client, driven against Pact's mock server.

Each test adds one interaction to the pact. Only what the client reads stands
in an answer, so that Microsoft may change the rest; of an error of the login host
that is the ``error``, not the number in its text.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from pact import match
from pydantic import SecretStr

from mfagate.contract.consumer import FORM, JSON, ConsumerPact, fill, including, positive, respond_with_any_of, text
from mfagate.contract_strength import Prove
from mfagate.providers.entra.auth import SIGN_IN_SCOPE
from mfagate.providers.entra.client import DeviceChallenge, EntraClient
from mfagate.providers.entra.probes import NOBODY, methods_path
from mfagate.providers.entra.settings import EntraSettings, token_fields, token_path
from mfagate.providers.oauth import token_in
from mfagate.providers.second_factor import (
    ContractViolation,
    CredentialRejected,
    Decision,
    Factor,
    NotEnrolled,
    SecondFactorError,
)
from mfagate.providers.states import StateName

PROVIDER = "entra"

TENANT = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
DOMAIN = "login-service.onmicrosoft.com"
CLIENT = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
ALICE = "550e8400-e29b-41d4-a716-446655440000"
SETTINGS = EntraSettings(tenant_id=TENANT, client_id=CLIENT, client_secret=SecretStr("k" * 40))

TOKEN = "e30.e30.e30"
BEARER = match.regex(f"Bearer {TOKEN}", regex=r"^Bearer .+$")
AUTHENTICATOR = "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod"
A_STRONG_METHOD = (
    r"^#microsoft\.graph\.(external|fido2|microsoftAuthenticator|phone|platformCredential|softwareOath"
    r"|windowsHelloForBusiness)AuthenticationMethod$"
)
A_WEAK_METHOD = r"^#microsoft\.graph\.(password|email|temporaryAccessPass|qrCodePin)AuthenticationMethod$"
NOBODYS_METHODS = methods_path(NOBODY)
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DEVICE_CODE = "FAQABAAEAAAAm-06bl"
SIGN_IN = DeviceChallenge(ALICE, Factor.PUSH, DEVICE_CODE)
A_JWT = r"^[\w-]+\.[\w-]+\.[\w-]+$"
ID_TOKEN = jwt.encode(
    {
        "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "aud": CLIENT,
        "tid": TENANT,
        "oid": ALICE,
        "exp": 4102444800,
    },
    "k" * 32,
)

STRICT = {
    "*: content-type content-type": "Microsoft answers in JSON; another content type comes from a proxy.",
    "*: status status": "The readers decide by the error. Another status is a change of the API: review it.",
    "token issued: $.expires_in *": "Microsoft documents a whole number of seconds; an expired token is useless.",
    "user with a password alone: $.value*": "A method that nobody knows may be a strong one: the client would refuse "
    "its users, so somebody has to look at it.",
    "*: $.error.message *": "Graph documents a message in every error; reports quote it, and nothing depends on it.",
    "sign-in begun: $.interval *": "Microsoft documents it in every answer; without it the client takes the default "
    "of RFC 8628.",
    "sign-in begun: $.verification_uri other-value": "The user is sent there, so only https is acceptable.",
    "sign-in *: $.error other-value": "The state determines the word; both deny.",
}
"""Strict findings that were reviewed, and why the contract keeps what it demands."""

EITHER_TENANT = (
    "Microsoft's pages show both for an unknown tenant. Nobody is let in with either; the type of the error differs."
)
UNSEEN = "Nobody has shown a whole answer of this kind, so its status is not certain."
UNTOLD = "The documentation names the error, but nobody has shown such an answer."


def let_it_have(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """Let the client have a token: how it comes by one are interactions of their own."""
    monkeypatch.setattr("mfagate.providers.oauth.Tokens.get", lambda self, credential, request: token)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that nothing is wrong with."""
    let_it_have(monkeypatch, TOKEN)


def client(url: str, **changed: Any) -> EntraClient:
    return EntraClient(SETTINGS.model_copy(update=changed), endpoint=url)


def post(
    pact: ConsumerPact,
    description: str,
    state: StateName,
    endpoint: str,
    body: dict[str, str],
    *filled: str,
    **about: Any,
) -> Any:
    """``POST`` of a form to the login host; tenant, client and the ``filled`` fields are the state's."""
    interaction = pact.interaction(description, given=state, **about)
    interaction.with_request("POST", f"/{TENANT}/oauth2/v2.0/{endpoint}").with_body(urlencode(body), FORM)
    fill(interaction, "path", {"": f"/${{tenant_id}}/oauth2/v2.0/{endpoint}"})
    return fill(interaction, "body", {name: name for name in ("client_id", *filled)})


def refused(interaction: Any, error: str, *statuses: int) -> None:
    """An error of the login host; ``error`` may be a pattern."""
    expected = match.regex(error.partition("|")[0], regex=f"^({error})$") if "|" in error else error
    respond_with_any_of(interaction, *statuses).with_body({"error": expected}, JSON)


def ask_for_token(pact: ConsumerPact, description: str, state: StateName, *, secret: bool = True, **about: Any) -> Any:
    body = {**token_fields(SETTINGS), "client_id": CLIENT} | ({"client_secret": "k" * 40} if secret else {})
    return post(pact, description, state, "token", body, "scope", **about)


def test_token_issued(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = ask_for_token(pact, "token issued", StateName.CREDENTIAL_ACCEPTED, safe_in_production=True)
    body = {
        "token_type": text("Bearer", "^(?i:bearer)$"),
        "expires_in": positive(3599),
        "access_token": text(TOKEN),
    }
    interaction.will_respond_with(200).with_body(body, JSON)

    def issued(url: str) -> Any:
        return token_in(client(url)._api.ask("POST", token_path(SETTINGS), data=token_fields(SETTINGS)))

    contract_strength(issued, expect=(TOKEN, 3599.0))


@pytest.mark.parametrize(
    ("description", "state", "error", "statuses", "raised"),
    [
        ("wrong secret", StateName.CREDENTIAL_WRONG, "invalid_client", (401,), CredentialRejected),
        ("expired secret", StateName.CREDENTIAL_EXPIRED, "invalid_client", (401,), CredentialRejected),
        ("unknown application", StateName.CREDENTIAL_UNKNOWN, "unauthorized_client", (400,), CredentialRejected),
        ("disabled application", StateName.CREDENTIAL_REVOKED, "unauthorized_client", (400, 401), CredentialRejected),
        ("public application", StateName.CREDENTIAL_WRONG_KIND, "invalid_client", (401, 400), CredentialRejected),
        ("unknown tenant", StateName.RESOURCE_MISSING, "invalid_request|invalid_tenant", (400,), ContractViolation),
    ],
)
def test_token_refused(
    pact: ConsumerPact,
    contract_strength: Prove,
    description: str,
    state: StateName,
    error: str,
    statuses: tuple[int, ...],
    raised: type[SecondFactorError],
) -> None:
    note = UNSEEN if len(statuses) > 1 else None
    refused(ask_for_token(pact, description, state, note=note), error, *statuses)
    several = {"$.error other-value": EITHER_TENANT} if "|" in error else {}
    contract_strength(lambda url: client(url).methods(ALICE), expect=raised, blind=several)


def test_token_asked_for_without_a_secret(pact: ConsumerPact, contract_strength: Prove) -> None:
    description = "token asked for without a secret"
    refused(ask_for_token(pact, description, StateName.CREDENTIAL_MISSING, secret=False), "invalid_client", 401)

    def ask(url: str) -> None:
        api = client(url, client_secret=None)._api
        raise api.refusal(api.ask("POST", token_path(SETTINGS), data=token_fields(SETTINGS)))

    contract_strength(ask, expect=CredentialRejected)


def metadata(pact: ConsumerPact, description: str, state: StateName) -> Any:
    path = f"/{DOMAIN}/v2.0/.well-known/openid-configuration"
    interaction = get(pact, description, state, path, token=None, safe_in_production=True)
    return fill(interaction, "path", {"": "/${tenant_id}/v2.0/.well-known/openid-configuration"})


def test_metadata_of_the_tenant(pact: ConsumerPact, contract_strength: Prove) -> None:
    """Who names the tenant by a domain learns its id from them."""
    issuer = f"https://login.microsoftonline.com/{TENANT}/v2.0"
    body = {
        "issuer": match.regex(issuer, regex=r"^https://[^/]+/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/v2\.0$"),
        "token_endpoint": match.str(f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"),
    }
    metadata(pact, "metadata of the tenant", StateName.CREDENTIAL_ACCEPTED).will_respond_with(200).with_body(body, JSON)
    contract_strength(lambda url: client(url, tenant_id=DOMAIN)._tenant_id(), expect=TENANT)


def test_metadata_of_an_unknown_tenant(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = metadata(pact, "metadata of an unknown tenant", StateName.RESOURCE_MISSING)
    refused(interaction, "invalid_tenant|invalid_request", 400)
    contract_strength(
        lambda url: client(url, tenant_id=DOMAIN)._tenant_id(),
        expect=CredentialRejected,
        blind={"$.error other-value": EITHER_TENANT},
    )


def get(
    pact: ConsumerPact, description: str, state: StateName, path: str, *, token: str | None = TOKEN, **about: Any
) -> Any:
    interaction = pact.interaction(description, given=state, **about).with_request("GET", path)
    if token is not None:
        interaction.with_header("Authorization", BEARER if token == TOKEN else f"Bearer {token}")
    return interaction


def methods(pact: ConsumerPact, description: str, state: StateName, **about: Any) -> Any:
    interaction = get(pact, description, state, methods_path(ALICE), **about)
    return fill(interaction, "path", {"": methods_path("${username}")})


def denied(interaction: Any, status: int, codes: str) -> None:
    """An error of Graph."""
    code = match.regex(codes.partition("|")[0], regex=f"^({codes})$")
    interaction.will_respond_with(status).with_body({"error": {"code": code, "message": match.str("a sentence")}}, JSON)


@pytest.mark.usefixtures("token")
def test_user_with_a_second_factor(pact: ConsumerPact, contract_strength: Prove) -> None:
    strong = {"@odata.type": match.regex(AUTHENTICATOR, regex=A_STRONG_METHOD)}
    interaction = methods(pact, "user with a second factor", StateName.CHALLENGE_FACTOR)
    interaction.will_respond_with(200).with_body({"value": including(strong)}, JSON)
    contract_strength(
        lambda url: client(url).methods(ALICE),
        expect={AUTHENTICATOR},
        further={"client, for a sign-in": lambda url: client(url).start(ALICE, Factor.PUSH)},
        given=["sign-in begun"],
    )


@pytest.mark.usefixtures("token")
def test_user_with_a_password_alone(pact: ConsumerPact, contract_strength: Prove) -> None:
    weak = {"@odata.type": match.regex("#microsoft.graph.passwordAuthenticationMethod", regex=A_WEAK_METHOD)}
    interaction = methods(pact, "user with a password alone", StateName.NO_FACTOR)
    interaction.will_respond_with(200).with_body({"value": match.each_like(weak, min=1)}, JSON)
    contract_strength(lambda url: client(url).start(ALICE, Factor.PUSH), expect=NotEnrolled)


@pytest.mark.usefixtures("token")
def test_unknown_user(pact: ConsumerPact, contract_strength: Prove) -> None:
    note = "What Graph answers here is documented for users, not for their authentication methods."
    interaction = methods(pact, "unknown user", StateName.UNKNOWN_USER, safe_in_production=True, note=note)
    denied(interaction, 404, "Request_ResourceNotFound|ResourceNotFound|resourceNotFound|itemNotFound")
    contract_strength(lambda url: client(url).start(ALICE, Factor.PUSH), expect=NotEnrolled)


@pytest.mark.usefixtures("token")
def test_token_without_the_role(pact: ConsumerPact, contract_strength: Prove) -> None:
    note = "Other parts of Graph say Authorization_RequestDenied."
    # Nobody's methods are asked for, so that a right that is there all the same reads nothing.
    interaction = get(pact, "token without the role", StateName.PERMISSION_MISSING, NOBODYS_METHODS, note=note)
    denied(interaction, 403, "accessDenied|Authorization_RequestDenied")
    contract_strength(lambda url: client(url).start(NOBODY, Factor.PUSH), expect=CredentialRejected)


def test_no_token(pact: ConsumerPact, contract_strength: Prove) -> None:
    state = StateName.CREDENTIAL_MISSING
    interaction = get(pact, "no token", state, NOBODYS_METHODS, token=None, safe_in_production=True)
    denied(interaction, 401, "InvalidAuthenticationToken")
    contract_strength(lambda url: client(url, client_secret=None).methods(NOBODY), expect=CredentialRejected)


def test_malformed_token(pact: ConsumerPact, contract_strength: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
    let_it_have(monkeypatch, "no-token")
    path = f"/v1.0/users/{NOBODY}/authentication/methods"
    interaction = get(pact, "malformed token", StateName.CREDENTIAL_MALFORMED, path, token="no-token")
    denied(interaction, 401, "InvalidAuthenticationToken")
    contract_strength(lambda url: client(url).methods(NOBODY), expect=CredentialRejected)


def test_sign_in_begun(pact: ConsumerPact, contract_strength: Prove) -> None:
    body = {"client_id": CLIENT, "scope": SIGN_IN_SCOPE}
    interaction = post(
        pact, "sign-in begun", StateName.CREDENTIAL_ACCEPTED, "devicecode", body, safe_in_production=True
    )
    answer = {
        "device_code": text(DEVICE_CODE),
        "user_code": text("FRWQDE7YL"),
        "verification_uri": match.regex("https://microsoft.com/devicelogin", regex="^https://.+$"),
        "interval": match.int(5),
    }
    interaction.will_respond_with(200).with_body(answer, JSON)
    uri = "https://microsoft.com/devicelogin"
    contract_strength(
        lambda url: client(url)._device_code(ALICE),
        expect=DeviceChallenge(ALICE, Factor.PUSH, DEVICE_CODE, None, "FRWQDE7YL", uri, 5.0),
    )


def poll(pact: ConsumerPact, description: str, state: StateName, **about: Any) -> Any:
    body = {"grant_type": DEVICE_GRANT, "device_code": DEVICE_CODE, "client_id": CLIENT, "client_secret": "k" * 40}
    return post(pact, description, state, "token", body, "device_code", **about)


@pytest.mark.parametrize(
    ("description", "state", "error", "decision"),
    [
        ("sign-in pending", StateName.PUSH_PENDING, "authorization_pending", Decision.PENDING),
        ("sign-in declined", StateName.PUSH_DECLINED, "authorization_declined|access_denied", Decision.DENY),
        ("sign-in that nobody answered", StateName.PUSH_TIMED_OUT, "expired_token", Decision.DENY),
    ],
)
def test_sign_in_polled(
    pact: ConsumerPact, contract_strength: Prove, description: str, state: StateName, error: str, decision: Decision
) -> None:
    declined = state is StateName.PUSH_DECLINED
    refused(poll(pact, description, state, note=UNTOLD if declined else None), error, 400)
    denied = "The client denies on both. RFC 8628 says access_denied, which may be about the application as well."
    contract_strength(
        lambda url: client(url).verify(SIGN_IN),
        expect=decision,
        blind={"$.error other-value": denied} if declined else {},
    )


def test_sign_in_accepted(pact: ConsumerPact, contract_strength: Prove) -> None:
    """The id token says who signed in; only the user's own lets the user in."""
    interaction = poll(pact, "sign-in accepted", StateName.PUSH_ACCEPTED)
    interaction.will_respond_with(200).with_body({"id_token": match.regex(ID_TOKEN, regex=A_JWT)}, JSON)
    issued = "Each sign-in has its own token, and a pattern cannot look into it. Other tests prove the client's checks."
    contract_strength(
        lambda url: client(url).verify(SIGN_IN), expect=Decision.ALLOW, blind={"$.id_token other-value": issued}
    )


@pytest.mark.parametrize(
    ("description", "state", "safe"),
    [
        ("sign-in that never was", StateName.CHALLENGE_UNKNOWN, True),
        ("sign-in redeemed twice", StateName.CHALLENGE_ANSWERED, False),
    ],
)
def test_no_such_sign_in(
    pact: ConsumerPact, contract_strength: Prove, description: str, state: StateName, safe: bool
) -> None:
    interaction = poll(pact, description, state, safe_in_production=safe, note=UNTOLD)
    refused(interaction, "bad_verification_code|invalid_grant|invalid_request|expired_token", 400)
    kept_out = "All of these keep the user out: the client decides DENY for expired_token, and raises for the others."
    contract_strength(
        lambda url: client(url).verify(SIGN_IN), expect=ContractViolation, blind={"$.error other-value": kept_out}
    )
