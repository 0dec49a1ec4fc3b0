"""Does the live provider still answer as the contract says?"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

from mfagate.causes import CauseId, Outcome, is_no_answer, refuses
from mfagate.config.environments import base_name
from mfagate.config.model import Integration
from mfagate.config.shapes import ANY_SEGMENT
from mfagate.contract import (
    Contract,
    ContractError,
    Interaction,
    Mismatch,
    StateValueError,
    UnsafeValueError,
    line_in,
    load,
)
from mfagate.contract.shipped import ships_contract
from mfagate.contract.weak_rules import Effort, weak_places
from mfagate.diagnosis import definite_cause, is_absent, unexpected
from mfagate.exchange import Exchange
from mfagate.ladder.arranging import (
    OTHER_FORM,
    Arranger,
    Overdue,
    UsersInUse,
    arranging,
    never_left,
    said,
    sends_message,
    too_soon,
)
from mfagate.ladder.asking import Picture, Sample, ask, ask_probe, judging
from mfagate.ladder.pace import overdue
from mfagate.ladder.rung import Climb, guarded, is_refusal, passed, skipped
from mfagate.leftovers.ledger import AlreadySent
from mfagate.providers.base import Probe
from mfagate.providers.states import Arranged, AskedTooSoon, State, StateNotConfigured, StateUnavailable
from mfagate.result import Check, Finding, Location, SkipReason
from mfagate.retirement import announced

FILE, INTERACTION = "contract.file", "contract.interaction"

_SHOWN_MISMATCHES = 5
_SHOWN_PLACES = 10

_REFUSED = 400


def read(climb: Climb) -> Iterator[Check]:
    """Read the pact; a file that cannot be read is none that the consumer tests wrote."""
    path = climb.integration.contract_path
    try:
        climb.contract = load(path, provider=climb.integration.provider)
    except ContractError as error:
        step = missing_contract(climb.integration, climb.provider.title) or None
        yield Check.from_finding(FILE, Finding(error.cause, str(error), {}, Location(path, error.line), step))
        return
    number = len(climb.contract.interactions)
    findings = [*_absent_credentials(climb, climb.contract), *_too_few_interactions(climb, number)]
    if findings:
        yield from (Check.from_finding(FILE, finding) for finding in findings)
        return
    yield passed(FILE, f"{number} interactions of {climb.contract.consumer} with {climb.contract.provider}")
    yield from (Check.from_finding(FILE, finding) for finding in _weak_rules(climb.contract))


def missing_contract(integration: Integration, title: str) -> str:
    """Return the next step for a contract that is not there; empty for one that is.

    `mfagate init` writes it where it belongs only for an integration that has the name and the folder of its provider.
    """
    name, path = integration.provider, integration.contract_path
    if os.path.exists(path):  # noqa: PTH110 - Path.exists raises if the name is too long
        return ""
    if not ships_contract(name):
        get = f"Write the contract {path}: none ships for {title} (docs/contracts.md)."
    elif integration.contract is None and base_name(integration.name) == name:
        into = "" if integration.base == Path() else f" -- {quote(str(integration.base))}"
        get = (
            f"Run `mfagate init --provider {name}{into}`: it writes the contract {path}, which ships for {title}, and "
            "keeps what is there."
        )
    else:
        get = (
            f"Run `mfagate init --provider {name}` in an empty folder: it writes the contract that ships for {title}. "
            f"Copy it to {path}."
        )
    return (
        f"{get} If your login service has consumer tests, run them instead: they write it. If the contract lies "
        f"somewhere else, write its path as contract in {integration.heads()}."
    )


def _absent_credentials(climb: Climb, contract: Contract) -> Iterator[Finding]:
    """Find credentials that the contract's requests cannot do without and that are not configured."""
    needing: dict[str, list[str]] = {}
    for interaction in contract.interactions:
        unsigned = any(state.name == State.CREDENTIAL_MISSING for state in interaction.states)
        setting = climb.provider.credential_for(interaction.request.path, climb.subject.values)
        if setting is not None and setting not in climb.subject.values and not unsigned:
            needing.setdefault(setting, []).append(interaction.description)
    for setting, names in needing.items():
        field = next(field for field in climb.subject.declared.fields() if field.name == setting)
        yield Finding(
            CauseId.CONFIG_SETTING_MISSING,
            f"settings.{setting} is not set, and {len(names)} of {len(contract.interactions)} interactions of the "
            "contract cannot be asked without it",
            {"contract": str(contract.path), "interactions": names[:_SHOWN_MISMATCHES]},
            climb.integration.locate("settings"),
            f"Set {setting} in {climb.integration.heads('settings')}, for example {setting} = "
            f"{field.setting.example!r}. Where to find it: {field.setting.where}. If the login service never sends "
            "these requests, take the interactions out of the contract.",
        )


