"""Lists of a provider's answers that lock users out, or that its documentation allows: what the whole gate says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mfagate.providers import registry
from mfagate.sandbox import Running
from mfagate.sandbox.front import Handler, front
from mfagate.testing import ProviderSuite
from mfagate.testing.suite import ProviderProject

from ..providers.auth0 import test_suite as auth0
from ..providers.duo import test_suite as duo
from ..providers.entra import test_suite as entra
from ..providers.okta import test_suite as okta
from ..providers.twilio import test_suite as twilio

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
        if self._part in handler.path and status == 200:
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


def items(kind: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Edit:
    """Change the items of lists, at the root or one level below it, that have ``kind`` among their values."""

    def edit(document: Any) -> Any:
        lists = [document] if isinstance(document, list) else [v for v in document.values() if isinstance(v, list)]
        found = [one for one in lists if any(isinstance(item, dict) and kind in item.values() for item in one)]
        for one in found:
            one[:] = [new for item in one if (new := change(item)) is not None]
        return document if found else None

    return edit


def emptied(kind: str) -> Edit:
    """Empty the lists in which something of this kind is."""
    return items(kind, lambda item: None)


def word(kind: str, field: str, value: Any) -> Edit:
    """Give the field another value where something of this kind is listed."""
    return items(kind, lambda item: {**item, field: value} if kind in item.values() else item)


def renamed(kind: str, field: str) -> Edit:
    """Call the field something else where something of this kind is listed."""
    return items(kind, lambda item: {f"{key}_v2" if key == field else key: value for key, value in item.items()})


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
"""Answers on which the login service's own client lets nobody in, or asks nobody."""


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Callable[[str], Running]]:
    """Each provider's sandbox, started once."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        started: dict[str, Running] = {}

        def get(provider: str) -> Running:
            if provider not in started:
                sandbox = registry.get(provider).sandbox()
                assert sandbox is not None
                started[provider] = stack.enter_context(sandbox.start(faults=[]))
            return started[provider]

        yield get


def project(folder: Path, provider: str, running: Running) -> ProviderProject:
    return ProviderProject(folder, SUITES[provider](), running)


@pytest.mark.parametrize("case", LOCK_OUT)
def test_an_answer_that_locks_users_out_does_not_pass(
    tmp_path: Path, sandboxes: Callable[[str], Running], case: str
) -> None:
    provider, part, edit = LOCK_OUT[case]
    healthy = project(tmp_path, provider, sandboxes(provider))
    edited = Edited(part, edit)
    with front(healthy.endpoint, edited) as before:
        healthy.endpoint = before.url
        result = healthy.run("gate")
    assert edited.edits > 0
    assert result.exit_code != 0, result.stdout
    assert result.first["cause"].startswith("contract."), result.stdout
