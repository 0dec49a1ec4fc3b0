"""Twilio's error codes lead to causes, and a second question narrows some of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange, Failure, Headers, Phase, Request, Response
from mfagate.core.finding import Finding
from mfagate.providers.errors import POSSIBLE_CAUSES
from mfagate.providers.twilio.errors import MEANINGS
from mfagate.providers.twilio.provider import PROVIDER
from mfagate.providers.twilio.settings import TwilioSettings
from mfagate.testing import explained

HEX = "0123456789abcdef" * 2
ACCOUNT, SERVICE, KEY = f"AC{HEX}", f"VA{HEX}", f"SK{HEX}"
OTHER = "AC" + "f" * 32
SECRET, TOKEN = "canaryKeySecret" + "z" * 17, "ca" * 16

WITH_KEY = TwilioSettings(account_sid=ACCOUNT, service_sid=SERVICE, api_key_sid=KEY, api_key_secret=SecretStr(SECRET))
WITH_TOKEN = TwilioSettings(account_sid=ACCOUNT, service_sid=SERVICE, auth_token=SecretStr(TOKEN))
WITH_BOTH = WITH_KEY.model_copy(update={"auth_token": SecretStr(TOKEN)})

VERIFY = f"https://verify.twilio.com/v2/Services/{SERVICE}"
ACCOUNTS = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}.json"


def finding(
    status: int,
    code: Any,
    message: str = "a sentence",
    settings: TwilioSettings = WITH_KEY,
    url: str = VERIFY,
    **headers: str,
) -> Finding:
    more = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": message, "more_info": more, "status": status}
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return explained(PROVIDER, settings, status, body, fields, url=url)


CODES = [
    (400, 20001, CauseId.CONTRACT_STATUS_CHANGED),
    (405, 20004, CauseId.CONTRACT_STATUS_CHANGED),
    (403, 20005, CauseId.ACCOUNT_SUSPENDED),
    (403, 20008, CauseId.CREDENTIAL_WRONG_KIND),
    (403, 20403, CauseId.ACCOUNT_SUSPENDED),
    (429, 20429, CauseId.PROVIDER_RATE_LIMITED),
    (503, 20503, CauseId.PROVIDER_OUTAGE),
    (400, 21211, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (403, 21408, CauseId.ACCOUNT_FEATURE_DISABLED),
    (403, 21608, CauseId.ACCOUNT_FEATURE_DISABLED),
    (400, 21612, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (400, 21614, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (403, 30450, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (400, 60200, CauseId.CONTRACT_STATUS_CHANGED),
    (429, 60202, CauseId.PROVIDER_RATE_LIMITED),
    (429, 60203, CauseId.PROVIDER_RATE_LIMITED),
    (403, 60204, CauseId.ACCOUNT_FEATURE_DISABLED),
    (403, 60205, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (400, 60207, CauseId.ACCOUNT_QUOTA_EXHAUSTED),
    (429, 60212, CauseId.PROVIDER_RATE_LIMITED),
    (400, 60217, CauseId.ACCOUNT_FEATURE_DISABLED),
    (400, 60220, CauseId.ACCOUNT_FEATURE_DISABLED),
    (400, 60221, CauseId.CONTRACT_STATUS_CHANGED),
    (400, 60223, CauseId.ACCOUNT_FEATURE_DISABLED),
    (403, 60238, CauseId.ACCOUNT_FEATURE_DISABLED),
    (409, 60301, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (409, 60304, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (400, 60306, CauseId.CONTRACT_STATUS_CHANGED),
    (429, 60308, CauseId.PROVIDER_RATE_LIMITED),
    (429, 60310, CauseId.PROVIDER_RATE_LIMITED),
    (403, 60311, CauseId.CONTRACT_STATUS_CHANGED),
    (429, 60312, CauseId.PROVIDER_RATE_LIMITED),
    (400, 60315, CauseId.ACCOUNT_QUOTA_EXHAUSTED),
    (409, 60317, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (403, 60318, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (403, 60322, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (403, 60323, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (403, 60324, CauseId.CONTRACT_STATUS_CHANGED),
    (429, 60326, CauseId.PROVIDER_RATE_LIMITED),
    (429, 60328, CauseId.PROVIDER_RATE_LIMITED),
    (400, 60361, CauseId.ACCOUNT_RESOURCE_MISSING),
    (400, 60362, CauseId.CONTRACT_STATUS_CHANGED),
    (400, 60363, CauseId.ACCOUNT_RESOURCE_MISSING),
    (400, 60364, CauseId.CONTRACT_STATUS_CHANGED),
    (400, 60366, CauseId.CONTRACT_STATUS_CHANGED),
    (400, 60367, CauseId.CONTRACT_STATUS_CHANGED),
    (400, 60369, CauseId.CONTRACT_STATUS_CHANGED),
    (400, 60370, CauseId.CONTRACT_STATUS_CHANGED),
    (404, 60390, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (404, 60391, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (404, 60392, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (403, 60410, CauseId.ACCOUNT_FEATURE_DISABLED),
    (403, 60605, CauseId.ACCOUNT_FEATURE_DISABLED),
    (400, 20002, CauseId.CONTRACT_STATUS_CHANGED),
    (403, 20006, CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
    (403, 20010, CauseId.ACCOUNT_FEATURE_DISABLED),
    (400, 20011, CauseId.NETWORK_TLS_HANDSHAKE),
    (409, 20409, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (410, 20410, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (400, 20423, CauseId.ACCOUNT_RESOURCE_MISSING),
    (500, 20500, CauseId.PROVIDER_OUTAGE),
    (403, 60201, CauseId.ACCOUNT_FEATURE_DISABLED),
    (404, 60228, CauseId.ACCOUNT_RESOURCE_MISSING),
    (403, 60237, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (429, 60245, CauseId.ACCOUNT_QUOTA_EXHAUSTED),
    (429, 60309, CauseId.PROVIDER_RATE_LIMITED),
    (403, 60412, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (404, 60431, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (403, 60510, CauseId.CONTRACT_STATE_UNAVAILABLE),
    (403, 60603, CauseId.ACCOUNT_QUOTA_EXHAUSTED),
    (403, 60604, CauseId.ACCOUNT_FEATURE_DISABLED),
    (429, 60624, CauseId.PROVIDER_RATE_LIMITED),
    (400, 68008, CauseId.ACCOUNT_FEATURE_DISABLED),
]


@pytest.mark.parametrize(("status", "code", "cause"), CODES)
def test_codes(status: int, code: int, cause: CauseId) -> None:
    found = finding(status, code)
    assert found.cause is cause
    assert found.evidence["provider code"] == code
    # The code decides, not the status: of some Twilio does not publish it.
    assert finding(418, code).cause is cause


@pytest.mark.parametrize("code", sorted(code for code in MEANINGS if code not in (20003, 20006)))
def test_a_limit_a_feature_and_a_missing_object_are_no_permission(code: int) -> None:
    """Whatever the status, no other code of the list is about a permission or about the credential itself."""
    found = {finding(status, code).cause for status in (401, 403, 404, 410)}
    assert found.isdisjoint(
        {
            CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
            CauseId.CREDENTIAL_REJECTED,
            *([] if code in (20005, 20426) else [CauseId.CONTRACT_ENDPOINT_RETIRED]),
        }
    )


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (400, CauseId.CONTRACT_STATUS_CHANGED),
        (401, CauseId.PROVIDER_REFUSAL_UNRECOGNISED),
        (403, CauseId.PROVIDER_REFUSAL_UNRECOGNISED),
        (404, CauseId.CONTRACT_ENDPOINT_RETIRED),
        (429, CauseId.PROVIDER_RATE_LIMITED),
        (500, CauseId.PROVIDER_OUTAGE),
    ],
)
def test_an_unknown_code_is_left_to_the_status(status: int, cause: CauseId) -> None:
    assert finding(status, 69999).cause is cause


def test_the_settings_decide_what_a_refusal_can_mean() -> None:
    key, token = finding(401, 20003), finding(401, 20003, settings=WITH_TOKEN)
    assert key.cause is token.cause is CauseId.CREDENTIAL_REJECTED
    assert key.evidence[POSSIBLE_CAUSES][:2] == ["the key was deleted", "the secret belongs to another key"]
    assert token.evidence[POSSIBLE_CAUSES][0] == "the token was replaced by a new one, which revokes it immediately"
    assert "the token belongs to the test credentials" in token.evidence[POSSIBLE_CAUSES]
    nothing = WITH_TOKEN.model_copy(update={"auth_token": None})
    assert "none was sent" in finding(401, 20003, settings=nothing).message


def test_with_both_the_request_decides() -> None:
    assert "API key" in finding(401, 20003, settings=WITH_BOTH).message
    assert "auth token" in finding(401, 20003, settings=WITH_BOTH, url=ACCOUNTS).message


def test_what_twilio_says_is_a_hint() -> None:
    dropped = finding(401, 20003, "Authentication Error - No credentials provided")
    assert dropped.evidence[POSSIBLE_CAUSES][0] == "a proxy removes or changes the Authorization header"
    assert "know its SID" in finding(401, 20003, "Authentication Error - invalid username").message
    assert "know its SID" not in finding(401, 20003, "Authenticate").message
    older = explained(
        PROVIDER,
        WITH_KEY,
        401,
        {"code": 20003, "detail": "Your AccountSid or AuthToken was incorrect.", "message": "Authenticate"},
        {"Twilio-Request-Id": f"RQ{HEX}"},
    )
    assert older.evidence["provider message"] == "Authenticate"
    assert older.evidence["provider reference"] == f"RQ{HEX}"


def test_a_permission_can_be_missing_from_a_key_alone() -> None:
    key, token = finding(401, 70051), finding(401, 70051, settings=WITH_TOKEN)
    assert key.cause is CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION
    assert key.evidence[POSSIBLE_CAUSES][0] == "the key is a restricted key without this permission"
    assert token.cause is CauseId.CREDENTIAL_REJECTED
    assert not [cause for cause in token.evidence[POSSIBLE_CAUSES] if "restricted" in cause]


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("", CauseId.ACCOUNT_RESOURCE_MISSING),
        ("/Verifications", CauseId.ACCOUNT_RESOURCE_MISSING),
        ("/Entities", CauseId.ACCOUNT_RESOURCE_MISSING),
        ("/Verifications/VE1", CauseId.CONTRACT_ENDPOINT_RETIRED),
        ("/VerificationCheck", CauseId.CONTRACT_ENDPOINT_RETIRED),
        ("/Entities/somebody/Factors", CauseId.CONTRACT_ENDPOINT_RETIRED),
    ],
)
def test_not_found_is_the_service_or_something_in_it(path: str, cause: CauseId) -> None:
    found = finding(404, 20404, url=VERIFY + path)
    assert found.cause is cause
    assert (found.setting == "service_sid") is (cause is CauseId.ACCOUNT_RESOURCE_MISSING)


def test_an_account_that_is_not_found_is_no_service() -> None:
    assert finding(404, 20404, settings=WITH_BOTH, url=ACCOUNTS).cause is CauseId.CONTRACT_ENDPOINT_RETIRED


def test_a_limit_of_one_number_is_not_called_one_of_the_account() -> None:
    for code in (60202, 60203, 60212, 60308, 60310, 60312, 60326, 60328):
        assert "not to the account" in str(finding(429, code).next_step)
    assert "not to the account" not in str(finding(429, 20429).next_step)


def test_a_refused_key_is_replaced_only_if_it_is_gone() -> None:
    """20003 also stands for an account that is suspended (https://github.com/authy/authy-ssh/issues/54)."""
    step = str(finding(401, 20003, "Authenticate").next_step)
    assert "do not change the key" in step
    assert "only if the key no longer exists" in step


def test_a_limit_tells_how_long_to_wait() -> None:
    assert finding(429, 20429, Retry_After="7").evidence["retry-after"] == "7"
    assert "try again in 7 s" in finding(429, 20429, Retry_After="7").message
    assert "retry-after" not in finding(429, 20429).evidence


def test_an_rfc_9457_body() -> None:
    body = {"type": "https://…", "title": "Denied", "status": 401, "code": 20003, "detail": "No", "instance": "/"}
    assert explained(PROVIDER, WITH_KEY, 401, body, url=VERIFY).evidence["provider message"] == "No"


@pytest.mark.parametrize(
    "body",
    [{}, {"code": "20003", "message": "x"}, {"code": True, "message": "x"}, {"code": 20003}, [], "x", None, b"{"],
)
def test_what_is_no_error_of_twilio(body: object) -> None:
    assert "provider code" not in explained(PROVIDER, WITH_KEY, 401, body, url=VERIFY).evidence


class Asked:
    """Answers one further question, and remembers it."""

    def __init__(self, status: int, body: Any) -> None:
        self._answer = status, body
        self.paths: list[str] = []

    def __call__(self, request: requests.Request, settings: Any = None) -> Exchange:
        assert request.method == "GET", "a further question changes nothing"
        self.paths.append(str(request.url))
        status, body = self._answer
        sent, now = Request("GET", str(request.url)), datetime.now(UTC)
        if status == 0:
            return Exchange(sent, now, failure=Failure(CauseId.NETWORK_READ_TIMEOUT, Phase.PROCESSING, "no answer"))
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Exchange(sent, now, Response(status, headers=Headers(), body=content))


def refined(settings: TwilioSettings, found: Finding, status: int, body: Any) -> tuple[Finding, list[str]]:
    asked = Asked(status, body)
    return PROVIDER.probes.refine(found, settings, asked), asked.paths


REFUSED = {"code": 20003, "message": "Authenticate", "status": 401}


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (200, {"sid": ACCOUNT, "status": "suspended"}, CauseId.ACCOUNT_SUSPENDED),
        (200, {"sid": ACCOUNT, "status": "closed"}, CauseId.ACCOUNT_SUSPENDED),
        (200, {"sid": ACCOUNT, "status": "active"}, CauseId.PROVIDER_AUTH_OUTAGE),
        (200, {"sid": ACCOUNT, "status": "something new"}, CauseId.CREDENTIAL_REJECTED),
        (403, {"code": 20008, "message": "x"}, CauseId.CREDENTIAL_WRONG_KIND),
        (403, {"code": 20403, "message": "x"}, CauseId.ACCOUNT_SUSPENDED),
        (401, REFUSED, CauseId.CREDENTIAL_REJECTED),
        (500, {}, CauseId.CREDENTIAL_REJECTED),
        (200, b"<html>", CauseId.CREDENTIAL_REJECTED),
        (200, [], CauseId.CREDENTIAL_REJECTED),
        (0, None, CauseId.CREDENTIAL_REJECTED),
    ],
)
def test_a_token_asks_its_account(status: int, body: Any, cause: CauseId) -> None:
    found, paths = refined(WITH_TOKEN, finding(401, 20003, settings=WITH_TOKEN), status, body)
    assert found.cause is cause
    assert paths == [f"/2010-04-01/Accounts/{ACCOUNT}.json"]
    if cause is CauseId.PROVIDER_AUTH_OUTAGE:
        assert found.effective_outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("status", "body", "cause", "setting"),
    [
        (200, {"sid": KEY}, CauseId.CREDENTIAL_REJECTED, None),
        (200, {"sid": f"SK{HEX[::-1]}"}, CauseId.CREDENTIAL_REJECTED, None),
        (404, {"code": 20404, "message": "x"}, CauseId.CREDENTIAL_UNKNOWN_KEY, "api_key_sid"),
        (404, b"<html>", CauseId.CREDENTIAL_REJECTED, None),
        (401, REFUSED, CauseId.CREDENTIAL_REJECTED, None),
        (0, None, CauseId.CREDENTIAL_REJECTED, None),
    ],
)
def test_a_token_asks_about_the_key(status: int, body: Any, cause: CauseId, setting: str | None) -> None:
    found, paths = refined(WITH_BOTH, finding(401, 20003, settings=WITH_BOTH), status, body)
    assert (found.cause, found.setting) == (cause, setting)
    assert paths == [f"/2010-04-01/Accounts/{ACCOUNT}/Keys/{KEY}.json"]
    assert (found.evidence.get(POSSIBLE_CAUSES) == ["the secret belongs to another key"]) is (
        status == 200 and body["sid"] == KEY
    )


