"""The emulator's program."""

from mfagate.providers.twilio.emulator import TwilioEmulator
from mfagate.sandbox.emulator.program import run

if __name__ == "__main__":
    run(TwilioEmulator)
