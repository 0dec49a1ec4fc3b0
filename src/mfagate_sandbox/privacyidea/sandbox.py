"""The sandbox of privacyIDEA: the real server in a separate process."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from mfagate.core.extras import missing, needs
from mfagate.sandbox import Running, SandboxError
from mfagate.sandbox.faults import FaultKind
from mfagate.sandbox.faulty_sandbox import faulty_sandbox
from mfagate.sandbox.supervisor import supervise
from mfagate_sandbox.privacyidea.fault_kinds import FAULTS


class PrivacyIDEASandbox:
    """Starts a privacyIDEA 3.14 server with a fresh database on loopback.

    ``values``: ``url``, ``realm``, ``user`` (without a token) and ``more_users`` like it, ``validate_key``,
    ``expired_validate_key``, ``admin_key``, ``admin_user`` and ``admin_password``
    (for the web interface at ``url``), ``public_key`` (PEM; verifies the
    ``signature`` of every answer).
    """

    is_emulator = False
    settings: Sequence[str] = ("url", "validate_key", "admin_key")
    faults: Sequence[FaultKind] = FAULTS

    def start(self, faults: Sequence[str] | None = None) -> AbstractContextManager[Running]:
        """Run the server while the context lasts, and remove its files afterwards.

        Raises:
            SandboxError: privacyIDEA is not installed, or did not start.
            BadFault: A fault is not valid, or two faults exclude each other.
        """
        # This process never imports privacyIDEA: see server.py.
        if missing("sandbox"):
            raise SandboxError(needs("the sandbox of privacyIDEA", "sandbox"))
        return faulty_sandbox(_run, self.faults, faults)


def _run(faults: Path | None) -> AbstractContextManager[Running]:
    return supervise(Path(__file__).with_name("server.py"), "The privacyIDEA sandbox", faults=faults)


SANDBOX = PrivacyIDEASandbox()
