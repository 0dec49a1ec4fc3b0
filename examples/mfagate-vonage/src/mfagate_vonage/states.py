"""Put a Vonage account into the states that the contract requires, through Verify itself."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from mfagate.core.exchange import Response
from mfagate.leftovers.ledger import Thing
from mfagate.providers.state_setup import Arrangement, Key, TabledStates
from mfagate.providers.states import StateName, StateUnavailable, StateValues
from mfagate_vonage.auth import new_private_key
from mfagate_vonage.probes import NO_SUCH_REQUEST
from mfagate_vonage.settings import VonageSettings

_MOST_CHECKS = 3
"""Wrong codes before a verification ends."""


class VonageStates(TabledStates[VonageSettings]):
    """Values: ``number``; ``request_id``, ``code`` and ``wrong_code`` of a verification.

    A number can have only one verification, so each state ends the previous one. Vonage chooses its id, so that it can
    be recorded only after the start; ``too_soon`` covers one that was not recorded.
    """

    def arrangements(self) -> Mapping[Key, Arrangement]:
        """Return the function that sets up each state."""
        return {
            StateName.CREDENTIAL_ACCEPTED: lambda: StateValues({"api_key": self.setting("api_key")}),
            StateName.CHALLENGE_FACTOR: self._number,
            StateName.CHALLENGE_STARTED: self._started,
            StateName.CHALLENGE_ANSWERED: self._answered,
            StateName.CHALLENGE_EXHAUSTED: self._exhausted,
            StateName.CHALLENGE_UNKNOWN: lambda: StateValues({"request_id": NO_SUCH_REQUEST, "code": "0000"}),
            StateName.CREDENTIAL_MISSING: lambda: self._credential(dict.fromkeys(("api_secret", "private_key"))),
            StateName.CREDENTIAL_WRONG: self._wrong,
            StateName.CREDENTIAL_UNKNOWN: lambda: self._credential({"api_key": "00000000", "private_key": None}),
            StateName.PERMISSION_MISSING: self._forbidden,
        }

    def answered(self, response: Response) -> None:
        """Record the verification that an interaction started."""
        if response.status == 202:
            self._note(str(response.json()["request_id"]))

    def remove(self, thing: Thing) -> None:
        """Cancel a verification; an ended verification does not exist."""
        self.delete(f"/v2/verify/{thing.name}")

    def _note(self, request_id: str) -> str:
        self.record(Thing("verification", request_id))
        return request_id

    def _number(self) -> StateValues:
        self.close()
        return StateValues({"number": self.given("number")})

    def _started(self) -> StateValues:
        self.close()
        number, code = self.given("number"), self.given("code")
        body = {"brand": "mfagate", "workflow": [{"channel": "sms", "to": number}]}
        request_id = self._note(str(self.ask("POST", "/v2/verify", json=body)["request_id"]))
        wrong = f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"
        values = {"number": number, "request_id": request_id, "code": code, "wrong_code": wrong}
        return StateValues(values, frozenset({"code"}))

    def _answered(self) -> StateValues:
        arranged = self._started()
        self._check(arranged, "code", 200)
        return arranged

    def _exhausted(self) -> StateValues:
        arranged = self._started()
        for _ in range(_MOST_CHECKS - 1):
            self._check(arranged, "wrong_code", 400)
        return arranged

    def _check(self, arranged: StateValues, name: str, expected: int) -> None:
        path = f"/v2/verify/{arranged.values['request_id']}"
        answer = self.answer(requests.Request("POST", path, json={"code": arranged.values[name]}))
        if answer.status != expected:
            raise StateUnavailable(f"POST {path}: status {answer.status} instead of {expected}")

    def _wrong(self) -> StateValues:
        wrong = {"api_secret": "Aa0Aa0Aa0Aa0", "private_key": new_private_key()}
        return self._credential({name: wrong[name] for name in wrong if getattr(self.settings, name) is not None})

    def _forbidden(self) -> StateValues:
        keys = {name: self.given(f"forbidden_{name}") for name in ("api_key", "api_secret")}
        return self._credential({**keys, "private_key": None})

    def _credential(self, values: Mapping[str, str | None]) -> StateValues:
        return StateValues({"request_id": NO_SUCH_REQUEST, "code": "0000"}, credential=values)
