"""Put a tenant into the states that contracts require.

This uses prepared users, applications and device codes: an application can neither create a user's second factor nor
sign in as a user. Only redeeming a device code shows whether it was accepted, so mfagate cannot wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from mfagate.contract import ProviderState
from mfagate.providers.entra.auth import SIGN_IN_SCOPE, device_code_path
from mfagate.providers.entra.probes import MADE_UP, NOBODY, made_up_secret
from mfagate.providers.entra.settings import EntraSettings
from mfagate.providers.state_setup import Arrangement, Key, TabledStates
from mfagate.providers.states import StateName, StateValues

NOWHERE = "6d666167-6174-4e6f-8e6f-776865726500"
"""The id of a tenant that does not exist."""

NOTHING = "6d666167-6174-4e6f-8e6f-7468696e6700"
"""The id of an application that does not exist."""

_UNKNOWN_CODE = "MFAGATE" + "A" * 120


class EntraStates(TabledStates[EntraSettings]):
    """Sets up states on one tenant.

    Values: always ``tenant_id``, ``client_id`` and ``scope``; ``username``, an object id; ``device_code``.
    """

    @property
    def _usual(self) -> dict[str, str]:
        settings = self.settings
        return {"tenant_id": settings.tenant_id, "client_id": settings.client_id, "scope": settings.hosts.scope}

    def arrangements(self) -> Mapping[Key, Arrangement]:
        """Return the function that sets up each state."""
        return {
            StateName.CREDENTIAL_ACCEPTED: self._arranged,
            StateName.CREDENTIAL_MISSING: lambda: self._arranged(**_no_credential()),
            # The contract provides the token; without a credential, it is sent unchanged.
            StateName.CREDENTIAL_MALFORMED: lambda: self._arranged(**_no_credential()),
            StateName.CREDENTIAL_WRONG: self._wrong,
            StateName.CREDENTIAL_UNKNOWN: lambda: self._arranged(client_id=NOTHING),
            StateName.CREDENTIAL_EXPIRED: lambda: self._with_secret(self.given("expired_client_secret")),
            StateName.CREDENTIAL_REVOKED: lambda: self._application("disabled"),
            StateName.CREDENTIAL_WRONG_KIND: lambda: self._arranged(client_id=self.given("public_client_id")),
            StateName.PERMISSION_MISSING: lambda: self._application("roleless"),
            StateName.RESOURCE_MISSING: lambda: StateValues({**self._usual, "tenant_id": NOWHERE}),
            StateName.CHALLENGE_FACTOR: lambda: self._user(self.given("user")),
            StateName.NO_FACTOR: lambda: self._user(self.given("weak_user")),
            StateName.UNKNOWN_USER: lambda: self._user(NOBODY),
            StateName.CHALLENGE_UNKNOWN: lambda: self._device_code(_UNKNOWN_CODE),
            StateName.CHALLENGE_ANSWERED: lambda: self._device_code(self.given("redeemed_device_code")),
            StateName.PUSH_PENDING: self._pending,
            StateName.PUSH_ACCEPTED: lambda: self._device_code(self.given("accepted_device_code")),
            StateName.PUSH_DECLINED: lambda: self._device_code(self.given("declined_device_code")),
            StateName.PUSH_TIMED_OUT: lambda: self._device_code(self.given("expired_device_code")),
        }

    def lane(self, state: ProviderState) -> None:
        """Return None: a state uses what nothing else uses, or changes nothing."""

    def _arranged(self, **credential: str | None) -> StateValues:
        return StateValues(self._usual, credential=credential)

    def _user(self, object_id: str) -> StateValues:
        return StateValues({**self._usual, "username": object_id})

    def _device_code(self, code: str) -> StateValues:
        return StateValues({**self._usual, "device_code": code}, frozenset({"device_code"}))

    def _with_secret(self, secret: str, **more: str) -> StateValues:
        return self._arranged(**_no_credential() | {"client_secret": secret} | more)

    def _application(self, name: str) -> StateValues:
        return self._with_secret(self.given(f"{name}_client_secret"), client_id=self.given(f"{name}_client_id"))

    def _wrong(self) -> StateValues:
        for name in ("private_key", "client_assertion"):
            if getattr(self.settings, name) is not None:
                return self._arranged(**{name: MADE_UP[name]()})
        return self._with_secret(made_up_secret())

    def _pending(self) -> StateValues:
        path = device_code_path(self.settings)
        form = {"client_id": self.settings.client_id, "scope": SIGN_IN_SCOPE}
        return self._device_code(str(self.ask("POST", path, data=form)["device_code"]))


def _no_credential() -> dict[str, str | None]:
    return dict.fromkeys(("client_secret", "private_key", "certificate_thumbprint", "client_assertion"))
