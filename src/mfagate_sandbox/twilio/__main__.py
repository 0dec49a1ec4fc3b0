"""Run the emulator of Twilio Verify."""

from mfagate.sandbox.emulator.program import run
from mfagate_sandbox.twilio.emulator import TwilioEmulator

if __name__ == "__main__":
    run(TwilioEmulator)