def _weak_rules(contract: Contract) -> Iterator[Finding]:
    """Report what the pact shows and does not check, in one finding."""
    effort, found = Effort(), []
    for interaction in contract.interactions:
        with suppress(ContractError):  # A rule that the core does not understand is reported when it is used.
            found += [f"{interaction.description}: {place}" for place in weak_places(interaction.response, effort)]
    if found:
        shown, more = found[:_SHOWN_PLACES], len(found) - _SHOWN_PLACES
        yield Finding(
            CauseId.CONTRACT_WEAK_RULE,
            f"the contract shows more than it checks; {found[0]}{f', and {len(found) - 1} more' if found[1:] else ''}",
            {"places": shown + ([f"and {more} more"] if more > 0 else [])},
            Location(contract.path),
        )


def _too_few_interactions(climb: Climb, number: int) -> Iterator[Finding]:
    """Report a contract that holds fewer interactions than the file demands to be asked."""
    wanted = climb.integration.minimum_interactions or 0
    if number < wanted:
        yield Finding(
            CauseId.GATE_NOTHING_CHECKED,
            f"the contract has {number} interactions, but at least {wanted} must be asked",
            {"contract": str(climb.integration.contract_path)},
            climb.integration.locate("minimum_interactions"),
        )


def run(climb: Climb) -> Iterator[Check]:
    """Replay each interaction, unless another run has the test users."""
    try:
        yield from _replayed(climb)
    except UsersInUse as error:
        yield Check.from_finding(INTERACTION, error.finding)


def _replayed(climb: Climb) -> Iterator[Check]:
    """Replay each interaction; stop when the provider no longer answers at all, or far too slowly."""
    gone: Check | None = None
    broken, total = 0, len(climb.interactions)
    with arranging(climb) as arranger:
        for number, interaction in enumerate(climb.interactions):
            if gone is None:
                arranger.overdue = partial(
                    overdue, climb, INTERACTION, f"{number} of {total} interactions were verified"
                )
                gone = arranger.overdue()
                if gone is not None:
                    yield gone
            if gone is not None:
                reason = f"not asked: {gone.title} found {gone.cause}"
                yield skipped(INTERACTION, reason, subject=interaction.description, because=SkipReason.NOT_REACHED)
                continue
            verify = partial(_verify, climb, interaction, arranger, confirming=broken < _CONFIRMED)
            check = guarded(climb, INTERACTION, interaction.description, verify)
            broken += check.outcome.is_red
            if arranger.is_late:
                gone = check
            elif check.outcome.is_red and is_no_answer(check.cause):
                gone = check
                arranger.abandon()
            yield check


@dataclass(frozen=True, slots=True)
class Replay:
    """One interaction sent to the provider."""

    exchange: Exchange
    mismatches: list[Mismatch]
    deliberately_refused: bool
    arranged: Arranged


def _replay(
    climb: Climb, interaction: Interaction, arranger: Arranger, again: Arranged | None, *, is_once: bool
) -> Replay:
    """Arrange the states, build the request, sign it, send it and match the answer.

    ``again`` are states that were arranged before and still hold.

    Raises:
        AlreadySent: The interaction is to be sent once, and was.
        AskedTooSoon: The provider wants it later.
        StateNotConfigured: The target's configuration does not allow for a state.
        StateUnavailable: A state could not be arranged.
    """
    arranged = arranger.arrange(interaction) if again is None else again
    for name in arranged.secrets:
        climb.redactor.add(f"state {name}", arranged.values[name])
    for name in arranged.credential.keys() & climb.provider.settings.secrets():
        # A bad credential is often a good one with a flaw: hide it as well.
        climb.redactor.add(f"state {name}", arranged.credential[name] or "")
    settings = climb.live.replace(arranged.credential) if arranged.credential else None
    request = interaction.build_request(arranged.values)
    if is_once:
        arranger.record_message(interaction.description)
    exchange = climb.live.send(request, settings=settings)
    if is_once and never_left(exchange):
        arranger.ledger.not_sent(interaction.description)
    response, mismatches = exchange.response, []
    if response is not None:
        arranger.answered(response)
        mismatches = interaction.match(response, climb.showable, arranged.values)
    refused = bool(arranged.credential) and interaction.response.status >= _REFUSED
    return Replay(exchange, mismatches, refused, arranged)


