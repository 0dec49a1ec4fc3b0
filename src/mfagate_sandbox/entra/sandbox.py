"""The sandbox of Microsoft Entra ID, an emulator."""

from __future__ import annotations

from pathlib import Path

from mfagate.sandbox.emulator import EmulatorSandbox
from mfagate_sandbox.entra.fault_kinds import FAULTS

SANDBOX = EmulatorSandbox(
    title="Microsoft Entra ID",
    program=Path(__file__).with_name("__main__.py"),
    settings=("tenant_id", "client_id", "client_secret"),
    faults=FAULTS,
)
