"""What the emulator refuses, where its limits are, and what its answers are made of."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from mfagate.providers.totp import Totp
from mfagate.sandbox import Running
from mfagate_sandbox.twilio.emulator import TwilioEmulator

PROVIDER = "twilio"

SID = "[0-9a-f]{32}$"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
ERROR = {"code", "message", "more_info", "status"}


class Api:
    """The emulator without a network."""

    def __init__(self) -> None:
        emulator = TwilioEmulator()
        self.values = emulator.values
        self._client = Client(emulator)

    def ask(self, method: str, path: str, data: Any = None, key: str = "api_key", **request: Any) -> tuple[int, Any]:
        """Status and body; ``path`` is below the service unless it begins with a version."""
        path = path if path.startswith(("/v2", "/2010")) else f"/v2/Services/{self.values['service_sid']}{path}"
        auth = (self.values[f"{key}_sid"], self.values[f"{key}_secret"])
        answer = self._client.open(path, method=method, data=data, auth=auth, **request)
        assert answer.headers["Twilio-Request-Id"].startswith("RQ")
        body: Any = answer.get_json(silent=True)
        if answer.status_code >= 400:
            assert body.keys() == ERROR
            assert body["status"] == answer.status_code
            assert body["more_info"] == f"https://www.twilio.com/docs/errors/{body['code']}"
        return answer.status_code, body

    def code(self, method: str, path: str, data: Any = None, **request: Any) -> tuple[int, int | None]:
        """Status and error code."""
        status, body = self.ask(method, path, data, **request)
        return status, (body or {}).get("code")

    def verified_factor(self, identity: str, **config: str) -> tuple[str, Totp]:
        """The SID of a new TOTP factor and what makes its codes."""
        fields = {"FriendlyName": "token", "FactorType": "totp", **config}
        _, factor = self.ask("POST", f"/Entities/{identity}/Factors", fields)
        settings = factor["config"]
        totp = Totp(factor["binding"]["secret"], settings["code_length"], settings["time_step"], settings["alg"])
        path = f"/Entities/{identity}/Factors/{factor['sid']}"
        assert self.ask("POST", path, {"AuthPayload": totp.code()})[1]["status"] == "verified"
        return factor["sid"], totp


@pytest.fixture(scope="module")
def api() -> Api:
    return Api()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Seconds that are added to the time."""
    real, ahead = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + ahead[0])
    yield ahead


NOWHERE = "VA" + "0" * 32
TO = {"To": "+12015550130", "Channel": "sms"}
TOTP = {"FriendlyName": "token", "FactorType": "totp"}


