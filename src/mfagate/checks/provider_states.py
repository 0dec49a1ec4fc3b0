"""Provider states around the interactions of one target."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from mfagate.checks.cleanup import Interrupted
from mfagate.checks.context import CheckContext, is_refusal, log_defect
from mfagate.checks.expectation import difference
from mfagate.checks.retry import REQUEST_RETRY_SECONDS, Attempt, attempt_until_settled, attempts
from mfagate.contract import Interaction
from mfagate.core.causes import CauseId, Outcome, is_no_answer
from mfagate.core.diagnosis import definite_cause
from mfagate.core.exchange import Exchange, Phase, Request, Response
from mfagate.core.finding import Finding, Location
from mfagate.core.locking import Held, NotPrivate, locked
from mfagate.core.result import Check
from mfagate.leftovers.ledger import Ledger, NotRecorded, Thing, abandoned, folder_of
from mfagate.providers.state_setup import TabledStates
from mfagate.providers.states import NOT_ARRANGED, AskedTooSoon, StateNotConfigured, StateUnavailable, StateValues

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

_UNREADABLE = (CauseId.CONTRACT_NOT_JSON, CauseId.CONTRACT_BODY_UNREADABLE, CauseId.CONTRACT_ENDPOINT_RETIRED)
_NO_CONTENT = 204
_REFUSED = 400


class Overdue(Exception):
    """There is no time to arrange any more; the check says why."""

    def __init__(self, check: Check) -> None:
        super().__init__(check.message)
        self.check = check


class StateManager:
    """Arranges provider states and remembers the last exchange that it took, for the diagnosis.

    ``overdue`` tells before each request why there is no more time, and None while there is; ``is_late`` if it did.
    ``has_sent`` says whether the states of the last interaction took a message.
    """

    def __init__(self, climb: CheckContext) -> None:
        self._climb = climb
        self._asked: list[Exchange] = []
        self._abandoned = False
        self._closing: float | None = None
        self._closed, self._has_closed = threading.Lock(), threading.Event()
        self._interaction = ""
        self._messages = 0
        self.is_late = False
        self.overdue: Callable[[], Check | None] = lambda: None
        data = {name: str(value.value) for name, value in climb.test_data.items()}
        self._folder, self.ledger = _records(climb)
        self.states = climb.provider.states(self._send, climb.settings, data)
        if isinstance(self.states, TabledStates):
            self.states.ledger = self.ledger

    @property
    def has_sent(self) -> bool:
        """Whether the states of the last interaction took a message, which is sent once."""
        return self._messages > 0

    def _send(self, request: requests.Request, settings: Any = None) -> Exchange:
        if not _may_change(self._climb):
            raise StateNotConfigured("production_allows", "arranging this state would change something in production")
        if self._closing is not None:
            return self._clean(request, settings, self._closing)
        if self._climb.cleanup.is_interrupted:
            raise Interrupted
        late = self.overdue()
        if late is not None:
            self.is_late = True
            raise Overdue(late)
        exchange = self._ask(request, settings)
        wait = too_soon(self._climb, exchange)
        if wait is not None and self.waits(wait):
            exchange = self._ask(request, settings)
            wait = too_soon(self._climb, exchange)
        self._asked.append(exchange)
        if wait is not None:
            raise AskedTooSoon(wait, said(self._climb, exchange))
        return exchange

    def _clean(self, request: requests.Request, settings: Any, until: float) -> Exchange:
        """Ask the provider to remove something. What is seen now says nothing of the checks, so it is not counted."""

        def once(at_most: float | None) -> Attempt[Exchange]:
            left = until - time.monotonic()
            if left <= 0:
                raise StateUnavailable("There is no time left.")
            return self._attempt(request, settings, left if at_most is None else min(at_most, left))

        seconds = min(REQUEST_RETRY_SECONDS, max(until - time.monotonic(), 0.0))
        picture, _ = attempts(once, seconds, confirming=False)
        return picture.shown.value

    def _ask(self, request: requests.Request, settings: Any) -> Exchange:
        def once(at_most: float | None) -> Attempt[Exchange]:
            return self._attempt(request, settings)

        if not sends_message(self._climb, request):
            return attempt_until_settled(self._climb, once, confirming=False, bounded=False).shown.value
        self._messages += 1
        message = f"{self._interaction} | state, message {self._messages}"
        self.record_message(message)
        exchange = attempt_until_settled(
            self._climb, once, confirming=False, bounded=False, may_repeat=lambda sample: never_left(sample.value)
        ).shown.value
        if never_left(exchange) or too_soon(self._climb, exchange) is not None:
            self._messages -= 1
            self.ledger.not_sent(message)
        return exchange

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
        """Wait until the provider may be asked again, if there is time; False if there is not."""
        climb = self._climb
        left = climb.options.deadline_seconds - (time.monotonic() - climb.began)
        if climb.integration.environment.is_production or seconds > min(_LONGEST_WAIT, left - _LEAST_LEFT):
            return False
        climb.cleanup.pause(seconds + _MARGIN)
        return True

    def _attempt(self, request: requests.Request, settings: Any, at_most: float | None = None) -> Attempt[Exchange]:
        exchange = self._climb.live.arrange(request, settings, at_most=at_most)
        finding = definite_cause(exchange, self._climb)
        unanswered = exchange.failure is not None and exchange.failure.phase in (Phase.PROCESSING, Phase.TRANSFER)
        if (
            finding is None
            or not is_no_answer(finding.cause)
            or (unanswered and request.method == "POST" and self._closing is None)
            or too_soon(self._climb, exchange) is not None
        ):
            # Whatever else it says is for the state to read; and what may have been created is not created twice.
            return Attempt(exchange, exchange)
        return Attempt.found(exchange, exchange, finding)

    def arrange(self, interaction: Interaction) -> StateValues:
        """All states of an interaction together.

        Raises:
            StateNotConfigured: The target's configuration does not allow for one.
            StateUnavailable: One could not be arranged.
            AskedTooSoon: The provider wants it later.
            Overdue: There was no time for it.
        """
        self._asked.clear()
        self._interaction, self._messages = interaction.description, 0
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
        return StateValues(values, frozenset(secrets), credential)

    def answered(self, response: Response) -> None:
        """Let the states see what the interaction may have made."""
        if isinstance(self.states, TabledStates):
            with suppress(Exception):  # Another form than the documented one is the contract's to report.
                self.states.answered(response)

    def lost(self) -> Finding | None:
        """What the last exchange says of the target: it is silent, refuses us, or breaks the contract."""
        if not self._asked:
            return None
        last = self._asked[-1]
        definite = definite_cause(last, self._climb)
        if definite is not None and definite.cause is CauseId.CONTRACT_UNSAFE_PATH:
            return definite
        if definite is not None and (is_no_answer(definite.cause) or is_refusal(definite.cause)):
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

    def tidy(self) -> None:
        """Remove what runs of this machine that have ended left, and what others left an hour ago; never raises."""
        if self._folder is None or not isinstance(self.states, TabledStates):
            return
        self._closing = self._until(_TIDYING_SECONDS, 0.0)
        elsewhere: set[Thing] = set()
        with self._going_on("reading records"):
            for record in abandoned(self._folder):
                if record.target != target_of(self._climb):
                    elsewhere |= set(record.things)
                    continue
                for thing in record.things:
                    with self._going_on(f"removing the {thing.kind}"):
                        self.states.remove(thing)
                        record.removed(thing)
        if not self._climb.integration.environment.is_production:
            self._tidy_marked(self.states, elsewhere)
        self._closing = None

    def _tidy_marked(self, states: TabledStates[Any], dead: set[Thing]) -> None:
        """``dead`` are things of ended runs that went by another address, which may be another way to this target."""
        with self._going_on("looking for what other runs left"):
            for thing, mark in list(states.marked()):
                if thing in dead or mark.is_abandoned(time.time()):
                    with self._going_on(f"removing the {thing.kind}"):
                        states.remove(thing)

    @contextmanager
    def _going_on(self, doing: str) -> Iterator[None]:
        """Let nothing that goes wrong in cleaning up end the run; a defect of ours goes to the log."""
        try:
            yield
        except NOT_ARRANGED:
            pass  # What this run made is named at its end, and what others left is tried again by the next run.
        except Exception as error:  # noqa: BLE001 - whatever our defect is
            log_defect(self._climb.integration, self._climb.redactor, doing, error)

    def close(self) -> None:
        """Remove what the states created."""
        self._close(self._until(_CLOSING_SECONDS, _LATE_CLOSING_SECONDS))

    def _until(self, most: float, least: float) -> float:
        """When cleaning up has to end: after ``most`` seconds, or when the run has to, but not within ``least``."""
        now = time.monotonic()
        return max(min(now + most, self._climb.began + self._climb.options.deadline_seconds), now + least)

    def close_now(self, until: float) -> None:
        """The same for a run that was interrupted, whose thread may be waiting for an answer."""
        self.ledger.was_interrupted = True
        if self._close(until):
            return
        # Its own thread is doing it, and ends with this process.
        self._closing = min(self._closing or until, until)
        if not self._has_closed.wait(max(until - time.monotonic(), 0.0)):
            self._name_what_is_left()

    def _close(self, until: float) -> bool:
        """Whether it is done; False if somebody else has begun with it."""
        if not self._closed.acquire(blocking=False):
            return False
        self._closing = until
        if self.states is not None and not self._abandoned:
            with self._going_on("cleaning up"):
                self.states.close()
        self._name_what_is_left()
        self.ledger.close()
        self._has_closed.set()
        return True

    def _name_what_is_left(self) -> None:
        if self._folder is not None and self.ledger.things:
            where = f"{self._climb.provider.title} ({self._climb.integration.name})"
            self._climb.cleanup.left += [f"{thing} at {where}" for thing in self.ledger.things]


_LONGEST_WAIT = 60.0
_LEAST_LEFT = 10.0
"""Seconds that a wait must leave for the rest of the interactions."""

_MARGIN = 0.5
"""Clocks differ, and an interval is said in whole seconds."""

_CLOSING_SECONDS = 20.0
_LATE_CLOSING_SECONDS = 5.0
"""The same when the deadline of the run is over."""

_TIDYING_SECONDS = 15.0

_UNSENT = (Phase.RESOLVE, Phase.CONNECT, Phase.TLS)


def never_left(exchange: Exchange) -> bool:
    """Whether a request certainly never left this machine: there was no connection yet to send it through."""
    return exchange.failure is not None and exchange.failure.phase in _UNSENT


def too_soon(climb: CheckContext, exchange: Exchange) -> float | None:
    """How many seconds at most until this may be asked again, where the provider says that it was asked too soon."""
    response = exchange.response
    if response is None or response.status < _REFUSED:
        return None
    error = climb.provider.error_of(response)
    return climb.provider.too_soon(error, exchange) if error is not None else None


def said(climb: CheckContext, exchange: Exchange) -> str:
    """Why the provider wants to be asked later, in the words of its meaning."""
    finding = climb.explain(exchange)
    return finding.message if finding is not None else f"{climb.provider.title} does not accept this request again yet"


def sends_message(climb: CheckContext, request: requests.Request | Request) -> bool:
    """Whether a request may send somebody a message, and so must leave once."""
    try:
        path = urlsplit(str(request.url)).path
    except ValueError:
        return False  # Such an address is refused before anything is sent.
    return climb.provider.sends_message(str(request.method), path, _fields(request))


def _fields(request: requests.Request | Request) -> Mapping[str, Any]:
    """The fields of a form or a JSON object."""
    if not isinstance(request, Request) and request.json is not None:
        return request.json if isinstance(request.json, Mapping) else {}
    body = request.body if isinstance(request, Request) else request.data
    if isinstance(body, Mapping):
        return body
    text = bytes(body).decode("utf-8", "replace") if isinstance(body, bytes | bytearray) else str(body or "")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return dict(parse_qsl(text, keep_blank_values=True))
    return document if isinstance(document, dict) else {}


def _may_change(climb: CheckContext) -> bool:
    integration = climb.integration
    return not integration.environment.is_production or "unsafe-interactions" in integration.production_allows


def _may_be_recorded(climb: CheckContext) -> bool:
    """Whether anything can be left: a sandbox of our own takes all that with it."""
    return not climb.integration.uses_sandbox and _may_change(climb)


def target_of(climb: CheckContext) -> str:
    """Where the integration's requests go."""
    return repr((climb.live.base_url, climb.endpoint))


