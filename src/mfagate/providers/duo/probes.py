"""The requests of mfagate to Duo, all safe in production."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import SecretStr

from mfagate.core import numbers
from mfagate.core.exchange import Response
from mfagate.providers.duo.errors import response_of
from mfagate.providers.duo.settings import DuoSettings
from mfagate.providers.made_up import random_text
from mfagate.providers.probes import Probe, ProviderProbes

_TIME = {"stat": "OK", "response": {"time": 1}}


class DuoProbes(ProviderProbes[DuoSettings]):
    """Probes of Duo that are safe in production."""

    def pings(self, settings: DuoSettings) -> Sequence[Probe]:
        """Ping the API: https://duo.com/docs/authapi#/ping."""
        return [Probe("api", "GET", "/auth/v2/ping", _tells_the_time, shape=_TIME)]

    def server_time(self, response: Response) -> float | None:
        """Read the time in the answer, which Duo sends to clients that sign."""
        content = response_of(response)
        seconds = content.get("time") if isinstance(content, dict) else None
        return numbers.finite(seconds) if type(seconds) is int else None

    def credentials(self, settings: DuoSettings) -> Sequence[Probe]:
        """Check keys, signature, clock and type of application in one request: https://duo.com/docs/authapi#/check."""
        return [Probe("secret_key", "GET", "/auth/v2/check", _tells_the_time, shape=_TIME)]

    def with_bad_credential(self, settings: DuoSettings, subject: str) -> DuoSettings:
        """Return the same application with a made-up secret key."""
        return settings.model_copy(update={subject: SecretStr(random_text(40))})


def _tells_the_time(response: Response) -> bool:
    content = response_of(response)
    return response.status == 200 and isinstance(content, dict) and type(content.get("time")) is int
