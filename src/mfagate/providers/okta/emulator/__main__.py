"""The emulator's program."""

from __future__ import annotations

from mfagate.providers.okta.emulator.app import OktaEmulator
from mfagate.sandbox.emulator.program import run

if __name__ == "__main__":
    run(OktaEmulator)
