"""Duo, through its Auth API (https://duo.com/docs/authapi)."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import SecretStr

from mfagate.cassettes.scrub import Scrubbing
from mfagate.core import numbers
from mfagate.core.exchange import Exchange, Response
from mfagate.core.foreign.parsing import raw
from mfagate.providers.base import ApiError, ErrorMeaning, Probe, Provider, Send
from mfagate.providers.duo.errors import FORBIDDEN, INVALID_PARAMETERS, MEANINGS, WRONG_KIND, error_of, response_of
from mfagate.providers.duo.settings import DuoSettings

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States


class Duo(Provider):
    """Knowledge about Duo's Auth API v2."""

    name: ClassVar[str] = "duo"
    title: ClassVar[str] = "Duo"
    errors_page: ClassVar[str] = "https://duo.com/docs/authapi"
    settings: ClassVar[type[DuoSettings]] = DuoSettings
    test_data: ClassVar[Mapping[str, str]] = {
        "user": "a user with a phone for Duo Push whom nobody else uses: nobody answers the pushes, "
        "and each run adds bypass codes, which expire after ten minutes",
        "accepting_user": "a user whose phone's owner approves each push within seconds",
        "declining_user": "a user whose phone's owner denies each push within seconds",
        "ignoring_user": "a user whose pushes time out",
        "locked_user": "a user who is locked out",
        "admin_integration_key": "integration key of an Admin API application that may read and write resources",
        "admin_secret_key": "its secret key",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset({"admin_secret_key"})
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS
    # Duo does not publish its window; five minutes are what its clients' users report.
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

    def base_url(self, settings: DuoSettings) -> str:
        """The account's own host."""
        return f"https://{settings.host}"

    def signer(self, settings: DuoSettings, tokens: Tokens) -> AuthBase:
        """The signature over each request."""
        from mfagate.providers.duo.auth import DuoAuth

        return DuoAuth(settings.host, settings.integration_key, settings.secret("secret_key"))

    def pings(self, settings: DuoSettings) -> Sequence[Probe]:
        """https://duo.com/docs/authapi#/ping."""
        return [Probe("api", "GET", "/auth/v2/ping", _tells_the_time, shape=_TIME)]

    def server_time(self, response: Response) -> float | None:
        """Duo tells its time in the answer, for the sake of those who sign."""
        content = response_of(response)
        told = content.get("time") if isinstance(content, dict) else None
        return numbers.finite(told) if type(told) is int else None

    def credentials(self, settings: DuoSettings) -> Sequence[Probe]:
        """https://duo.com/docs/authapi#/check: keys, signature, clock and kind of application in one."""
        return [Probe("secret_key", "GET", "/auth/v2/check", _tells_the_time, shape=_TIME)]

    def with_bad_credential(self, settings: DuoSettings, subject: str) -> DuoSettings:
        """The same application with a secret key that nobody has."""
        alphabet = string.ascii_letters + string.digits
        made_up = "".join(secrets.choice(alphabet) for _ in range(40))
        return settings.model_copy(update={subject: SecretStr(made_up)})

    def error_of(self, response: Response) -> ApiError | None:
        """Duo's envelope."""
        return error_of(response)

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """Asked for the state of a push, Duo has one parameter to find invalid: the transaction."""
        asked = exchange.request.url.partition("?")[0]
        of_a_push = error.code == INVALID_PARAMETERS and asked.endswith("/auth/v2/auth_status")
        return of_a_push or super().is_about_a_user(error, exchange)

    def meaning(self, error: ApiError, exchange: Exchange, settings: DuoSettings) -> ErrorMeaning | None:
        """One code forbids for several reasons; the detail tells which."""
        if error.code == FORBIDDEN and "integration type" in raw(error.message).lower():
            return WRONG_KIND
        return super().meaning(error, exchange, settings)

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """Every factor but a passcode reaches a phone: https://duo.com/docs/authapi#/auth."""
        return method == "POST" and path.endswith("/auth/v2/auth") and fields.get("factor") != "passcode"

    def states(self, send: Send, settings: DuoSettings, test_data: Mapping[str, str]) -> States:
        """Arranges states with prepared users, and through the Admin API."""
        from mfagate.providers.duo.states import DuoStates

        return DuoStates(self, send, settings, test_data)


_TIME = {"stat": "OK", "response": {"time": 1}}


def _tells_the_time(response: Response) -> bool:
    content = response_of(response)
    return response.status == 200 and isinstance(content, dict) and type(content.get("time")) is int


PROVIDER = Duo()
