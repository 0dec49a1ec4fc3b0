"""Let one run at a time use the test users of a server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from mfagate.checks.live import LiveContext
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.core.locking import Held, NotPrivate, locked

_WAIT = "Wait for the other run to end, or stop it; then run mfagate again."


class UsersInUse(Exception):
    """Another run uses the test users, so no state can be set up; ``finding`` names that run."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@contextmanager
def users_locked(live: LiveContext) -> Iterator[None]:
    """Lock the test users of this server on this machine.

    Two integrations, gates or pytest workers would undo each other's states. A sandbox of this run needs no lock,
    because no other run uses it.

    Raises:
        UsersInUse: Another run has kept the lock until the deadline.
    """
    tables = live.context.tables
    if live.integration.uses_sandbox or not tables.test_data:
        yield
        return
    shared = hashlib.sha256(repr((*live.address, sorted(tables.test_values.items()))).encode()).hexdigest()[:16]
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(f"test-users-{shared}", partial(_is_too_late, live)))
        except Held as held:
            raise UsersInUse(_in_use(f"another run on this machine is using the test users: {held}", _WAIT)) from None
        except NotPrivate as error:
            raise UsersInUse(_in_use(f"the test users cannot be locked: {error}", None)) from None
        yield


def _is_too_late(live: LiveContext) -> bool:
    return live.transcript.left < 0


def _in_use(message: str, next_step: str | None) -> Finding:
    return Finding(CauseId.CONTRACT_STATE_UNAVAILABLE, message, {}, None, next_step, Outcome.INCONCLUSIVE)
