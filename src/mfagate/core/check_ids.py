"""The ids of all checks. They are stable: reports, the history, waivers and the pytest items name checks by them."""

from __future__ import annotations

from typing import Final

CONFIGURATION: Final = "configuration"

NETWORK_RESOLVE: Final = "network.resolve"
NETWORK_CONNECT: Final = "network.connect"
NETWORK_TLS: Final = "network.tls"

PROVIDER_PING: Final = "provider.ping"
PROVIDER_STEADY: Final = "provider.steady"

CLOCK: Final = "clock"

CREDENTIAL_ACCEPTED: Final = "credential.accepted"
CREDENTIAL_ENFORCED: Final = "credential.enforced"
CREDENTIAL_EXPIRY: Final = "credential.expiry"

IDENTITY: Final = "identity"
PERMISSION: Final = "permission"

CONTRACT_FILE: Final = "contract.file"
CONTRACT_INTERACTION: Final = "contract.interaction"

CASSETTE: Final = "cassette"
CASSETTE_ORIGIN: Final = "cassette.origin"
CASSETTE_AGE: Final = "cassette.age"
RECORDING: Final = "recording"

DRIFT: Final = "drift"
LATENCY: Final = "latency"
ERRORS: Final = "errors"

DOCUMENTATION: Final = "documentation"
WAIVER: Final = "waiver"

GATE: Final = "gate"
"""Findings about the run itself, and checks of what it covered."""

SANDBOX: Final = "sandbox"
