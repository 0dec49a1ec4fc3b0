"""Putting an account of Vonage into the states that the contract asks for, through Verify itself."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import requests

from mfagate.providers.arranging import Arrangement, Key, TabledStates
from mfagate.providers.base import Provider, Send
from mfagate.providers.states import Arranged, State, StateUnavailable
from mfagate_vonage import NO_SUCH_REQUEST
from mfagate_vonage.auth import new_private_key
from mfagate_vonage.settings import VonageSettings

_MOST_CHECKS = 3
"""Wrong codes before a verification ends."""


class VonageStates(TabledStates[VonageSettings]):
    """Values: ``number``; ``request_id``, ``code`` and ``wrong_code`` of a verification.

    One number has one verification at a time, so each state ends the one before.
    """

    def __init__(self, provider: Provider, send: Send, settings: VonageSettings, test_data: Mapping[str, str]) -> None:
        super().__init__(provider, send, settings, test_data)
        self._running: str | None = None

    def arrangements(self) -> Mapping[Key, Arrangement]:
        """How each state is arranged."""
        return {
            State.CREDENTIAL_ACCEPTED: lambda: Arranged({"api_key": self.setting("api_key")}),
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

    def close(self) -> None:
        """Cancel what is still running; never raises."""
        with suppress(Exception):
            self._cancel()

    def _number(self) -> Arranged:
        self._cancel()
        return Arranged({"number": self.given("number")})

    def _started(self) -> Arranged:
        self._cancel()
        number, code = self.given("number"), self.given("code")
        body = {"brand": "mfagate", "workflow": [{"channel": "sms", "to": number}]}
        self._running = request_id = str(self.ask("POST", "/v2/verify", json=body)["request_id"])
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
        answer = self.answer(requests.Request("POST", path, json={"code": arranged.values[name]}))
        if answer.status != expected:
            raise StateUnavailable(f"POST {path}: status {answer.status} instead of {expected}")

    def _wrong(self) -> Arranged:
        wrong = {"api_secret": "Aa0Aa0Aa0Aa0", "private_key": new_private_key()}
        return self._credential({name: wrong[name] for name in wrong if getattr(self.settings, name) is not None})

    def _forbidden(self) -> Arranged:
        keys = {name: self.given(f"forbidden_{name}") for name in ("api_key", "api_secret")}
        return self._credential({**keys, "private_key": None})

    def _credential(self, values: Mapping[str, str | None]) -> Arranged:
        return Arranged({"request_id": NO_SUCH_REQUEST, "code": "0000"}, credential=values)

    def _cancel(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            self.answer(requests.Request("DELETE", f"/v2/verify/{running}"))
