"""Put a Duo account into the states that contracts require.

This uses prepared users and the Admin API: bypass codes are passcodes that need no phone, and test users get the
statuses that a real user should not have. https://duo.com/docs/adminapi#users.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from pydantic import SecretStr

from mfagate.contract import ProviderState
from mfagate.core.exchange import Response
from mfagate.leftovers.ledger import Thing
from mfagate.leftovers.marks import Mark
from mfagate.providers.duo.errors import response_of
from mfagate.providers.duo.settings import DuoSettings
from mfagate.providers.state_setup import Arrangement, Key, TabledStates
from mfagate.providers.states import Lane, StateName, StateUnavailable, StateValues

UNKNOWN_USER = "mfagate-no-such-user"

_PAGE, _MOST_PAGES = 300, 10
"""Limits of a list of users: https://duo.com/docs/adminapi#retrieve-users."""

_PREPARED: Mapping[str, str] = {
    StateName.WORKING_OTP: "user",
    StateName.USED_OTP: "user",
    StateName.CHALLENGE_FACTOR: "user",
    StateName.PUSH_PENDING: "user",
    StateName.PUSH_ACCEPTED: "accepting_user",
    StateName.PUSH_DECLINED: "declining_user",
    StateName.PUSH_TIMED_OUT: "ignoring_user",
    StateName.LOCKED_FACTOR: "locked_user",
}
"""The entry of ``test_data`` with the user of a state. Other states make a user, or need none."""

_FOR_A_PERSON = (StateName.PUSH_ACCEPTED, StateName.PUSH_DECLINED, StateName.PUSH_TIMED_OUT)

_UNKNOWN_TRANSACTION = "00000000-0000-0000-0000-000000000000"