@pytest.mark.parametrize(
    ("method", "path", "data", "expected"),
    [
        ("GET", "/v2/Nothing", None, (404, 20404)),
        ("GET", "/v2/services", None, (404, 20404)),
        ("GET", "/v2/Services/", None, (404, 20404)),
        ("GET", f"/v2/Services/{NOWHERE}", None, (404, 20404)),
        ("POST", f"/v2/Services/{NOWHERE}/Verifications", TO, (404, 20404)),
        ("GET", "/VerificationCheck", None, (405, 20004)),
        ("POST", "/VerificationChecks", None, (404, 20404)),
        ("DELETE", "/Verifications", None, (405, 20004)),
        ("PUT", "", None, (405, 20004)),
        ("GET", "/Verifications/VE00000000000000000000000000000000", None, (404, 20404)),
        ("GET", "/v2/Services?PageSize=0", None, (400, 60200)),
        ("GET", "/v2/Services?PageSize=1001", None, (400, 60200)),
        ("GET", "/v2/Services?Page=-1", None, (400, 60200)),
        ("GET", "/Entities?PageSize=many", None, (400, 60306)),
        ("POST", "/v2/Services", {}, (400, 20001)),
        ("POST", "/v2/Services", {"FriendlyName": ""}, (400, 20001)),
        ("POST", "/v2/Services", {"FriendlyName": "x" * 31}, (400, 60200)),
        ("POST", "/v2/Services", {"FriendlyName": "a12345"}, (400, 60200)),
        ("POST", "/v2/Services", {"FriendlyName": "Café"}, (400, 60200)),
        ("POST", "/v2/Services", {"FriendlyName": "name", "CodeLength": "3"}, (400, 60200)),
        ("POST", "/v2/Services", {"FriendlyName": "name", "CodeLength": "11"}, (400, 60200)),
        ("POST", "/v2/Services", {"FriendlyName": "name", "LookupEnabled": "perhaps"}, (400, 60200)),
        ("POST", "", {"Totp.TimeStep": "19"}, (400, 60200)),
        ("POST", "/Verifications", {}, (400, 20001)),
        ("POST", "/Verifications", {"To": "+12015550130"}, (400, 20001)),
        ("POST", "/Verifications", {"Channel": "sms"}, (400, 20001)),
        ("POST", "/Verifications", {**TO, "To": "12015550130"}, (400, 60200)),
        ("POST", "/Verifications", {**TO, "To": "+05550100130"}, (400, 60200)),
        ("POST", "/Verifications", {**TO, "To": "a@example.com"}, (400, 60200)),
        ("POST", "/Verifications", {**TO, "Channel": "SMS"}, (400, 60200)),
        ("POST", "/Verifications", {**TO, "CustomCode": "12345678901"}, (400, 60200)),
        ("POST", "/Verifications", {**TO, "Locale": "as they please"}, (400, 60200)),
        ("POST", "/Verifications", {**TO, "RateLimits": "{"}, (400, 60200)),
        ("POST", "/Verifications", {**TO, "RateLimits": "[]"}, (400, 60200)),
        ("POST", "/Verifications", {**TO, "TemplateSid": "VA"}, (400, 60200)),
        ("POST", "/Verifications", {**TO, "Amount": "10"}, (403, 60204)),
        ("POST", "/VerificationCheck", {"Code": "123456"}, (400, 60221)),
        ("POST", "/VerificationCheck", {"To": "+12015550139"}, (400, 20001)),
        ("POST", "/VerificationCheck", {"To": "+12015550139", "Code": "123"}, (400, 60200)),
        ("POST", "/VerificationCheck", {"To": "nobody", "Code": "123456"}, (400, 60200)),
        ("POST", "/VerificationCheck", {"VerificationSid": "VE", "Code": "123456"}, (400, 60200)),
        ("POST", "/VerificationCheck", {"To": "+12015550139", "Code": "123456"}, (404, 20404)),
        ("POST", "/Entities", {}, (400, 20001)),
        ("POST", "/Entities", {"Identity": "short"}, (400, 60306)),
        ("POST", "/Entities", {"Identity": "a@example.com"}, (400, 60306)),
        ("POST", "/Entities", {"Identity": "double--dash"}, (400, 60306)),
        ("POST", "/Entities", {"Identity": "MFAGATE-AWAY"}, (409, 60301)),
        ("GET", "/Entities/no-such-user", None, (404, 20404)),
        ("POST", "/Entities/no-such-user/Factors", {"FactorType": "totp"}, (400, 20001)),
        ("POST", "/Entities/no-such-user/Factors", {"FriendlyName": "token"}, (400, 20001)),
        ("POST", "/Entities/no-such-user/Factors", {**TOTP, "FactorType": "passkeys"}, (400, 60306)),
        ("POST", "/Entities/no-such-user/Factors", {**TOTP, "FriendlyName": "x" * 65}, (400, 60306)),
        ("POST", "/Entities/no-such-user/Factors", {**TOTP, "Binding.Secret": "0189"}, (400, 60306)),
        ("POST", "/Entities/no-such-user/Factors", {**TOTP, "Binding.Secret": "A"}, (400, 60306)),
        ("POST", "/Entities/no-such-user/Factors", {**TOTP, "Binding.Secret": "A=A"}, (400, 60306)),
        ("POST", "/Entities/no-such-user/Factors", {**TOTP, "Config.Alg": "md5"}, (400, 60306)),
        ("POST", "/Entities/no-such-user/Factors", {**TOTP, "Config.Skew": "3"}, (400, 60306)),
        ("POST", "/Entities/no-such-user/Factors", {**TOTP, "Config.CodeLength": "9"}, (400, 60306)),
        ("POST", "/Entities/no-such-user/Factors", {**TOTP, "Config.TimeStep": "61"}, (400, 60306)),
        ("POST", "/Entities/no-such-user/Factors", {**TOTP, "Metadata": "{"}, (400, 60306)),
        ("POST", "/Entities/no-such-user/Factors", {**TOTP, "Metadata": "NaN"}, (400, 60306)),
        ("POST", "/Entities/no-such-user/Factors", {**TOTP, "Metadata": "[1e999]"}, (400, 60306)),
        ("POST", "/Entities/short/Factors", TOTP, (400, 60306)),
        ("GET", "/Entities/no-such-user/Factors", None, (404, 20404)),
        ("POST", "/Entities/no-such-user/Challenges", {"FactorSid": "YF" + "0" * 32}, (404, 20404)),
        ("POST", "/Entities/mfagate-away/Challenges", {}, (400, 20001)),
        ("POST", "/Entities/mfagate-away/Challenges", {"FactorSid": "YF"}, (400, 60306)),
        ("POST", "/Entities/mfagate-away/Challenges", {"FactorSid": "YF" + "0" * 32}, (404, 20404)),
        ("GET", "/Entities/mfagate-away/Challenges?Status=lost", None, (400, 60306)),
        ("GET", "/Entities/mfagate-away/Challenges?Order=up", None, (400, 60306)),
        ("GET", "/Entities/mfagate-away/Challenges?FactorSid=YF", None, (400, 60306)),
    ],
)  # fmt: skip
def test_bad_requests(api: Api, method: str, path: str, data: Any, expected: tuple[int, int]) -> None:
    assert api.code(method, path, data) == expected


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"To": "+12015550130", "Channel": "sms"}', "application/json"),
        (b"To=%2B12015550130&Channel=sms", "text/plain"),
        (b"To=%2B12015550130&Channel=sms", None),
        (b"", "application/x-www-form-urlencoded"),
        (b"To=%ff", "application/x-www-form-urlencoded"),
        (b"\xff\xfe=1", "application/x-www-form-urlencoded"),
    ],
)
def test_nothing_but_a_form_is_read(api: Api, body: bytes, content_type: str | None) -> None:
    assert api.code("POST", "/Verifications", body, content_type=content_type) == (400, 20001)


