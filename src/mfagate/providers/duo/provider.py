"""Duo, through its Auth API (https://duo.com/docs/authapi)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from mfagate.cassettes.scrub import Scrubbing
from mfagate.providers.api import ProviderApi
from mfagate.providers.duo.dialect import DuoDialect
from mfagate.providers.duo.probes import DuoProbes
from mfagate.providers.duo.settings import DuoSettings
from mfagate.providers.probes import Send
from mfagate.providers.provider import Provider

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States


class DuoApi(ProviderApi[DuoSettings]):
    """The addresses of Duo's API, and the signer of requests."""

    def base_url(self, settings: DuoSettings) -> str:
        """Return the account's own host."""
        return f"https://{settings.host}"

    def signer(self, settings: DuoSettings, tokens: Tokens) -> AuthBase:
        """Sign each request."""
        from mfagate.providers.duo.auth import DuoAuth

        return DuoAuth(settings.host, settings.integration_key, settings.secret("secret_key"))

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """Every factor but a passcode reaches a phone: https://duo.com/docs/authapi#/auth."""
        return method == "POST" and path.endswith("/auth/v2/auth") and fields.get("factor") != "passcode"


class Duo(Provider[DuoSettings]):
    """Knowledge about Duo's Auth API v2."""

    name: ClassVar[str] = "duo"
    title: ClassVar[str] = "Duo"
    settings = DuoSettings
    dialect = DuoDialect()
    probes = DuoProbes()
    api = DuoApi()
    test_data: ClassVar[Mapping[str, str]] = {
        "user": "a user with a phone for Duo Push who is used for nothing else: the pushes are never answered, and "
        "each run adds bypass codes, which expire after ten minutes",
        "accepting_user": "a user whose phone's owner approves every push within seconds",
        "declining_user": "a user whose phone's owner denies every push within seconds",
        "ignoring_user": "a user whose pushes time out",
        "locked_user": "a user who is locked out",
        "admin_integration_key": "integration key of an Admin API application that may read and write resources",
        "admin_secret_key": "its secret key",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset({"admin_secret_key"})
    # Duo does not publish its tolerance; users report five minutes.
    clock_tolerance_seconds: ClassVar[float] = 300.0
    scrubbing: ClassVar[Scrubbing] = Scrubbing(
        secret_fields=frozenset({"activation_code", "activation_url", "activation_barcode", "enroll_portal_url"}),
        volatile_fields={
            "device": "DP000000000000000000",
            "name": "",
            "number": "XXX-XXX-0000",
            "time": 1767225600,
            "txid": "00000000-0000-0000-0000-000000000000",
            "user_id": "DU000000000000000000",
        },
    )

    def states(self, send: Send[DuoSettings], settings: DuoSettings, test_data: Mapping[str, str]) -> States:
        """Return the states of an account, set up with prepared users and the Admin API."""
        from mfagate.providers.duo.states import DuoStates

        return DuoStates(self, send, settings, test_data)


PROVIDER = Duo()