def _may_send(climb: Climb, interaction: Interaction) -> bool:
    """In production only what the contract marks as safe, unless the file says otherwise."""
    integration = climb.integration
    return (
        not integration.environment.is_production
        or interaction.safe_in_production
        or "unsafe-interactions" in integration.production_allows
    )


def _skip_reason(key: str) -> SkipReason:
    """Return why a state could not be arranged, from the configuration key that would allow it."""
    if key == "production_allows":
        return SkipReason.READ_ONLY
    if key.startswith("settings."):
        return SkipReason.SETTING_ABSENT
    return SkipReason.NO_TEST_DATA if key.startswith("test_data") else SkipReason.NOT_APPLICABLE


def is_sent_once(climb: Climb, interaction: Interaction) -> bool:
    """Whether the interaction leaves this machine once in a run, whatever comes back.

    That is so for what is not safe in production, and everywhere for what sends somebody a message.
    """
    if climb.integration.environment.is_production and not interaction.safe_in_production:
        return True
    return sends_message(climb, interaction.example_request())


def asked(
    climb: Climb, interaction: Interaction, arranger: Arranger, check_id: str, again: Arranged | None = None
) -> Replay | Check:
    """The replay, or the check that says why there is none."""
    name = interaction.description
    if not _may_send(climb, interaction):
        return skipped(check_id, "not marked safe in production", subject=name, because=SkipReason.READ_ONLY)
    try:
        return _in_time(climb, interaction, arranger, again)
    except StateNotConfigured as reason:
        message = f"set {reason.setting} to include it: {reason}"
        return skipped(check_id, message, subject=name, because=_skip_reason(reason.setting))
    except AskedTooSoon as reason:
        return _later(check_id, name, reason)
    except AlreadySent:
        message = f"{name}: it was already sent in this run and is not sent again; its result is not known"
        return Check.from_finding(check_id, Finding(CauseId.CONTRACT_ALREADY_SENT, message), subject=name)
    except UnsafeValueError as error:
        return Check.from_finding(check_id, _unsafe(climb, interaction, error), subject=name)
    except (StateUnavailable, StateValueError) as error:
        finding = arranger.lost() or Finding(CauseId.CONTRACT_STATE_UNAVAILABLE, f"{name}: {error}")
        return Check.from_finding(check_id, finding, subject=name)


def _in_time(climb: Climb, interaction: Interaction, arranger: Arranger, again: Arranged | None) -> Replay:
    """Replay it; once more after a wait, if the provider says that it was asked too soon and so did nothing.

    Raises:
        AskedTooSoon: There is no time to wait.
    """
    is_once = is_sent_once(climb, interaction)
    waited = False
    while True:
        sent = _replay(climb, interaction, arranger, again, is_once=is_once)
        wait = too_soon(climb, sent.exchange) if sent.mismatches else None
        if wait is None:
            return sent
        if waited or not arranger.waits(wait):
            raise AskedTooSoon(wait, said(climb, sent.exchange))
        waited = True
        if is_once:
            arranger.ledger.not_sent(interaction.description)


def _later(check_id: str, name: str, reason: AskedTooSoon) -> Check:
    when = datetime.now(UTC) + timedelta(seconds=reason.seconds)
    message = f"{name}: {reason}; it can be asked again after {when:%Y-%m-%d %H:%M:%S} UTC"
    evidence = {"again after": f"{when:%Y-%m-%dT%H:%M:%SZ}"}
    finding = Finding(CauseId.CONTRACT_ASKED_TOO_SOON, message, evidence, outcome=Outcome.SKIPPED)
    check = Check.from_finding(check_id, finding, subject=name)
    return check.model_copy(update={"skipped_because": SkipReason.TOO_SOON})


