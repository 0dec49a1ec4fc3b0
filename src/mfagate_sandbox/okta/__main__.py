"""Run the emulator of Okta."""

from mfagate.sandbox.emulator.program import run
from mfagate_sandbox.okta.emulator import OktaEmulator

if __name__ == "__main__":
    run(OktaEmulator)
