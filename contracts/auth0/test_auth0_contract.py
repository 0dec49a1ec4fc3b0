"""What the login service expects of Auth0: its client, driven against Pact's mock server.

Each test adds one interaction to the pact. Only what the client reads stands
in an answer, so that Auth0 may change the rest. Where Auth0's documents and its recorded
answers differ, both are right, and the interaction's note says so.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from pact import match
from pydantic import SecretStr

from mfagate.consumer import FORM, JSON, ConsumerPact, any_number_of, fill, only_objects, respond_with_any_of
from mfagate.providers.auth0 import DEFAULT_CONNECTION, GRANT, METHODS_OF_NOBODY, NO_SUCH_LOGIN, UNKNOWN_USER_ID
from mfagate.providers.auth0.auth import client_credentials
from mfagate.providers.auth0.client import SCOPE, Auth0Client
from mfagate.providers.auth0.settings import Auth0Settings
from mfagate.providers.states import State
from mfagate.second_factor import (
    Challenge,
    ContractViolation,
    CredentialRejected,
    Decision,
    Factor,
    NotEnrolled,
    SecondFactorError,
)

PROVIDER = "auth0"

SETTINGS = Auth0Settings(
    domain="acme.eu.auth0.com", client_id="Kx3Vq0ZpT7mB1cWn9Yd5RhG2sLf8JuAe", client_secret=SecretStr("s" * 64)
)
CLIENT = {"client_id": SETTINGS.client_id, "client_secret": "s" * 64}
TOKEN = {
    "access_token": match.str("eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl"),
    # In any case of letters: RFC 6749 section 5.1.
    "token_type": match.regex("Bearer", regex="(?i)^bearer$"),
}
FETCH = dict(client_credentials(SETTINGS))
LOGIN, OOB_CODE = "Fe26.2*login", "Fe26.2*oob"
BEARER = match.regex(f"Bearer {LOGIN}", regex=r"^Bearer \S+$")
OTP = Challenge("alice@example.com", Factor.OTP, LOGIN)
PUSH = Challenge("alice@example.com", Factor.PUSH, f"{LOGIN} {OOB_CODE}")
SMS = Challenge("alice@example.com", Factor.SMS, f"{LOGIN} {OOB_CODE}")

EITHER = "Auth0's OpenAPI document and its recorded answers give different statuses."
REFUSED_CLIENT = match.regex("access_denied", regex="^(access_denied|invalid_client)$")
REFUSED_CLIENT_NOTE = "Tenants say access_denied; Auth0's OpenAPI document says invalid_client."


def client(url: str, **changed: Any) -> Auth0Client:
    settings = SETTINGS.model_copy(update=changed)
    return Auth0Client(settings, lambda user: "correct horse", endpoint=url)


def token(
    pact: ConsumerPact,
    description: str,
    state: State,
    form: dict[str, str],
    filled: dict[str, str] | None = None,
    **about: Any,
) -> Any:
    """``POST /oauth/token``; ``filled`` maps fields to values of the state."""
    authentication = about.pop("authentication", CLIENT)
    interaction = pact.interaction(description, given=state, **about).with_request("POST", "/oauth/token")
    interaction.with_body(urlencode({**form, **authentication}), FORM)
    return fill(interaction, "body", filled or {})


def password(pact: ConsumerPact, description: str, state: State, **about: Any) -> Any:
    form = {
        "grant_type": f"{GRANT}password-realm",
        "username": "alice@example.com",
        "password": "correct horse",
        "realm": DEFAULT_CONNECTION,
        "scope": SCOPE,
    }
    filled = {"username": "username", "realm": "connection"}
    if about.pop("right", True):
        filled["password"] = "password"
    return token(pact, description, state, form, filled, **about)


def otp(pact: ConsumerPact, description: str, state: State, value: str = "otp", **about: Any) -> Any:
    form = {"grant_type": f"{GRANT}mfa-otp", "mfa_token": LOGIN, "otp": "123456"}
    return token(pact, description, state, form, {"mfa_token": "mfa_token", "otp": value}, **about)


def poll(pact: ConsumerPact, description: str, state: State, **about: Any) -> Any:
    form = {"grant_type": f"{GRANT}mfa-oob", "mfa_token": LOGIN, "oob_code": OOB_CODE}
    return token(pact, description, state, form, {"mfa_token": "mfa_token", "oob_code": "oob_code"}, **about)


def refuse(interaction: Any, error: Any, *statuses: int, said: Any = "a sentence", **more: Any) -> None:
    """An error with one of the statuses; what the client reads of the sentence is matched by a pattern."""
    said = match.str(said) if isinstance(said, str) else said
    respond_with_any_of(interaction, *statuses).with_body({"error": error, "error_description": said, **more}, JSON)


MALFORMED = match.regex("Malformed mfa_token", regex="(?i).*(malformed|expired).*")


def test_second_factor_required(pact: ConsumerPact) -> None:
    interaction = password(pact, "second factor required", State.WORKING_OTP, note=EITHER)
    refuse(interaction, "mfa_required", 403, 401, mfa_token=match.str(LOGIN))
    with pact.serve() as url:
        assert client(url)._first_factor("alice@example.com") == LOGIN


@pytest.mark.parametrize(
    ("description", "state", "right", "error"),
    [
        ("wrong password", State.WORKING_OTP, False, "^(invalid_grant|invalid_user_password)$"),
        ("unknown user", State.UNKNOWN_USER, True, "^(invalid_grant|invalid_user_password)$"),
        ("blocked user", State.DISABLED_USER, True, "^(unauthorized|invalid_grant|invalid_user_password)$"),
    ],
)
def test_refused_password(pact: ConsumerPact, description: str, state: State, right: bool, error: str) -> None:
    interaction = password(pact, description, state, right=right, note=EITHER)
    example = "unauthorized" if "unauthorized" in error else "invalid_grant"
    refuse(interaction, match.regex(example, regex=error), 403, 401)
    with pact.serve() as url:
        auth0 = client(url)
        assert auth0.verify(auth0.start("alice@example.com", Factor.OTP)) is Decision.DENY


def authenticators(pact: ConsumerPact, description: str, state: State, **about: Any) -> Any:
    interaction = pact.interaction(description, given=state, **about).with_request("GET", "/mfa/authenticators")
    interaction.with_header("Authorization", BEARER)
    return fill(interaction, "header", {"Authorization": "authorization"}).will_respond_with(200)


def holding(interaction: Any, **item: Any) -> None:
    """Answer with a list that has this item in it.

    A user may have others: a recovery code, an e-mail address, a factor that is not active.
    https://auth0.com/docs/secure/multi-factor-authentication/manage-mfa-auth0-apis/manage-authenticator-factors-mfa-api
    """
    only_objects(interaction.with_body(match.array_containing([item]), JSON))


ID = r"^\S+$"


def test_authenticators_of_a_user(pact: ConsumerPact) -> None:
    interaction = authenticators(pact, "authenticators of a user", State.WORKING_OTP)
    totp = match.regex("totp|dev_a1B2c3D4e5F6g7H8", regex=ID)
    holding(interaction, id=totp, authenticator_type="otp", active=True)
    with pact.serve() as url:
        assert client(url)._authenticator(LOGIN, Factor.OTP) == "totp|dev_a1B2c3D4e5F6g7H8"


def test_user_with_a_phone(pact: ConsumerPact) -> None:
    interaction = authenticators(pact, "authenticators of a user with a phone", State.CHALLENGE_FACTOR)
    phone = match.regex("push|dev_a1B2c3D4e5F6g7H8", regex=ID)
    holding(interaction, id=phone, authenticator_type="oob", oob_channel="auth0", active=True)
    with pact.serve() as url:
        assert client(url)._authenticator(LOGIN, Factor.PUSH) == "push|dev_a1B2c3D4e5F6g7H8"


def test_user_without_a_factor(pact: ConsumerPact) -> None:
    note = (
        "Where the tenant has the e-mail factor, users with a verified address need not enrol: https://auth0.com/docs/"
        "secure/multi-factor-authentication/authenticate-using-ropg-flow-with-mfa/enroll-and-challenge-email-authenticators"
    )
    interaction = authenticators(pact, "user without a factor", State.NO_FACTOR, note=note)
    interaction.with_body(any_number_of({"oob_channel": match.regex("email", regex="^email$")}), JSON)
    with pact.serve() as url, pytest.raises(NotEnrolled):
        client(url)._authenticator(LOGIN, Factor.OTP)


def challenge(
    pact: ConsumerPact, description: str, state: State, kind: str, filled: tuple[str, ...], **about: Any
) -> Any:
    body = {"mfa_token": LOGIN, "challenge_type": kind, "authenticator_id": "totp|dev_a1B2c3D4e5F6g7H8", **CLIENT}
    interaction = pact.interaction(description, given=state, **about).with_request("POST", "/mfa/challenge")
    return fill(interaction.with_body(body, JSON), "body", {name: name for name in filled})


def test_code_is_due(pact: ConsumerPact) -> None:
    interaction = challenge(pact, "code is due", State.WORKING_OTP, "otp", ("mfa_token", "authenticator_id"))
    interaction.will_respond_with(200).with_body({"challenge_type": "otp"}, JSON)
    with pact.serve() as url:
        started = client(url)._challenge(OTP.user, Factor.OTP, LOGIN, "totp|dev_a1B2c3D4e5F6g7H8")
        assert started == OTP


def test_push_sent(pact: ConsumerPact) -> None:
    interaction = challenge(pact, "push sent", State.CHALLENGE_FACTOR, "oob", ("mfa_token", "authenticator_id"))
    interaction.will_respond_with(200).with_body({"challenge_type": "oob", "oob_code": match.str(OOB_CODE)}, JSON)
    with pact.serve() as url:
        started = client(url)._challenge(PUSH.user, Factor.PUSH, LOGIN, "totp|dev_a1B2c3D4e5F6g7H8")
        assert started == PUSH


def test_challenge_without_a_factor(pact: ConsumerPact) -> None:
    note = "Older tenants say association_required, and statuses differ."
    interaction = challenge(pact, "challenge without a factor", State.NO_FACTOR, "otp", ("mfa_token",), note=note)
    error = match.regex("unsupported_challenge_type", regex="^(unsupported_challenge_type|association_required)$")
    refuse(interaction, error, 401, 400, 403)
    with pact.serve() as url, pytest.raises(NotEnrolled):
        client(url)._challenge(OTP.user, Factor.OTP, LOGIN, "totp|dev_a1B2c3D4e5F6g7H8")


def test_challenge_of_an_unknown_login(pact: ConsumerPact) -> None:
    about = {"safe_in_production": True, "note": EITHER}
    interaction = challenge(
        pact, "challenge of an unknown login", State.CHALLENGE_UNKNOWN, "otp", ("mfa_token",), **about
    )
    error = match.regex("invalid_grant", regex="^(invalid_grant|expired_token|invalid_token|invalid_request)$")
    refuse(interaction, error, 401, 400, 403, said=MALFORMED)
    with pact.serve() as url, pytest.raises(ContractViolation):
        client(url)._challenge(OTP.user, Factor.OTP, LOGIN, "totp|dev_a1B2c3D4e5F6g7H8")


def test_otp_accepted(pact: ConsumerPact) -> None:
    otp(pact, "OTP accepted", State.WORKING_OTP).will_respond_with(200).with_body(TOKEN, JSON)
    with pact.serve() as url:
        assert client(url).verify(OTP, "123456") is Decision.ALLOW


def test_wrong_otp(pact: ConsumerPact) -> None:
    interaction = otp(pact, "wrong OTP", State.WORKING_OTP, "wrong_otp", note=EITHER)
    refuse(interaction, "invalid_grant", 403, 401, 400, said="Invalid otp_code.")
    with pact.serve() as url:
        assert client(url).verify(OTP, "123456") is Decision.DENY


def test_otp_after_too_many_wrong_ones(pact: ConsumerPact) -> None:
    note = "Auth0 documents that it refuses for some minutes, and not in which words."
    interaction = otp(pact, "OTP after too many wrong ones", State.LOCKED_FACTOR, note=note)
    error = match.regex(
        "too_many_attempts", regex="^(too_many_attempts|too_many_requests|invalid_grant|access_denied)$"
    )
    refuse(interaction, error, 429, 403, 401, 400)
    with pact.serve() as url, pytest.raises(SecondFactorError):
        client(url).verify(OTP, "123456")


@pytest.mark.parametrize(
    ("description", "grant", "fields"),
    [
        ("OTP for an unknown login", "mfa-otp", {"mfa_token": NO_SUCH_LOGIN, "otp": "123456"}),
        ("poll of an unknown push", "mfa-oob", {"mfa_token": NO_SUCH_LOGIN, "oob_code": NO_SUCH_LOGIN}),
    ],
)
def test_unknown_login(pact: ConsumerPact, description: str, grant: str, fields: dict[str, str]) -> None:
    form = {"grant_type": GRANT + grant, **fields}
    interaction = token(pact, description, State.CHALLENGE_UNKNOWN, form, safe_in_production=True, note=EITHER)
    refuse(
        interaction,
        match.regex("invalid_grant", regex="^(invalid_grant|expired_token)$"),
        403,
        401,
        400,
        said=MALFORMED,
    )
    unknown = " ".join(value for value in fields.values() if value == NO_SUCH_LOGIN)
    factor, code = (Factor.OTP, "123456") if "otp" in fields else (Factor.PUSH, None)
    with pact.serve() as url, pytest.raises(ContractViolation):
        client(url).verify(Challenge("alice@example.com", factor, unknown), code)


def test_push_pending(pact: ConsumerPact) -> None:
    refuse(poll(pact, "push pending", State.PUSH_PENDING, note=EITHER), "authorization_pending", 400, 403)
    with pact.serve() as url:
        assert client(url).verify(PUSH) is Decision.PENDING


def test_push_accepted(pact: ConsumerPact) -> None:
    poll(pact, "push accepted", State.PUSH_ACCEPTED).will_respond_with(200).with_body(TOKEN, JSON)
    with pact.serve() as url:
        assert client(url).verify(PUSH) is Decision.ALLOW


def test_push_declined(pact: ConsumerPact) -> None:
    note = "A recorded tenant said 400 access_denied; Auth0's pages say invalid_grant."
    error = match.regex("access_denied", regex="^(access_denied|invalid_grant)$")
    said = match.regex("MFA Authorization rejected.", regex="(?i).*(rejected|denied|declined).*")
    refuse(poll(pact, "push declined", State.PUSH_DECLINED, note=note), error, 400, 401, 403, said=said)
    with pact.serve() as url:
        assert client(url).verify(PUSH) is Decision.DENY


def test_wrong_code_of_an_sms(pact: ConsumerPact) -> None:
    form = {"grant_type": f"{GRANT}mfa-oob", "mfa_token": LOGIN, "oob_code": OOB_CODE, "binding_code": "000000"}
    filled = {"mfa_token": "mfa_token", "oob_code": "oob_code"}
    interaction = token(pact, "wrong code of an SMS", State.CHALLENGE_STARTED, form, filled, note=EITHER)
    refuse(interaction, "invalid_grant", 403, 401, 400, said="Invalid binding_code.")
    with pact.serve() as url:
        assert client(url).verify(SMS, "000000") is Decision.DENY


def test_token_for_the_management_api(pact: ConsumerPact) -> None:
    note = "Each run takes one machine-to-machine token, which Auth0 bills."
    about = {"safe_in_production": True, "note": note}
    interaction = token(
        pact, "token for the Management API", State.CREDENTIAL_ACCEPTED, FETCH, {"audience": "audience"}, **about
    )
    interaction.will_respond_with(200).with_body({**TOKEN, "expires_in": match.int(86400)}, JSON)
    with pact.serve() as url:
        assert client(url)._api.ask("POST", "/oauth/token", data=FETCH).status == 200


def methods(pact: ConsumerPact, description: str, state: State, **about: Any) -> Any:
    interaction = pact.interaction(description, given=state, **about).with_request("GET", METHODS_OF_NOBODY)
    return interaction.with_header("Authorization", match.regex("Bearer eyJ", regex=r"^Bearer \S+$"))


STATIC = {"management_token": SecretStr("eyJ")}
"""A static token, so that the mock server is asked once."""


def test_factors_of_a_user(pact: ConsumerPact) -> None:
    interaction = methods(pact, "factors of a user", State.WORKING_OTP)
    fill(interaction, "path", {"": "/api/v2/users/${user_id}/authentication-methods"})
    holding(interaction.will_respond_with(200), type="totp", confirmed=True)
    with pact.serve() as url:
        assert client(url, **STATIC).enrolled(UNKNOWN_USER_ID) == {Factor.OTP}


def test_factors_of_an_unknown_user(pact: ConsumerPact) -> None:
    interaction = methods(pact, "factors of an unknown user", State.UNKNOWN_USER, safe_in_production=True)
    body = {"statusCode": 404, "errorCode": "inexistent_user", "error": match.str("Not Found")}
    interaction.will_respond_with(404).with_body(body, JSON)
    with pact.serve() as url, pytest.raises(NotEnrolled):
        client(url, **STATIC).enrolled(UNKNOWN_USER_ID)


@pytest.mark.parametrize(
    ("description", "state", "status", "body"),
    [
        ("token without the scope", State.PERMISSION_MISSING, 403, {"errorCode": "insufficient_scope"}),
        (
            "expired token",
            State.CREDENTIAL_EXPIRED,
            401,
            {"message": match.regex("Expired token received", regex="(?i).*expired.*")},
        ),
        ("what is no token", State.CREDENTIAL_MALFORMED, 400, {"errorCode": "Bearer"}),
    ],
)
def test_refused_token(pact: ConsumerPact, description: str, state: State, status: int, body: dict[str, Any]) -> None:
    error = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden"}[status]
    interaction = methods(pact, description, state)
    interaction.will_respond_with(status).with_body({"statusCode": status, "error": error, **body}, JSON)
    with pact.serve() as url, pytest.raises(CredentialRejected):
        client(url, **STATIC).enrolled(UNKNOWN_USER_ID)


@pytest.mark.parametrize(
    ("description", "state", "authentication"),
    [
        ("missing secret", State.CREDENTIAL_MISSING, {"client_id": SETTINGS.client_id}),
        ("unknown client", State.CREDENTIAL_UNKNOWN, CLIENT),
        ("wrong secret", State.CREDENTIAL_WRONG, CLIENT),
    ],
)
def test_refused_client(pact: ConsumerPact, description: str, state: State, authentication: dict[str, str]) -> None:
    """Auth0 says the same of all three."""
    interaction = token(
        pact,
        description,
        state,
        FETCH,
        {"audience": "audience"},
        authentication=authentication,
        note=REFUSED_CLIENT_NOTE,
    )
    refuse(interaction, REFUSED_CLIENT, 401, 403, said="Unauthorized")
    changed = {} if "client_secret" in authentication else {"client_secret": None}
    with pact.serve() as url, pytest.raises(CredentialRejected):
        client(url, **changed).enrolled(UNKNOWN_USER_ID)


def test_login_with_a_wrong_secret(pact: ConsumerPact) -> None:
    """It must not be taken for a wrong password."""
    form = {
        "grant_type": f"{GRANT}password-realm",
        "username": "mfagate-no-such-user@example.com",
        "password": "correct horse",
        "realm": DEFAULT_CONNECTION,
        "scope": SCOPE,
    }
    interaction = token(pact, "login with a wrong secret", State.CREDENTIAL_WRONG, form, note=REFUSED_CLIENT_NOTE)
    refuse(interaction, REFUSED_CLIENT, 401, 403, said="Unauthorized")
    with pact.serve() as url, pytest.raises(CredentialRejected):
        client(url).start("mfagate-no-such-user@example.com", Factor.OTP)


def test_application_without_a_grant(pact: ConsumerPact) -> None:
    note = "An application that may not fetch tokens at all is an unauthorized_client."
    filled = {"audience": "audience"}
    interaction = token(pact, "application without a grant", State.CREDENTIAL_WRONG_KIND, FETCH, filled, note=note)
    error = match.regex("access_denied", regex="^(access_denied|unauthorized_client)$")
    refuse(
        interaction, error, 403, 401, said="Client is not authorized to access it. You need to create a client-grant."
    )
    with pact.serve() as url, pytest.raises(CredentialRejected):
        client(url).enrolled(UNKNOWN_USER_ID)
