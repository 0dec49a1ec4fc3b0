"""Put an Okta org into the states that contracts require.

One-time passwords belong to a test user, which an administrator's token creates and deletes. Pushes, messages and
lock-outs need prepared users.
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from mfagate.contract import ProviderState
from mfagate.core.foreign import quoted
from mfagate.core.origins import segment
from mfagate.leftovers.ledger import Thing
from mfagate.leftovers.marks import Mark
from mfagate.providers.made_up import new_private_key
from mfagate.providers.okta.auth import new_token
from mfagate.providers.okta.probes import UNKNOWN_FACTOR, UNKNOWN_USER
from mfagate.providers.okta.settings import OktaSettings
from mfagate.providers.state_setup import Arrangement, Key, TabledStates
from mfagate.providers.states import Lane, StateName, StateUnavailable, StateValues
from mfagate.providers.totp import Totp

_DOMAIN = "example.com"
"""Domain of the test users' logins; it receives no mail (RFC 2606)."""

_MOST_LISTED = 200

_TOTP, _PUSH, _SMS, _APP = "token:software:totp", "push", "sms", "app"

_UNKNOWN_TRANSACTION = "v2mst.mfagate-no-such-push-0"
_UNKNOWN_APP = "0oamfagatenosuchapps"
_TOKEN_ID = "00Tmfagatenosuchtokn"

_PERSON_SECONDS = 60.0
_TIMEOUT_SECONDS = 330.0
"""Okta does not document the lifetime of a push; users report five minutes."""

_BETWEEN_POLLS = 2.0


_SHARED: Mapping[Key, str] = {
    (StateName.CHALLENGE_FACTOR, _PUSH): "user",
    (StateName.CHALLENGE_FACTOR, _SMS): "sms_user",
    StateName.PUSH_PENDING: "user",
    StateName.PUSH_ACCEPTED: "accepting_user",
    StateName.PUSH_DECLINED: "declining_user",
    StateName.PUSH_TIMED_OUT: "ignoring_user",
    StateName.LOCKED_FACTOR: "locked_user",
}
"""The entry of ``test_data`` with the user of a state. Other states make a user, or need none."""

_WAIT = (StateName.PUSH_ACCEPTED, StateName.PUSH_DECLINED, StateName.PUSH_TIMED_OUT)

_MOST_OF_A_USER = 2
"""Interactions with a working OTP for which one test user is made."""