def test_what_is_missing_is_named(api: Api) -> None:
    _, body = api.ask("POST", "/Verifications", {"To": "+12015550130"})
    assert body["message"] == "Missing required parameter Channel in the post body"
    _, body = api.ask("POST", "/Verifications", {**TO, "To": "+1"})
    assert body["message"] == "Invalid parameter `To`: +1"
    path = f"/v2/Services/{NOWHERE}/VerificationCheck"
    _, body = api.ask("POST", path, {"Code": "123456", **TO})
    assert body["message"] == f"The requested resource {path} was not found"


@pytest.mark.parametrize("path", ["/v2/Services", "/v2/Nothing", "/2010-04-01/Accounts/AC0.json", "/"])
@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "Authentication Error - No credentials provided"),
        ({"Authorization": "Basic !!!"}, "Authentication Error - invalid username"),
        ({"Authorization": "Bearer x"}, "Authentication Error - invalid username"),
        ({"Authorization": "Basic " + base64.b64encode(b" SK0:x").decode()}, "Authentication Error - invalid username"),
        ({"Authorization": "Basic " + base64.b64encode(b"SK" + b"0" * 32 + b":x").decode()}, "Authenticate"),
        ({"Authorization": "Basic " + base64.b64encode(b"AC" + b"0" * 32 + b":x").decode()}, "Authenticate"),
    ],
)
def test_no_answer_without_a_credential(running: Running, path: str, headers: dict[str, str], message: str) -> None:
    # A function for auth keeps requests from looking for a .netrc.
    answer = requests.get(
        running.endpoint + path, headers=headers, auth=lambda request: request, timeout=30, verify=running.ca_bundle
    )
    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (401, 20003, message)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Twilio API"'


def test_a_restricted_key_does_what_it_may(api: Api) -> None:
    assert api.code("GET", "", key="read_only_api_key") == (200, None)
    assert api.code("POST", "", {}, key="read_only_api_key") == (401, 70051)
    assert api.code("POST", "/VerificationCheck", {}, key="read_only_api_key") == (401, 70051)
    assert api.code("GET", "", key="restricted_api_key") == (401, 70051)


def test_plain_http_is_spoken_on_the_same_port(running: Running) -> None:
    plain = running.endpoint.replace("https:", "http:")
    auth = (running.values["api_key_sid"], running.values["api_key_secret"])
    answer = requests.get(f"{plain}/v2/Services?PageSize=1", auth=auth, timeout=30)
    assert answer.json()["meta"]["url"] == f"{plain}/v2/Services?PageSize=1&Page=0"
    assert answer.headers["X-API-Domain"] == "verify.twilio.com"
    assert answer.headers["Content-Type"] == "application/json"


