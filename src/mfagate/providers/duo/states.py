"""Putting a Duo account into the states that contracts ask for.

With users that somebody prepared, and through the Admin API: bypass codes are the
passcodes that need no phone, and users of our own have the statuses that nobody
else should have. https://duo.com/docs/adminapi#users.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import SecretStr

from mfagate.exchange import Response
from mfagate.providers.arranging import Arrangement, Key, TabledStates
from mfagate.providers.base import Provider, Send
from mfagate.providers.duo.errors import response_of
from mfagate.providers.duo.settings import DuoSettings
from mfagate.providers.states import Arranged, State, StateUnavailable

PREFIX = "mfagate-"
"""The names of our own users begin with it."""

UNKNOWN_USER = "mfagate-no-such-user"

_UNKNOWN_TRANSACTION = "00000000-0000-0000-0000-000000000000"


class DuoStates(TabledStates[DuoSettings]):
    """Arranges states on one account.

    Values: ``username``; ``passcode``, which completes a login, and ``wrong_passcode``;
    ``txid`` of a push.
    """

    def __init__(self, provider: Provider, send: Send, settings: DuoSettings, test_data: Mapping[str, str]) -> None:
        super().__init__(provider, send, settings, test_data)
        self._created: list[str] = []

    def arrangements(self) -> Mapping[Key, Arrangement]:
        """How each state is arranged."""
        return {
            State.CREDENTIAL_ACCEPTED: Arranged,
            State.WORKING_OTP: self._working_otp,
            State.USED_OTP: self._used_otp,
            State.NO_FACTOR: lambda: self._user_with_status("active"),
            State.BYPASSED_USER: lambda: self._user_with_status("bypass"),
            State.DISABLED_USER: lambda: self._user_with_status("disabled"),
            State.LOCKED_FACTOR: lambda: self._prepared("locked_user"),
            State.UNKNOWN_USER: lambda: Arranged({"username": UNKNOWN_USER}),
            State.CHALLENGE_FACTOR: lambda: self._prepared("user"),
            State.CHALLENGE_UNKNOWN: lambda: Arranged({"txid": _UNKNOWN_TRANSACTION}),
            State.PUSH_PENDING: lambda: self._push("user", "waiting"),
            State.PUSH_ACCEPTED: lambda: self._push("accepting_user", "allow"),
            State.PUSH_DECLINED: lambda: self._push("declining_user", "deny"),
            State.PUSH_TIMED_OUT: lambda: self._push("ignoring_user", "deny"),
            State.CREDENTIAL_MISSING: lambda: Arranged(credential={"secret_key": None}),
            State.CREDENTIAL_WRONG: self._wrong_secret,
            State.CREDENTIAL_UNKNOWN: self._unknown_key,
            State.CREDENTIAL_WRONG_KIND: self._admin_keys,
        }

    def close(self) -> None:
        """Delete the users that ``arrange`` created; never raises."""
        for user_id in self._created:
            with suppress(Exception):
                self._admin("DELETE", f"/admin/v1/users/{user_id}")

    def _working_otp(self) -> Arranged:
        username = self.given("user")
        found = self._admin("GET", "/admin/v1/users", params={"username": username})
        if not found:
            raise StateUnavailable(f"The account has no user {username!r}.")
        path = f"/admin/v1/users/{found[0]['user_id']}/bypass_codes"
        (passcode,) = self._admin("POST", path, json={"count": "1", "reuse_count": "1", "valid_secs": "600"})
        values = {"username": username, "passcode": str(passcode), "wrong_passcode": _other_than(str(passcode))}
        return Arranged(values, frozenset({"passcode"}))

    def _used_otp(self) -> Arranged:
        arranged = self._working_otp()
        login = {"username": arranged.values["username"], "factor": "passcode", "passcode": arranged.values["passcode"]}
        if self.ask("POST", "/auth/v2/auth", json=login)["result"] != "allow":
            raise StateUnavailable("Duo refused a bypass code that it made a moment ago.")
        return arranged

    def _user_with_status(self, status: str) -> Arranged:
        username = PREFIX + secrets.token_hex(6)
        user = self._admin("POST", "/admin/v1/users", json={"username": username, "status": status})
        self._created.append(str(user["user_id"]))
        return Arranged({"username": username})

    def _prepared(self, name: str) -> Arranged:
        return Arranged({"username": self.given(name)})

    def _push(self, name: str, wanted: str) -> Arranged:
        push = {"username": self.given(name), "factor": "push", "device": "auto", "async": "1"}
        txid = str(self.ask("POST", "/auth/v2/auth", json=push)["txid"])
        if wanted != "waiting":
            self._wait_for(txid, wanted)
        return Arranged({"username": push["username"], "txid": txid})

    def _wait_for(self, txid: str, wanted: str) -> None:
        # Duo answers when something has changed, so this is a handful of requests at the most.
        for _ in range(10):
            result = self.ask("GET", "/auth/v2/auth_status", params={"txid": txid})["result"]
            if result == wanted:
                return
            if result != "waiting":
                break
        raise StateUnavailable(f"The push was not answered as this state needs it ({wanted}).")

    def _wrong_secret(self) -> Arranged:
        right = self.settings.secret("secret_key") or ""
        return Arranged(credential={"secret_key": right[::-1]})

    def _unknown_key(self) -> Arranged:
        return Arranged(credential={"integration_key": "DIMFAGATENOSUCHKEY00"})

    def _admin_keys(self) -> Arranged:
        return Arranged(
            credential={
                "integration_key": self.given("admin_integration_key"),
                "secret_key": self.given("admin_secret_key"),
            }
        )

    def _admin(self, method: str, path: str, **request: Any) -> Any:
        keys = {
            "integration_key": self.given("admin_integration_key"),
            "secret_key": SecretStr(self.given("admin_secret_key")),
        }
        return self.ask(method, path, self.settings.model_copy(update=keys), **request)

    def payload(self, response: Response) -> Any:
        """What is in the envelope of a good answer, else None."""
        return response_of(response)


def _other_than(passcode: str) -> str:
    return f"{(int(passcode) + 1) % 10 ** len(passcode):0{len(passcode)}}"
