"""The sandbox of Auth0, an emulator."""

from __future__ import annotations

from pathlib import Path

from mfagate.sandbox.emulator import EmulatorSandbox
from mfagate_sandbox.auth0.fault_kinds import FAULTS

SANDBOX = EmulatorSandbox(
    title="Auth0",
    program=Path(__file__).with_name("__main__.py"),
    settings=("domain", "client_id", "client_secret", "audience"),
    faults=FAULTS,
)
