"""Provider states around the interactions of one target."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mfagate.causes import CauseId, Outcome
from mfagate.contract import Interaction
from mfagate.diagnosis import definite_cause
from mfagate.exchange import Exchange, Phase
from mfagate.ladder.agreed import difference
from mfagate.ladder.asking import Sample, ask
from mfagate.ladder.rung import Climb, is_gone, is_refusal
from mfagate.locking import Held, NotPrivate, locked
from mfagate.providers.states import Arranged, StateNotConfigured
from mfagate.result import Check, Finding, Location

if TYPE_CHECKING:
    import requests


OTHER_FORM = (CauseId.CONTRACT_HEADER_CHANGED, CauseId.CONTRACT_FIELD_MISSING, CauseId.CONTRACT_TYPE_CHANGED)
"""The same thing said in another form, which a client may fail to read."""

_OF_THE_ACCOUNT = (
    CauseId.ACCOUNT_SUSPENDED,
    CauseId.ACCOUNT_QUOTA_EXHAUSTED,
    CauseId.ACCOUNT_FEATURE_DISABLED,
    CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
)
"""What keeps a state from being arranged and is not about the test users."""

_UNREADABLE = (CauseId.CONTRACT_NOT_JSON, CauseId.CONTRACT_BODY_UNREADABLE)
_NO_CONTENT = 204


class Overdue(Exception):
    """There is no time to arrange any more; the check says why."""

    def __init__(self, check: Check) -> None:
        super().__init__(check.message)
        self.check = check


class Arranger:
    """Arranges provider states and remembers the last exchange that it took, for the diagnosis.

    ``overdue`` tells before each request why there is no more time, and None while there is; ``is_late`` if it did.
    """

    def __init__(self, climb: Climb) -> None:
        self._climb = climb
        self._asked: list[Exchange] = []
        self._abandoned = False
        self.is_late = False
        self.overdue: Callable[[], Check | None] = lambda: None
        data = {name: str(value.value) for name, value in climb.test_data.items()}
        self.states = climb.provider.states(self._send, climb.settings, data)

    def _send(self, request: requests.Request, settings: Any = None) -> Exchange:
        integration = self._climb.integration
        if integration.environment.is_production and "unsafe-interactions" not in integration.production_allows:
            raise StateNotConfigured("production_allows", "arranging this state would change something in production")
        late = self.overdue()
        if late is not None:
            self.is_late = True
            raise Overdue(late)
        exchange = ask(
            self._climb, partial(self._attempt, request, settings), confirming=False, bounded=False
        ).shown.value
        self._asked.append(exchange)
        return exchange

    def _attempt(self, request: requests.Request, settings: Any, at_most: float | None) -> Sample[Exchange]:
        exchange = self._climb.live.arrange(request, settings)
        finding = definite_cause(exchange, self._climb)
        unanswered = exchange.failure is not None and exchange.failure.phase in (Phase.PROCESSING, Phase.TRANSFER)
        if finding is None or not is_gone(finding.cause) or (unanswered and request.method == "POST"):
            # Whatever else it says is for the state to read; and what may have been created is not created twice.
            return Sample(exchange, exchange)
        return Sample.found(exchange, exchange, finding)

    def arrange(self, interaction: Interaction) -> Arranged:
        """All states of an interaction together.

        Raises:
            StateNotConfigured: The target's configuration does not allow for one.
            StateUnavailable: One could not be arranged.
            Overdue: There was no time for it.
        """
        self._asked.clear()
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
        """What the last exchange says of the target: it is silent, refuses us, or breaks the contract."""
        if not self._asked:
            return None
        last = self._asked[-1]
        definite = definite_cause(last, self._climb)
        if definite is not None and definite.cause is CauseId.CONTRACT_UNSAFE_PATH:
            return definite
        if definite is not None and (is_gone(definite.cause) or is_refusal(definite.cause)):
            return definite
        broken = self._broken(last, nearest_only=True)
        if broken is not None or definite is None:
            return broken
        if definite.cause in _OF_THE_ACCOUNT:
            return definite
        return _unreadable(definite, last)

    def broken(self) -> Finding | None:
        """The first answer on the way to the interaction's states that breaks the contract."""
        return next((finding for exchange in self._asked if (finding := self._broken(exchange))), None)

    def _broken(self, exchange: Exchange, *, nearest_only: bool = False) -> Finding | None:
        contract = self._climb.contract
        if contract is None or exchange.response is None:
            return None
        differences = difference(contract, exchange, self._climb.showable, nearest_only=nearest_only)
        if not differences or differences[0].cause not in OTHER_FORM:
            return None
        message = f"{_asked(exchange)}: {differences[0].message}"
        evidence = {"differences": [one.message for one in differences[:5]]}
        return Finding(differences[0].cause, message, evidence, Location(self._climb.integration.contract_path))

    def abandon(self) -> None:
        """The target does not answer any more: do not ask it to clean up, which the next run does."""
        self._abandoned = True

    def close(self) -> None:
        """Remove what the states created."""
        self.overdue = lambda: None
        if self.states is not None and not self._abandoned:
            self.states.close()


def _asked(exchange: Exchange) -> str:
    return f"{exchange.request.method} {urlsplit(exchange.request.url).path}"


def _unreadable(definite: Finding, exchange: Exchange) -> Finding | None:
    """Somebody else's page or half an answer: no state was arranged, so of the interaction nothing is known."""
    no_content = exchange.response is not None and exchange.response.status == _NO_CONTENT
    if definite.cause not in _UNREADABLE or no_content:
        return None
    return replace(definite, message=f"{_asked(exchange)}: {definite.message}", outcome=Outcome.INCONCLUSIVE)


class UsersInUse(Exception):
    """The states cannot be arranged, because another run has the test users; ``finding`` says which."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@contextmanager
def arranging(climb: Climb) -> Iterator[Arranger]:
    """Provider states while interactions run; what they created is removed afterwards.

    Raises:
        UsersInUse: Another run has had the same test users until the deadline.
    """
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
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(f"test-users-{shared}", partial(_is_too_late, climb)))
        except Held as held:
            raise UsersInUse(_in_use(f"another run on this machine has the test users: {held}", _WAIT)) from None
        except NotPrivate as error:
            raise UsersInUse(_in_use(f"the test users cannot be locked: {error}", None)) from None
        yield


_WAIT = "Wait until the other run has ended, or end it, and run this again."


def _is_too_late(climb: Climb) -> bool:
    return time.monotonic() - climb.began > climb.options.deadline_seconds


def _in_use(message: str, next_step: str | None) -> Finding:
    return Finding(CauseId.CONTRACT_STATE_UNAVAILABLE, message, {}, None, next_step, Outcome.INCONCLUSIVE)
