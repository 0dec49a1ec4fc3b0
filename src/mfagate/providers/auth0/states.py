"""Put an Auth0 tenant into the states that contracts require.

Test users are created through the Management API, with a known TOTP secret
(https://auth0.com/docs/secure/multi-factor-authentication/manage-mfa-auth0-apis/manage-authentication-methods-with-management-api),
so that one-time passwords need no phone. Pushes and SMS go to prepared users. The tenant must require a second factor
in every login.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import requests
from pydantic import SecretStr

from mfagate.contract import ProviderState
from mfagate.core.foreign import quoted
from mfagate.core.origins import segment
from mfagate.leftovers.ledger import Thing
from mfagate.leftovers.marks import Mark
from mfagate.providers.auth0.probes import GRANT, NO_SUCH_LOGIN, UNKNOWN_USER_ID
from mfagate.providers.auth0.settings import DEFAULT_CONNECTION, TOKEN_PATH, Auth0Settings
from mfagate.providers.state_setup import Arrangement, Key, TabledStates
from mfagate.providers.states import AskedTooSoon, Lane, StateName, StateNotConfigured, StateUnavailable, StateValues
from mfagate.providers.totp import Totp

_DOMAIN = "example.com"
"""Domain of the test users' addresses; it receives no mail (RFC 2606)."""

_OTHER_ID = "user with the id"
"""The kind of a user whose connection did not accept the chosen id."""

_NOTE = "mfagate"
"""The key of ``app_metadata`` that records which run created a user, and when."""

_PAGE, _MOST_PAGES = 100, 10
"""Auth0 lists at most a thousand users: https://auth0.com/docs/manage-users/user-search."""

_MOST_WRONG_CODES = 10
"""After so many, according to Auth0 Support, a user must wait some minutes (tenant log
``gd_otp_rate_limit_exceed``)."""

_LONGEST_WAIT = 60.0

_SHARED: Mapping[str, str] = {
    StateName.CHALLENGE_FACTOR: "user",
    StateName.PUSH_PENDING: "user",
    StateName.PUSH_ACCEPTED: "accepting_user",
    StateName.PUSH_DECLINED: "declining_user",
    StateName.CHALLENGE_STARTED: "phone",
    StateName.NO_FACTOR: "a user without a factor",
}
"""What the states share: an entry of ``test_data``, or a user that is made for all interactions of the state."""

_FOR_A_PERSON = (StateName.PUSH_ACCEPTED, StateName.PUSH_DECLINED)

_MOST_OF_A_USER = 3
"""Interactions with a working OTP for which one test user is made."""

_SECRET_VALUES = frozenset({"password", "mfa_token", "authorization", "otp", "oob_code"})


@dataclass(frozen=True, slots=True)
class KnownUser:
    """A user with a known password; ``totp`` is the authenticator, if mfagate created it."""

    email: str
    password: str
    user_id: str = ""
    totp: Totp | None = None


