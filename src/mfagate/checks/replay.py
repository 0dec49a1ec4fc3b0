"""Send one interaction of the contract to the provider."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mfagate.checks.live import LiveContext
from mfagate.checks.messages import never_left, reason_to_wait, sends_message, too_soon
from mfagate.checks.provider_states import StateManager
from mfagate.checks.results import skipped
from mfagate.config.shapes import ANY_SEGMENT
from mfagate.contract import Interaction, Mismatch, StateValueError, UnsafeValueError, line_in
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding, Location
from mfagate.core.result import Check, SkipReason
from mfagate.leftovers.ledger import AlreadySent
from mfagate.providers.states import AskedTooSoon, StateNotConfigured, StateUnavailable, StateValues

_REFUSED = 400


@dataclass(frozen=True, slots=True)
class Replay:
    """One interaction that was sent to the provider.

    Args:
        exchange: The request and its answer.
        mismatches: How the answer differs from the contract.
        deliberately_refused: Whether the interaction uses a bad credential and expects its refusal.
        arranged: The values of the provider states.
    """

    exchange: Exchange
    mismatches: list[Mismatch]
    deliberately_refused: bool
    arranged: StateValues


def is_sent_once(live: LiveContext, interaction: Interaction) -> bool:
    """Return whether the request may leave this machine only once in a run, whatever the answer.

    That applies to interactions that are not safe in production, and everywhere to those that send a message.
    """
    if live.integration.environment.is_production and not interaction.safe_in_production:
        return True
    return sends_message(live, interaction.example_request())


def replay(
    live: LiveContext,
    interaction: Interaction,
    manager: StateManager,
    check_id: str,
    arranged: StateValues | None = None,
) -> Replay | Check:
    """Return the replay, or the check that reports why there is none.

    Args:
        live: The integration.
        interaction: What to send.
        manager: Sets up the provider states.
        check_id: The id of the check.
        arranged: The values of states that were set up before and still hold.
    """
    name = interaction.description
    if not _may_send(live, interaction):
        return skipped(check_id, "not marked safe in production", subject=name, because=SkipReason.READ_ONLY)
    try:
        return _in_time(live, interaction, manager, arranged)
    except StateNotConfigured as reason:
        message = f"set {reason.setting} to include it: {reason}"
        return skipped(check_id, message, subject=name, because=_skip_reason(reason.setting))
    except AskedTooSoon as reason:
        return _later(check_id, name, reason)
    except AlreadySent:
        message = f"{name}: it was already sent in this run and is not sent again; its result is not known"
        return Check.from_finding(check_id, Finding(CauseId.CONTRACT_ALREADY_SENT, message), subject=name)
    except UnsafeValueError as error:
        return Check.from_finding(check_id, _unsafe(live, interaction, error), subject=name)
    except (StateUnavailable, StateValueError) as error:
        finding = manager.lost() or Finding(CauseId.CONTRACT_STATE_UNAVAILABLE, f"{name}: {error}")
        return Check.from_finding(check_id, finding, subject=name)


def _in_time(
    live: LiveContext, interaction: Interaction, manager: StateManager, arranged: StateValues | None
) -> Replay:
    """Send the interaction; send it again after a wait if the provider did nothing because it was asked too soon.

    Raises:
        AskedTooSoon: There is no time to wait.
    """
    is_once = is_sent_once(live, interaction)
    waited = False
    while True:
        sent = _send(live, interaction, manager, arranged, is_once=is_once)
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
    message = f"{name}: {reason}; it can be asked again after {when:%Y-%m-%d %H:%M:%S} UTC"
    evidence = {"again after": f"{when:%Y-%m-%dT%H:%M:%SZ}"}
    finding = Finding(CauseId.CONTRACT_ASKED_TOO_SOON, message, evidence, outcome=Outcome.SKIPPED)
    check = Check.from_finding(check_id, finding, subject=name)
    return check.model_copy(update={"skipped_because": SkipReason.TOO_SOON})


def _unsafe(live: LiveContext, interaction: Interaction, error: UnsafeValueError) -> Finding:
    """Report a request that a state's value would send elsewhere.

    The place to change is the entry of the configuration that holds the value; without one, the generator's line.
    """
    tables = live.context.tables
    configured = {f"settings.{name}": value for name, value in tables.settings.values.items()}
    configured |= {f"test_data.{name}": value for name, value in tables.test_data.items()}
    for name, value in configured.items():
        if str(value.value) in error.values and re.fullmatch(ANY_SEGMENT, str(value.value)) is None:
            return Finding(
                CauseId.CONFIG_MALFORMED_VALUE,
                f"{name}: its value goes into the path of a request, and would send the request elsewhere",
                {"interaction": interaction.description, "read from": value.read_from},
                value.change_here,
                f"Correct the value in {value.read_from}: an id without slashes or spaces.",
            )
    contract = live.context.contract
    where = ("interactions", contract.interactions.index(interaction), "request", *error.part)
    location = Location(contract.path, line_in(contract.path, where))
    return Finding(CauseId.CONTRACT_UNSAFE_PATH, f"{interaction.description}: {error}", {}, location)


def _send(
    live: LiveContext, interaction: Interaction, manager: StateManager, arranged: StateValues | None, *, is_once: bool
) -> Replay:
    """Set up the states, build the request, sign it, send it and match the answer.

    Raises:
        AlreadySent: The interaction is to be sent once, and was.
        AskedTooSoon: The provider wants it later.
        StateNotConfigured: The target's configuration does not allow for a state.
        StateUnavailable: A state could not be arranged.
    """
    arranged = manager.arrange(interaction) if arranged is None else arranged
    for name in arranged.secrets:
        live.context.redactor.add(f"state {name}", arranged.values[name])
    for name in arranged.credential.keys() & live.provider.settings.secrets():
        # A bad credential is often a good one with a flaw: hide it as well.
        live.context.redactor.add(f"state {name}", arranged.credential[name] or "")
    settings = live.target.replace(arranged.credential) if arranged.credential else None
    request = interaction.build_request(arranged.values)
    if is_once:
        manager.record_message(interaction.description)
    exchange = live.target.send(request, settings=settings)
    if is_once and never_left(exchange):
        manager.ledger.not_sent(interaction.description)
    response, mismatches = exchange.response, []
    if response is not None:
        manager.answered(response)
        mismatches = interaction.match(response, live.showable, arranged.values)
    refused = bool(arranged.credential) and interaction.response.status >= _REFUSED
    return Replay(exchange, mismatches, refused, arranged)


def _may_send(live: LiveContext, interaction: Interaction) -> bool:
    """Return whether the interaction is safe in production, or the configuration allows others."""
    return live.may_change or interaction.safe_in_production


def _skip_reason(key: str) -> SkipReason:
    """Return why a state could not be set up, by the configuration key that would allow it."""
    if key == "production_allows":
        return SkipReason.READ_ONLY
    if key.startswith("settings."):
        return SkipReason.SETTING_ABSENT
    return SkipReason.NO_TEST_DATA if key.startswith("test_data") else SkipReason.NOT_APPLICABLE
