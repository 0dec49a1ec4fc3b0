"""Putting a tenant into the states that contracts ask for.

With users, applications and device codes that somebody prepared: an application may neither make
a user's second factor nor sign in for a user, and whether a device code was accepted is told by
redeeming it alone, so that it cannot be waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import requests

from mfagate.contract import ProviderState
from mfagate.providers.base import Send
from mfagate.providers.entra import NOBODY, made_up_key, made_up_secret
from mfagate.providers.entra.auth import SIGN_IN_SCOPE, device_code_path
from mfagate.providers.entra.errors import error_of
from mfagate.providers.entra.settings import EntraSettings
from mfagate.providers.states import Arranged, State, StateNotConfigured, StateUnavailable

NOWHERE = "6d666167-6174-4e6f-8e6f-776865726500"
"""A tenant that is none."""

NOTHING = "6d666167-6174-4e6f-8e6f-7468696e6700"
"""An application that is none."""

_UNKNOWN_CODE = "MFAGATE" + "A" * 120


class EntraStates:
    """Arranges states on one tenant.

    Values: ``tenant_id``, ``client_id`` and ``scope`` always; ``username``, which is an
    object id; ``device_code``.
    """

    def __init__(self, send: Send, settings: EntraSettings, test_data: Mapping[str, str]) -> None:
        self._send = send
        self._settings = settings
        self._test_data = test_data
        self._usual = {
            "tenant_id": settings.tenant_id,
            "client_id": settings.client_id,
            "scope": settings.hosts.scope,
        }
        self._arrangements: Mapping[str, Callable[[], Arranged]] = {
            State.CREDENTIAL_ACCEPTED: self._arranged,
            State.CREDENTIAL_MISSING: lambda: self._arranged(**_no_credential()),
            # The token is the contract's own: without a credential nothing takes its place.
            State.CREDENTIAL_MALFORMED: lambda: self._arranged(**_no_credential()),
            State.CREDENTIAL_WRONG: self._wrong,
            State.CREDENTIAL_UNKNOWN: lambda: self._arranged(client_id=NOTHING),
            State.CREDENTIAL_EXPIRED: lambda: self._with_secret(self._given("expired_client_secret")),
            State.CREDENTIAL_REVOKED: lambda: self._application("disabled"),
            State.CREDENTIAL_WRONG_KIND: lambda: self._arranged(client_id=self._given("public_client_id")),
            State.PERMISSION_MISSING: lambda: self._application("roleless"),
            State.RESOURCE_MISSING: lambda: Arranged({**self._usual, "tenant_id": NOWHERE}),
            State.CHALLENGE_FACTOR: lambda: self._user(self._given("user")),
            State.NO_FACTOR: lambda: self._user(self._given("weak_user")),
            State.UNKNOWN_USER: lambda: self._user(NOBODY),
            State.CHALLENGE_UNKNOWN: lambda: self._device_code(_UNKNOWN_CODE),
            State.CHALLENGE_ANSWERED: lambda: self._device_code(self._given("redeemed_device_code")),
            State.PUSH_PENDING: self._pending,
            State.PUSH_ACCEPTED: lambda: self._device_code(self._given("accepted_device_code")),
            State.PUSH_DECLINED: lambda: self._device_code(self._given("declined_device_code")),
            State.PUSH_TIMED_OUT: lambda: self._device_code(self._given("expired_device_code")),
        }

    def arrange(self, state: ProviderState) -> Arranged:
        """Put the tenant into the state.

        Raises:
            StateNotConfigured: An entry of ``test_data`` is missing.
            StateUnavailable: Entra gave no device code; the message says why.
        """
        arrangement = self._arrangements.get(state.name)
        if arrangement is None:
            raise StateUnavailable(f"Entra cannot be put into the state {state.name!r}.")
        return arrangement()

    def close(self) -> None:
        """Nothing was created but a device code, which ends by itself."""

    def _arranged(self, **credential: str | None) -> Arranged:
        return Arranged(self._usual, credential=credential)

    def _user(self, object_id: str) -> Arranged:
        return Arranged({**self._usual, "username": object_id})

    def _device_code(self, code: str) -> Arranged:
        return Arranged({**self._usual, "device_code": code}, frozenset({"device_code"}))

    def _with_secret(self, secret: str, **more: str) -> Arranged:
        return self._arranged(**_no_credential() | {"client_secret": secret} | more)

    def _application(self, name: str) -> Arranged:
        return self._with_secret(self._given(f"{name}_client_secret"), client_id=self._given(f"{name}_client_id"))

    def _wrong(self) -> Arranged:
        if self._settings.private_key is not None:
            return self._arranged(private_key=made_up_key())
        return self._with_secret(made_up_secret())

    def _pending(self) -> Arranged:
        path = device_code_path(self._settings)
        form = {"client_id": self._settings.client_id, "scope": SIGN_IN_SCOPE}
        exchange = self._send(requests.Request("POST", path, data=form))
        response = exchange.response
        if response is None:
            raise StateUnavailable(exchange.failure.message if exchange.failure else "no answer")
        if error := error_of(response):
            raise StateUnavailable(f"POST {path}: {error.code}, {error.message}")
        try:
            return self._device_code(str(response.json()["device_code"]))
        except (ValueError, LookupError, TypeError):
            raise StateUnavailable(f"POST {path}: status {response.status}, and no device code.") from None

    def _given(self, name: str) -> str:
        if not (value := self._test_data.get(name)):
            raise StateNotConfigured(f"test_data.{name}", f"test_data has no {name}.")
        return value


def _no_credential() -> dict[str, str | None]:
    return dict.fromkeys(("client_secret", "private_key", "certificate_thumbprint"))
