"""Put a privacyIDEA server into the states that contracts require.

This uses only HTTP and an admin key, so that it works on any server as well as on the sandbox. Endpoints: https://privacyidea.readthedocs.io/en/latest/modules/api/token.html
and https://privacyidea.readthedocs.io/en/latest/modules/api/validate.html.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import requests

from mfagate.contract import ProviderState
from mfagate.core.exchange import Response
from mfagate.core.foreign import quoted
from mfagate.leftovers.ledger import Thing
from mfagate.leftovers.marks import ABANDONED_AFTER_SECONDS, Mark
from mfagate.providers.privacyidea.errors import result_of
from mfagate.providers.privacyidea.phone import HotpToken, PushToken, random_otp, random_pin
from mfagate.providers.privacyidea.probes import SENTINEL_USER
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings
from mfagate.providers.state_setup import Arrangement, Key, TabledStates
from mfagate.providers.states import AskedTooSoon, Lane, StateName, StateNotConfigured, StateUnavailable, StateValues

_MOST_LISTED = "1000"

_SHARE_A_USER = (
    (StateName.PUSH_ACCEPTED, StateName.PUSH_DECLINED, StateName.PUSH_PENDING),
    (StateName.WORKING_OTP,),
    (StateName.PIN_AND_OTP,),
    (StateName.CHALLENGE_STARTED,),
    (StateName.CHALLENGE_FACTOR,),
    (StateName.DISABLED_FACTOR, StateName.USED_OTP),
    (StateName.LOCKED_FACTOR, StateName.NO_FACTOR),
)
"""States that change a user's tokens. Each group has a user, as far as there are so many. Pushes share an enrolment."""

_ABOUT_THE_KEY = frozenset(state.value for state in StateName if state.is_about_the_credential)


