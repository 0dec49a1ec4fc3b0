"""Answers that break the client, and answers that the documentation allows: what the whole gate says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.providers.auth0 import test_suite as auth0
from tests.providers.duo import test_suite as duo
from tests.providers.entra import test_suite as entra
from tests.providers.okta import test_suite as okta
from tests.providers.twilio import test_suite as twilio

from mfagate.sandbox import Running, registry
from mfagate.sandbox.faulty_proxy import Handler, faulty_proxy
from mfagate.testing import ProviderSuite
from mfagate.testing.project import CommandResult
from mfagate.testing.provider_project import ProviderProject

Edit = Callable[[Any], Any]
"""Makes another JSON document of one; None where there is nothing to change."""

SUITES: dict[str, type[ProviderSuite]] = {
    "auth0": auth0.TestAuth0,
    "duo": duo.TestDuo,
    "entra": entra.TestEntra,
    "okta": okta.TestOkta,
    "twilio": twilio.TestTwilioWithAnApiKey,
}


class Edited:
    """Edits the JSON of the answers to ``GET`` or ``POST`` of paths that hold ``part``; ``edits`` counts them."""

    def __init__(self, part: str, edit: Edit) -> None:
        self._part, self._edit = part, edit
        self.edits = 0

    def __call__(self, handler: Handler) -> bool:
        status, body, headers = handler.ask()
        if self._part in handler.path and status in (200, 201):
            changed = self._edit(json.loads(body))
            if changed is not None:
                self.edits += 1
                body = json.dumps(changed).encode()
        return handler.relay(status, body, headers, headers["Content-Type"])


def devices(change: Callable[[list[dict[str, Any]]], Any]) -> Edit:
    """Change the devices of Duo's preauth answer."""

    def edit(document: Any) -> Any:
        found = document["response"].get("devices")
        if found:
            document["response"]["devices"] = change(found)
        return document if found else None

    return edit


def capabilities(*words: str) -> Edit:
    """Give all devices these capabilities."""
    return devices(lambda found: [{**device, "capabilities": list(words)} for device in found])


def lists_with(kind: str, change: Callable[[list[dict[str, Any]]], list[Any]]) -> Edit:
    """Change the lists, at the root or one level below it, in which an item has ``kind`` among its values."""

    def edit(document: Any) -> Any:
        lists = [document] if isinstance(document, list) else [v for v in document.values() if isinstance(v, list)]
        found = [one for one in lists if any(isinstance(item, dict) and kind in item.values() for item in one)]
        for one in found:
            one[:] = change(one)
        return document if found else None

    return edit


def emptied(kind: str) -> Edit:
    """Empty the lists in which something of this kind is."""
    return lists_with(kind, lambda items: [])


def word(kind: str, field: str, value: Any) -> Edit:
    """Give the field another value where something of this kind is listed."""
    return lists_with(kind, lambda items: [{**item, field: value} if kind in item.values() else item for item in items])


def renamed(kind: str, field: str) -> Edit:
    """Call the field something else where something of this kind is listed."""
    return lists_with(
        kind,
        lambda items: [{f"{key}_v2" if key == field else key: item[key] for key in item} for item in items],
    )


def beside(kind: str, *others: Any) -> Edit:
    """List other items before and after the items of a list in which something of this kind is."""
    return lists_with(kind, lambda items: [*others, *items, *others])


def put(field: str, value: str) -> Edit:
    """Answer about something else than what was asked about."""
    return lambda document: {**document, field: value} if field in document else None


