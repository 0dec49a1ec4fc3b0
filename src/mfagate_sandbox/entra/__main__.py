"""Run the emulator of Microsoft Entra ID."""

from mfagate.sandbox.emulator.program import run
from mfagate_sandbox.entra.emulator import EntraEmulator

if __name__ == "__main__":
    run(EntraEmulator)