class OktaStates(TabledStates[OktaSettings]):
    """Sets up states on one org.

    The parameter ``kind`` selects a factor or a credential.

    Values: ``user_id`` (or login) and ``factor_id``; ``passcode``, which completes a login,
    and ``wrong_passcode``; ``poll_path`` of a push.
    """

    _user_id: str | None = None
    _login = ""
    _factor_id: str | None = None

    def arrangements(self) -> Mapping[Key, Arrangement]:
        """Return the function that sets up each state."""
        return {
            StateName.CREDENTIAL_ACCEPTED: StateValues,
            StateName.WORKING_OTP: self._working_otp,
            StateName.USED_OTP: self._used_otp,
            StateName.NO_FACTOR: lambda: StateValues({"user_id": self._user_without_factor()}),
            StateName.DISABLED_FACTOR: self._pending_factor,
            StateName.LOCKED_FACTOR: lambda: self._prepared("locked_user", _TOTP),
            StateName.UNKNOWN_USER: lambda: StateValues({"user_id": UNKNOWN_USER}),
            StateName.RESOURCE_MISSING: lambda: StateValues({"user_id": UNKNOWN_USER, "factor_id": UNKNOWN_FACTOR}),
            (StateName.CHALLENGE_FACTOR, _PUSH): lambda: self._prepared("user", _PUSH),
            (StateName.CHALLENGE_FACTOR, _SMS): lambda: self._prepared("sms_user", _SMS),
            StateName.PUSH_PENDING: lambda: self._push("user", "WAITING"),
            StateName.PUSH_ACCEPTED: lambda: self._push("accepting_user", "SUCCESS"),
            StateName.PUSH_DECLINED: lambda: self._push("declining_user", "REJECTED"),
            StateName.PUSH_TIMED_OUT: lambda: self._push("ignoring_user", "TIMEOUT", _TIMEOUT_SECONDS),
            StateName.CHALLENGE_UNKNOWN: _unknown_push,
            StateName.CREDENTIAL_MISSING: lambda: _with_token(None),
            StateName.CREDENTIAL_WRONG: lambda: _with_token(new_token()),
            StateName.CREDENTIAL_REVOKED: lambda: _with_token(self.given("revoked_api_token")),
            StateName.CREDENTIAL_WRONG_KIND: lambda: _with_token(_TOKEN_ID),
            StateName.PERMISSION_MISSING: lambda: _with_token(self.given("unprivileged_api_token")),
            (StateName.CREDENTIAL_ACCEPTED, _APP): self._app,
            (StateName.CREDENTIAL_UNKNOWN, _APP): lambda: self._app(client_id=_UNKNOWN_APP),
            (StateName.CREDENTIAL_WRONG, _APP): lambda: self._app(private_key=new_private_key()),
        }

    def lane(self, state: ProviderState) -> Lane | None:
        """Return the lane of a prepared user; states with a one-time password make users of their own."""
        if state.name == StateName.WORKING_OTP:
            return Lane("a user with an OTP", most=_MOST_OF_A_USER)
        kind = state.params.get("kind")
        name = _SHARED.get(state.name if kind is None else (state.name, str(kind)))
        return Lane(self.test_data.get(name, name), waits=state.name in _WAIT) if name else None

    def remove(self, thing: Thing) -> None:
        """Delete a user: the first request deactivates the user, the second one deletes.

        https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/#tag/User/operation/deleteUser
        """
        login = f"{thing.name}@{_DOMAIN}"
        known = [self._user_id] if self._user_id and self._login == login else None
        for user_id in known or [user["id"] for user in self._found(f'profile.login eq "{login}"')]:
            for _ in range(2):
                self.delete(f"/api/v1/users/{user_id}", self._as_admin)
        if known:
            self._user_id = self._factor_id = None

    def marked(self) -> Iterator[tuple[Thing, Mark]]:
        """Find users whose login and display name both carry the mark of a run."""
        for user in self._found('profile.login sw "mfagate-"'):
            name, _, domain = str(user["profile"]["login"]).partition("@")
            mark = Mark.read(name)
            if mark and domain == _DOMAIN and user["profile"].get("displayName") == mark.note:
                yield Thing("user", name), mark

    def _found(self, search: str) -> list[Any]:
        """Search users, including deactivated ones: https://developer.okta.com/docs/reference/user-query/."""
        return list(self._admin("GET", "/api/v1/users", params={"search": search, "limit": str(_MOST_LISTED)}))

    def _working_otp(self) -> StateValues:
        return self._with_codes(self._enrolled())

    def _used_otp(self) -> StateValues:
        arranged = self._with_codes(self._enrolled())
        path = f"/api/v1/users/{self._user_id}/factors/{self._factor_id}/verify"
        if self._admin("POST", path, json={"passCode": arranged.values["passcode"]})["factorResult"] != "SUCCESS":
            raise StateUnavailable("Okta rejected a code of a factor that was enrolled a moment ago.")
        return arranged

    def _pending_factor(self) -> StateValues:
        self._pending()
        return StateValues(self._ids())

    def _with_codes(self, phone: Totp) -> StateValues:
        codes = {"passcode": phone.code(), "wrong_passcode": phone.wrong_code()}
        return StateValues({**self._ids(), **codes}, frozenset({"passcode"}))

    def _ids(self) -> dict[str, str]:
        return {"user_id": str(self._user_id), "factor_id": str(self._factor_id)}

    def _enrolled(self) -> Totp:
        phone = self._pending()
        path = f"/api/v1/users/{self._user_id}/factors/{self._factor_id}/lifecycle/activate"
        # Each code works once; the current one is kept for the login.
        self._admin("POST", path, json={"passCode": phone.code_for_enrolment()})
        return phone

    def _pending(self) -> Totp:
        user_id = self._user_without_factor()
        factor = self._admin("POST", f"/api/v1/users/{user_id}/factors", json={"factorType": _TOTP, "provider": "OKTA"})
        self._factor_id = str(factor["id"])
        return Totp(str(factor["_embedded"]["activation"]["sharedSecret"]))

    def _user_without_factor(self) -> str:
        """Return the test user, created once, without the factor of the previous state."""
        if self._user_id is None:
            self._user_id = self._created()
        elif self._factor_id is not None:
            self._admin("DELETE", f"/api/v1/users/{self._user_id}/factors/{self._factor_id}")
        self._factor_id = None
        return self._user_id

    def _created(self) -> str:
        with self.making("user") as mark:
            self._login = login = f"{mark.name}@{_DOMAIN}"
            names = {"firstName": "mfagate", "lastName": "test", "displayName": mark.note}
            # With a password, the user is active immediately, and Okta sends no mail.
            body = {
                "profile": {**names, "email": login, "login": login},
                "credentials": {"password": {"value": f"{secrets.token_urlsafe(18)}aA1-"}},
            }
            return str(self._admin("POST", "/api/v1/users", params={"activate": "true"}, json=body)["id"])

    def _prepared(self, name: str, kind: str) -> StateValues:
        user = self.given(name)
        for factor in self.ask("GET", f"/api/v1/users/{segment(user)}/factors"):
            if (factor.get("factorType"), factor.get("status")) == (kind, "ACTIVE") and factor.get("id"):
                return StateValues({"user_id": user, "factor_id": str(factor["id"])})
        raise StateUnavailable(f"The user of test_data.{name} has no active factor of the type {kind}.")

    def _push(self, name: str, wanted: str, seconds: float = _PERSON_SECONDS) -> StateValues:
        arranged = self._prepared(name, _PUSH)
        user, factor = segment(arranged.values["user_id"]), arranged.values["factor_id"]
        sent = self.ask("POST", f"/api/v1/users/{user}/factors/{factor}/verify", json={})
        path = urlsplit(str(sent["_links"]["poll"]["href"])).path
        self._wait_for(path, wanted, seconds)
        return StateValues({**arranged.values, "poll_path": path})

    def _wait_for(self, path: str, wanted: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (result := self.ask("GET", path)["factorResult"]) != wanted:
            if result != "WAITING" or time.monotonic() > until:
                expected = f"The push did not reach the result that this state requires ({wanted})"
                raise StateUnavailable(f"{expected}: it is {quoted(result, 80)}.")
            time.sleep(_BETWEEN_POLLS)

    def _app(self, **changed: str) -> StateValues:
        own = self.settings.secret("private_key")
        app = {
            "client_id": self.settings.client_id if own else self.given("app_client_id"),
            "private_key": own or self.given("app_private_key"),
        }
        return StateValues(credential={"api_token": None, **app, **changed})

    @property
    def _as_admin(self) -> OktaSettings:
        admin = {"api_token": SecretStr(self.given("admin_api_token")), "private_key": None}
        return self.settings.model_copy(update=admin)

    def _admin(self, method: str, path: str, **request: Any) -> Any:
        return self.ask(method, path, self._as_admin, **request)


def _unknown_push() -> StateValues:
    path = f"/api/v1/users/{UNKNOWN_USER}/factors/{UNKNOWN_FACTOR}/transactions/{_UNKNOWN_TRANSACTION}"
    return StateValues({"poll_path": path})


def _with_token(token: str | None) -> StateValues:
    """Sign with this token, or not at all; the user does not exist, in case the token is accepted."""
    return StateValues({"user_id": UNKNOWN_USER}, credential={"api_token": token, "private_key": None})
