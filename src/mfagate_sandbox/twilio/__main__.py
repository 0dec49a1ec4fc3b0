"""The emulator's program."""

from mfagate.sandbox.emulator.program import run
from mfagate_sandbox.twilio import TwilioEmulator

if __name__ == "__main__":
    run(TwilioEmulator)
