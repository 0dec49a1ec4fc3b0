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

from mfagate.contract.consumer import (
    FORM,
    JSON,
    ConsumerPact,
    any_number_of,
    fill,
    only_objects,
    positive,
    respond_with_any_of,
    text,
)
from mfagate.contract_strength import Prove
from mfagate.providers.auth0.client import SCOPE, Auth0Client
from mfagate.providers.auth0.probes import GRANT, METHODS_OF_NOBODY, NO_SUCH_LOGIN, UNKNOWN_USER_ID
from mfagate.providers.auth0.settings import DEFAULT_CONNECTION, Auth0Settings, client_credentials
from mfagate.providers.second_factor import (
    Challenge,
    ContractViolation,
    CredentialRejected,
    Decision,
    Factor,
    NotEnrolled,
    SecondFactorError,
)
from mfagate.providers.states import StateName

PROVIDER = "auth0"

SETTINGS = Auth0Settings(
    domain="acme.eu.auth0.com", client_id="Kx3Vq0ZpT7mB1cWn9Yd5RhG2sLf8JuAe", client_secret=SecretStr("s" * 64)
)
CLIENT = {"client_id": SETTINGS.client_id, "client_secret": "s" * 64}
TOKEN = {
    "access_token": text("eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl", r"^[\s\S]+$"),
    # In any case of letters: RFC 6749 section 5.1.
    "token_type": text("Bearer", "(?i)^bearer$"),
}
OPAQUE = r"^\S+$"
"""What carries a login: nothing with a space in it."""

STRICT = {
    "*: status status": "The readers decide by the code. Another status is a change of the API: review it.",
    "*: content-type content-type": "Auth0 answers in JSON; another content type comes from a proxy.",
    "*: $.error_description *": "Auth0 documents a sentence beside every error, and it tells errors apart.",
    "wrong password: $.error other-value": "unauthorized means a blocked user, and this user is not blocked.",
    "unknown user: $.error other-value": "unauthorized means a blocked user, and this user is not blocked.",
    "application without a grant: $.error other-value": "Each code is one refusal; these two are the documented ones.",
    "token for the Management API: $.expires_in *": "Auth0 documents a whole number of seconds; without it the client "
    "would fetch a token for each request, and Auth0 bills them.",
    "user without a factor: $*": "Only the e-mail factor needs no enrollment; another factor is another state.",
    "factors of a user: $[0].confirmed removed": "Auth0 shows it with every TOTP method, though its schema does not "
    "require it. Pact cannot say absent or true, and false is no factor.",
}
"""Strict findings that were reviewed, and why the contract keeps what it demands."""

NOT_MALFORMED = r"(?i)^(?!.*malformed)[\s\S]*$"
"""With that word an ``invalid_grant`` is about a login that Auth0 does not know, and not about a code."""

OF_THE_USER = r"(?i)^(?!.*(malformed|client-grant|not authorized to access))[\s\S]*$"
"""With these words an error is about the login or the application, and not about the user."""
FETCH = dict(client_credentials(SETTINGS))
AUTHENTICATOR = "totp|dev_a1B2c3D4e5F6g7H8"
LOGIN, OOB_CODE = "Fe26.2*login", "Fe26.2*oob"
BEARER = match.regex(f"Bearer {LOGIN}", regex=r"^Bearer \S+$")
OWN_ID_TOKEN = {"$.id_token": {"email": "username"}}
"""The client lets nobody in with the ID token of another user. Without the scope openid there is none."""

OTP = Challenge("alice@example.com", Factor.OTP, LOGIN)
PUSH = Challenge("alice@example.com", Factor.PUSH, f"{LOGIN} {OOB_CODE}")
SMS = Challenge("alice@example.com", Factor.SMS, f"{LOGIN} {OOB_CODE}")

NO_LOGIN = "Which of these errors Auth0 gives is not documented. The client lets nobody in with any of them."
EITHER = "Auth0's OpenAPI document and its recorded answers give different statuses."
REFUSED_CLIENT = match.regex("access_denied", regex="^(access_denied|invalid_client)$")
REFUSED_CLIENT_NOTE = "Tenants say access_denied; Auth0's OpenAPI document says invalid_client."


def client(url: str, **changed: Any) -> Auth0Client:
    settings = SETTINGS.model_copy(update=changed)
    return Auth0Client(settings, lambda user: "correct horse", endpoint=url)


