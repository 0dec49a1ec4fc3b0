"""Put a Verify service into the states that contracts require.

No phone is needed: TOTP factors have a known secret, verifications are approved and cancelled through the API, and a
known code is a custom code, if the service allows it
(https://www.twilio.com/docs/verify/api/customization-options#custom-verification-codes). Pushes need prepared devices.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from mfagate.contract import ProviderState
from mfagate.leftovers.ledger import Thing
from mfagate.leftovers.marks import Mark
from mfagate.providers.state_setup import Arrangement, Key, TabledStates
from mfagate.providers.states import AskedTooSoon, Lane, StateName, StateNotConfigured, StateUnavailable, StateValues
from mfagate.providers.totp import Totp
from mfagate.providers.twilio.settings import TwilioSettings

_UNKNOWN = {
    "service_sid": "VA" + "0" * 32,
    "verification_sid": "VE" + "0" * 32,
    "factor_sid": "YF" + "0" * 32,
    "challenge_sid": "YC" + "0" * 32,
    "api_key_sid": "SK" + "0" * 32,
    "account_sid": "AC" + "0" * 32,
}
"""SIDs that do not exist, because Twilio draws SIDs at random."""

_UNKNOWN_IDENTITY = "mfagate-no-such-user"

_NO_CREDENTIAL: Mapping[str, str | None] = {"api_key_sid": None, "api_key_secret": None, "auth_token": None}

_CHECKS = 5
_PAGE, _MOST_PAGES = 100, 20
_VERIFICATION, _ENTITY = "verification", "entity"
_LIFETIME_SECONDS = 600.0
"""Of a verification: https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts."""
_POLLS = 40
_BETWEEN_POLLS_SECONDS = 0.5
_UNDER_WAY = "another verification of the number in test_data.{} is in progress"
_OK, _NOT_FOUND = 200, 404
_SHARED: Mapping[str, str] = {
    StateName.CHALLENGE_FACTOR: "phone",
    StateName.CHALLENGE_STARTED: "phone",
    StateName.CODE_KNOWN: "phone",
    StateName.CHALLENGE_ANSWERED: "phone",
    StateName.CHALLENGE_EXHAUSTED: "blocked_phone",
    StateName.WORKING_OTP: "a TOTP factor",
    StateName.PUSH_PENDING: "a pending push",
    StateName.PUSH_ACCEPTED: "accepting_identity",
    StateName.PUSH_DECLINED: "declining_identity",
    StateName.PUSH_TIMED_OUT: "an expiring push",
}
"""What the states share: an entry of ``test_data``, or what one state makes for all its interactions."""

_WAIT = (StateName.PUSH_ACCEPTED, StateName.PUSH_DECLINED, StateName.PUSH_TIMED_OUT)
_SHORT_LIFE = timedelta(seconds=3)


class TwilioStates(TabledStates[TwilioSettings]):
    """Sets up states with one service.

    Values: ``service_sid``; ``to``, ``verification_sid``, ``code`` and ``wrong_code`` of a
    verification; ``identity``, ``factor_sid``, ``challenge_sid``, and for TOTP ``code`` and
    ``wrong_code``.
    """

    _pending: StateValues | None = None
    _totp: tuple[Mapping[str, str], Totp] | None = None

    @property
    def _service(self) -> str:
        return f"/v2/Services/{self.settings.service_sid}"

    def arrangements(self) -> Mapping[Key, Arrangement]:
        """Return the function that sets up each state."""
        return {
            StateName.CREDENTIAL_ACCEPTED: StateValues,
            StateName.WORKING_OTP: self._working_otp,
            StateName.NO_FACTOR: lambda: StateValues({"identity": self._new_entity()}),
            StateName.DISABLED_FACTOR: self._unfinished_factor,
            StateName.UNKNOWN_USER: lambda: StateValues({"identity": _UNKNOWN_IDENTITY}),
            StateName.CHALLENGE_FACTOR: self._phone,
            StateName.CHALLENGE_STARTED: lambda: self._started("phone", _random_code()),
            StateName.CODE_KNOWN: self._started_with_our_code,
            StateName.CHALLENGE_ANSWERED: self._approved,
            StateName.CHALLENGE_EXHAUSTED: self._exhausted,
            StateName.CHALLENGE_UNKNOWN: lambda: StateValues({**_UNKNOWN_CHALLENGE, "code": _random_code()}),
            StateName.PUSH_PENDING: self._pending_push,
            StateName.PUSH_ACCEPTED: lambda: self._push("accepting_identity", "approved"),
            StateName.PUSH_DECLINED: lambda: self._push("declining_identity", "denied"),
            StateName.PUSH_TIMED_OUT: lambda: self._push("push_identity", "expired", lifetime=_SHORT_LIFE),
            StateName.CREDENTIAL_MISSING: lambda: StateValues(credential=_NO_CREDENTIAL),
            StateName.CREDENTIAL_MALFORMED: lambda: self._as_user("mfagate"),
            StateName.CREDENTIAL_WRONG: self._wrong_secret,
            StateName.CREDENTIAL_UNKNOWN: lambda: self._as_user(_UNKNOWN[self._user_setting]),
            StateName.CREDENTIAL_REVOKED: lambda: self._given_key("revoked_api_key"),
            StateName.CREDENTIAL_WRONG_KIND: self._test_credentials,
            StateName.PERMISSION_MISSING: lambda: self._given_key("restricted_api_key"),
            StateName.RESOURCE_MISSING: lambda: StateValues({"service_sid": _UNKNOWN["service_sid"]}),
        }

    def arrange(self, state: ProviderState) -> StateValues:
        """Set up the state, and add the SID of the service to its values."""
        arranged = super().arrange(state)
        return replace(arranged, values={"service_sid": self.settings.service_sid, **arranged.values})

    def lane(self, state: ProviderState) -> Lane | None:
        """Return the lane of a telephone number, a prepared device, or a factor that several interactions use."""
        name = _SHARED.get(state.name)
        return Lane(self.test_data.get(name, name), waits=state.name in _WAIT) if name else None

    def ask(self, method: str, path: str, settings: TwilioSettings | None = None, **request: Any) -> Any:
        """Return the JSON of a successful answer from a path of the service."""
        return super().ask(method, self._service + path, settings, **request)

    def remove(self, thing: Thing) -> None:
        """Delete an entity with its factors, or cancel a verification, which frees its number.

        A verification is addressed by its number, so that this works even if the answer with the SID was lost.
        """
        if thing.kind == _ENTITY:
            self.delete(f"{self._service}/Entities/{thing.name}")
            return
        request = requests.Request("POST", f"{self._service}/Verifications/{thing.name}", data={"Status": "canceled"})
        response = self.answer(request)
        if response.status != _NOT_FOUND:
            self.content(f"POST {request.url}", response)

    def marked(self) -> Iterator[tuple[Thing, Mark]]:
        """Find entities by their identity, the only field for a mark."""
        for page in range(_MOST_PAGES):
            listed = self.ask("GET", "/Entities", params={"PageSize": str(_PAGE), "Page": str(page)})["entities"]
            for entity in listed:
                if mark := Mark.read(str(entity["identity"])):
                    yield Thing(_ENTITY, mark.name), mark
            if len(listed) < _PAGE:
                break

    def _working_otp(self) -> StateValues:
        if self._totp is None:
            self._totp = self._enrol()
        values, totp = self._totp
        codes = {"code": totp.code(), "wrong_code": totp.wrong_code()}
        return StateValues({**values, **codes}, frozenset({"code"}))

    def _enrol(self) -> tuple[Mapping[str, str], Totp]:
        totp = Totp.generate()
        identity, factor_sid = self._new_factor(totp)
        # The code of the previous step, so that the current one is unused: Twilio may accept a code only once.
        verified = self.ask(
            "POST", f"/Entities/{identity}/Factors/{factor_sid}", data={"AuthPayload": totp.code_for_enrolment()}
        )
        if verified["status"] != "verified":
            raise StateUnavailable("Twilio rejected the first code of a TOTP factor; the clocks may differ.")
        return {"identity": identity, "factor_sid": factor_sid}, totp

    def _new_factor(self, totp: Totp) -> tuple[str, str]:
        identity = self._new_entity()
        config = {
            "Config.Alg": totp.algorithm,
            "Config.CodeLength": str(totp.digits),
            "Config.TimeStep": str(totp.step_seconds),
            "Config.Skew": "2",
        }
        enrolment = {"FriendlyName": "mfagate", "FactorType": "totp", "Binding.Secret": totp.secret, **config}
        return identity, str(self.ask("POST", f"/Entities/{identity}/Factors", data=enrolment)["sid"])

    def _unfinished_factor(self) -> StateValues:
        identity, factor_sid = self._new_factor(Totp.generate())
        return StateValues({"identity": identity, "factor_sid": factor_sid})

    def _new_entity(self) -> str:
        with self.making(_ENTITY) as mark:
            self.ask("POST", "/Entities", data={"Identity": mark.name})
        return mark.name

    def _phone(self) -> StateValues:
        to = self._free_number("phone")
        # The verification that the interaction starts must be cancelled too.
        self.record(Thing(_VERIFICATION, to))
        return StateValues({"to": to})

    def _free_number(self, phone: str) -> str:
        """Return a number without a verification: cancel those of this run, and refuse if another one is open."""
        to = self.given(phone)
        if (
            to not in self._cancel()
            and self.answer(requests.Request("GET", f"{self._service}/Verifications/{to}")).status == _OK
        ):
            raise AskedTooSoon(_LIFETIME_SECONDS, _UNDER_WAY.format(phone))
        return to

    def _started(self, phone: str, wrong_code: str, **more: str) -> StateValues:
        """Start a verification; refuse one that another party started, because its code is unknown."""
        to = self._free_number(phone)
        thing = Thing(_VERIFICATION, to)
        self.record(thing)
        started = self.ask("POST", "/Verifications", data={"To": to, "Channel": "sms", **more})
        if len(started["send_code_attempts"]) == 1:
            self.ledger.made(thing)
            return StateValues({"to": to, "verification_sid": str(started["sid"]), "wrong_code": wrong_code})
        self.ledger.removed(thing)
        raise AskedTooSoon(_LIFETIME_SECONDS, _UNDER_WAY.format(phone))

    def _started_with_our_code(self) -> StateValues:
        self.given("phone")
        if self.ask("GET", "")["custom_code_enabled"] is not True:
            raise StateNotConfigured(
                "Enable Custom Verification Code", "The Verify service does not accept custom codes."
            )
        code, wrong_code = _random_code(), _random_code()
        while wrong_code == code:
            wrong_code = _random_code()
        arranged = self._started("phone", wrong_code, CustomCode=code)
        return replace(arranged, values={**arranged.values, "code": code}, secrets=frozenset({"code"}))

    def _approved(self) -> StateValues:
        arranged = self._started("phone", _random_code())
        sid = arranged.values["verification_sid"]
        if self.ask("POST", f"/Verifications/{sid}", data={"Status": "approved"})["status"] != "approved":
            raise StateUnavailable("Twilio did not approve a verification that was reported as approved.")
        return arranged

    def _exhausted(self) -> StateValues:
        arranged = self._started("blocked_phone", _random_code())
        wrong = {"VerificationSid": arranged.values["verification_sid"], "Code": arranged.values["wrong_code"]}
        for _ in range(_CHECKS):
            if self.ask("POST", "/VerificationCheck", data=wrong)["status"] == "approved":
                raise StateUnavailable("A random code happened to be correct.")
        return arranged

    def _cancel(self) -> set[str]:
        """Cancel the verifications of these states, and return their numbers, which are free now."""
        cancelled = [thing for thing in self.ledger.things if thing.kind == _VERIFICATION]
        for thing in cancelled:
            self.remove(thing)
            self.ledger.removed(thing)
        return {thing.name for thing in cancelled}

    def _pending_push(self) -> StateValues:
        """One push for all states: a device accepts fifty challenges an hour (60312), and this one is never
        answered."""
        if self._pending is None:
            self._pending = self._push("push_identity", "pending")
        return self._pending

    def _push(self, name: str, wanted: str, *, lifetime: timedelta | None = None) -> StateValues:
        identity = self.given(name)
        factors = self.ask("GET", f"/Entities/{identity}/Factors")["factors"]
        verified = [
            factor for factor in factors if (factor.get("factor_type"), factor.get("status")) == ("push", "verified")
        ]
        usable = [factor["sid"] for factor in verified if factor.get("sid")]
        if not usable:
            raise StateUnavailable(f"The entity {identity!r} has no verified push factor.")
        challenge = {"FactorSid": str(usable[0]), "Details.Message": "mfagate"}
        if lifetime is not None:
            challenge["ExpirationDate"] = f"{datetime.now(UTC) + lifetime:%Y-%m-%dT%H:%M:%SZ}"
        sid = str(self.ask("POST", f"/Entities/{identity}/Challenges", data=challenge)["sid"])
        self._wait_for(f"/Entities/{identity}/Challenges/{sid}", wanted)
        return StateValues({"identity": identity, "factor_sid": str(usable[0]), "challenge_sid": sid})

    def _wait_for(self, path: str, wanted: str) -> None:
        for _ in range(_POLLS):
            status = self.ask("GET", path)["status"]
            if status == wanted:
                return
            if status != "pending":
                break
            time.sleep(_BETWEEN_POLLS_SECONDS)
        raise StateUnavailable(f"The push did not reach the result that this state requires ({wanted}).")

    @property
    def _user_setting(self) -> str:
        """The setting that identifies the client."""
        return "api_key_sid" if self.settings.key else "account_sid"

    def _as_user(self, user: str) -> StateValues:
        return StateValues(credential={self._user_setting: user})

    def _wrong_secret(self) -> StateValues:
        name = "api_key_secret" if self.settings.key else "auth_token"
        return StateValues(credential={name: (self.settings.secret(name) or "")[::-1]})

    def _given_key(self, name: str) -> StateValues:
        key = {"api_key_sid": self.given(f"{name}_sid"), "api_key_secret": self.given(f"{name}_secret")}
        return StateValues(credential={**_NO_CREDENTIAL, **key})

    def _test_credentials(self) -> StateValues:
        pair = {"account_sid": self.given("test_account_sid"), "auth_token": self.given("test_auth_token")}
        return StateValues(credential={**_NO_CREDENTIAL, **pair})


_UNKNOWN_CHALLENGE = {
    "identity": _UNKNOWN_IDENTITY,
    **{name: _UNKNOWN[name] for name in ("verification_sid", "factor_sid", "challenge_sid")},
}


def _random_code() -> str:
    return f"{secrets.randbelow(10**6):06}"