def _unsafe(climb: Climb, interaction: Interaction, error: UnsafeValueError) -> Finding:
    """Report a request that a state's value would send elsewhere.

    The place to change is the entry of the configuration that holds the value; without one, the generator's line.
    """
    tables = {"settings": climb.subject.values, "test_data": climb.test_data}
    for name, value in (
        (f"{table}.{name}", value) for table, values in tables.items() for name, value in values.items()
    ):
        if str(value.value) in error.values and re.fullmatch(ANY_SEGMENT, str(value.value)) is None:
            return Finding(
                CauseId.CONFIG_MALFORMED_VALUE,
                f"{name}: its value goes into the path of a request, and would lead the request elsewhere",
                {"interaction": interaction.description, "read from": value.read_from},
                value.change_here,
                f"Put the right value in {value.read_from}: an id without slashes or white space.",
            )
    contract = climb.contract
    assert contract is not None, "the contract is read on an earlier rung"
    where = ("interactions", contract.interactions.index(interaction), "request", *error.part)
    location = Location(contract.path, line_in(contract.path, where))
    return Finding(CauseId.CONTRACT_UNSAFE_PATH, f"{interaction.description}: {error}", {}, location)


_CONFIRMED = 3
"""Broken interactions that are asked again: after so many, one more differs in nothing."""


_CONSEQUENCES = (
    CauseId.CONTRACT_ENDPOINT_RETIRED,
    CauseId.CONTRACT_STATUS_CHANGED,
    CauseId.CONTRACT_VALUE_UNEXPECTED,
    CauseId.CONTRACT_STATE_UNAVAILABLE,
)


def _verify(climb: Climb, interaction: Interaction, arranger: Arranger, *, confirming: bool) -> Check:
    """Replay it, again where the answer is in doubt, and judge the whole picture."""

    is_once = is_sent_once(climb, interaction)
    kept: list[Arranged] = []

    def once(at_most: float | None) -> Sample[Check]:
        replay = asked(climb, interaction, arranger, INTERACTION, kept[0] if kept else None)
        if isinstance(replay, Check):
            return Sample.checked(replay, None)
        if arranger.has_sent:
            kept[:] = [replay.arranged]
        return Sample.checked(judge(climb, interaction, replay, INTERACTION), replay.exchange)

    def may_repeat(sample: Sample[Check]) -> bool:
        if sample.exchange is not None and never_left(sample.exchange):
            return True
        if arranger.has_sent:
            # A state that took a message is not arranged again: it still holds for what only reads.
            return bool(kept) and not is_once and interaction.request.method == "GET"
        return not is_once or (sample.exchange is None and not climb.integration.environment.is_production)

    try:
        picture = ask(climb, once, confirming=confirming, bounded=False, may_repeat=may_repeat)
    except Overdue as late:
        return late.check
    check, exchange = _counted(picture), picture.shown.exchange
    if exchange is not None and check.outcome in (Outcome.PASS, Outcome.WARN):
        climb.answered[interaction.description] = exchange
    return _explained(climb, interaction, arranger, check) if check.outcome.is_red else check


def _explained(climb: Climb, interaction: Interaction, arranger: Arranger, check: Check) -> Check:
    """What lies behind a broken interaction, where that shows elsewhere."""
    if is_refusal(check.cause):
        check = _contradicted(climb, interaction, check)
    if check.cause in _CONSEQUENCES and (broken := arranger.broken()) is not None:
        # A state made from an answer of another form: what follows is its consequence.
        evidence = {**broken.evidence, "so that": check.message}
        finding = replace(broken, evidence=evidence)
        return Check.from_finding(check.id, finding, subject=check.subject, seconds=check.seconds)
    return check


def _counted(picture: Picture[Check]) -> Check:
    """The check with its counts. An answer that broke the contract did so, whatever the others were like."""
    check = picture.shown.value
    if len(picture.samples) == 1:
        return check
    message, outcome = check.message, check.outcome
    if picture.mixed:
        failed, total = len(picture.failures), len(picture.samples)
        message += f": so in {failed} of {total} attempts, and as agreed otherwise"
        outcome = outcome if str(check.cause).startswith("contract.") else Outcome.INCONCLUSIVE
    evidence = {**check.evidence, **picture.told}
    return check.model_copy(update={"message": message, "outcome": outcome, "evidence": evidence})


