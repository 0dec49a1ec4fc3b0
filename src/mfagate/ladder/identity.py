"""Does the expected account answer? Accepted by the wrong tenant is not a pass."""

from __future__ import annotations

from collections.abc import Iterator

from mfagate.causes import CauseId, Outcome
from mfagate.foreign import quoted
from mfagate.ladder.rung import Climb, passed, skipped
from mfagate.result import Check, Finding
from mfagate.secrets.fingerprint import fingerprint

ID = "identity"

_LONGEST = 64


def run(climb: Climb) -> Iterator[Check]:
    """Compare what ping and accepted answers tell with the ``expect`` table."""
    expected = {name: str(value.value) for name, value in climb.expect.items()}
    if not climb.provider.expectations:
        yield skipped(ID, f"{climb.provider.title}'s answers do not tell whose account it is")
    elif not expected:
        yield skipped(ID, f"nothing is expected: fill {climb.integration.heads('expect')}")
    seen: dict[str, str] = {}
    # Accepted credentials have the last word: a ping is answered to anybody.
    for exchange in [*climb.answers, *climb.accepted.values()]:
        if exchange.response is not None:
            seen |= climb.provider.identity(exchange.response, climb.settings, expected)
    for key, wanted in expected.items():
        yield _compare(climb, key, wanted, seen.get(key))


def _compare(climb: Climb, key: str, wanted: str, answered: str | None) -> Check:
    if answered is not None and (answered == wanted or answered.startswith(f"{wanted}.")):
        return passed(ID, f"{key} is {_short(answered)}", subject=key)
    outcome, next_step, cause = None, None, CauseId.CREDENTIAL_WRONG_ACCOUNT
    if answered is None:
        message = f"the answers do not tell the {key}, so {_short(wanted)} could not be confirmed"
        outcome = Outcome.INCONCLUSIVE
        next_step = f"Take {key} out of [integrations.{climb.integration.name}.expect] if this target does not tell it."
        # Another endpoint has proved the credential, because this one hides its reasons.
        cause = CauseId.CREDENTIAL_NOT_PROVABLE if climb.proving else cause
    else:
        message = f"{key} is {_short(answered)} where {_short(wanted)} is expected"
    finding = Finding(
        cause,
        message,
        {"expected": _short(wanted), "answered": _short(answered) if answered else None},
        climb.integration.locate("expect", key),
        next_step,
        outcome,
    )
    return Check.from_finding(ID, finding, subject=key)


def _short(value: str) -> str:
    """One line of a value; a key file is known by its fingerprint."""
    return quoted(value, _LONGEST) if len(value) <= _LONGEST else f"a value with the fingerprint {fingerprint(value)}"
