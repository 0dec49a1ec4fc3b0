"""An emulator, seen from our side."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from mfagate.core.extras import missing, needs
from mfagate.sandbox import Running, SandboxError
from mfagate.sandbox.faults import FaultKind
from mfagate.sandbox.faulty_sandbox import faulty_sandbox
from mfagate.sandbox.supervisor import supervise


@dataclass(frozen=True, slots=True)
class EmulatorSandbox:
    """Starts the emulator of a provider: ``program`` calls :func:`mfagate.sandbox.emulator.program.run`.

    ``faults`` are those that the emulator has a method for, marked with :func:`mfagate.sandbox.emulator.breaks`.
    """

    title: str
    program: Path
    faults: Sequence[FaultKind] = ()

    def start(self, faults: Sequence[str] | None = None) -> AbstractContextManager[Running]:
        """A running emulator; leaving the context stops it.

        Raises:
            SandboxError: What emulators need is not installed, or it did not start.
            BadFault: A fault cannot be read, or they do not go together.
        """
        if missing("emulator"):
            raise SandboxError(needs("an emulator", "emulator"))
        return faulty_sandbox(self._run, self.faults, faults)

    def _run(self, faults: Path | None) -> AbstractContextManager[Running]:
        return supervise(self.program, f"The {self.title} emulator", faults=faults)
