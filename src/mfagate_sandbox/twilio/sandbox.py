"""The sandbox of Twilio Verify, an emulator."""

from __future__ import annotations

from pathlib import Path

from mfagate.sandbox.emulator import EmulatorSandbox
from mfagate_sandbox.twilio.fault_kinds import FAULTS

SANDBOX = EmulatorSandbox(
    title="Twilio Verify",
    program=Path(__file__).with_name("__main__.py"),
    settings=("account_sid", "service_sid", "api_key_sid", "api_key_secret"),
    faults=FAULTS,
)
