"""Run the emulator of Duo."""

from mfagate.sandbox.emulator.program import run
from mfagate_sandbox.duo.emulator import DuoEmulator

if __name__ == "__main__":
    run(DuoEmulator)
