"""Start an emulator as a sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from mfagate.core.extras import missing, needs
from mfagate.sandbox import Running, SandboxError
from mfagate.sandbox.faults import FaultKind
from mfagate.sandbox.faulty_sandbox import faulty_sandbox
from mfagate.sandbox.supervisor import supervise


@dataclass(frozen=True, slots=True)
class EmulatorSandbox:
    """Start the emulator of a provider.

    Args:
        title: The provider's own spelling of its name, for messages.
        program: The file that calls :func:`mfagate.sandbox.emulator.program.run`.
        settings: The settings of a healthy configuration; the emulator provides their values.
        faults: The faults that a method of the emulator injects; see :func:`mfagate.sandbox.emulator.injects`.
    """

    title: str
    program: Path
    settings: Sequence[str]
    faults: Sequence[FaultKind] = ()
    is_emulator: bool = field(default=True, init=False)

    def start(self, faults: Sequence[str] | None = None) -> AbstractContextManager[Running]:
        """Run the emulator while the context lasts.

        Raises:
            SandboxError: The extra ``emulator`` is not installed, or the emulator did not start.
            BadFault: A fault is not valid, or two faults exclude each other.
        """
        if missing("emulator"):
            raise SandboxError(needs("an emulator", "emulator"))
        return faulty_sandbox(self._run, self.faults, faults)

    def _run(self, faults: Path | None) -> AbstractContextManager[Running]:
        return supervise(self.program, f"The {self.title} emulator", faults=faults)