SERVICE = {
    "sid", "account_sid", "friendly_name", "code_length", "lookup_enabled", "psd2_enabled", "skip_sms_to_landlines",
    "dtmf_input_required", "tts_name", "do_not_share_warning_enabled", "custom_code_enabled", "push", "totp",
    "whatsapp", "passkeys", "default_template_sid", "verify_event_subscription_enabled", "date_created",
    "date_updated", "url", "links",
}  # fmt: skip
VERIFICATION = {
    "sid", "service_sid", "account_sid", "to", "channel", "status", "valid", "lookup", "amount", "payee",
    "send_code_attempts", "date_created", "date_updated", "sna", "url",
}  # fmt: skip
CHECK = (VERIFICATION - {"lookup", "send_code_attempts", "sna", "url"}) | {"sna_attempts_error_codes"}
ENTITY = {"sid", "identity", "account_sid", "service_sid", "date_created", "date_updated", "url", "links"}
FACTOR = (ENTITY - {"links"}) | {"entity_sid", "friendly_name", "status", "factor_type", "config", "metadata"}
CHALLENGE = ENTITY | {
    "entity_sid", "factor_sid", "date_responded", "expiration_date", "status", "responded_reason", "details",
    "hidden_details", "metadata", "factor_type",
}  # fmt: skip


def test_answers_have_every_property_of_the_specification(api: Api) -> None:
    _, service = api.ask("GET", "")
    _, verification = api.ask("POST", "/Verifications", {"To": "+12015550131", "Channel": "sms"})
    _, check = api.ask("POST", "/VerificationCheck", {"To": "+12015550131", "Code": "0000000000"})
    _, entity = api.ask("POST", "/Entities", {"Identity": "Every-Property"})
    _, factor = api.ask("POST", "/Entities/every-property/Factors", TOTP)
    _, factors = api.ask("GET", "/Entities/EVERY-PROPERTY/Factors")
    sid, _ = api.verified_factor("every-property")
    _, challenge = api.ask("POST", "/Entities/every-property/Challenges", {"FactorSid": sid})
    for body, names, prefix in (
        (service, SERVICE, "VA"),
        (verification, VERIFICATION, "VE"),
        (check, CHECK, "VE"),
        (entity, ENTITY, "YE"),
        (factor, FACTOR | {"binding", "options"}, "YF"),
        (factors["factors"][0], FACTOR, "YF"),
        (challenge, CHALLENGE, "YC"),
    ):
        assert body.keys() == names
        assert re.fullmatch(prefix + SID, body["sid"])
        assert re.fullmatch("AC" + SID, body["account_sid"])
        assert re.fullmatch(MOMENT, body["date_created"])
    assert factors["meta"]["key"] == "factors"
    assert entity["identity"] == "Every-Property"
    assert entity["url"].endswith("/Entities/every-property")
    assert factor["binding"]["uri"].endswith("&issuer=mfagate&algorithm=SHA1&digits=6&period=30")


def test_five_checks_and_no_more(api: Api) -> None:
    to = {"To": "+12015550132"}
    _, sent = api.ask("POST", "/Verifications", {**to, "Channel": "sms", "CustomCode": "867530"})
    for _ in range(5):
        status, body = api.ask("POST", "/VerificationCheck", {**to, "Code": "000000"})
        assert (status, body["status"], body["valid"]) == (200, "pending", False)
    assert api.code("POST", "/VerificationCheck", {**to, "Code": "867530"}) == (429, 60202)
    assert api.ask("GET", f"/Verifications/{sent['sid']}")[1]["status"] == "max_attempts_reached"
    assert api.code("POST", "/Verifications", {**to, "Channel": "sms"}) == (429, 60202)
    assert api.ask("POST", f"/Verifications/{sent['sid']}", {"Status": "canceled"})[1]["status"] == "canceled"
    assert api.code("POST", "/Verifications", {**to, "Channel": "sms"}) == (201, None)


def test_five_sends_and_no_more(api: Api) -> None:
    fields = {"To": "+12015550133", "Channel": "sms"}
    sids = {api.ask("POST", "/Verifications", fields)[1]["sid"] for _ in range(5)}
    assert len(sids) == 1
    assert api.code("POST", "/Verifications", fields) == (429, 60203)
    api.ask("POST", "/Verifications/+12015550133", {"Status": "canceled"})
    assert api.code("POST", "/Verifications", fields) == (201, None)


def test_a_verification_lives_ten_minutes(api: Api, clock: list[float]) -> None:
    to = {"To": "+12015550134"}
    _, sent = api.ask("POST", "/Verifications", {**to, "Channel": "sms", "CustomCode": "867530"})
    clock[0] = 590
    assert api.code("GET", f"/Verifications/{sent['sid']}") == (200, None)
    clock[0] = 610
    assert api.code("GET", f"/Verifications/{sent['sid']}") == (404, 20404)
    assert api.code("POST", "/VerificationCheck", {**to, "Code": "867530"}) == (404, 20404)
    assert api.ask("POST", "/Verifications", {**to, "Channel": "sms"})[1]["sid"] != sent["sid"]


