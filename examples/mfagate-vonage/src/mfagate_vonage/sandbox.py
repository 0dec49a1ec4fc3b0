"""The sandbox of Vonage Verify: an emulator."""

from __future__ import annotations

from pathlib import Path

from mfagate.sandbox.emulator import EmulatorSandbox
from mfagate_vonage.faults import FAULTS

SANDBOX = EmulatorSandbox(
    title="Vonage Verify",
    program=Path(__file__).with_name("emulator.py"),
    settings=("api_key", "api_secret", "application_id", "private_key"),
    faults=FAULTS,
)