LOCK_OUT = {
    "duo: no devices": ("duo", "/preauth", devices(lambda found: [])),
    "duo: no capabilities": ("duo", "/preauth", capabilities()),
    "duo: push has another name": ("duo", "/preauth", capabilities("auto", "push_v2", "sms", "mobile_otp")),
    "duo: devices are texts": ("duo", "/preauth", devices(lambda found: [str(device["device"]) for device in found])),
    "okta: a user's TOTP factor is not listed": ("okta", "/users/00u", emptied("token:software:totp")),
    "okta: TOTP has another name": ("okta", "/users/00u", word("token:software:totp", "factorType", "totp")),
    "okta: ACTIVE has another name": ("okta", "/users/00u", word("token:software:totp", "status", "ENABLED")),
    "twilio: a user's factors are not listed": ("twilio", "/Factors?", emptied("totp")),
    "twilio: factor_type has another name": ("twilio", "/Factors?", renamed("totp", "factor_type")),
    "twilio: totp has another name": ("twilio", "/Factors?", word("totp", "factor_type", "otp")),
    "twilio: verified has another name": ("twilio", "/Factors?", word("totp", "status", "active")),
    "twilio: push has another name": ("twilio", "/Factors?", word("push", "factor_type", "device")),
    "auth0: the methods of a user are not listed": ("auth0", "/authentication-methods", emptied("totp")),
    "auth0: a method's type has another name": ("auth0", "/authentication-methods", word("totp", "type", "otp")),
    "auth0: no method is confirmed": ("auth0", "/authentication-methods", word("totp", "confirmed", False)),
    "auth0: authenticators are not listed": ("auth0", "/mfa/authenticators", emptied("otp")),
    "auth0: otp has another name": ("auth0", "/mfa/authenticators", word("otp", "authenticator_type", "totp")),
    "auth0: no authenticator is active": ("auth0", "/mfa/authenticators", word("otp", "active", False)),
    "auth0: a phone's channel has another name": ("auth0", "/mfa/authenticators", word("auth0", "oob_channel", "push")),
    "twilio: a check of another verification": ("twilio", "/VerificationCheck", put("sid", "VE" + "a" * 32)),
    "twilio: a check of another number": ("twilio", "/VerificationCheck", put("to", "+12015550199")),
    "twilio: a challenge of another user": ("twilio", "/Challenges", put("identity", "mfagate-somebody")),
    "twilio: a challenge of another factor": ("twilio", "/Challenges", put("factor_sid", "YF" + "a" * 32)),
    "entra: the methods of a user are not listed": (
        "entra",
        "/authentication/methods",
        emptied("#microsoft.graph.microsoftAuthenticatorAuthenticationMethod"),
    ),
    "entra: a password is not listed": (
        "entra",
        "/authentication/methods",
        emptied("#microsoft.graph.passwordAuthenticationMethod"),
    ),
}
"""Answers on which the login service's own client lets nobody in."""

Start = Callable[[str], Running]
"""Gives a provider's sandbox."""


@pytest.fixture(scope="module")
def shared() -> Iterator[Start]:
    """Each provider's sandbox, started once."""
    with ExitStack() as stack:
        started: dict[str, Running] = {}

        def start(provider: str) -> Running:
            if provider not in started:
                started[provider] = stack.enter_context(sandbox(provider))
            return started[provider]

        yield start


@pytest.fixture
def sandboxes(shared: Start) -> Iterator[Start]:
    """The same; but Twilio, which counts messages, is a new one for each test."""
    with ExitStack() as stack:
        yield lambda provider: stack.enter_context(sandbox(provider)) if provider == "twilio" else shared(provider)


def sandbox(provider: str) -> AbstractContextManager[Running]:
    found = registry.get(provider)
    return found.start(faults=[])


def project(folder: Path, provider: str, running: Running) -> ProviderProject:
    healthy = ProviderProject(folder, SUITES[provider](), running)
    healthy.test_data.pop("sms_user", None)  # Okta sends one message in half a minute.
    return healthy


def gate_with(folder: Path, sandboxes: Start, case: tuple[str, str, Edit]) -> CommandResult:
    """Run the gate on a provider whose answers are edited."""
    provider, part, edit = case
    healthy = project(folder, provider, sandboxes(provider))
    edited = Edited(part, edit)
    with faulty_proxy(healthy.endpoint, edited) as before:
        healthy.endpoint = before.url
        result = healthy.run("gate")
    assert edited.edits > 0
    return result


@pytest.mark.parametrize("case", LOCK_OUT)
def test_an_answer_that_locks_users_out_does_not_pass(tmp_path: Path, sandboxes: Start, case: str) -> None:
    result = gate_with(tmp_path, sandboxes, LOCK_OUT[case])
    assert result.exit_code != 0, result.stdout
    assert result.first["cause"].startswith("contract."), result.stdout


def appended(*items: Any) -> Edit:
    """List these items too where there are none."""
    return lambda document: [*items] if document == [] else None


EMAIL = {"id": "email|dev_NU1Ofuw3Cw0XCt5x", "authenticator_type": "oob", "oob_channel": "email", "active": True}
RECOVERY = {"id": "recovery-code|dev_O4KYL4FtcLAVRsCl", "authenticator_type": "recovery-code", "active": True}
EMF = {"id": "emfnf3gSScB8xXoXK0g3", "factorType": "email", "provider": "OKTA", "status": "ACTIVE", "profile": {}}
QUESTION = {"id": "ufs1o01OTMGHLAJPVHDZ", "factorType": "question", "status": "ACTIVE", "profile": {"answer": None}}
PASSKEY = {"sid": "YF" + "1" * 32, "factor_type": "passkeys", "status": "verified", "config": None}
UNVERIFIED = {"sid": "YF" + "2" * 32, "factor_type": "push", "status": "unverified", "config": {"sdk_version": "1"}}