@pytest.mark.parametrize(
    ("settings", "url", "code"),
    [
        (WITH_KEY, VERIFY, 20003),  # a standard key is refused where it could ask, though it is in order
        (WITH_BOTH, ACCOUNTS, 20003),  # it was the token itself that was refused
        (WITH_KEY, VERIFY, 70051),
        (WITH_TOKEN, VERIFY, 20008),
    ],
)
def test_no_question_is_asked_in_vain(settings: TwilioSettings, url: str, code: int) -> None:
    before = finding(401, code, settings=settings, url=url)
    found, paths = refined(settings, before, 200, {})
    assert (found, paths) == (before, [])


def services(*owners: str) -> dict[str, Any]:
    return {"services": [{"sid": SERVICE, "account_sid": owner, "friendly_name": "mine"} for owner in owners]}


@pytest.mark.parametrize(
    ("settings", "body", "cause", "setting"),
    [
        (WITH_KEY, services(OTHER), CauseId.CREDENTIAL_WRONG_ACCOUNT, "api_key_sid"),
        (WITH_TOKEN, services(OTHER), CauseId.CREDENTIAL_WRONG_ACCOUNT, "account_sid"),
        (WITH_KEY, services(ACCOUNT), CauseId.ACCOUNT_RESOURCE_MISSING, "service_sid"),
        (WITH_KEY, services(), CauseId.ACCOUNT_RESOURCE_MISSING, "service_sid"),
        (WITH_KEY, {}, CauseId.ACCOUNT_RESOURCE_MISSING, "service_sid"),
        (WITH_KEY, {"services": ["x"]}, CauseId.ACCOUNT_RESOURCE_MISSING, "service_sid"),
    ],
)
def test_a_missing_service(settings: TwilioSettings, body: Any, cause: CauseId, setting: str) -> None:
    found, paths = refined(settings, finding(404, 20404, settings=settings), 200, body)
    assert (found.cause, found.setting) == (cause, setting)
    assert paths == ["/v2/Services?PageSize=50"]
    if body == services(ACCOUNT):
        assert found.evidence["services of the account"] == [f"{SERVICE} (mine)"]


