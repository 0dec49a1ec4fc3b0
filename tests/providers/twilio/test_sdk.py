"""The referee of the emulator: Twilio's own client, unmodified, over TLS that it verifies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from mfagate.providers.totp import Totp
from mfagate.sandbox import Running

PROVIDER = "twilio"


@pytest.fixture(autouse=True)
def environment(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority to trust; and no region, which the client would put into the emulator's address."""
    assert running.ca_bundle is not None
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", running.ca_bundle)
    for name in ("TWILIO_REGION", "TWILIO_EDGE", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def client(running: Running, user: str | None = None, password: str | None = None) -> Any:
    """A client of the emulator, with the API key by default."""
    values = running.values
    user, password = user or values["api_key_sid"], password or values["api_key_secret"]
    made = Client(user, password, values["account_sid"], http_client=TwilioHttpClient(timeout=10))
    made.verify.base_url = made.api.base_url = running.endpoint
    return made


@pytest.fixture
def service(running: Running) -> Any:
    return client(running).verify.v2.services(running.values["service_sid"])


@pytest.fixture
def entity(service: Any) -> Iterator[Any]:
    """Somebody without a factor."""
    made = service.entities.create(identity="ff483d1ff591898a9942916050d2ca3f")
    yield service.entities(made.identity)
    assert service.entities(made.identity).delete() is True


def error(call: Any) -> tuple[int, int]:
    """Status and code of the exception that a call raises."""
    with pytest.raises(TwilioRestException) as raised:
        call()
    assert raised.value.uri.startswith(("/Services", "/Accounts"))
    return raised.value.status, raised.value.code


@pytest.mark.parametrize(
    ("user", "password"),
    [("api_key_sid", "api_key_secret"), ("main_api_key_sid", "main_api_key_secret"), ("account_sid", "auth_token")],
)
def test_the_service(running: Running, user: str, password: str) -> None:
    values = running.values
    verify = client(running, values[user], values[password]).verify.v2
    fetched = verify.services(values["service_sid"]).fetch()
    assert (fetched.account_sid, fetched.friendly_name) == (values["account_sid"], values["service_name"])
    assert str(fetched.code_length) == values["code_length"]
    assert isinstance(fetched.date_created, datetime)
    assert [one.sid for one in verify.services.list(limit=20)] == [values["service_sid"]]


def test_services_come_and_go(running: Running) -> None:
    verify = client(running).verify.v2
    made = verify.services.create(friendly_name="My service", code_length=4, custom_code_enabled=True)
    assert made.custom_code_enabled is True
    assert verify.services(made.sid).update(code_length=8, totp_code_length=8).totp["code_length"] == 8
    assert verify.services(made.sid).fetch().custom_code_enabled is True
    assert {one.friendly_name for one in verify.services.list(page_size=1)} == {"mfagate", "My service"}
    assert verify.services(made.sid).delete() is True
    assert error(verify.services(made.sid).fetch) == (404, 20404)


def test_login_with_a_text_message(running: Running, service: Any) -> None:
    to = "+12015550110"
    sent = service.verifications.create(to=to, channel="sms", custom_code="867530")
    assert (sent.status, sent.valid, sent.to) == ("pending", False, to)
    assert [attempt["channel"] for attempt in sent.send_code_attempts] == ["SMS"]
    again = service.verifications.create(to=to, channel="call")
    assert (again.sid, len(again.send_code_attempts)) == (sent.sid, 2)
    wrong = service.verification_checks.create(verification_sid=sent.sid, code="000000")
    assert (wrong.status, wrong.valid) == ("pending", False)
    right = service.verification_checks.create(to=to, code="867530")
    assert (right.status, right.valid, right.sid) == ("approved", True, sent.sid)
    assert error(service.verifications(sent.sid).fetch) == (404, 20404)
    assert error(lambda: service.verification_checks.create(to=to, code="867530")) == (404, 20404)


def test_verifications_are_approved_and_cancelled(service: Any) -> None:
    to = "+12015550111"
    first = service.verifications.create(to=to, channel="whatsapp")
    assert service.verifications(to).update(status="canceled").status == "canceled"
    assert service.verifications(first.sid).fetch().status == "canceled"
    second = service.verifications.create(to=to, channel="sms")
    assert second.sid != first.sid
    assert service.verifications(second.sid).update(status="approved").valid is True
    assert error(lambda: service.verification_checks.create(to=to, code="000000")) == (404, 20404)


def test_login_with_totp(service: Any, entity: Any) -> None:
    made = entity.new_factors.create(friendly_name="John’s Account Name", factor_type="totp")
    assert (made.status, made.config) == ("unverified", {"alg": "sha1", "skew": 1, "code_length": 6, "time_step": 30})
    assert made.binding["uri"].startswith("otpauth://totp/mfagate:John%E2%80%99s%20Account%20Name?secret=")
    totp = Totp(made.binding["secret"])
    factor = entity.factors(made.sid)
    assert error(lambda: entity.challenges.create(factor_sid=made.sid, auth_payload=totp.code())) == (403, 60318)
    assert factor.update(auth_payload=totp.wrong_code()).status == "unverified"
    assert factor.update(auth_payload=totp.code()).status == "verified"
    assert entity.challenges.create(factor_sid=made.sid, auth_payload=totp.wrong_code()).status == "pending"
    approved = entity.challenges.create(factor_sid=made.sid, auth_payload=totp.code())
    assert (approved.status, approved.factor_type, approved.identity) == ("approved", "totp", made.identity)
    assert [one.sid for one in entity.challenges.list(status="approved")] == [approved.sid]
    assert [one.sid for one in entity.factors.list()] == [made.sid]
    assert factor.delete() is True
    assert error(factor.fetch) == (404, 20404)


@pytest.mark.parametrize(("alg", "code_length", "time_step"), [("sha1", 8, 30), ("sha256", 7, 60), ("sha512", 3, 20)])
def test_totp_of_another_make(entity: Any, alg: Any, code_length: int, time_step: int) -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    made = entity.new_factors.create(
        friendly_name="token",
        factor_type="totp",
        binding_secret=secret,
        config_alg=alg,
        config_code_length=code_length,
        config_time_step=time_step,
        config_skew=2,
    )
    assert made.binding["secret"] == secret
    code = Totp(secret, code_length, time_step, alg).code_for_enrolment()
    assert len(code) == code_length
    assert entity.factors(made.sid).update(auth_payload=code).status == "verified"


def test_a_challenge_that_is_answered_later(entity: Any) -> None:
    made = entity.new_factors.create(friendly_name="token", factor_type="totp", metadata={"os": "Android"})
    assert made.metadata == {"os": "Android"}
    totp = Totp(made.binding["secret"])
    entity.factors(made.sid).update(auth_payload=totp.code())
    fields = [{"label": "Action", "value": "Sign in"}, {"label": "Place", "value": "Bern"}]
    asked = entity.challenges.create(
        factor_sid=made.sid, details_message="Hi", details_fields=fields, hidden_details={"ip": "192.0.2.1"}
    )
    assert (asked.status, asked.details["fields"], asked.hidden_details) == ("pending", fields, {"ip": "192.0.2.1"})
    assert asked.date_responded is None
    challenge = entity.challenges(asked.sid)
    assert challenge.update(auth_payload=totp.wrong_code()).status == "pending"
    assert challenge.update(auth_payload=totp.code()).status == "approved"
    assert challenge.fetch().date_responded is not None
    assert error(lambda: challenge.update(auth_payload=totp.code())) == (403, 60322)


@pytest.mark.parametrize(
    ("who", "status"),
    [("push_identity", "pending"), ("accepting_identity", "approved"), ("declining_identity", "denied")],
)
def test_login_with_a_push(running: Running, service: Any, who: str, status: str) -> None:
    user = service.entities(running.values[who])
    (factor,) = user.factors.list()
    asked = user.challenges.create(factor_sid=factor.sid, details_message="Log in?")
    assert (asked.status, asked.factor_type) == ("pending", "push")
    assert user.challenges(asked.sid).fetch().status == status


def test_lists_have_pages(service: Any) -> None:
    names = [f"page-user-{number}" for number in range(5)]
    for name in names:
        service.entities.create(identity=name)
    seen = [one.identity for one in service.entities.list(page_size=2)]
    assert [name for name in seen if name in names] == names
    for name in names:
        service.entities(name).delete()


@pytest.mark.parametrize(
    ("user", "password", "expected"),
    [
        ("api_key_sid", "auth_token", (401, 20003)),
        ("account_sid", "api_key_secret", (401, 20003)),
        ("other_api_key_sid", "api_key_secret", (401, 20003)),
        ("revoked_api_key_sid", "revoked_api_key_secret", (401, 20003)),
        ("ie1_api_key_sid", "ie1_api_key_secret", (401, 20003)),
        ("service_sid", "auth_token", (401, 20003)),
        ("account_sid", "test_auth_token", (401, 20003)),
        ("test_account_sid", "test_auth_token", (403, 20008)),
        ("suspended_account_sid", "suspended_auth_token", (403, 20403)),
        ("restricted_api_key_sid", "restricted_api_key_secret", (401, 70051)),
        ("other_api_key_sid", "other_api_key_secret", (404, 20404)),
        ("other_account_sid", "other_auth_token", (404, 20404)),
    ],
)
def test_refused_credentials(running: Running, user: str, password: str, expected: tuple[int, int]) -> None:
    values = running.values
    verify = client(running, values[user], values[password]).verify.v2
    assert error(verify.services(values["service_sid"]).fetch) == expected
    if expected[0] != 404:
        with pytest.raises(TwilioException) as raised:
            verify.services.list()
        # A list raises without status and code; they stand in the answer that comes along.
        assert raised.value.args[1].status_code == expected[0]


def test_no_credential(running: Running) -> None:
    """Twilio's client sends the request without one."""
    anonymous = client(running)
    anonymous.username = anonymous.password = None
    with pytest.raises(TwilioRestException, match="No credentials provided"):
        anonymous.verify.v2.services(running.values["service_sid"]).fetch()


def test_accounts_and_keys_take_the_token_alone(running: Running) -> None:
    values = running.values
    api = client(running, values["account_sid"], values["auth_token"]).api.v2010
    account = api.accounts(values["account_sid"])
    fetched = account.fetch()
    assert (fetched.sid, fetched.status) == (values["account_sid"], "active")
    assert isinstance(fetched.date_created, datetime)
    assert account.keys(values["api_key_sid"]).fetch().sid == values["api_key_sid"]
    assert error(account.keys(values["revoked_api_key_sid"]).fetch) == (404, 20404)
    standard = client(running).api.v2010.accounts(values["account_sid"])
    assert error(standard.fetch) == (401, 20003)
    main = client(running, values["main_api_key_sid"], values["main_api_key_secret"])
    assert main.api.v2010.accounts(values["account_sid"]).fetch().status == "active"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"to": "5550100", "channel": "sms"}, (400, 60200)),
        ({"to": "+12015550120", "channel": "pigeon"}, (400, 60200)),
        ({"to": "+12015550120", "channel": "sms", "custom_code": "123"}, (400, 60200)),
        ({"to": "+12015550120", "channel": "sms", "custom_friendly_name": "Me"}, (403, 60204)),
        ({"to": "a@example.com", "channel": "email"}, (400, 60217)),
        ({"to": "+12015550120", "channel": "sna"}, (400, 60223)),
    ],
)
def test_verifications_that_are_not_started(service: Any, arguments: dict[str, Any], expected: tuple[int, int]) -> None:
    assert error(lambda: service.verifications.create(**arguments)) == expected
