"""Check the answer to one interaction of the contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mfagate.checks.expectation import OTHER_FORM
from mfagate.checks.live import LiveContext
from mfagate.checks.results import passed
from mfagate.checks.retirement import announced
from mfagate.contract import Interaction, Mismatch
from mfagate.core.causes import CauseId, Outcome, refuses
from mfagate.core.diagnosis import definite_cause, is_absent, unexpected
from mfagate.core.exchange import Exchange
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.providers.states import StateValues

_SHOWN_MISMATCHES = 5


@dataclass(frozen=True, slots=True)
class Sent:
    """One interaction that was sent to the provider.

    Args:
        exchange: The request and its answer.
        mismatches: How the answer differs from the contract.
        deliberately_refused: Whether the interaction uses a bad credential and expects its refusal.
        values: The values of the provider states.
    """

    exchange: Exchange
    mismatches: list[Mismatch]
    deliberately_refused: bool
    values: StateValues


def check_answer(live: LiveContext, interaction: Interaction, sent: Sent, check_id: str) -> Check:
    """Return the check of one interaction that was sent."""
    name, response, seconds = interaction.description, sent.exchange.response, sent.exchange.seconds
    if response is not None and not sent.mismatches:
        ending = announced(sent.exchange)
        if ending is None:
            return passed(check_id, f"answered {response.status} as agreed", subject=name, seconds=seconds)
        finding = ending
    else:
        finding = _broken(live, interaction, sent)
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


def _refused(live: LiveContext, interaction: Interaction, sent: Sent) -> Finding | None:
    """Return the finding of a refusal in unknown words, if the contract expects another status."""
    response = sent.exchange.response
    if response is None or response.status == interaction.response.status:
        return None
    finding = unexpected(sent.exchange, live.dialect)
    return finding if response.status in (401, 403) and refuses(finding.cause) else None


_HIDDEN = (
    "The contract expects a reason, and the provider hides it here. Ask its administrator to exempt this client from "
    "the policy. If the login service does not need the reason, remove it from the client and the contract instead."
)


def _broken(live: LiveContext, interaction: Interaction, sent: Sent) -> Finding:
    """Return the finding of an answer that breaks the contract. A definite cause explains the differences."""
    definite = definite_cause(sent.exchange, live.dialect)
    known = definite or _refused(live, interaction, sent)
    if known is not None and not _was_agreed(known, sent):
        is_hidden = known.cause is CauseId.CREDENTIAL_NOT_PROVABLE
        return replace(known, next_step=_HIDDEN) if is_hidden else known
    finding = _from_mismatches(sent.mismatches, live.integration.contract_path)
    response = sent.exchange.response
    if response is None or not is_absent(response) or _has_agreed_status(sent):
        return finding
    absent = live.diagnoser.conclude(sent.exchange, definite)
    return replace(absent, evidence={**absent.evidence, **finding.evidence})


def _has_agreed_status(sent: Sent) -> bool:
    return all(mismatch.path != "status" for mismatch in sent.mismatches)


def _was_agreed(finding: Finding, sent: Sent) -> bool:
    """Return whether the interaction is about this very error, so that it explains no mismatch."""
    if sent.deliberately_refused and refuses(finding.cause):
        return True
    if finding.cause is CauseId.CONTRACT_ENDPOINT_RETIRED and sent.mismatches and _has_agreed_status(sent):
        return True
    # If the status and all values are as agreed, so is the provider's error code.
    return bool(sent.mismatches) and all(mismatch.cause in OTHER_FORM for mismatch in sent.mismatches)


def _from_mismatches(mismatches: list[Mismatch], path: Path) -> Finding:
    """Return the first mismatch as a finding; the others are its evidence."""
    first = mismatches[0]
    return Finding(first.cause, first.message, {"contract": str(path)})


def _shown(mismatches: list[Mismatch]) -> dict[str, Any]:
    if not mismatches:
        return {}
    messages = list(dict.fromkeys(mismatch.message for mismatch in mismatches))
    shown = messages[:_SHOWN_MISMATCHES]
    more = len(messages) - len(shown)
    return {"mismatches": shown + ([f"and {more} more"] if more > 0 else [])}
