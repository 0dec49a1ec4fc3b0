"""The exceptions of this package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Failure, Phase
from mfagate.core.foreign import quoted
from mfagate.core.resources import shortage_of
from mfagate.transport.connection_attempt import Deadline
from mfagate.transport.stream import Stream

_LONGEST_LINE = 60


class TransportError(Exception):
    """A failure whose phase is not known yet. Foreign texts in it are quoted. It never leaves this package."""

    def __init__(
        self,
        cause: CauseId,
        message: str,
        evidence: Mapping[str, Any] | None = None,
        outcome: Outcome | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.evidence = dict(evidence or {})
        self.outcome = outcome
        self.next_step = next_step

    def in_phase(self, phase: Phase) -> Failure:
        """Return the public form of this error."""
        return Failure(self.cause, phase, self.message, self.evidence, self.outcome, self.next_step)


def short_of_resources(error: Exception) -> TransportError:
    """Return a failure of this machine, which ran out of a resource.

    Raises:
        Exception: The error itself, if it has another reason.
    """
    shortage = shortage_of(error)
    if shortage is None:
        raise error
    message = f"this machine ran out of {shortage}, so no request could be sent"
    return TransportError(CauseId.GATE_RESOURCES, message, {"ran out of": shortage})


def interrupted(error: OSError, doing: str, stream: Stream, deadline: Deadline) -> TransportError:
    """Return the failure of a connection that timed out or was closed while ``doing`` something."""
    if shortage_of(error) is not None:
        return short_of_resources(error)
    evidence: dict[str, Any] = {"bytes_received": stream.received}
    received = f"{stream.received} bytes received"
    if isinstance(error, TimeoutError):
        return TransportError(
            CauseId.NETWORK_READ_TIMEOUT,
            f"{deadline.seconds:g} s passed while {doing} ({received})",
            evidence | {"timeout_seconds": deadline.seconds},
        )
    how = error.strerror or "closed by the other side"
    return TransportError(
        CauseId.NETWORK_CONNECTION_RESET,
        f"the connection was lost while {doing}: {how} ({received})",
        evidence | {"error": how},
    )


def first_line(received: bytes) -> str:
    """Return the first line that a peer sent, quoted, as evidence of the protocol on that port."""
    line = received.lstrip(b"\r\n").partition(b"\n")[0].rstrip(b"\r")
    return quoted(line.decode("utf-8", "backslashreplace"), _LONGEST_LINE)