@pytest.mark.parametrize(("status", "code"), [(None, 20001), ("done", 60200)])
def test_a_status_that_is_none(api: Api, status: str | None, code: int) -> None:
    api.ask("POST", "/Verifications", {"To": "+12015550135", "Channel": "sms"})
    assert api.code("POST", "/Verifications/+12015550135", {"Status": status} if status else {}) == (400, code)


def test_switches_of_a_service(api: Api) -> None:
    """Each service has its own: one without custom codes, with look-ups and payments."""
    _, made = api.ask("POST", "/v2/Services", {"FriendlyName": "pay", "LookupEnabled": "true", "Psd2Enabled": "TRUE"})
    path = f"/v2/Services/{made['sid']}/Verifications"
    assert api.code("POST", path, {**TO, "CustomCode": "867530"}) == (403, 60204)
    _, sent = api.ask("POST", path, {**TO, "Amount": "10 EUR", "Payee": "A shop"})
    assert (sent["amount"], sent["payee"]) == ("10 EUR", "A shop")
    assert sent["lookup"]["carrier"]["type"] == "mobile"
    assert api.code("DELETE", f"/v2/Services/{made['sid']}") == (204, None)


def test_a_bad_update_changes_nothing(api: Api) -> None:
    _, before = api.ask("GET", "")
    assert api.code("POST", "", {"FriendlyName": "other", "CodeLength": "12"}) == (400, 60200)
    assert api.ask("GET", "")[1] == before


def test_five_wrong_codes_for_a_new_factor(api: Api) -> None:
    _, factor = api.ask("POST", "/Entities/five-wrong-codes/Factors", TOTP)
    totp, path = Totp(factor["binding"]["secret"]), f"/Entities/five-wrong-codes/Factors/{factor['sid']}"
    for _ in range(5):
        status, body = api.ask("POST", path, {"AuthPayload": totp.wrong_code()})
        assert (status, body["status"]) == (200, "unverified")
    assert api.code("POST", path, {"AuthPayload": totp.code()}) == (429, 60310)
    assert api.code("POST", path, {"AuthPayload": "letters"}) == (400, 60306)


def test_five_wrong_codes_for_a_challenge(api: Api) -> None:
    sid, totp = api.verified_factor("five-wrong-answers")
    path = "/Entities/five-wrong-answers/Challenges"
    _, challenge = api.ask("POST", path, {"FactorSid": sid, "AuthPayload": totp.wrong_code()})
    assert challenge["status"] == "pending"
    for _ in range(4):
        assert api.ask("POST", f"{path}/{challenge['sid']}", {"AuthPayload": totp.wrong_code()})[0] == 200
    assert api.code("POST", f"{path}/{challenge['sid']}", {"AuthPayload": totp.code()}) == (429, 60308)


@pytest.mark.parametrize(("length", "most"), [("4", 10), ("6", 50)])
def test_so_many_challenges_and_no_more(api: Api, clock: list[float], length: str, most: int) -> None:
    identity = f"challenges-of-{length}"
    sid, _ = api.verified_factor(identity, **{"Config.CodeLength": length})
    fields = {"FactorSid": sid}
    for _ in range(most):
        assert api.code("POST", f"/Entities/{identity}/Challenges", fields) == (201, None)
    assert api.code("POST", f"/Entities/{identity}/Challenges", fields) == (429, 60312)
    clock[0] = 3700
    assert api.code("POST", f"/Entities/{identity}/Challenges", fields)[0] == (429 if length == "4" else 201)
    clock[0] = 90000
    assert api.code("POST", f"/Entities/{identity}/Challenges", fields) == (201, None)


