"""The sandbox of Okta, an emulator."""

from __future__ import annotations

from pathlib import Path

from mfagate.sandbox.emulator import EmulatorSandbox
from mfagate_sandbox.okta.fault_kinds import FAULTS

SANDBOX = EmulatorSandbox(
    title="Okta",
    program=Path(__file__).with_name("__main__.py"),
    settings=("org_url", "api_token", "token_id"),
    faults=FAULTS,
)
