"""Send one interaction of the contract to the provider, and check its answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from mfagate.checks.answer_check import Sent, check_answer
from mfagate.checks.live import LiveContext
from mfagate.checks.live_target import LEADS_ELSEWHERE
from mfagate.checks.messages import never_left, reason_to_wait, sends_message, too_soon
from mfagate.checks.provider_states import StateManager
from mfagate.checks.results import skipped
from mfagate.config.shapes import ANY_SEGMENT
from mfagate.contract import Interaction, StateValueError, UnsafeValueError, line_in
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding, Location
from mfagate.core.result import Check, SkipReason
from mfagate.leftovers.ledger import AlreadySent
from mfagate.providers.states import AskedTooSoon, StateNotConfigured, StateUnavailable, StateValues

_REFUSED = 400


def is_sent_once(live: LiveContext, interaction: Interaction) -> bool:
    """Return whether the request is sent only once in a run, whatever the answer.

    This applies to interactions that are not safe in production and, in any environment, to those that send a message.
    """
    if live.integration.environment.is_production and not interaction.safe_in_production:
        return True
    return sends_message(live, interaction.example_request())


def replay(
    live: LiveContext,
    interaction: Interaction,
    manager: StateManager,
    check_id: str,
    values: StateValues | None = None,
    *,
    fresh: bool = False,
) -> tuple[Check, Sent | None]:
    """Send an interaction and check its answer. Return the check, and what was sent; None if nothing was.

    Args:
        live: The integration.
        interaction: What to send.
        manager: Sets up the provider states.
        check_id: The id of the check.
        values: The values of states that were set up before and are still valid.
        fresh: Whether to send it on a new connection.
    """
    name = interaction.description
    if not (live.may_change or interaction.safe_in_production):
        return skipped(check_id, "not marked safe in production", subject=name, because=SkipReason.READ_ONLY), None
    try:
        sent = _in_time(live, interaction, manager, values, fresh=fresh)
        return check_answer(live, interaction, sent, check_id), sent
    except StateNotConfigured as reason:
        message = f"set {reason.setting} to include it: {reason}"
        return skipped(check_id, message, subject=name, because=_skip_reason(reason.setting)), None
    except AskedTooSoon as reason:
        return _later(check_id, name, reason), None
    except AlreadySent:
        message = f"{name}: it was already sent in this run and is not sent again; its result is unknown"
        finding = Finding(CauseId.CONTRACT_ALREADY_SENT, message)
    except UnsafeValueError as error:
        finding = _unsafe(live, interaction, error)
    except (StateUnavailable, StateValueError) as error:
        finding = manager.lost() or Finding(CauseId.CONTRACT_STATE_UNAVAILABLE, f"{name}: {error}")
    return Check.from_finding(check_id, finding, subject=name), None


def _in_time(
    live: LiveContext, interaction: Interaction, manager: StateManager, values: StateValues | None, *, fresh: bool
) -> Sent:
    """Send the interaction; if the provider calls it too early, wait and send it once more.

    Raises:
        AskedTooSoon: There is no time to wait.
    """
    is_once = is_sent_once(live, interaction)
    waited = False
    while True:
        sent = _send(live, interaction, manager, values, is_once=is_once, fresh=fresh or is_once)
        wait = too_soon(live, sent.exchange) if sent.mismatches else None
        if wait is None:
            return sent
        if waited or not manager.waits(wait):
            raise AskedTooSoon(wait, reason_to_wait(live, sent.exchange))
        waited = True
        if is_once:
            manager.ledger.not_sent(interaction.description)


def _later(check_id: str, name: str, reason: AskedTooSoon) -> Check:
    when = datetime.now(UTC) + timedelta(seconds=reason.seconds)
    message = f"{name}: {reason}; it can be sent again after {when:%Y-%m-%d %H:%M:%S} UTC"
    evidence = {"again after": f"{when:%Y-%m-%dT%H:%M:%SZ}"}
    finding = Finding(CauseId.CONTRACT_ASKED_TOO_SOON, message, evidence, outcome=Outcome.SKIPPED)
    check = Check.from_finding(check_id, finding, subject=name)
    return check.model_copy(update={"skipped_because": SkipReason.TOO_SOON})


def _unsafe(live: LiveContext, interaction: Interaction, error: UnsafeValueError) -> Finding:
    """Report a request that the value of a state would send elsewhere.

    The location is the entry of the configuration with the value, or else the line of the generator.
    """
    tables = live.context.tables
    configured = {f"settings.{name}": value for name, value in tables.settings.values.items()}
    configured |= {f"test_data.{name}": value for name, value in tables.test_data.items()}
    for name, value in configured.items():
        if str(value.value) in error.values and re.fullmatch(ANY_SEGMENT, str(value.value)) is None:
            return Finding(
                CauseId.CONFIG_MALFORMED_VALUE,
                f"{name}: {LEADS_ELSEWHERE}",
                {"interaction": interaction.description, "read from": value.read_from},
                value.change_here,
                f"Correct the value in {value.read_from}: an id without slashes or spaces.",
            )
    contract = live.context.contract
    where = ("interactions", contract.interactions.index(interaction), "request", *error.part)
    location = Location(contract.path, line_in(contract.path, where))
    return Finding(CauseId.CONTRACT_UNSAFE_PATH, f"{interaction.description}: {error}", {}, location)


def _send(
    live: LiveContext,
    interaction: Interaction,
    manager: StateManager,
    state: StateValues | None,
    *,
    is_once: bool,
    fresh: bool,
) -> Sent:
    """Set up the states, build the request, sign it, send it and match the answer.

    Raises:
        AlreadySent: The interaction may be sent only once, and was sent.
        AskedTooSoon: The provider wants it later.
        StateNotConfigured: The configuration does not allow a state.
        StateUnavailable: A state could not be set up.
    """
    state = manager.arrange(interaction) if state is None else state
    for name in state.secrets:
        live.context.redactor.add(f"state {name}", state.values[name])
    for name in state.credential.keys() & live.provider.settings.secrets():
        # A bad credential is often a valid one with a small change, so hide it as well.
        live.context.redactor.add(f"state {name}", state.credential[name] or "")
    settings = live.target.replace(state.credential) if state.credential else None
    request = interaction.build_request(state.values)
    if is_once:
        manager.record_message(interaction.description)
    exchange = live.target.send(request, settings=settings, fresh=fresh)
    if is_once and never_left(exchange):
        manager.ledger.not_sent(interaction.description)
    response, mismatches = exchange.response, []
    if response is not None:
        manager.answered(response)
        mismatches = interaction.match(response, live.showable, state.values)
    refused = bool(state.credential) and interaction.response.status >= _REFUSED
    return Sent(exchange, mismatches, refused, state)


def _skip_reason(key: str) -> SkipReason:
    """Return why a state could not be set up, by the configuration key that would allow it."""
    if key == "production_allows":
        return SkipReason.READ_ONLY
    if key.startswith("settings."):
        return SkipReason.SETTING_ABSENT
    return SkipReason.NO_TEST_DATA if key.startswith("test_data") else SkipReason.NOT_APPLICABLE