class DuoStates(TabledStates[DuoSettings]):
    """Sets up states on one account.

    Values: ``username``; ``passcode``, which completes a login, and ``wrong_passcode``;
    ``txid`` of a push.
    """

    def arrangements(self) -> Mapping[Key, Arrangement]:
        """Return the function that sets up each state."""
        return {
            StateName.CREDENTIAL_ACCEPTED: StateValues,
            StateName.WORKING_OTP: self._working_otp,
            StateName.USED_OTP: self._used_otp,
            StateName.NO_FACTOR: lambda: self._user_with_status("active"),
            StateName.BYPASSED_USER: lambda: self._user_with_status("bypass"),
            StateName.DISABLED_USER: lambda: self._user_with_status("disabled"),
            StateName.LOCKED_FACTOR: lambda: self._prepared("locked_user"),
            StateName.UNKNOWN_USER: lambda: StateValues({"username": UNKNOWN_USER}),
            StateName.CHALLENGE_FACTOR: lambda: self._prepared("user"),
            StateName.CHALLENGE_UNKNOWN: lambda: StateValues({"txid": _UNKNOWN_TRANSACTION}),
            StateName.PUSH_PENDING: lambda: self._push("user", "waiting"),
            StateName.PUSH_ACCEPTED: lambda: self._push("accepting_user", "allow"),
            StateName.PUSH_DECLINED: lambda: self._push("declining_user", "deny"),
            StateName.PUSH_TIMED_OUT: lambda: self._push("ignoring_user", "deny"),
            StateName.CREDENTIAL_MISSING: lambda: StateValues(credential={"secret_key": None}),
            StateName.CREDENTIAL_WRONG: self._wrong_secret,
            StateName.CREDENTIAL_UNKNOWN: self._unknown_key,
            StateName.CREDENTIAL_WRONG_KIND: self._admin_keys,
        }

    def lane(self, state: ProviderState) -> Lane | None:
        """Return the lane of the prepared user of a state."""
        name = _PREPARED.get(state.name)
        return Lane(self.test_data.get(name, name), waits=state.name in _FOR_A_PERSON) if name else None

    def remove(self, thing: Thing) -> None:
        """Delete a user, by the current id of the name."""
        for user in self._admin("GET", "/admin/v1/users", params={"username": thing.name}):
            self.delete(f"/admin/v1/users/{user['user_id']}", self._as_admin)

    def marked(self) -> Iterator[tuple[Thing, Mark]]:
        """Find users whose name and notes both carry the mark of a run."""
        for page in range(_MOST_PAGES):
            paging = {"limit": str(_PAGE), "offset": str(page * _PAGE)}
            users = self._admin("GET", "/admin/v1/users", params=paging)
            for user in users:
                mark = Mark.read(str(user["username"]))
                if mark and user.get("notes") == mark.note:
                    yield Thing("user", mark.name), mark
            if len(users) < _PAGE:
                break

    def _working_otp(self) -> StateValues:
        username = self.given("user")
        path = f"/admin/v1/users/{self._user_id}/bypass_codes"
        # Keeps the codes of other runs; this one works once and for ten minutes.
        options = {"count": "1", "reuse_count": "1", "valid_secs": "600", "preserve_existing": "true"}
        (passcode,) = self._admin("POST", path, json=options)
        values = {"username": username, "passcode": str(passcode), "wrong_passcode": _other_than(str(passcode))}
        return StateValues(values, frozenset({"passcode"}))

    @cached_property
    def _user_id(self) -> str:
        username = self.given("user")
        found = self._admin("GET", "/admin/v1/users", params={"username": username})
        if not found:
            raise StateUnavailable(f"The account has no user {username!r}.")
        return str(found[0]["user_id"])

    def _used_otp(self) -> StateValues:
        arranged = self._working_otp()
        login = {"username": arranged.values["username"], "factor": "passcode", "passcode": arranged.values["passcode"]}
        if self.ask("POST", "/auth/v2/auth", json=login)["result"] != "allow":
            raise StateUnavailable("Duo rejected a bypass code that it created a moment ago.")
        return arranged

    def _user_with_status(self, status: str) -> StateValues:
        with self.making("user") as mark:
            self._admin("POST", "/admin/v1/users", json={"username": mark.name, "status": status, "notes": mark.note})
        return StateValues({"username": mark.name})

    def _prepared(self, name: str) -> StateValues:
        return StateValues({"username": self.given(name)})

    def _push(self, name: str, wanted: str) -> StateValues:
        push = {"username": self.given(name), "factor": "push", "device": "auto", "async": "1"}
        txid = str(self.ask("POST", "/auth/v2/auth", json=push)["txid"])
        if wanted != "waiting":
            self._wait_for(txid, wanted)
        return StateValues({"username": push["username"], "txid": txid})

    def _wait_for(self, txid: str, wanted: str) -> None:
        # Duo answers when something has changed, so a few requests suffice.
        for _ in range(10):
            result = self.ask("GET", "/auth/v2/auth_status", params={"txid": txid})["result"]
            if result == wanted:
                return
            if result != "waiting":
                break
        raise StateUnavailable(f"The push did not reach the result that this state requires ({wanted}).")

    def _wrong_secret(self) -> StateValues:
        right = self.settings.secret("secret_key") or ""
        return StateValues(credential={"secret_key": right[::-1]})

    def _unknown_key(self) -> StateValues:
        return StateValues(credential={"integration_key": "DIMFAGATENOSUCHKEY00"})

    def _admin_keys(self) -> StateValues:
        return StateValues(
            credential={
                "integration_key": self.given("admin_integration_key"),
                "secret_key": self.given("admin_secret_key"),
            }
        )

    @property
    def _as_admin(self) -> DuoSettings:
        keys = {
            "integration_key": self.given("admin_integration_key"),
            "secret_key": SecretStr(self.given("admin_secret_key")),
        }
        return self.settings.model_copy(update=keys)

    def _admin(self, method: str, path: str, **request: Any) -> Any:
        return self.ask(method, path, self._as_admin, **request)

    def payload(self, response: Response) -> Any:
        """Return the content of the envelope of a successful answer, or None."""
        return response_of(response)


def _other_than(passcode: str) -> str:
    return f"{(int(passcode) + 1) % 10 ** len(passcode):0{len(passcode)}}"
