"""The emulator's program."""

from __future__ import annotations

from mfagate.sandbox.emulator.program import run
from mfagate_sandbox.okta.app import OktaEmulator

if __name__ == "__main__":
    run(OktaEmulator)
