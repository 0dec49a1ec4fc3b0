"""Putting an account of Vonage into the states that the contract asks for, through Verify itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import requests

from mfagate.contract import ProviderState
from mfagate.exchange import Response
from mfagate.providers.base import Send
from mfagate.providers.states import Arranged, State, StateNotConfigured, StateUnavailable
from mfagate_vonage import NO_SUCH_REQUEST
from mfagate_vonage.auth import new_private_key
from mfagate_vonage.errors import error_of
from mfagate_vonage.settings import VonageSettings

_MOST_CHECKS = 3
"""Wrong codes before a verification ends."""


class VonageStates:
    """Values: ``number``; ``request_id``, ``code`` and ``wrong_code`` of a verification.

    One number has one verification at a time, so each state ends the one before.
    """

    def __init__(self, send: Send, settings: VonageSettings, test_data: Mapping[str, str]) -> None:
        self._send = send
        self._settings = settings
        self._test_data = test_data
        self._running: str | None = None
        self._arrangements: Mapping[str, Callable[[], Arranged]] = {
            State.CREDENTIAL_ACCEPTED: lambda: Arranged({"api_key": self._setting("api_key")}),
            State.CHALLENGE_FACTOR: self._number,
            State.CHALLENGE_STARTED: self._started,
            State.CHALLENGE_ANSWERED: self._answered,
            State.CHALLENGE_EXHAUSTED: self._exhausted,
            State.CHALLENGE_UNKNOWN: lambda: Arranged({"request_id": NO_SUCH_REQUEST, "code": "0000"}),
            State.CREDENTIAL_MISSING: lambda: self._credential(dict.fromkeys(("api_secret", "private_key"))),
            State.CREDENTIAL_WRONG: self._wrong,
            State.CREDENTIAL_UNKNOWN: lambda: self._credential({"api_key": "00000000", "private_key": None}),
            State.PERMISSION_MISSING: self._forbidden,
        }

    def arrange(self, state: ProviderState) -> Arranged:
        """Put the account into the state.

        Raises:
            StateNotConfigured: An entry of ``test_data`` or a setting is missing.
            StateUnavailable: Vonage refused.
        """
        arrangement = self._arrangements.get(state.name)
        if arrangement is None:
            raise StateUnavailable(f"Vonage cannot be put into the state {state.name!r}.")
        return arrangement()

    def close(self) -> None:
        """Cancel what is still running; never raises."""
        with suppress(Exception):
            self._cancel()

    def _number(self) -> Arranged:
        self._cancel()
        return Arranged({"number": self._given("number")})

    def _started(self) -> Arranged:
        self._cancel()
        number, code = self._given("number"), self._given("code")
        body = {"brand": "mfagate", "workflow": [{"channel": "sms", "to": number}]}
        request_id = self._ask("POST", "/v2/verify", 202, json=body).get("request_id")
        if not isinstance(request_id, str):
            raise StateUnavailable("Vonage started a verification without a request_id.")
        self._running = request_id
        wrong = f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"
        values = {"number": number, "request_id": request_id, "code": code, "wrong_code": wrong}
        return Arranged(values, frozenset({"code"}))

    def _answered(self) -> Arranged:
        arranged = self._started()
        self._check(arranged, "code", 200)
        self._running = None
        return arranged

    def _exhausted(self) -> Arranged:
        arranged = self._started()
        for _ in range(_MOST_CHECKS - 1):
            self._check(arranged, "wrong_code", 400)
        return arranged

    def _check(self, arranged: Arranged, name: str, expected: int) -> None:
        path = f"/v2/verify/{arranged.values['request_id']}"
        self._ask("POST", path, expected, json={"code": arranged.values[name]})

    def _wrong(self) -> Arranged:
        wrong = {"api_secret": "Aa0Aa0Aa0Aa0", "private_key": new_private_key()}
        return self._credential({name: wrong[name] for name in wrong if getattr(self._settings, name) is not None})

    def _forbidden(self) -> Arranged:
        keys = {name: self._given(f"forbidden_{name}") for name in ("api_key", "api_secret")}
        return self._credential({**keys, "private_key": None})

    def _credential(self, values: Mapping[str, str | None]) -> Arranged:
        return Arranged({"request_id": NO_SUCH_REQUEST, "code": "0000"}, credential=values)

    def _cancel(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            self._send(requests.Request("DELETE", f"/v2/verify/{running}"))

    def _ask(self, method: str, path: str, expected: int, **request: Any) -> dict[str, Any]:
        exchange = self._send(requests.Request(method, path, **request))
        if exchange.response is None:
            raise StateUnavailable(f"{method} {path}: {exchange.failure.message if exchange.failure else 'no answer'}")
        if exchange.response.status != expected:
            raise StateUnavailable(f"{method} {path}: {_said(exchange.response)}")
        body = exchange.response.json()
        return body if isinstance(body, dict) else {}

    def _given(self, name: str) -> str:
        if not (value := self._test_data.get(name)):
            raise StateNotConfigured(f"test_data.{name}", f"test_data has no {name}.")
        return value

    def _setting(self, name: str) -> str:
        if not (value := getattr(self._settings, name)):
            raise StateNotConfigured(f"settings.{name}", f"The settings have no {name}.")
        return str(value)


def _said(response: Response) -> str:
    error = error_of(response)
    return f"{response.status} {error.code}: {error.message}" if error else f"status {response.status}"