def token(
    pact: ConsumerPact,
    description: str,
    state: StateName,
    form: dict[str, str],
    filled: dict[str, str] | None = None,
    **about: Any,
) -> Any:
    """``POST /oauth/token``; ``filled`` maps fields to values of the state."""
    authentication = about.pop("authentication", CLIENT)
    interaction = pact.interaction(description, given=state, **about).with_request("POST", "/oauth/token")
    interaction.with_body(urlencode({**form, **authentication}), FORM)
    return fill(interaction, "body", filled or {})


def password(pact: ConsumerPact, description: str, state: StateName, **about: Any) -> Any:
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


def otp(pact: ConsumerPact, description: str, state: StateName, value: str = "otp", **about: Any) -> Any:
    form = {"grant_type": f"{GRANT}mfa-otp", "mfa_token": LOGIN, "otp": "123456"}
    return token(pact, description, state, form, {"mfa_token": "mfa_token", "otp": value}, **about)


def poll(pact: ConsumerPact, description: str, state: StateName, **about: Any) -> Any:
    form = {"grant_type": f"{GRANT}mfa-oob", "mfa_token": LOGIN, "oob_code": OOB_CODE}
    return token(pact, description, state, form, {"mfa_token": "mfa_token", "oob_code": "oob_code"}, **about)


def refuse(interaction: Any, error: Any, *statuses: int, said: Any = "a sentence", **more: Any) -> None:
    """An error with one of the statuses; what the readers take from the sentence is matched by a pattern."""
    said = match.str(said) if isinstance(said, str) else said
    respond_with_any_of(interaction, *statuses).with_body({"error": error, "error_description": said, **more}, JSON)


MALFORMED = text("Malformed mfa_token", "(?i).*malformed.*")
UNAUTHORIZED = text("Unauthorized", "(?i)^unauthorized$")
"""What tenants say to a wrong client: https://github.com/auth0/node-auth0/issues/682."""


