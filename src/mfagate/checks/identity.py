"""Does the expected account answer? Accepted by the wrong tenant is not a pass."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping

from mfagate.checks.context import CheckContext, passed, skipped
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.core.result import Check
from mfagate.providers.base import Provider
from mfagate.secrets.fingerprint import fingerprint

ID = "identity"

_LONGEST = 64


def run(climb: CheckContext) -> Iterator[Check]:
    """Compare what ping and accepted answers tell with the ``expect`` table."""
    expected = {name: str(value.value) for name, value in climb.expect.items()}
    if not climb.provider.expectations:
        yield skipped(ID, f"{climb.provider.title}'s answers do not tell whose account it is")
    seen: dict[str, str] = {}
    # Accepted credentials have the last word: a ping is answered to anybody.
    for exchange in [*climb.answers, *climb.accepted.values()]:
        if exchange.response is not None:
            seen |= climb.provider.identity(exchange.response, climb.settings, expected)
    if not is_pinned(climb.provider, expected):
        yield _unpinned(climb, seen)
    for key, wanted in expected.items():
        yield _compare(climb, key, wanted, seen.get(key))


def is_pinned(provider: Provider, expected: Collection[str]) -> bool:
    """Return whether ``expect`` says whose account must answer, or the provider cannot tell."""
    return not provider.expectations or not provider.identifying().isdisjoint(expected)


def _unpinned(climb: CheckContext, seen: Mapping[str, str]) -> Check:
    """Warn in production that an account is not expected, with the lines that expect the one that has answered."""
    integration, table = climb.integration, climb.integration.head("expect")
    if not integration.environment.is_production:
        return skipped(ID, f"nothing is expected: fill {table}")
    lines = [*_lines(climb.provider, seen)]
    if not lines:
        keys = {name: climb.provider.expectations[name] for name in sorted(climb.provider.identifying())}
        do = f"Fill {table} with " + ", or ".join(f"{name} ({text})" for name, text in keys.items())
    elif integration.is_inline("expect"):
        do, lines = "If that is your account, add this to the braces", [", ".join(lines)]
    elif integration.has_own("expect"):
        do = f"If that is your account, add the lines to {table}"
    else:
        do, lines = "If that is your account, add the lines", [table, *lines]
    finding = Finding(
        CauseId.CONFIG_IDENTITY_UNPINNED,
        "it is not written down whose account must answer, so a credential of another account would pass",
        {"lines to add": lines or None},
        integration.locate_own("expect"),
        next_step=f"Compare what answered with {climb.provider.title}'s console. {do}, and run "
        f"`mfagate gate --integration {integration.name}`.",
    )
    return Check.from_finding(ID, finding)


def _lines(provider: Provider, seen: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of TOML that expect what was seen. A value that has to be cut or changed is not offered."""
    for name in provider.expectations:
        value = seen.get(name)
        if name in provider.identifying() and value and quoted(value, _LONGEST) == value:
            yield f"{name} = {json.dumps(value, ensure_ascii=False)}"


def _compare(climb: CheckContext, key: str, wanted: str, answered: str | None) -> Check:
    if answered is not None and (answered == wanted or answered.startswith(f"{wanted}.")):
        return passed(ID, f"{key} is {_short(answered)}", subject=key)
    outcome, next_step, cause = None, None, CauseId.CREDENTIAL_WRONG_ACCOUNT
    if answered is None:
        message = f"the answers do not tell the {key}, so {_short(wanted)} could not be confirmed"
        outcome = Outcome.INCONCLUSIVE
        table = climb.integration.written_head("expect", key)
        next_step = f"Take {key} out of {table} if this target does not tell it."
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