def _contradicted(climb: Climb, interaction: Interaction, check: Check) -> Check:
    """A credential that was accepted and is refused here: ask for it once more."""
    declared = climb.provider.credentials(climb.settings)
    probes = [climb.proving.get(probe.subject, probe) for probe in declared]
    refused = [probe for probe in probes if _refuses(climb, probe)]
    evidence = {**check.evidence, "refused as": str(check.cause)}
    if refused:
        finding = Finding(
            CauseId.PROVIDER_AUTH_OUTAGE,
            f"{interaction.description}: the credential was accepted when this run began and is refused now",
            {**evidence, "asked again": f"{refused[0].method} {refused[0].path} refuses {refused[0].subject} as well"},
            next_step="Run the gate again. If it is refused from the beginning, it was revoked meanwhile; if not, the "
            "provider's authentication is unsteady.",
        )
    else:
        finding = Finding(
            CauseId.CONTRACT_STATUS_CHANGED,
            f"{interaction.description}: refused as if the credential were bad, which it is not",
            {**evidence, "credential": f"accepted in the same minute by {', '.join(one.path for one in probes)}"},
            Location(climb.integration.contract_path),
        )
    return Check.from_finding(check.id, finding, subject=check.subject, seconds=check.seconds)


def _refuses(climb: Climb, probe: Probe) -> bool:
    judge = judging(probe, climb.diagnose)
    return refuses(ask_probe(climb, probe, judge).shown.cause)


def judge(climb: Climb, interaction: Interaction, sent: Replay, check_id: str) -> Check:
    """What the answer to one interaction says."""
    name, response, seconds = interaction.description, sent.exchange.response, sent.exchange.seconds
    if response is not None and not sent.mismatches:
        ending = announced(sent.exchange)
        if ending is None:
            return passed(check_id, f"answered {response.status} as agreed", subject=name, seconds=seconds)
        finding = ending
    else:
        finding = _broken(climb, interaction, sent)
    outcome = Outcome.INFO if interaction.pending else finding.outcome
    finding = Finding(
        finding.cause,
        f"{name}: {finding.message}",
        {**finding.evidence, **_shown(sent.mismatches), **({"note": interaction.note} if interaction.note else {})},
        finding.location,
        finding.next_step,
        outcome,
        expires=finding.expires,
    )
    return Check.from_finding(check_id, finding, subject=name, seconds=seconds)


def _refused(climb: Climb, interaction: Interaction, sent: Replay) -> Finding | None:
    """Return the finding of a refusal in unknown words, where the contract agrees on another status."""
    response = sent.exchange.response
    if response is None or response.status == interaction.response.status:
        return None
    finding = unexpected(sent.exchange, climb)
    return finding if response.status in (401, 403) and refuses(finding.cause) else None


_HIDDEN = (
    "The contract names a reason, and the provider hides it here. Ask its administrator to exempt this client from the "
    "policy; or, if the login service can do without the reason, take it out of client and contract."
)


def _broken(climb: Climb, interaction: Interaction, sent: Replay) -> Finding:
    """Return what is behind an answer that breaks the contract: what explains the other differences comes first."""
    definite = definite_cause(sent.exchange, climb) or _refused(climb, interaction, sent)
    if definite is not None and not _was_agreed(definite, sent):
        is_hidden = definite.cause is CauseId.CREDENTIAL_NOT_PROVABLE
        return replace(definite, next_step=_HIDDEN) if is_hidden else definite
    finding = _from_mismatches(sent.mismatches, climb.integration.contract_path)
    response = sent.exchange.response
    if response is None or not is_absent(response) or _has_agreed_status(sent):
        return finding
    absent = climb.diagnose(sent.exchange)
    return replace(absent, evidence={**absent.evidence, **finding.evidence})


def _has_agreed_status(sent: Replay) -> bool:
    return all(mismatch.path != "status" for mismatch in sent.mismatches)


def _was_agreed(finding: Finding, sent: Replay) -> bool:
    """Whether the provider's words are those that the interaction is about, so that they explain no mismatch."""
    if sent.deliberately_refused and refuses(finding.cause):
        return True
    if finding.cause is CauseId.CONTRACT_ENDPOINT_RETIRED and sent.mismatches and _has_agreed_status(sent):
        return True
    # With the agreed status, and no value but the agreed ones, the provider's code is agreed as well.
    return bool(sent.mismatches) and all(mismatch.cause in OTHER_FORM for mismatch in sent.mismatches)


def _from_mismatches(mismatches: list[Mismatch], path: Path) -> Finding:
    """The first mismatch as a finding; the others are its evidence."""
    first = mismatches[0]
    return Finding(first.cause, first.message, {"contract": str(path)})


def _shown(mismatches: list[Mismatch]) -> dict[str, Any]:
    if not mismatches:
        return {}
    messages = list(dict.fromkeys(mismatch.message for mismatch in mismatches))
    shown = messages[:_SHOWN_MISMATCHES]
    more = len(messages) - len(shown)
    return {"mismatches": shown + ([f"and {more} more"] if more > 0 else [])}