ALLOWED = {
    # https://duo.com/docs/authapi#/preauth
    "duo: a hardware token without capabilities": (
        "duo",
        "/preauth",
        devices(lambda found: [{"device": "DHEKH0JJIYC1LX3AZWO4", "type": "token", "name": "0"}, *found]),
    ),
    "duo: push alone": ("duo", "/preauth", capabilities("push")),
    # https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/
    "okta: other factors beside TOTP": ("okta", "/users/00u", beside("token:software:totp", EMF, QUESTION)),
    "okta: an e-mail factor of a user without a factor": ("okta", "/users/00u", appended(EMF)),
    # https://www.twilio.com/docs/verify/api/factor
    "twilio: other factors beside TOTP": ("twilio", "/Factors?", beside("totp", PASSKEY, UNVERIFIED)),
    "twilio: other factors beside a device": ("twilio", "/Factors?", beside("push", PASSKEY)),
    # https://auth0.com/docs/secure/multi-factor-authentication/authenticate-using-ropg-flow-with-mfa
    "auth0: a recovery code and an e-mail address": ("auth0", "/mfa/authenticators", beside("otp", RECOVERY, EMAIL)),
    "auth0: other channels of a phone": ("auth0", "/mfa/authenticators", beside("auth0", RECOVERY, EMAIL)),
    "auth0: the address of a user without a factor": ("auth0", "/mfa/authenticators", appended(EMAIL)),
    "auth0: other methods of a user": (
        "auth0",
        "/authentication-methods",
        beside("totp", {"id": "recovery-code|dev_1", "type": "recovery-code", "confirmed": False}),
    ),
    # https://learn.microsoft.com/graph/api/authentication-list-methods
    "entra: a password beside a strong method": (
        "entra",
        "/authentication/methods",
        beside(
            "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod",
            {"@odata.type": "#microsoft.graph.passwordAuthenticationMethod", "id": "28c10230", "password": None},
            {"@odata.type": "#microsoft.graph.somethingNewAuthenticationMethod", "id": "1"},
        ),
    ),
}
"""Answers that the providers document, and that the login service's client copes with."""


@pytest.mark.parametrize("case", ALLOWED)
def test_a_documented_answer_passes(tmp_path: Path, sandboxes: Start, case: str) -> None:
    result = gate_with(tmp_path, sandboxes, ALLOWED[case])
    assert result.exit_code == 0, result.stdout


WAIVER = """\
[[integrations.mfa.waivers]]
cause = "contract.weak-rule"
reason = "another team writes this pact"
owner = "Ada"
until = {until}
"""


def test_a_contract_of_somebody_else_that_checks_too_little_is_a_warning(tmp_path: Path, sandboxes: Start) -> None:
    pact = json.loads(duo.TestDuo.contract.read_text())
    chosen = next(one for one in pact["interactions"] if one["description"] == "user may choose a factor")
    rule = {"combine": "AND", "matchers": [{"match": "type"}]}
    chosen["response"]["matchingRules"]["body"] = {"$.response": rule}
    (tmp_path / "pact.json").write_text(json.dumps(pact))
    foreign = project(tmp_path, "duo", sandboxes("duo"))
    text = foreign.text().replace(str(duo.TestDuo.contract), "pact.json")
    until = datetime.now(UTC).date() + timedelta(days=5)
    for waiver, outcomes in (("", ["pass", "warn"]), (WAIVER.format(until=until), ["pass", "info"])):
        foreign.text = lambda waiver=waiver: text + waiver  # type: ignore[method-assign, misc]
        result = foreign.run("check")
        assert result.exit_code == 0, result.stdout
        checks = result.checks("contract.file")
        assert [check["outcome"] for check in checks] == outcomes, result.stdout
        assert checks[1]["cause"] == "contract.weak-rule"
        assert checks[1]["evidence"]["places"] == [
            f"user may choose a factor: $.response.{place}"
            for place in (
                "devices may be empty",
                "devices[0].capabilities may be empty",
                "devices[0].capabilities[0] may have any value of its type",
                "result may have any value of its type",
            )
        ]