def test_second_factor_required(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = password(pact, "second factor required", StateName.WORKING_OTP, note=EITHER)
    refuse(interaction, "mfa_required", 403, 401, mfa_token=text(LOGIN, OPAQUE))
    contract_strength(lambda url: client(url)._first_factor("alice@example.com"), expect=LOGIN)


@pytest.mark.parametrize(
    ("description", "state", "right", "error"),
    [
        ("wrong password", StateName.WORKING_OTP, False, "^(invalid_grant|invalid_user_password)$"),
        ("unknown user", StateName.UNKNOWN_USER, True, "^(invalid_grant|invalid_user_password)$"),
        ("blocked user", StateName.DISABLED_USER, True, "^(unauthorized|invalid_grant|invalid_user_password)$"),
    ],
)
def test_refused_password(
    pact: ConsumerPact, contract_strength: Prove, description: str, state: StateName, right: bool, error: str
) -> None:
    interaction = password(pact, description, state, right=right, note=EITHER)
    example = "unauthorized" if "unauthorized" in error else "invalid_grant"
    refuse(interaction, match.regex(example, regex=error), 403, 401)

    def let_in(url: str) -> Decision:
        auth0 = client(url)
        return auth0.verify(auth0.start("alice@example.com", Factor.OTP))

    contract_strength(let_in, expect=Decision.DENY)


def authenticators(pact: ConsumerPact, description: str, state: StateName, **about: Any) -> Any:
    interaction = pact.interaction(description, given=state, **about).with_request("GET", "/mfa/authenticators")
    interaction.with_header("Authorization", BEARER)
    return fill(interaction, "header", {"Authorization": "authorization"}).will_respond_with(200)


def holding(interaction: Any, **item: Any) -> None:
    """Answer with a list that has this item in it.

    A user may have others: a recovery code, an e-mail address, a factor that is not active.
    https://auth0.com/docs/secure/multi-factor-authentication/manage-mfa-auth0-apis/manage-authenticator-factors-mfa-api
    """
    only_objects(interaction.with_body(match.array_containing([item]), JSON))


def test_authenticators_of_a_user(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = authenticators(pact, "authenticators of a user", StateName.WORKING_OTP)
    totp = text(AUTHENTICATOR)
    holding(interaction, id=totp, authenticator_type="otp", active=True)
    contract_strength(lambda url: client(url)._authenticator(LOGIN, Factor.OTP), expect=AUTHENTICATOR)


def test_user_with_a_phone(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = authenticators(pact, "authenticators of a user with a phone", StateName.CHALLENGE_FACTOR)
    phone = text("push|dev_a1B2c3D4e5F6g7H8")
    holding(interaction, id=phone, authenticator_type="oob", oob_channel="auth0", active=True)
    contract_strength(lambda url: client(url)._authenticator(LOGIN, Factor.PUSH), expect="push|dev_a1B2c3D4e5F6g7H8")


def test_user_without_a_factor(pact: ConsumerPact, contract_strength: Prove) -> None:
    note = (
        "Where the tenant has the e-mail factor, users with a verified address need not enrol: https://auth0.com/docs/"
        "secure/multi-factor-authentication/authenticate-using-ropg-flow-with-mfa/enroll-and-challenge-email-authenticators"
    )
    interaction = authenticators(pact, "user without a factor", StateName.NO_FACTOR, note=note)
    interaction.with_body(any_number_of({"oob_channel": match.regex("email", regex="^email$")}), JSON)
    contract_strength(lambda url: client(url)._authenticator(LOGIN, Factor.OTP), expect=NotEnrolled)


def challenge(
    pact: ConsumerPact, description: str, state: StateName, kind: str, filled: tuple[str, ...], **about: Any
) -> Any:
    body = {"mfa_token": LOGIN, "challenge_type": kind, "authenticator_id": AUTHENTICATOR, **CLIENT}
    interaction = pact.interaction(description, given=state, **about).with_request("POST", "/mfa/challenge")
    return fill(interaction.with_body(body, JSON), "body", {name: name for name in filled})


def test_code_is_due(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = challenge(pact, "code is due", StateName.WORKING_OTP, "otp", ("mfa_token", "authenticator_id"))
    interaction.will_respond_with(200).with_body({"challenge_type": "otp"}, JSON)
    contract_strength(lambda url: client(url)._challenge(OTP.user, Factor.OTP, LOGIN, AUTHENTICATOR), expect=OTP)


def test_push_sent(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = challenge(pact, "push sent", StateName.CHALLENGE_FACTOR, "oob", ("mfa_token", "authenticator_id"))
    interaction.will_respond_with(200).with_body({"challenge_type": "oob", "oob_code": text(OOB_CODE, OPAQUE)}, JSON)
    contract_strength(lambda url: client(url)._challenge(PUSH.user, Factor.PUSH, LOGIN, AUTHENTICATOR), expect=PUSH)


def test_challenge_without_a_factor(pact: ConsumerPact, contract_strength: Prove) -> None:
    note = "Older tenants say association_required, and statuses differ."
    interaction = challenge(pact, "challenge without a factor", StateName.NO_FACTOR, "otp", ("mfa_token",), note=note)
    error = match.regex("unsupported_challenge_type", regex="^(unsupported_challenge_type|association_required)$")
    refuse(interaction, error, 401, 400, 403)
    contract_strength(
        lambda url: client(url)._challenge(OTP.user, Factor.OTP, LOGIN, AUTHENTICATOR), expect=NotEnrolled
    )


def test_challenge_of_an_unknown_login(pact: ConsumerPact, contract_strength: Prove) -> None:
    about = {"safe_in_production": True, "note": EITHER}
    interaction = challenge(
        pact, "challenge of an unknown login", StateName.CHALLENGE_UNKNOWN, "otp", ("mfa_token",), **about
    )
    error = match.regex("invalid_grant", regex="^(invalid_grant|expired_token|invalid_token|invalid_request)$")
    refuse(interaction, error, 401, 400, 403, said=MALFORMED)
    contract_strength(
        lambda url: client(url)._challenge(OTP.user, Factor.OTP, LOGIN, AUTHENTICATOR),
        expect=ContractViolation,
        blind={"$.error other-value": NO_LOGIN},
    )


def test_otp_accepted(pact: ConsumerPact, contract_strength: Prove) -> None:
    otp(pact, "OTP accepted", StateName.WORKING_OTP, claims=OWN_ID_TOKEN).will_respond_with(200).with_body(TOKEN, JSON)
    contract_strength(lambda url: client(url).verify(OTP, "123456"), expect=Decision.ALLOW)


def test_wrong_otp(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = otp(pact, "wrong OTP", StateName.WORKING_OTP, "wrong_otp", note=EITHER)
    refuse(interaction, "invalid_grant", 403, 401, 400, said=text("Invalid otp_code.", NOT_MALFORMED))
    contract_strength(lambda url: client(url).verify(OTP, "123456"), expect=Decision.DENY)


def test_otp_after_too_many_wrong_ones(pact: ConsumerPact, contract_strength: Prove) -> None:
    note = "Auth0 documents that it refuses for some minutes, and not in which words."
    interaction = otp(pact, "OTP after too many wrong ones", StateName.LOCKED_FACTOR, note=note)
    error = match.regex(
        "too_many_attempts", regex="^(too_many_attempts|too_many_requests|invalid_grant|access_denied)$"
    )
    refuse(interaction, error, 429, 403, 401, 400, said=text("a sentence", OF_THE_USER))
    refused = "Which error Auth0 gives is not documented. The client lets nobody in with any of these."
    contract_strength(
        lambda url: client(url).verify(OTP, "123456"),
        expect=SecondFactorError,
        blind={"$.error other-value": refused},
    )


@pytest.mark.parametrize(
    ("description", "grant", "fields"),
    [
        ("OTP for an unknown login", "mfa-otp", {"mfa_token": NO_SUCH_LOGIN, "otp": "123456"}),
        ("poll of an unknown push", "mfa-oob", {"mfa_token": NO_SUCH_LOGIN, "oob_code": NO_SUCH_LOGIN}),
    ],
)
def test_unknown_login(
    pact: ConsumerPact, contract_strength: Prove, description: str, grant: str, fields: dict[str, str]
) -> None:
    form = {"grant_type": GRANT + grant, **fields}
    interaction = token(pact, description, StateName.CHALLENGE_UNKNOWN, form, safe_in_production=True, note=EITHER)
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
    contract_strength(
        lambda url: client(url).verify(Challenge("alice@example.com", factor, unknown), code),
        expect=ContractViolation,
        blind={"$.error other-value": NO_LOGIN},
    )


def test_push_pending(pact: ConsumerPact, contract_strength: Prove) -> None:
    refuse(poll(pact, "push pending", StateName.PUSH_PENDING, note=EITHER), "authorization_pending", 400, 403)
    contract_strength(lambda url: client(url).verify(PUSH), expect=Decision.PENDING)


def test_push_accepted(pact: ConsumerPact, contract_strength: Prove) -> None:
    poll(pact, "push accepted", StateName.PUSH_ACCEPTED, claims=OWN_ID_TOKEN).will_respond_with(200).with_body(
        TOKEN, JSON
    )
    contract_strength(lambda url: client(url).verify(PUSH), expect=Decision.ALLOW)


def test_push_declined(pact: ConsumerPact, contract_strength: Prove) -> None:
    note = "A recorded tenant said 400 access_denied; Auth0's pages say invalid_grant."
    error = match.regex("access_denied", regex="^(access_denied|invalid_grant)$")
    said = text("MFA Authorization rejected.", "(?i).*rejected.*")
    refuse(poll(pact, "push declined", StateName.PUSH_DECLINED, note=note), error, 400, 401, 403, said=said)
    probe = "The client denies on both. The probe asks about a login that nobody knows, and never reads this answer."
    contract_strength(lambda url: client(url).verify(PUSH), expect=Decision.DENY, blind={"$.error other-value": probe})


def test_wrong_code_of_an_sms(pact: ConsumerPact, contract_strength: Prove) -> None:
    form = {"grant_type": f"{GRANT}mfa-oob", "mfa_token": LOGIN, "oob_code": OOB_CODE, "binding_code": "000000"}
    filled = {"mfa_token": "mfa_token", "oob_code": "oob_code"}
    interaction = token(pact, "wrong code of an SMS", StateName.CHALLENGE_STARTED, form, filled, note=EITHER)
    refuse(interaction, "invalid_grant", 403, 401, 400, said=text("Invalid binding_code.", NOT_MALFORMED))
    contract_strength(lambda url: client(url).verify(SMS, "000000"), expect=Decision.DENY)


def test_token_for_the_management_api(pact: ConsumerPact, contract_strength: Prove) -> None:
    note = "Each run takes one machine-to-machine token, which Auth0 bills."
    about = {"safe_in_production": True, "note": note}
    interaction = token(
        pact, "token for the Management API", StateName.CREDENTIAL_ACCEPTED, FETCH, {"audience": "audience"}, **about
    )
    interaction.will_respond_with(200).with_body({**TOKEN, "expires_in": positive(86400)}, JSON)
    contract_strength(lambda url: client(url)._api.ask("POST", "/oauth/token", data=FETCH).status, expect=200)


def methods(pact: ConsumerPact, description: str, state: StateName, **about: Any) -> Any:
    interaction = pact.interaction(description, given=state, **about).with_request("GET", METHODS_OF_NOBODY)
    return interaction.with_header("Authorization", match.regex("Bearer eyJ", regex=r"^Bearer \S+$"))


STATIC = {"management_token": SecretStr("eyJ")}
"""A static token, so that the mock server is asked once."""


def test_factors_of_a_user(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = methods(pact, "factors of a user", StateName.WORKING_OTP)
    fill(interaction, "path", {"": "/api/v2/users/${user_id}/authentication-methods"})
    holding(interaction.will_respond_with(200), type="totp", confirmed=True)
    contract_strength(lambda url: client(url, **STATIC).enrolled(UNKNOWN_USER_ID), expect={Factor.OTP})


def test_factors_of_an_unknown_user(pact: ConsumerPact, contract_strength: Prove) -> None:
    interaction = methods(pact, "factors of an unknown user", StateName.UNKNOWN_USER, safe_in_production=True)
    body = {"errorCode": "inexistent_user", "error": match.str("Not Found")}
    interaction.will_respond_with(404).with_body(body, JSON)
    contract_strength(lambda url: client(url, **STATIC).enrolled(UNKNOWN_USER_ID), expect=NotEnrolled)


@pytest.mark.parametrize(
    ("description", "state", "status", "body"),
    [
        ("token without the scope", StateName.PERMISSION_MISSING, 403, {"errorCode": "insufficient_scope"}),
        (
            "expired token",
            StateName.CREDENTIAL_EXPIRED,
            401,
            {"error": "Unauthorized", "message": text("Expired token received", "(?i).*expired token.*")},
        ),
        ("what is no token", StateName.CREDENTIAL_MALFORMED, 400, {"errorCode": "Bearer"}),
    ],
)
def test_refused_token(
    pact: ConsumerPact, contract_strength: Prove, description: str, state: StateName, status: int, body: dict[str, Any]
) -> None:
    interaction = methods(pact, description, state)
    interaction.will_respond_with(status).with_body({"error": match.str("a sentence"), **body}, JSON)
    contract_strength(lambda url: client(url, **STATIC).enrolled(UNKNOWN_USER_ID), expect=CredentialRejected)


@pytest.mark.parametrize(
    ("description", "state", "authentication"),
    [
        ("missing secret", StateName.CREDENTIAL_MISSING, {"client_id": SETTINGS.client_id}),
        ("unknown client", StateName.CREDENTIAL_UNKNOWN, CLIENT),
        ("wrong secret", StateName.CREDENTIAL_WRONG, CLIENT),
    ],
)
def test_refused_client(
    pact: ConsumerPact, contract_strength: Prove, description: str, state: StateName, authentication: dict[str, str]
) -> None:
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
    refuse(interaction, REFUSED_CLIENT, 401, 403, said=UNAUTHORIZED)
    changed = {} if "client_secret" in authentication else {"client_secret": None}
    contract_strength(lambda url: client(url, **changed).enrolled(UNKNOWN_USER_ID), expect=CredentialRejected)


def test_login_with_a_wrong_secret(pact: ConsumerPact, contract_strength: Prove) -> None:
    """It must not be taken for a wrong password."""
    form = {
        "grant_type": f"{GRANT}password-realm",
        "username": "mfagate-no-such-user@example.com",
        "password": "correct horse",
        "realm": DEFAULT_CONNECTION,
        "scope": SCOPE,
    }
    interaction = token(pact, "login with a wrong secret", StateName.CREDENTIAL_WRONG, form, note=REFUSED_CLIENT_NOTE)
    refuse(interaction, REFUSED_CLIENT, 401, 403, said=UNAUTHORIZED)
    contract_strength(
        lambda url: client(url).start("mfagate-no-such-user@example.com", Factor.OTP), expect=CredentialRejected
    )


def test_application_without_a_grant(pact: ConsumerPact, contract_strength: Prove) -> None:
    note = "An application that may not fetch tokens at all is an unauthorized_client."
    filled = {"audience": "audience"}
    interaction = token(pact, "application without a grant", StateName.CREDENTIAL_WRONG_KIND, FETCH, filled, note=note)
    error = match.regex("access_denied", regex="^(access_denied|unauthorized_client)$")
    refuse(
        interaction,
        error,
        403,
        401,
        said=text(
            "Client is not authorized to access it. You need to create a client-grant.",
            "(?i).*(client-grant|client is not authorized to access|grant type).*",
        ),
    )
    contract_strength(lambda url: client(url).enrolled(UNKNOWN_USER_ID), expect=CredentialRejected)