def _records(climb: CheckContext) -> tuple[Path | None, Ledger]:
    """Where it is recorded what is made on this target."""
    if not _may_be_recorded(climb):
        return None, Ledger()
    name = climb.cleanup.run and f"{climb.cleanup.run}/{climb.integration.name}"
    try:
        folder = folder_of(climb.provider.name)
        return folder, Ledger(name, folder, target=target_of(climb))
    except NotRecorded as error:
        return None, Ledger(name, refusal=str(error))


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
def arranging(climb: CheckContext) -> Iterator[StateManager]:
    """Provider states while interactions run; what they created is removed afterwards.

    Raises:
        UsersInUse: Another run has had the same test users until the deadline.
    """
    with _alone(climb):
        arranger = StateManager(climb)
        climb.cleanup.opened(arranger)
        try:
            arranger.tidy()
            yield arranger
        finally:
            arranger.close()
            climb.cleanup.closed(arranger)


@contextmanager
def _alone(climb: CheckContext) -> Iterator[None]:
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
            raise UsersInUse(_in_use(f"another run on this machine is using the test users: {held}", _WAIT)) from None
        except NotPrivate as error:
            raise UsersInUse(_in_use(f"the test users cannot be locked: {error}", None)) from None
        yield


_WAIT = "Wait for the other run to end, or stop it; then run mfagate again."


def _is_too_late(climb: CheckContext) -> bool:
    return time.monotonic() - climb.began > climb.options.deadline_seconds


def _in_use(message: str, next_step: str | None) -> Finding:
    return Finding(CauseId.CONTRACT_STATE_UNAVAILABLE, message, {}, None, next_step, Outcome.INCONCLUSIVE)
