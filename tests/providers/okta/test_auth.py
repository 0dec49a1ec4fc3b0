"""How requests are signed: an API token as it is, a service app by an assertion for each access token."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qsl

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm
from pydantic import SecretStr

from mfagate.config.pem import load_private_key
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Response
from mfagate.providers.made_up import new_private_key
from mfagate.providers.oauth import ASSERTION_TYPE, Tokens
from mfagate.providers.okta.auth import assertion, new_token
from mfagate.providers.okta.pairs import contradictions, missing_scopes
from mfagate.providers.okta.provider import PROVIDER
from mfagate.providers.okta.settings import TOKEN_PATH, OktaSettings, OrgUrl, Scopes

ORG = "https://acme.okta.com"
CLIENT = "0oaabcdefg1234567890"
PEM = new_private_key()
APP = OktaSettings(org_url=ORG, client_id=CLIENT, private_key=SecretStr(PEM), key_id="kid-1")


def pem(key: Any, encryption: Any = None) -> str:
    encoded: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return encoded.decode()


def no_token(request: requests.PreparedRequest) -> Any:
    raise AssertionError("no access token is needed")


def signed(settings: OktaSettings, method: str, path: str, **request: Any) -> requests.PreparedRequest:
    auth = PROVIDER.api.auth(settings, Tokens(no_token))
    return requests.Request(method, ORG + path, auth=auth, **request).prepare()


def test_an_api_token_is_sent_as_it_is() -> None:
    settings = OktaSettings(org_url=ORG, api_token=SecretStr("00" + "k" * 40))
    request = signed(settings, "GET", "/api/v1/users/me")
    assert request.headers["Authorization"] == "SSWS 00" + "k" * 40
    assert "Authorization" not in signed(settings.model_copy(update={"api_token": None}), "GET", "/api/v1/org").headers


def test_claims_of_an_assertion() -> None:
    made = assertion(APP)
    assert jwt.get_unverified_header(made) == {"alg": "RS256", "typ": "JWT", "kid": "kid-1"}
    claims = jwt.decode(made, load_private_key(PEM).public_key(), algorithms=["RS256"], audience=ORG + TOKEN_PATH)
    assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT, CLIENT, f"{ORG}/oauth2/v1/token")
    now = time.time()
    assert now - 5 <= claims["iat"] <= now
    assert 0 < claims["exp"] - claims["iat"] <= 3600
    assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "jti"}


def test_no_assertion_is_used_twice() -> None:
    made = {jwt.decode(assertion(APP), options={"verify_signature": False})["jti"] for _ in range(5)}
    assert len(made) == 5


@pytest.mark.parametrize(
    ("curve", "algorithm"), [(ec.SECP256R1(), "ES256"), (ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")]
)
def test_keys_on_curves(curve: ec.EllipticCurve, algorithm: str) -> None:
    key = ec.generate_private_key(curve)
    settings = APP.model_copy(update={"private_key": SecretStr(pem(key)), "key_id": None})
    made = assertion(settings)
    assert jwt.get_unverified_header(made) == {"alg": algorithm, "typ": "JWT"}
    assert jwt.decode(made, key.public_key(), algorithms=[algorithm], audience=ORG + TOKEN_PATH)["iss"] == CLIENT
    assert list(contradictions(settings)) == []


def test_the_request_for_a_token_carries_the_assertion_in_its_form() -> None:
    form = {"grant_type": "client_credentials", "scope": "okta.users.read", "client_assertion": "forged"}
    request = signed(APP, "POST", TOKEN_PATH, data=form)
    assert "Authorization" not in request.headers
    body = request.body
    assert isinstance(body, bytes)
    fields = dict(parse_qsl(body.decode()))
    assert fields["client_assertion_type"] == ASSERTION_TYPE
    assert len(fields["client_assertion"].split(".")) == 3
    assert fields["scope"] == "okta.users.read"


def test_what_anybody_may_know_needs_no_token() -> None:
    assert "Authorization" not in signed(APP, "GET", "/.well-known/okta-organization").headers


@pytest.mark.parametrize(
    ("key", "words"),
    [
        pytest.param(
            pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "has 1024 bits", id="too short"
        ),
        pytest.param(pem(ec.generate_private_key(ec.SECP256K1())), "a type that Okta does not accept", id="curve"),
        pytest.param(pem(load_private_key(PEM), BestAvailableEncryption(b"x")), "cannot be read", id="encrypted"),
        pytest.param(PEM.replace("MII", "AAA"), "cannot be read", id="damaged"),
    ],
)
def test_keys_that_okta_does_not_take(key: str, words: str) -> None:
    ((setting, found),) = contradictions(APP.model_copy(update={"private_key": SecretStr(key)}))
    assert (setting, found.cause) == ("private_key", CauseId.CONFIG_MALFORMED_VALUE)
    assert words in found.message


BOTH = "okta.users.read okta.users.manage"


@pytest.mark.parametrize(
    ("asked", "answered", "missing", "setting"),
    [
        (None, {"scope": "okta.users.manage okta.users.read"}, None, None),
        (None, {}, None, None),
        (None, {"scope": "okta.users.read"}, "okta.users.manage", "client_id"),
        (None, {"scope": ""}, "okta.users.read, okta.users.manage", "client_id"),
        (None, {"scope": None}, "okta.users.read, okta.users.manage", "client_id"),
        (f"{BOTH} okta.orgs.read", {"scope": BOTH}, "okta.orgs.read", "client_id"),
        ("okta.orgs.read", {"scope": "okta.orgs.read"}, "okta.users.read, okta.users.manage", "scopes"),
    ],
)
def test_scopes_that_were_not_granted(
    asked: str | None, answered: dict[str, Any], missing: str | None, setting: str | None
) -> None:
    response = Response(200, body=json.dumps({"access_token": "x", **answered}).encode())
    found = missing_scopes(response, APP.model_copy(update={"scopes": asked}))
    assert (found.message if found else None) == (f"the access token lacks {missing}" if missing else None)
    assert (found.setting if found else None) == setting


NAME = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True).filter(lambda name: name != "www")
DOMAIN = st.sampled_from(["okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com", "okta.mil"])
SITES = ("developer", "help", "support", "status", "login", "trust")


@given(name=NAME, domain=DOMAIN)
def test_urls_of_orgs(name: str, domain: str) -> None:
    fits = not name.endswith("-admin") and not (domain == "okta.com" and name in SITES)
    assert (OrgUrl().misfit(f"https://{name}.{domain}") is None) is fits
    for wrong in (
        f"{name}.{domain}",
        f"https://{name}.{domain}/",
        f"https://{name}-admin.{domain}",
        f"https://{domain}",
    ):
        misfit = OrgUrl().misfit(wrong)
        assert misfit is not None
        assert misfit.cause is CauseId.CONFIG_MALFORMED_URL


@given(text=st.text(max_size=60))
def test_any_text_is_judged(text: str) -> None:
    for shape in (OrgUrl(), Scopes()):
        misfit = shape.misfit(text)
        assert misfit is None or misfit.reason


def test_a_token_of_ours_has_the_shape_of_theirs() -> None:
    (field,) = [field for field in OktaSettings.fields() if field.name == "api_token"]
    shape = field.setting.shape
    assert shape is not None
    assert shape.misfit(new_token()) is None


def jwk(**changed: str) -> str:
    """The key as a JWK with a kid, as Okta shows it."""
    return json.dumps({**RSAAlgorithm.to_jwk(load_private_key(PEM), as_dict=True), "kid": "own", **changed})


def test_a_jwk_signs_and_brings_its_own_id() -> None:
    settings = OktaSettings(org_url=ORG, client_id=CLIENT, private_key=SecretStr(jwk()))
    assert list(contradictions(settings)) == []
    made = assertion(settings)
    assert jwt.get_unverified_header(made)["kid"] == "own"
    jwt.decode(made, load_private_key(PEM).public_key(), algorithms=["RS256"], audience=ORG + TOKEN_PATH)


def test_two_ids_of_one_key_contradict_each_other() -> None:
    ((setting, found),) = contradictions(APP.model_copy(update={"private_key": SecretStr(jwk())}))
    assert (setting, found.cause) == ("key_id", CauseId.CONFIG_MALFORMED_VALUE)
    same = APP.model_copy(update={"private_key": SecretStr(jwk()), "key_id": "own"})
    assert list(contradictions(same)) == []


def test_a_jwk_that_was_cut_is_not_a_reason_for_another_key() -> None:
    ((setting, found),) = contradictions(APP.model_copy(update={"private_key": SecretStr(jwk(kid="kid-1", n="0vx7"))}))
    assert (setting, found.cause) == ("private_key", CauseId.CONFIG_MALFORMED_VALUE)
    assert "Copy the whole key again" in str(found.next_step)
