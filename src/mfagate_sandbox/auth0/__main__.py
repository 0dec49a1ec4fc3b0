"""Run the emulator of Auth0."""

from mfagate.sandbox.emulator.program import run
from mfagate_sandbox.auth0.emulator import Auth0Emulator

if __name__ == "__main__":
    run(Auth0Emulator)
