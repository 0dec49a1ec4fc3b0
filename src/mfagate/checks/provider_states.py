"""Set up the provider states of interactions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mfagate.checks.cleanup import Interrupted
from mfagate.checks.expectation import OTHER_FORM, difference
from mfagate.checks.live import LiveContext
from mfagate.checks.messages import never_left, reason_to_wait, sends_message, too_soon
from mfagate.checks.retry import REQUEST_RETRY_SECONDS, Attempt, repeat
from mfagate.checks.state_cleanup import StateCleanup, is_cleaning
from mfagate.checks.user_lock import users_locked
from mfagate.config.settings import ProviderSettings
from mfagate.contract import ContractError, Interaction, ProviderState
from mfagate.core.causes import CauseId, Outcome, is_no_answer, rejects_credential
from mfagate.core.diagnosis import definite_cause
from mfagate.core.exchange import Exchange, Phase, Response
from mfagate.core.finding import Finding, Location
from mfagate.core.result import Check
from mfagate.leftovers.ledger import NotRecorded
from mfagate.providers.state_setup import TabledStates
from mfagate.providers.states import AskedTooSoon, Lane, StateNotConfigured, StateUnavailable, StateValues

if TYPE_CHECKING:
    import requests

_OF_THE_ACCOUNT = (
    CauseId.ACCOUNT_SUSPENDED, CauseId.ACCOUNT_QUOTA_EXHAUSTED, CauseId.ACCOUNT_FEATURE_DISABLED,
    CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
)  # fmt: skip
"""Causes that prevent a state and are not about the test users."""

_UNREADABLE = (CauseId.CONTRACT_NOT_JSON, CauseId.CONTRACT_BODY_UNREADABLE, CauseId.CONTRACT_ENDPOINT_RETIRED)
_NO_CONTENT = 204

_LONGEST_WAIT = 60.0
_LEAST_LEFT = 10.0
"""The least time that a wait must leave for the other interactions (seconds)."""

_MARGIN = 0.5
"""Added to each wait (seconds): clocks differ, and providers state intervals in whole seconds."""


class Overdue(Exception):
    """There is no time for another setup request; ``check`` reports why."""

    def __init__(self, check: Check) -> None:
        super().__init__(check.message)
        self.check = check


@dataclass(frozen=True, slots=True)
class _SetupAnswer:
    """The answer to a setup request and its definite cause, which the state itself may handle."""

    exchange: Exchange
    definite: Finding | None


class StateManager:
    """Sets up the provider states of one lane, one interaction at a time.

    Attributes:
        overdue: Called before each request; returns a check if there is no time for it.
        is_late: Whether ``overdue`` has stopped a request.
        states: The states of the provider; None if it has none.
        ledger: Records what this lane sends and creates.
        cleanup: Removes what the states of all lanes created.
    """

    def __init__(self, live: LiveContext, cleanup: StateCleanup | None = None, lane: Lane | None = None) -> None:
        self._live = live
        self._answers: list[_SetupAnswer] = []
        self._interaction = ""
        self._messages = 0
        self.is_late = False
        self.overdue: Callable[[], Check | None] = lambda: None
        self.cleanup = cleanup or StateCleanup(live)
        # What an interrupted run of this name has made belongs to the first manager.
        self.ledger = self.cleanup.ledger.part(self.cleanup.ledger.things if lane is None else ())
        test_data = {**live.context.tables.test_values, **(lane.test_data if lane else {})}
        self.states = live.provider.states(self._send, live.settings, test_data)
        if isinstance(self.states, TabledStates):
            self.states.ledger = self.ledger
        if self.states is not None:
            self.cleanup.add(self.states)

    @property
    def has_sent(self) -> bool:
        """Whether the states of the current interaction took a message, which must be sent only once."""
        return self._messages > 0

    def arrange(self, interaction: Interaction) -> StateValues:
        """Set up all states of an interaction.

        Raises:
            StateNotConfigured: The configuration does not allow a state.
            StateUnavailable: A state could not be set up.
            AskedTooSoon: The provider wants the request later.
            Overdue: There was no time.
        """
        self._answers.clear()
        self._interaction, self._messages = interaction.description, 0
        values: dict[str, str] = {}
        secrets: set[str] = set()
        credential: dict[str, str | None] = {}
        for state in interaction.states:
            if self.states is None:
                raise StateNotConfigured("test_data", "this provider has no provider states")
            arranged = self.states.arrange(state)
            values |= arranged.values
            secrets |= arranged.secrets
            credential |= arranged.credential
        return StateValues(values, frozenset(secrets), credential)

    def answered(self, response: Response) -> None:
        """Let the states see what the interaction may have created."""
        if isinstance(self.states, TabledStates):
            with suppress(Exception):  # An answer in an undocumented form is reported as a mismatch.
                self.states.answered(response)

    def record_message(self, message: str) -> None:
        """Record a message before it is sent.

        Raises:
            AlreadySent: This run has sent it.
            StateUnavailable: It cannot be recorded, so it must not be sent.
        """
        try:
            self.ledger.sending(message)
        except NotRecorded as error:
            raise StateUnavailable(f"What this run sends cannot be recorded: {error}") from None

    def waits(self, seconds: float) -> bool:
        """Wait until the provider accepts the request again; return False if there is no time for that."""
        live = self._live
        if live.integration.environment.is_production or seconds > min(
            _LONGEST_WAIT, live.transcript.left - _LEAST_LEFT
        ):
            return False
        live.context.cleanup.pause(seconds + _MARGIN)
        return True

    def lost(self) -> Finding | None:
        """Return why a state could not be set up, if the last answer shows a reason beyond the state itself."""
        if not self._answers:
            return None
        exchange, definite = self._answers[-1].exchange, self._answers[-1].definite
        if definite is not None and _concerns_target(definite):
            return definite
        broken = self._broken(exchange, nearest_only=True)
        if broken is not None or definite is None:
            return broken
        return definite if definite.cause in _OF_THE_ACCOUNT else _unreadable(definite, exchange)

    def broken(self) -> Finding | None:
        """Return the first setup answer of the interaction that breaks the contract."""
        return next((finding for answer in self._answers if (finding := self._broken(answer.exchange))), None)

    def _broken(self, exchange: Exchange, *, nearest_only: bool = False) -> Finding | None:
        live = self._live
        if exchange.response is None:
            return None
        try:
            differences = difference(live.context.contract, exchange, live.showable, nearest_only=nearest_only)
        except ContractError:
            return None
        if not differences or differences[0].cause not in OTHER_FORM:
            return None
        message = f"{_request(exchange)}: {differences[0].message}"
        evidence = {"differences": [mismatch.message for mismatch in differences[:5]]}
        return Finding(differences[0].cause, message, evidence, Location(live.integration.contract_path))

    def _send(self, request: requests.Request, settings: ProviderSettings | None = None) -> Exchange:
        """Send a setup request. Requests of the cleanup are not recorded, because they are not part of the checks."""
        if not self._live.may_change:
            raise StateNotConfigured("production_allows", "setting up this state would change something in production")
        if is_cleaning() and self.cleanup.deadline is not None:
            return self._clean(request, settings, self.cleanup.deadline)
        if self._live.context.cleanup.is_interrupted:
            raise Interrupted
        late = self.overdue()
        if late is not None:
            self.is_late = True
            raise Overdue(late)
        answer = self._set_up(request, settings)
        wait = too_soon(self._live, answer.exchange)
        if wait is not None and self.waits(wait):
            answer = self._set_up(request, settings)
            wait = too_soon(self._live, answer.exchange)
        self._answers.append(answer)
        if wait is not None:
            raise AskedTooSoon(wait, reason_to_wait(self._live, answer.exchange))
        return answer.exchange

    def _clean(self, request: requests.Request, settings: ProviderSettings | None, until: float) -> Exchange:
        def once(at_most: float | None) -> Attempt[_SetupAnswer]:
            left = until - time.monotonic()
            if left <= 0:
                raise StateUnavailable("There is no time left.")
            limit = left if at_most is None else min(at_most, left)
            return self._attempt(request, settings, limit, repeated=at_most is not None)

        seconds = min(REQUEST_RETRY_SECONDS, max(until - time.monotonic(), 0.0))
        attempts, _ = repeat(once, seconds, confirming=False)
        return attempts.value.exchange

    def _set_up(self, request: requests.Request, settings: ProviderSettings | None) -> _SetupAnswer:
        def once(at_most: float | None) -> Attempt[_SetupAnswer]:
            return self._attempt(request, settings, repeated=at_most is not None)

        transcript = self._live.transcript
        if not sends_message(self._live, request):
            return transcript.attempt_until_settled(once, confirming=False, bounded=False).value
        self._messages += 1
        message = f"{self._interaction} | state, message {self._messages}"
        self.record_message(message)
        answer = transcript.attempt_until_settled(
            once, confirming=False, bounded=False, may_repeat=lambda attempt: never_left(attempt.value.exchange)
        ).value
        if never_left(answer.exchange) or too_soon(self._live, answer.exchange) is not None:
            self._messages -= 1
            self.ledger.not_sent(message)
        return answer

    def _attempt(
        self,
        request: requests.Request,
        settings: ProviderSettings | None,
        at_most: float | None = None,
        *,
        repeated: bool,
    ) -> Attempt[_SetupAnswer]:
        """Send a request once. It failed only if there was no answer and nothing may have been created.

        A repetition may reach another instance of the provider, so it opens a connection.
        """
        fresh = repeated or sends_message(self._live, request)
        exchange = self._live.target.arrange(request, settings, at_most=at_most, fresh=fresh)
        definite = definite_cause(exchange, self._live.dialect)
        answer = _SetupAnswer(exchange, definite)
        unanswered = exchange.failure is not None and exchange.failure.phase in (Phase.PROCESSING, Phase.TRANSFER)
        if (
            definite is None
            or not is_no_answer(definite.cause)
            or (unanswered and request.method == "POST" and not is_cleaning())
            or too_soon(self._live, exchange) is not None
        ):
            return Attempt(answer, exchange)
        return Attempt(answer, exchange, definite)


def _concerns_target(definite: Finding) -> bool:
    """Return whether the target does not answer, refuses the credential, or got no request."""
    cause = definite.cause
    return cause is CauseId.CONTRACT_UNSAFE_PATH or is_no_answer(cause) or rejects_credential(cause)


def _request(exchange: Exchange) -> str:
    return f"{exchange.request.method} {urlsplit(exchange.request.url).path}"


def _unreadable(definite: Finding, exchange: Exchange) -> Finding | None:
    """Return the finding of an unreadable answer: without a state, the interaction cannot be checked."""
    no_content = exchange.response is not None and exchange.response.status == _NO_CONTENT
    if definite.cause not in _UNREADABLE or no_content:
        return None
    return replace(definite, message=f"{_request(exchange)}: {definite.message}", outcome=Outcome.INCONCLUSIVE)


class LaneManagers:
    """Makes a manager of states for each lane of one integration.

    Attributes:
        first: Manages the states of the first lane, and knows the lane of each state.
        cleanup: Removes what the states of all lanes created.
    """

    def __init__(self, live: LiveContext) -> None:
        self._live = live
        self.cleanup = StateCleanup(live)
        self.first = StateManager(live, self.cleanup)

    def lane_of(self, state: ProviderState) -> Lane | None:
        """Return the lane of a state; None if it shares nothing with others."""
        states = self.first.states
        return states.lane(state) if isinstance(states, TabledStates) else Lane()

    def manager(self, lane: Lane) -> StateManager:
        """Return a manager with states of its own."""
        return StateManager(self._live, self.cleanup, lane)


@contextmanager
def managed_states(live: LiveContext) -> Iterator[LaneManagers]:
    """Manage the states of all interactions, and remove at the end what they created.

    Raises:
        UsersInUse: Another run has used the same test users until the deadline.
    """
    with users_locked(live):
        managers = LaneManagers(live)
        live.context.cleanup.opened(managers.cleanup)
        try:
            managers.cleanup.tidy(managers.first.states)
            yield managers
        finally:
            managers.cleanup.close()
            live.context.cleanup.closed(managers.cleanup)