def in_a(**later: int) -> str:
    return f"{datetime.now(UTC) + timedelta(**later):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    "more",
    [
        {"ExpirationDate": "tomorrow"},
        {"ExpirationDate": "2026-02-31T00:00:00Z"},
        {"ExpirationDate": in_a(minutes=-1)},
        {"ExpirationDate": in_a(minutes=7000)},
        {"AuthPayload": "12"},
        {"AuthPayload": "123456789"},
        {"HiddenDetails": "{"},
        {"HiddenDetails": '"' + "x" * 1024 + '"'},
        {"Details.Message": "x" * 257},
        {"Details.Fields": "{"},
        {"Details.Fields": "[]"},
        {"Details.Fields": '{"label": "Action"}'},
        {"Details.Fields": '{"label": "Action", "value": 1}'},
        {"Details.Fields": '{"label": "' + "x" * 37 + '", "value": ""}'},
        {"Details.Fields": ['{"label": "a", "value": "b"}'] * 21},
    ],
)
def test_bad_challenges(api: Api, more: dict[str, Any]) -> None:
    if api.code("GET", "/Entities/bad-challenges") != (200, None):
        api.verified_factor("bad-challenges")
    _, listed = api.ask("GET", "/Entities/bad-challenges/Factors")
    fields = {"FactorSid": listed["factors"][0]["sid"], **more}
    assert api.code("POST", "/Entities/bad-challenges/Challenges", fields) == (400, 60306)


def test_a_challenge_expires(api: Api, clock: list[float]) -> None:
    sid, totp = api.verified_factor("too-late-for-it")
    path = "/Entities/too-late-for-it/Challenges"
    _, challenge = api.ask("POST", path, {"FactorSid": sid, "ExpirationDate": in_a(minutes=10)})
    clock[0] = 590
    assert api.ask("GET", f"{path}/{challenge['sid']}")[1]["status"] == "pending"
    clock[0] = 610
    assert api.ask("GET", f"{path}/{challenge['sid']}")[1]["status"] == "expired"
    assert api.code("POST", f"{path}/{challenge['sid']}", {"AuthPayload": totp.code()}) == (403, 60323)
    assert [one["sid"] for one in api.ask("GET", f"{path}?Status=expired&Order=desc")[1]["challenges"]] == [
        challenge["sid"]
    ]


def test_a_push_needs_a_message_and_takes_no_code(api: Api) -> None:
    path = f"/Entities/{api.values['push_identity']}"
    sid = api.ask("GET", f"{path}/Factors")[1]["factors"][0]["sid"]
    assert api.code("POST", f"{path}/Challenges", {"FactorSid": sid}) == (400, 60306)
    _, asked = api.ask("POST", f"{path}/Challenges", {"FactorSid": sid, "Details.Message": "Log in?"})
    _, noted = api.ask("POST", f"{path}/Challenges/{asked['sid']}", {"Metadata": '{"os": "Android"}'})
    assert noted["metadata"] == {"os": "Android"}
    assert api.code("POST", f"{path}/Challenges/{asked['sid']}", {"AuthPayload": "signature"}) == (403, 60324)


def test_a_hundred_factors_a_day(api: Api, clock: list[float]) -> None:
    path = "/Entities/a-hundred-factors/Factors"
    for _ in range(100):
        assert api.code("POST", path, TOTP) == (201, None)
    assert api.code("POST", path, TOTP) == (429, 60326)
    clock[0] = 90000
    assert api.code("POST", path, TOTP) == (201, None)


PATHS = (
    "/v2/Services", "", "/Verifications", "/Verifications/+12015550137", "/VerificationCheck", "/Entities",
    "/Entities/mfagate-away", "/Entities/mfagate-away/Factors", "/Entities/mfagate-away/Challenges",
)  # fmt: skip
NAMES = (
    "To", "Channel", "Code", "VerificationSid", "Status", "FriendlyName", "CodeLength", "Totp.Skew", "LookupEnabled",
    "Identity", "FactorType", "Binding.Secret", "Config.Alg", "Config.TimeStep", "Metadata", "FactorSid",
    "ExpirationDate", "Details.Message", "Details.Fields", "HiddenDetails", "AuthPayload", "RateLimits",
    "PageSize", "Page", "Order",
)  # fmt: skip
VALUES = st.text(max_size=20) | st.sampled_from(
    ["+12015550137", "sms", "123456", "approved", "totp", "push", "{}", "[]", "0", "-1", "٣", "true", "fuzzed-user"]
)


@settings(max_examples=300)
@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH"]),
    path=st.sampled_from(PATHS),
    fields=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5),
    in_query=st.booleans(),
)
def test_no_request_is_too_much(method: str, path: str, fields: dict[str, str], in_query: bool) -> None:
    """Whatever is asked, the answer is one of Twilio's, and never a defect."""
    fresh = Api()
    data, query = (None, fields) if in_query else (fields, None)
    status, _ = fresh.ask(method, path, data, query_string=query)
    assert status in (200, 201, 204, 400, 403, 404, 405, 409, 429)
