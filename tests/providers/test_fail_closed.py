"""Every reference client is proved to fail closed, on every answer of its contract that decides about a login."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jwt
import pytest
from pydantic import SecretStr

from mfagate.fail_closed import WAITS, LoopbackUrl, MutationKind, Proof, prove
from mfagate.providers.auth0.client import Auth0Client
from mfagate.providers.auth0.settings import Auth0Settings
from mfagate.providers.duo.client import DuoClient
from mfagate.providers.duo.settings import DuoSettings
from mfagate.providers.entra.client import DeviceChallenge, EntraClient
from mfagate.providers.entra.settings import EntraSettings
from mfagate.providers.okta.client import OktaClient
from mfagate.providers.okta.settings import OktaSettings
from mfagate.providers.privacyidea.client import PrivacyIDEAClient
from mfagate.providers.second_factor import Challenge, Decision, Factor, NotEnrolled, SecondFactor, SecondFactorError
from mfagate.providers.twilio.client import TwilioClient
from mfagate.providers.twilio.settings import TwilioSettings

from ..support.project import REPOSITORY

CANARY = "c4n4ry" * 6 + "c4n4"
SECRET = SecretStr(CANARY)
PATIENT, IMPATIENT = 15.0, 0.5
"""Seconds that a client gives an answer: one that comes, and one that does not."""

DUO = DuoSettings(host="api-0a1b2c3d.duosecurity.com", integration_key="DIABCDEFGHIJ01234567", secret_key=SECRET)
OKTA = OktaSettings(org_url="https://acme.okta.com", api_token=SecretStr(f"00{CANARY}"))
OKTA_USER, OKTA_PUSH = "00uabcdefg1234567890", "opfabcdefg1234567890"
OKTA_POLL = f"/api/v1/users/{OKTA_USER}/factors/{OKTA_PUSH}/transactions/v2mst.GldKV5VxTrifyeZmWSQguA"
TWILIO = TwilioSettings(
    account_sid="AC0123456789abcdef0123456789abcdef",
    service_sid="VA0123456789abcdef0123456789abcdef",
    api_key_sid="SK0123456789abcdef0123456789abcdef",
    api_key_secret=SECRET,
)
PHONE, IDENTITY = "+12015550100", "mfagate-000000000000"
TENANT, APP = "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "7c9e6679-7425-40de-944b-e07fc1f90ae7"
ALICE, BOB = "550e8400-e29b-41d4-a716-446655440000", "6fa459ea-ee8a-4ca4-894e-db77e160355e"
ENTRA = EntraSettings(tenant_id=TENANT, client_id=APP, client_secret=SECRET)
AUTH0 = Auth0Settings(domain="acme.eu.auth0.com", client_id="Kx3Vq0ZpT7mB1cWn9Yd5RhG2sLf8JuAe", client_secret=SECRET)
LOGIN, OOB = "Fe26.2*login", "Fe26.2*oob"
PRIVACYIDEA_TRANSACTION = "02659936574063359702"


def id_token(**changed: Any) -> str:
    """The ID token of Alice's sign-in, or of one that is not hers to take."""
    claims = {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0", "aud": APP, "tid": TENANT, "oid": ALICE}
    return jwt.encode({**claims, "exp": 4102444800, **changed}, "k" * 32)


FOREIGN_TOKENS = [
    id_token(oid=BOB),
    id_token(aud=BOB),
    id_token(tid=BOB),
    id_token(iss="https://login.microsoftonline.com/common/v2.0"),
    id_token(exp=1),
    id_token(oid=None),
    jwt.encode({"oid": ALICE}, "k" * 32),
]

CLIENTS: dict[str, Callable[[LoopbackUrl, float], SecondFactor]] = {
    "auth0": lambda url, seconds: Auth0Client(AUTH0, lambda user: CANARY, endpoint=url, timeout_seconds=seconds),
    "duo": lambda url, seconds: DuoClient(DUO, endpoint=url, timeout_seconds=seconds),
    "entra": lambda url, seconds: EntraClient(ENTRA, endpoint=url, timeout_seconds=seconds),
    "okta": lambda url, seconds: OktaClient(OKTA, endpoint=url, timeout_seconds=seconds),
    "privacyidea": lambda url, seconds: PrivacyIDEAClient(url, CANARY, CANARY, timeout_seconds=seconds),
    "twilio": lambda url, seconds: TwilioClient(TWILIO, endpoint=url, timeout_seconds=seconds),
}


@dataclass(frozen=True)
class Login:
    """One interaction of a provider's contract, and the login that it is about.

    ``other`` is another user's login: the same answer must not let that one in. With ``begins``
    the interaction is the first of a login, and the client is asked to start it.
    """

    provider: str
    interaction: str
    challenge: Challenge
    code: str | None = None
    claim: dict[str, Any] = field(default_factory=dict)
    other: Challenge | None = None
    begins: bool = False

    def __str__(self) -> str:
        return f"{self.provider}: {self.interaction}"


def logins() -> Iterator[Login]:
    """All of them."""
    deny, pending = {"expect": Decision.DENY}, {"expect": Decision.PENDING}
    refused = {"expect": (Decision.DENY, SecondFactorError)}

    otp, push = Challenge("alice", Factor.OTP), Challenge("alice", Factor.PUSH, "45f7c92b-f45f-4862-8545-e0f58e78075a")
    accepted = {"allows": ["passcode accepted"]}
    yield Login("duo", "passcode accepted", otp, "000000000")
    yield Login("duo", "wrong passcode", otp, "000000000", deny | accepted)
    yield Login("duo", "used passcode", otp, "000000000", deny | accepted)
    accepted = {"allows": ["push accepted"]}
    yield Login("duo", "push accepted", push)
    yield Login("duo", "push declined", push, None, deny | accepted)
    yield Login("duo", "push timed out", push, None, deny | accepted)
    yield Login("duo", "push pending", push, None, pending | accepted)
    yield Login("duo", "user in bypass", otp, "000000000", begins=True)
    for description in ("disabled user", "locked user"):
        yield Login("duo", description, otp, "000000000", deny | {"allows": ["user in bypass"]}, begins=True)
    enrolling = {"expect": (NotEnrolled, Decision.DENY), "allows": ["user in bypass"]}
    yield Login("duo", "unknown user", otp, "000000000", enrolling, begins=True)

    otp, push = Challenge(OKTA_USER, Factor.OTP, "ostabcdefg1234567890"), Challenge(OKTA_USER, Factor.PUSH, OKTA_POLL)
    yield Login("okta", "code accepted", otp, "000000")
    for description in ("wrong code", "used code", "locked user"):
        yield Login("okta", description, otp, "000000", deny | {"allows": ["code accepted"]})
    yield Login("okta", "push accepted", push)
    yield Login("okta", "push declined", push, None, deny | {"allows": ["push accepted"]})
    yield Login("okta", "push timed out", push, None, deny | {"allows": ["push accepted"]})
    yield Login("okta", "push pending", push, None, pending | {"allows": ["push accepted"]})

    sms = Challenge(PHONE, Factor.SMS, "VE00000000000000000000000000000001")
    otp = Challenge(IDENTITY, Factor.OTP, "YF00000000000000000000000000000001")
    push = Challenge(IDENTITY, Factor.PUSH, "YC00000000000000000000000000000001")
    texted = {"bound": {"$.to": ()}}
    yield Login("twilio", "code accepted", sms, "123456", texted, replace(sms, user="+12015550199"))
    yield Login("twilio", "code accepted", sms, "123456", texted, replace(sms, transaction=f"VE{'0' * 31}2"))
    yield Login("twilio", "wrong code", sms, "123456", texted | deny | {"allows": ["code accepted"]})
    for description in ("sixth wrong code", "unknown verification", "verification approved before"):
        yield Login("twilio", description, sms, "123456", refused)
    yield Login("twilio", "TOTP code accepted", otp, "123456", {}, replace(otp, user="mfagate-1"))
    yield Login("twilio", "wrong TOTP code", otp, "123456", deny | {"allows": ["TOTP code accepted"]})
    yield Login("twilio", "push accepted", push, None, {}, replace(push, user="mfagate-1"))
    yield Login("twilio", "push declined", push, None, deny | {"allows": ["push accepted"]})
    yield Login("twilio", "push timed out", push, None, deny | {"allows": ["push accepted"]})
    yield Login("twilio", "push pending", push, None, pending | {"allows": ["push accepted"]})
    yield Login("twilio", "unknown push", push, None, refused)

    sign_in = DeviceChallenge(ALICE, Factor.PUSH, "FAQABAAEAAAAm-06bl")
    signed = {"bound": {"$.id_token": FOREIGN_TOKENS}}
    yield Login("entra", "sign-in accepted", sign_in, None, signed, replace(sign_in, user=BOB))
    yield Login("entra", "sign-in declined", sign_in, None, deny)
    yield Login("entra", "sign-in that nobody answered", sign_in, None, deny)
    yield Login("entra", "sign-in pending", sign_in, None, pending)
    yield Login("entra", "sign-in redeemed twice", sign_in, None, refused)

    email = "alice@example.com"
    otp, push = Challenge(email, Factor.OTP, LOGIN), Challenge(email, Factor.PUSH, f"{LOGIN} {OOB}")
    sms = Challenge(email, Factor.SMS, f"{LOGIN} {OOB}")
    yield Login("auth0", "OTP accepted", otp, "123456")
    yield Login("auth0", "wrong OTP", otp, "123456", refused)
    yield Login("auth0", "OTP after too many wrong ones", otp, "123456", refused)
    yield Login("auth0", "push accepted", push)
    yield Login("auth0", "push declined", push, None, refused)
    yield Login("auth0", "push pending", push, None, pending)
    yield Login("auth0", "wrong code of an SMS", sms, "000000", refused)
    for description in ("wrong password", "unknown user", "blocked user"):
        yield Login("auth0", description, otp, None, deny, begins=True)

    otp, push = Challenge("alice", Factor.OTP), Challenge("alice", Factor.PUSH, PRIVACYIDEA_TRANSACTION)
    asked = Challenge("alice", Factor.OTP, PRIVACYIDEA_TRANSACTION)
    yield Login("privacyidea", "OTP accepted", otp, "755224")
    yield Login("privacyidea", "challenge answered", asked, "755224")
    yield Login("privacyidea", "push accepted", push, None, {"given": ["accepted push redeemed"]})
    yield Login("privacyidea", "accepted push redeemed", push, None, {"given": ["push accepted"]})
    for description in ("wrong OTP", "replayed OTP", "locked token", "disabled token", "unknown user"):
        yield Login("privacyidea", description, otp, "755224", deny | {"allows": ["OTP accepted"]})
    yield Login("privacyidea", "push declined", push, None, deny)
    yield Login("privacyidea", "push pending", push, None, pending)


LOGINS = list(logins())


def proof(login: Login, seconds: float, **claim: Any) -> Proof:
    def verify(endpoint: LoopbackUrl, challenge: Challenge = login.challenge) -> Decision:
        client = CLIENTS[login.provider](endpoint, seconds)
        return client.verify(client.start(challenge.user, challenge.factor) if login.begins else challenge, login.code)

    if login.other is not None:
        claim["another"] = partial(verify, challenge=login.other)
    contract = REPOSITORY / f"contracts/{login.provider}/auth-service-{login.provider}.json"
    return prove(verify, contract=contract, interaction=login.interaction, secrets=[CANARY], **login.claim, **claim)


@pytest.mark.parametrize("login", LOGINS, ids=str)
def test_a_reference_client_fails_closed(login: Login) -> None:
    proof(login, PATIENT, deadline_seconds=2 * PATIENT, tolerate=WAITS).require()


@pytest.mark.parametrize("login", [login for login in LOGINS if "expect" not in login.claim], ids=str)
def test_a_reference_client_waits_for_no_answer_for_ever(login: Login) -> None:
    waited = proof(login, IMPATIENT, deadline_seconds=PATIENT, tolerate=set(MutationKind) - WAITS, examples=1)
    waited.require()
    assert waited.tried["waits"] == 5
