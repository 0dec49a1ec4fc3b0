"""An emulator, seen from our side."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from mfagate.sandbox import Running, SandboxError
from mfagate.sandbox.supervisor import supervise


@dataclass(frozen=True, slots=True)
class EmulatorSandbox:
    """Starts the emulator of a provider: ``program`` calls :func:`mfagate.sandbox.emulator.program.run`."""

    title: str
    program: Path

    def start(self) -> AbstractContextManager[Running]:
        """A running emulator; leaving the context stops it.

        Raises:
            SandboxError: What emulators need is not installed, or it did not start.
        """
        missing = [name for name in ("werkzeug", "trustme") if find_spec(name) is None]
        if missing:
            raise SandboxError(f"Emulators need {' and '.join(missing)}. Run: pip install 'mfagate[emulator]'")
        return supervise(self.program, f"The {self.title} emulator")