class PrivacyIDEAStates(TabledStates[PrivacyIDEASettings]):
    """Sets up states on one server, with test tokens of one user.

    ``test_data`` (in ``integrations.toml``): ``user``, an existing user who is used for nothing else, because a state
    holds only until the next one is set up; ``more_users``, further users like it, so that several states are set up at
    once; ``expired_validate_key``, only for that state.

    Values: ``user``, and ``realm`` if one is configured; ``pass``, which starts
    or completes the login; ``wrong_pass`` and ``wrong_pin_pass``, the same with a
    wrong OTP and a wrong PIN; ``serial`` of the token; ``transaction_id`` of the
    challenge.
    """

    _enrolled: str | None = None
    _lists_own = False
    """Whether the server has listed a token of ours, so that the list shows all tokens of the user."""
    _push_token: PushToken | None = None

    def arrangements(self) -> Mapping[Key, Arrangement]:
        """Return the function that sets up each state."""
        return {
            StateName.WORKING_OTP: self._working_otp,
            StateName.USED_OTP: self._used_otp,
            StateName.PIN_AND_OTP: self._pin_and_otp,
            StateName.NO_FACTOR: lambda: self._guess(self._user_without_tokens()),
            StateName.DISABLED_FACTOR: self._disabled,
            StateName.LOCKED_FACTOR: self._locked,
            StateName.UNKNOWN_USER: lambda: self._guess(SENTINEL_USER),
            StateName.CHALLENGE_FACTOR: self._challenge_factor,
            StateName.CHALLENGE_STARTED: self._challenge_started,
            StateName.PUSH_PENDING: lambda: self._push(accept=None),
            StateName.PUSH_ACCEPTED: lambda: self._push(accept=True),
            StateName.PUSH_DECLINED: lambda: self._push(accept=False),
            StateName.CREDENTIAL_MISSING: lambda: self._guess_with_key(None),
            StateName.CREDENTIAL_MALFORMED: lambda: self._guess_with_key(self.setting("validate_key")[:-4]),
            StateName.CREDENTIAL_EXPIRED: lambda: self._guess_with_key(self.given("expired_validate_key")),
            StateName.CREDENTIAL_WRONG_KIND: lambda: self._guess_with_key(self.setting("admin_key")),
        }

    def arrange(self, state: ProviderState) -> StateValues:
        """Require the validate key for all states but one; on a server without keys, states about it are impossible."""
        is_open = self.settings.validate_access is not None
        if is_open and state.name in _ABOUT_THE_KEY:
            raise StateNotConfigured("settings.validate_key", "The server accepts requests without a key.")
        if state.name != StateName.CREDENTIAL_MISSING and not is_open:
            self.setting("validate_key")
        return super().arrange(state)

    def lane(self, state: ProviderState) -> Lane | None:
        """Return the lane of the user whose tokens a state changes."""
        group = next((number for number, names in enumerate(_SHARE_A_USER) if state.name in names), None)
        if group is None:
            return None
        further = self.test_data.get("more_users", "").replace(",", " ").split()
        users = [self.test_data.get("user", ""), *further]
        user = users[group % len(users)]
        return Lane(user, test_data={"user": user})

    def _require_admin(self) -> None:
        if self.settings.service_account is None:
            self.setting("admin_key")

    def remove(self, thing: Thing) -> None:
        """Delete a token; the server answers how many it deleted."""
        self._require_admin()
        self.delete(f"/token/{thing.name.upper()}")

    def marked(self) -> Iterator[tuple[Thing, Mark]]:
        """Find tokens whose serial and description both carry the mark of a run.

        https://privacyidea.readthedocs.io/en/latest/modules/api/token.html
        """
        self._require_admin()
        for token in self._tokens({"serial": "MFAGATE-*"}):
            mark = _mark_of(token)
            if mark:
                yield Thing("token", mark.name), mark

    def _tokens(self, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        answer = self.ask("GET", "/token/", params={**wanted, "pagesize": _MOST_LISTED})
        return list(answer["result"]["value"]["tokens"])

    def _working_otp(self) -> StateValues:
        return self._arranged(self._enrol_hotp())

    def _pin_and_otp(self) -> StateValues:
        return self._arranged(self._enrol_hotp(random_pin()))

    def _used_otp(self) -> StateValues:
        token = self._enrol_hotp()
        if not self._check(token.otp()):
            raise StateUnavailable("The server rejected the OTP of a token that was enrolled a moment ago.")
        return self._arranged(token)

    def _disabled(self) -> StateValues:
        token = self._enrol_hotp()
        self._post("/token/disable", serial=token.serial)
        return self._arranged(token)

    def _locked(self) -> StateValues:
        token = self._enrol_hotp()
        # One wrong OTP then locks the token, instead of ten.
        self._post("/token/set", serial=token.serial, max_failcount=1)
        self._check(token.wrong_otp())
        return self._arranged(token)

    def _challenge_factor(self) -> StateValues:
        token = self._enrol_hotp(random_pin())
        values = {"serial": token.serial, "pass": token.pin}
        return StateValues(self._of_user(self._user(), values), frozenset({"pass"}))

    def _challenge_started(self) -> StateValues:
        token = self._enrol_hotp()
        return self._arranged(token, transaction_id=self._trigger(token.serial))

    def _push(self, accept: bool | None) -> StateValues:
        # Each enrolment creates an RSA key of 4096 bits on the server, which takes up to
        # a second, so consecutive states share one token.
        token = self._push_token = self._push_token or self._enrol_push()
        transaction_id = self._trigger(token.serial)
        if accept is not None:
            token.answer(accept=accept)
        # With an empty pass, /validate/check redeems the answer of the phone.
        values = {"serial": token.serial, "transaction_id": transaction_id, "pass": ""}
        return StateValues(self._of_user(self._user(), values))

    def _guess(self, user: str) -> StateValues:
        return StateValues(self._of_user(user, {"pass": random_otp()}))

    def _guess_with_key(self, validate_key: str | None) -> StateValues:
        # The user is unknown, so that no token gets a failed attempt if the key is accepted.
        guess = self._guess(SENTINEL_USER)
        return replace(guess, credential={"validate_key": validate_key})

    def _arranged(self, token: HotpToken, **values: str) -> StateValues:
        passwords = token.passwords()
        return StateValues(
            self._of_user(self._user(), {"serial": token.serial, **passwords, **values}), frozenset(passwords)
        )

    def _of_user(self, user: str, values: Mapping[str, str]) -> dict[str, str]:
        realm = {"realm": self.settings.realm} if self.settings.realm else {}
        return {"user": user, **realm, **values}

    def _user(self) -> str:
        return self.given("user")

    def _user_without_tokens(self) -> str:
        """Remove all tokens that mfagate enrolled for the test user, and return the user."""
        user = self._user()
        self._require_admin()
        self._push_token = None
        tokens = [] if self._lists_own else self._tokens(self._of_user(user, {}))
        if self._enrolled and not self._lists_own:
            if self._enrolled not in [str(token["serial"]) for token in tokens]:
                raise StateUnavailable(
                    f"The server does not list the token {quoted(self._enrolled, 80)} that was enrolled a moment ago: "
                    "the admin key may lack the right tokenlist."
                )
            self._lists_own = True
        self._enrolled = None
        for thing in self.ledger.things:
            self.remove(thing)
            self.ledger.removed(thing)
        self._require_own(user, tokens)
        return user

    def _require_own(self, user: str, tokens: list[dict[str, Any]]) -> None:
        """Refuse to touch other tokens; the token of another run shows that it is in progress."""
        marks = {str(token["serial"]): _mark_of(token) for token in tokens}
        foreign = [serial for serial, mark in marks.items() if mark is None]
        if foreign:
            raise StateUnavailable(
                f"The test user {user!r} has tokens that mfagate did not enrol ({quoted(', '.join(foreign))}). Set "
                "test_data.user to a user without tokens."
            )
        other = [mark for mark in marks.values() if mark and mark.run != self.ledger.mark().run]
        if other:
            left = max(mark.when for mark in other) + ABANDONED_AFTER_SECONDS - time.time()
            raise AskedTooSoon(max(left, 1.0), f"another run of mfagate uses the test user {user!r}")

    def _enrol_hotp(self, pin: str = "") -> HotpToken:
        with self._enrolling() as mark:
            token = HotpToken(mark.name.upper(), pin)
            self._enrol(mark, type="hotp", otpkey=token.key.hex(), otplen=token.digits, pin=pin)
        return token

    def _enrol_push(self) -> PushToken:
        with self._enrolling() as mark:
            token = PushToken(mark.name.upper(), self.ask)
            detail = self._enrol(mark, type="push", genkey=1)
        token.enrol(detail["enrollment_credential"])
        return token

    @contextmanager
    def _enrolling(self) -> Iterator[Mark]:
        self._user_without_tokens()
        with self.making("token") as mark:
            yield mark

    def _enrol(self, mark: Mark, **parameters: Any) -> dict[str, Any]:
        serial, user = mark.name.upper(), self._of_user(self._user(), {})
        answer = self._post("/token/init", serial=serial, description=mark.note, **user, **parameters)
        self._enrolled = serial
        return dict(answer["detail"])

    def _trigger(self, serial: str) -> str:
        answer = self._post("/validate/triggerchallenge", serial=serial)
        if not answer["result"]["value"]:
            raise StateUnavailable(f"The server did not start a challenge for the token {quoted(serial, 80)}.")
        return str(answer["detail"]["transaction_id"])

    def _check(self, password: str) -> bool:
        body = self._of_user(self._user(), {"pass": password})
        key = self.settings.secret("validate_key")
        headers = {"Authorization": key} if key is not None else {}
        answer = self.ask("POST", "/validate/check", headers=headers, json=body)
        return bool(answer["result"]["value"])

    def _post(self, path: str, **parameters: Any) -> dict[str, Any]:
        return dict(self.ask("POST", path, json=parameters))

    def answer(self, request: requests.Request, settings: PrivacyIDEASettings | None = None) -> Response:
        """Request the answer as JSON; some paths would otherwise return a page of the web interface."""
        request.headers = {**(request.headers or {}), "Accept": "application/json"}
        return super().answer(request, settings)

    def payload(self, response: Response) -> Any:
        """Return the JSON of an answer whose envelope reports success, or None."""
        return response.json() if result_of(response).get("status") is True else None


def _mark_of(token: Mapping[str, Any]) -> Mark | None:
    """Return the mark of a token that a run enrolled."""
    serial = str(token["serial"])
    mark = Mark.read(serial.lower()) if serial.isupper() else None
    return mark if mark and token.get("description") == mark.note else None