def test_no_secret_is_in_a_finding() -> None:
    for settings in (WITH_KEY, WITH_TOKEN, WITH_BOTH):
        for code in (20003, 70051, 20008):
            before = finding(401, code, settings=settings)
            # The account's own answer holds its token.
            found, _ = refined(settings, before, 200, {"sid": ACCOUNT, "status": "active", "auth_token": TOKEN})
            assert SECRET not in repr(found)
            assert TOKEN not in repr(found)


@pytest.mark.parametrize(
    ("region", "edge", "host"),
    [
        (None, None, "verify.twilio.com"),
        ("us1", None, "verify.us1.twilio.com"),
        (None, "dublin", "verify.dublin.us1.twilio.com"),
        ("us1", "ashburn", "verify.ashburn.us1.twilio.com"),
    ],
)
def test_hosts_are_those_of_the_official_client(region: str | None, edge: str | None, host: str) -> None:
    from twilio.rest import Client

    settings = WITH_BOTH.model_copy(update={"region": region, "edge": edge})
    assert PROVIDER.api.base_url(settings) == f"https://{host}"
    assert PROVIDER.api.url(settings, "/2010-04-01/Accounts/x.json").startswith(
        "https://api" + host.removeprefix("verify")
    )
    theirs = Client(KEY, SECRET, ACCOUNT, region=region, edge=edge, environment={"none": ""})
    assert theirs.get_hostname("https://verify.twilio.com/v2") == f"https://{host}/v2"
