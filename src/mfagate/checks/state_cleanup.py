"""Remove from the provider what provider states have created."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

from mfagate.checks.live import LiveContext
from mfagate.checks.results import log_defect
from mfagate.core.workers import at_once
from mfagate.leftovers.ledger import Ledger, NotRecorded, Thing, abandoned, folder_of
from mfagate.providers.state_setup import TabledStates
from mfagate.providers.states import NOT_ARRANGED, States

_CLOSING_SECONDS = 20.0
_LATE_CLOSING_SECONDS = 5.0
"""The time for cleaning up after the deadline of the run."""

_TIDYING_SECONDS = 15.0


def target_of(live: LiveContext) -> str:
    """Return the server's name in the ledger."""
    return repr(live.address)


def records_of(live: LiveContext) -> tuple[Path | None, Ledger]:
    """Return the folder and the ledger of what is created at this server.

    The folder is None if nothing can be left there: a sandbox of this run ends with the run.
    """
    if live.integration.uses_sandbox or not live.may_change:
        return None, Ledger()
    run = live.context.cleanup.run
    name = run and f"{run}/{live.integration.name}"
    try:
        folder = folder_of(live.provider.name)
        return folder, Ledger(name, folder, target=target_of(live))
    except NotRecorded as error:
        return None, Ledger(name, refusal=str(error))


_CLEANING: ContextVar[bool] = ContextVar("cleaning", default=False)


def is_cleaning() -> bool:
    """Return whether the requests of this thread clean up."""
    return _CLEANING.get()


class StateCleanup:
    """Cleans up the states of all lanes of one integration, once.

    Attributes:
        ledger: What this run has made.
        deadline: When requests of the cleanup must end (monotonic clock); None before it.
    """

    def __init__(self, live: LiveContext) -> None:
        self._live = live
        self._folder, self.ledger = records_of(live)
        self._states: list[States] = []
        self._abandoned = False
        self._claimed, self._done = threading.Lock(), threading.Event()
        self.deadline: float | None = None

    def add(self, states: States) -> None:
        """Close these states, too, when the cleanup comes."""
        self._states.append(states)

    def abandon(self) -> None:
        """Leave the cleanup to the next run, because the server no longer answers."""
        self._abandoned = True

    def tidy(self, states: States | None) -> None:
        """Remove what ended runs of this machine left, and what other machines left over an hour ago; never raise.

        Args:
            states: Removes it.
        """
        if self._folder is None or not isinstance(states, TabledStates):
            return
        with self._cleaning_until(self._until(_TIDYING_SECONDS, 0.0)):
            self._tidy(states, self._folder)
        self.deadline = None

    def _tidy(self, states: TabledStates[Any], folder: Path) -> None:
        elsewhere: set[Thing] = set()
        with self._tolerating("reading records"):
            for record in abandoned(folder):
                if record.target != target_of(self._live):
                    elsewhere |= set(record.things)
                    continue
                for thing in record.things:
                    with self._tolerating(f"removing the {thing.kind}"):
                        states.remove(thing)
                        record.removed(thing)
        if not self._live.integration.environment.is_production:
            self._tidy_marked(states, elsewhere)

    def _tidy_marked(self, states: TabledStates[Any], dead: set[Thing]) -> None:
        """Remove marked things of ended runs. ``dead`` were recorded under another address, maybe of this server."""
        with self._tolerating("looking for what other runs left"):
            for thing, mark in list(states.marked()):
                if thing in dead or mark.is_abandoned(time.time()):
                    with self._tolerating(f"removing the {thing.kind}"):
                        states.remove(thing)

    @contextmanager
    def _cleaning_until(self, deadline: float) -> Iterator[None]:
        """Let the requests of this thread, and of threads that it starts, clean up until then."""
        self.deadline = deadline
        token = _CLEANING.set(True)
        try:
            yield
        finally:
            _CLEANING.reset(token)

    @contextmanager
    def _tolerating(self, doing: str) -> Iterator[None]:
        """Prevent a failure of the cleanup from ending the run. A defect of mfagate is logged."""
        try:
            yield
        except NOT_ARRANGED:
            pass  # The run's output names what is left, and the next run tries again.
        except Exception as error:  # noqa: BLE001 - no defect of mfagate may end the run here
            log_defect(self._live.integration, self._live.context.redactor, doing, error)

    def close(self) -> None:
        """Remove what the states created."""
        self._close(self._until(_CLOSING_SECONDS, _LATE_CLOSING_SECONDS))

    def _until(self, most: float, least: float) -> float:
        """Return when the cleanup ends: with the run, but in ``least`` to ``most`` seconds from now."""
        return time.monotonic() + max(min(most, self._live.transcript.left), least)

    def close_now(self, until: float) -> None:
        """Remove what the states created in an interrupted run, whose threads may be waiting for answers."""
        self.ledger.interrupted()
        if self._close(until):
            return
        # The run's own thread is cleaning up, until this process ends.
        self.deadline = min(self.deadline or until, until)
        if not self._done.wait(max(until - time.monotonic(), 0.0)):
            self._name_what_is_left()

    def _close(self, until: float) -> bool:
        """Clean up; return False if another thread has begun to."""
        if not self._claimed.acquire(blocking=False):
            return False
        with self._cleaning_until(until):
            if not self._abandoned:
                self._close_states()
        self._name_what_is_left()
        self.ledger.close()
        self._done.set()
        return True

    def _close_states(self) -> None:
        """Close the states of all lanes at once, because those of one lane know nothing of the others."""
        closing = [partial(self._close_lane, states) for states in self._states]
        at_once(closing, self._live.context.options.concurrency)

    def _close_lane(self, states: States) -> None:
        with self._tolerating("cleaning up"):
            states.close()

    def _name_what_is_left(self) -> None:
        if self._folder is not None and self.ledger.things:
            where = f"{self._live.provider.title} ({self._live.integration.name})"
            self._live.context.cleanup.left += [f"{thing} at {where}" for thing in self.ledger.things]
