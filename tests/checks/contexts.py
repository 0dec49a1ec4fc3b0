"""Real contexts of the fake provider, for tests of single checks."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mfagate.checks.context import CheckContext
from mfagate.checks.live import LiveContext
from mfagate.checks.retry import Attempts
from mfagate.checks.tables import ResolvedTables
from mfagate.checks.transcript import Transcript
from mfagate.checks.waivers import Waivers
from mfagate.config.load import load
from mfagate.config.model import GateOptions
from mfagate.config.resolved import Value
from mfagate.core.finding import Location
from mfagate.inspection.settings import InspectedSettings
from mfagate.secrets.redaction import Redactor
from tests.checks.fake import CANARY, Fake, Settings

PACT: Mapping[str, Any] = {
    "consumer": {"name": "c"},
    "provider": {"name": "fake"},
    "metadata": {"pactSpecification": {"version": "4.0"}},
}


def live_context(
    folder: Path,
    provider: Fake | None = None,
    *,
    client: Mapping[str, Any] | None = None,
    requests: Sequence[Attempts[object]] = (),
    ago: float = 0.0,
) -> LiveContext:
    """Return the context of an integration whose configuration has passed.

    Args:
        folder: Where the configuration is written.
        provider: The provider.
        client: The table ``client``.
        requests: The attempts that were made so far.
        ago: How many seconds ago the run began; its deadline is 60 seconds.
    """
    file = folder / "integrations.toml"
    file.write_text('[integrations.x]\nprovider = "fake"\nenvironment = "staging"\ncontract = "pact.json"\n')
    (integration,) = load(file, ["fake"]).select()
    options = GateOptions.model_validate({"deadline_seconds": 60})
    values = {"tenant": "acme", "client_secret": CANARY}
    tables = ResolvedTables(
        InspectedSettings(integration, Settings, {name: _value(name, value) for name, value in values.items()}),
        client={name: _value(name, value) for name, value in (client or {}).items()},
    )
    waivers = Waivers(integration, options)
    context = CheckContext(integration, provider or Fake(), options, Redactor(), waivers, tables)
    assert tables.typed is not None
    transcript = Transcript(60.0, began=time.monotonic() - ago, requests=list(requests))
    return LiveContext(context, tables.typed, transcript)


def _value(name: str, value: Any) -> Value:
    return Value(name, Location(Path("integrations.toml")), value)


def write_pact(folder: Path, *interactions: Mapping[str, Any]) -> None:
    """Write the contract of :func:`live_context`."""
    (folder / "pact.json").write_text(json.dumps({**PACT, "interactions": list(interactions)}))
