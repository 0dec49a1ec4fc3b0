"""Provider states around the interactions of one target."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfagate.causes import CauseId
from mfagate.contract import Interaction
from mfagate.diagnosis import definite_cause
from mfagate.exchange import Exchange
from mfagate.ladder.rung import Climb
from mfagate.providers.states import Arranged, StateNotConfigured
from mfagate.result import Finding

if TYPE_CHECKING:
    import requests


class Arranger:
    """Arranges provider states and remembers the last exchange that it took, for the diagnosis."""

    def __init__(self, climb: Climb) -> None:
        self._climb = climb
        self._last: Exchange | None = None
        self._own = False
        self._abandoned = False
        data = {name: str(value.value) for name, value in climb.test_data.items()}
        self.states = climb.provider.states(self._send, climb.settings, data)

    def _send(self, request: requests.Request, settings: Any = None) -> Exchange:
        integration = self._climb.integration
        if integration.environment.is_production and "unsafe-interactions" not in integration.production_allows:
            raise StateNotConfigured("production_allows", "arranging this state would change something in production")
        self._last = self._climb.live.arrange(request, settings)
        self._own = settings is None or settings is self._climb.settings
        return self._last

    def arrange(self, interaction: Interaction) -> Arranged:
        """All states of an interaction together.

        Raises:
            StateNotConfigured: The target's configuration does not allow for one.
            StateUnavailable: One could not be arranged.
        """
        values: dict[str, str] = {}
        secrets: set[str] = set()
        credential: dict[str, str | None] = {}
        for state in interaction.states:
            if self.states is None:
                raise StateNotConfigured("test_data", "this provider arranges no states")
            one = self.states.arrange(state)
            values |= one.values
            secrets |= one.secrets
            credential |= one.credential
        return Arranged(values, frozenset(secrets), credential)

    def lost(self) -> Finding | None:
        """What the last exchange says of the target that no longer answers, or of the integration's own credential.

        A refusal of a credential that only prepares states says nothing of the integration.
        """
        definite = definite_cause(self._last, self._climb) if self._last is not None else None
        if definite is None:
            return None
        if self._own and definite.cause.startswith("credential."):
            return self._climb.place(definite)
        return definite if is_gone(definite.cause) else None

    def abandon(self) -> None:
        """The target does not answer any more: do not ask it to clean up, which the next run does."""
        self._abandoned = True

    def close(self) -> None:
        """Remove what the states created."""
        if self.states is not None and not self._abandoned:
            self.states.close()


@contextmanager
def arranging(climb: Climb) -> Iterator[Arranger]:
    """Provider states while interactions run; what they created is removed afterwards."""
    with _alone(climb):
        arranger = Arranger(climb)
        try:
            yield arranger
        finally:
            arranger.close()


@contextmanager
def _alone(climb: Climb) -> Iterator[None]:
    """One run at a time for the same test users of the same server, on this machine.

    Two integrations, two gates or two workers of pytest would undo each other's
    states. A sandbox of our own is nobody else's.
    """
    if climb.integration.uses_sandbox or not climb.test_data:
        yield
        return
    users = sorted((name, str(value.value)) for name, value in climb.test_data.items())
    shared = hashlib.sha256(repr((climb.live.base_url, climb.endpoint, users)).encode()).hexdigest()[:16]
    # Left behind on purpose: removing a lock file lets two holders in.
    path = Path(tempfile.gettempdir(), f"mfagate-{os.getuid()}-{shared}.lock")
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_gone(cause: CauseId | None) -> bool:
    """Whether a cause means that the target does not answer any more."""
    return str(cause).startswith(("network.", "provider."))
