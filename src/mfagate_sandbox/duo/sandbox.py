"""The sandbox of Duo, an emulator."""

from __future__ import annotations

from pathlib import Path

from mfagate.sandbox.emulator import EmulatorSandbox
from mfagate_sandbox.duo.fault_kinds import FAULTS

SANDBOX = EmulatorSandbox(
    title="Duo",
    program=Path(__file__).with_name("__main__.py"),
    settings=("host", "integration_key", "secret_key"),
    faults=FAULTS,
)
