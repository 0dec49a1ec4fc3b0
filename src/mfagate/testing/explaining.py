"""The finding of the gate for one answer, for tests of a provider's error codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mfagate.core.diagnosis import diagnose
from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.core.finding import Finding
from mfagate.providers.errors import ProviderDialect
from mfagate.providers.probes import Settings
from mfagate.providers.provider import Provider


def explained(
    provider: Provider[Settings],
    settings: Settings,
    status: int,
    body: Any,
    headers: Mapping[str, str] | None = None,
    *,
    url: str = "https://host.invalid/",
) -> Finding:
    """Return the finding for an answer to a request that was not accepted; ``body`` is bytes, or becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Type": "application/json", **(headers or {})}
    response = Response(status, headers=Headers(tuple(fields.items())), body=content)
    exchange = Exchange(Request("GET", url), datetime.now(UTC), response)
    return diagnose(exchange, ProviderDialect(provider.dialect, settings))