class Auth0States(TabledStates[Auth0Settings]):
    """Sets up states on one tenant.

    Values: ``username``, ``password``, ``connection``, ``user_id``; ``mfa_token`` of a login in progress, and the
    ``authorization`` header with it; ``authenticator_id``;
    ``otp`` and ``wrong_otp``; ``oob_code``; ``audience`` of the Management API.
    """

    def arrangements(self) -> Mapping[Key, Arrangement]:
        """Return the function that sets up each state."""
        return {
            StateName.CREDENTIAL_ACCEPTED: self._accepted,
            StateName.WORKING_OTP: lambda: self._in_login(self._otp_user),
            StateName.NO_FACTOR: lambda: self._in_login(self._bare_user),
            StateName.LOCKED_FACTOR: self._locked,
            StateName.DISABLED_USER: lambda: self._arranged(self._create(blocked=True)),
            StateName.UNKNOWN_USER: self._unknown_user,
            StateName.CHALLENGE_FACTOR: lambda: self._reachable(self._prepared("user"), "auth0"),
            StateName.CHALLENGE_STARTED: self._texted,
            StateName.CHALLENGE_UNKNOWN: lambda: self._arranged(mfa_token=NO_SUCH_LOGIN, oob_code=NO_SUCH_LOGIN),
            StateName.PUSH_PENDING: lambda: self._oob("user", "auth0"),
            StateName.PUSH_ACCEPTED: lambda: self._answered("accepting_user"),
            StateName.PUSH_DECLINED: lambda: self._answered("declining_user"),
            StateName.CREDENTIAL_MISSING: lambda: self._with({"client_secret": None}),
            StateName.CREDENTIAL_WRONG: lambda: self._with({"client_secret": secrets.token_urlsafe(48)}),
            StateName.CREDENTIAL_UNKNOWN: lambda: self._with({"client_id": secrets.token_hex(16)}),
            StateName.CREDENTIAL_MALFORMED: lambda: self._with({"management_token": "mfagate-is-no-token"}),
            StateName.CREDENTIAL_EXPIRED: self._expired_token,
            StateName.CREDENTIAL_WRONG_KIND: lambda: self._other_client("ungranted"),
            StateName.PERMISSION_MISSING: lambda: self._other_client("restricted"),
        }

    def lane(self, state: ProviderState) -> Lane | None:
        """Return the lane of a prepared user, or of a user who is made for several interactions."""
        if state.name == StateName.WORKING_OTP:
            return Lane("a user with an OTP", most=_MOST_OF_A_USER)
        name = _SHARED.get(state.name)
        return Lane(self.test_data.get(name, name), waits=state.name in _FOR_A_PERSON) if name else None

    def remove(self, thing: Thing) -> None:
        """Delete a user; Auth0 answers 204 even if there is none."""
        user_id = thing.name if thing.kind == _OTHER_ID else _user_id(thing.name)
        self.delete(f"/api/v2/users/{segment(user_id)}", self._as_admin)

    def marked(self) -> Iterator[tuple[Thing, Mark]]:
        """Find users whose id, address and ``app_metadata`` all carry the mark of a run.

        https://auth0.com/docs/manage-users/user-search/user-search-query-syntax
        """
        query = {"q": "email:mfagate-*", "search_engine": "v3", "per_page": str(_PAGE)}
        for page in range(_MOST_PAGES):
            users = self._admin("GET", "/api/v2/users", params={**query, "page": str(page)})
            for user in users:
                name, _, domain = str(user.get("email")).partition("@")
                mark = Mark.read(name)
                known = mark and domain == _DOMAIN and user["user_id"] == _user_id(name)
                if mark and known and (user.get("app_metadata") or {}).get(_NOTE) == mark.note:
                    yield Thing("user", name), mark
            if len(users) < _PAGE:
                break

    @property
    def _connection(self) -> str:
        return self.test_data.get("connection") or DEFAULT_CONNECTION

    @cached_property
    def _otp_user(self) -> KnownUser:
        """One user for all states that need a working OTP, because each state redeems at most one code."""
        return self._with_totp(self._create())

    def _with_totp(self, user: KnownUser) -> KnownUser:
        totp = Totp.generate()
        path = f"/api/v2/users/{segment(user.user_id)}/authentication-methods"
        self._admin("POST", path, json={"type": "totp", "name": "mfagate", "totp_secret": totp.secret})
        return replace(user, totp=totp)

    @cached_property
    def _bare_user(self) -> KnownUser:
        """One user for all states that need a user without a factor."""
        return self._create()

    def _create(self, **more: Any) -> KnownUser:
        with self.making("user") as mark:
            user = KnownUser(f"{mark.name}@{_DOMAIN}", f"Aa1-{secrets.token_urlsafe(18)}", _user_id(mark.name))
            body = {
                "connection": self._connection,
                # Chosen here, so that the user can be deleted even if no answer arrives.
                "user_id": mark.name,
                "email": user.email,
                "password": user.password,
                "verify_email": False,
                "app_metadata": {_NOTE: mark.note},
            }
            user_id = str(self._admin("POST", "/api/v2/users", json={**body, **more})["user_id"])
        if user_id != user.user_id:
            self.record(Thing(_OTHER_ID, user_id))
        return replace(user, user_id=user_id)

    def _arranged(self, user: KnownUser | None = None, **more: str) -> StateValues:
        known = {"username": user.email, "password": user.password, "user_id": user.user_id} if user else {}
        values = {"connection": self._connection, **known, **more}
        # The name of a login that never existed is not secret.
        return StateValues(
            values, frozenset(name for name in _SECRET_VALUES & {*values} if values[name] != NO_SUCH_LOGIN)
        )

    def _unknown_user(self) -> StateValues:
        nobody = KnownUser(f"mfagate-no-such-user@{_DOMAIN}", f"Aa1-{secrets.token_urlsafe(18)}", UNKNOWN_USER_ID)
        return self._arranged(nobody)

    def _in_login(self, user: KnownUser) -> StateValues:
        """Start a login with the user's password, which then waits for the second factor."""
        login = self._login(user)
        if user.totp is None:
            return self._waiting(user, login)
        if user not in self._authenticators:
            self._authenticators[user] = self._authenticator(login, "otp", None)
        return self._waiting(user, login, authenticator_id=self._authenticators[user])

    def _waiting(self, user: KnownUser, login: str, **more: str) -> StateValues:
        """Return the values of a login that waits for the second factor, with codes if mfagate knows the factor."""
        codes = {"otp": user.totp.code(), "wrong_otp": user.totp.wrong_code()} if user.totp else {}
        return self._arranged(user, mfa_token=login, authorization=f"Bearer {login}", **codes, **more)

    @cached_property
    def _authenticators(self) -> dict[KnownUser, str]:
        """The id of the authenticator of each user whom mfagate created."""
        return {}

    def _login(self, user: KnownUser) -> str:
        form = {"grant_type": f"{GRANT}password-realm", "username": user.email, "password": user.password}
        body = self._refused("POST", TOKEN_PATH, data={**form, "realm": self._connection})
        if body.get("error") == "mfa_required":
            return str(body["mfa_token"])
        if "access_token" in body:
            raise StateUnavailable("The tenant does not ask for a second factor: its MFA policy must be Always.")
        raise StateUnavailable(
            f"POST {TOKEN_PATH}: error {quoted(body.get('error'), 80)}, {quoted(body.get('error_description'))}"
        )

    def _authenticator(self, login: str, kind: str, channel: str | None) -> str:
        known = self.ask("GET", "/mfa/authenticators", headers={"Authorization": f"Bearer {login}"})
        found = [entry for entry in known if entry.get("active") and entry.get("authenticator_type") == kind]
        fitting = [str(entry["id"]) for entry in found if entry.get("oob_channel") == channel and entry.get("id")]
        if not fitting:
            raise StateUnavailable(f"The user has no active authenticator of the type {channel or kind}.")
        return fitting[0]

    def _oob(self, name: str, channel: str) -> StateValues:
        """Send a push or an SMS to a prepared user."""
        return self._sent_to(self._prepared(name), channel)

    def _prepared(self, name: str) -> KnownUser:
        return KnownUser(self.given(name), self.given("password"))

    def _sent_to(self, user: KnownUser, channel: str) -> StateValues:
        arranged = self._reachable(user, channel)
        body = {name: arranged.values[name] for name in ("mfa_token", "authenticator_id")}
        oob_code = str(self.ask("POST", "/mfa/challenge", json={**body, "challenge_type": "oob"})["oob_code"])
        values = {**arranged.values, "oob_code": oob_code}
        return replace(arranged, values=values, secrets=_SECRET_VALUES & values.keys())

    def _reachable(self, user: KnownUser, channel: str) -> StateValues:
        """Start the login of a user who can receive a push or a message, without sending one."""
        login = self._login(user)
        return self._waiting(user, login, authenticator_id=self._authenticator(login, "oob", channel))

    def _texted(self) -> StateValues:
        """Text a new user with the prepared phone, so that wrong codes of one run do not block another run's user.

        https://auth0.com/docs/api/management/v2/users/post-authentication-methods
        """
        phone = self.given("phone")
        user = self._create()
        method = {"type": "phone", "phone_number": phone, "preferred_authentication_method": "sms"}
        self._admin("POST", f"/api/v2/users/{segment(user.user_id)}/authentication-methods", json=method)
        return self._sent_to(user, "sms")

    def _answered(self, name: str) -> StateValues:
        # A query would redeem an approved push, so this state can only wait.
        try:
            wait = float(self.test_data.get("answer_seconds") or 0)
        except ValueError:
            raise StateUnavailable("test_data.answer_seconds is not a number.") from None
        arranged = self._oob(name, "auth0")
        time.sleep(min(max(wait, 0.0), _LONGEST_WAIT))
        return arranged

    def _locked(self) -> StateValues:
        user = self._with_totp(self._create())
        arranged = self._waiting(user, self._login(user))
        wrong = {"mfa_token": arranged.values["mfa_token"], "otp": arranged.values["wrong_otp"]}
        form = {"grant_type": f"{GRANT}mfa-otp", **wrong}
        with suppress(AskedTooSoon):  # The lock came earlier.
            for _ in range(_MOST_WRONG_CODES):
                self._refused("POST", TOKEN_PATH, data=form)
        return arranged

    def _accepted(self) -> StateValues:
        if self.settings.management_token is not None:
            raise StateNotConfigured("no management_token", "management_token is set, so no token is fetched.")
        return self._with({})

    def _expired_token(self) -> StateValues:
        return self._with({"management_token": self.given("expired_management_token")})

    def _with(self, credential: Mapping[str, str | None]) -> StateValues:
        """Replace settings of the login service."""
        return StateValues({"audience": self.settings.management_audience}, credential=credential)

    def _other_client(self, name: str) -> StateValues:
        """Use another application in place of the login service's own."""
        given = {part: self.given(f"{name}_{part}") for part in ("client_id", "client_secret")}
        return self._with({**given, "management_token": None})

    @property
    def _as_admin(self) -> Auth0Settings:
        client = {
            "client_id": self.given("admin_client_id"),
            "client_secret": SecretStr(self.given("admin_client_secret")),
            "management_token": None,
        }
        return self.settings.model_copy(update=client)

    def _admin(self, method: str, path: str, **request: Any) -> Any:
        return self.ask(method, path, self._as_admin, **request)

    def _refused(self, method: str, path: str, **request: Any) -> Any:
        """Return the JSON of an answer that may be a refusal, such as ``mfa_required``.

        Raises:
            StateUnavailable: No answer arrived, or it is not Auth0's JSON.
        """
        response = self.answer(requests.Request(method, path, **request))
        request_line = f"{method} {path}"
        if response.status not in (400, 401, 403, 429):
            return self.content(request_line, response)
        try:
            return response.json()
        except ValueError:
            raise StateUnavailable(f"{request_line}: status {response.status} without {self.title}'s JSON.") from None


def _user_id(name: str) -> str:
    """Return the id of a user in a database connection: the strategy and the chosen name."""
    return f"auth0|{name}"
