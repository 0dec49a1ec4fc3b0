"""Check that the expected account answers: a credential that the wrong tenant accepts is not a pass."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping

from mfagate.checks.live import LiveContext
from mfagate.checks.results import passed, skipped
from mfagate.core import check_ids
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.core.result import Check
from mfagate.providers.provider import InstalledProvider
from mfagate.secrets.fingerprint import fingerprint

_LONGEST = 64


def run(live: LiveContext) -> Iterator[Check]:
    """Compare the identity in the answers to pings and credential probes with the ``expect`` table."""
    expected = {name: str(value.value) for name, value in live.context.tables.expect.items()}
    if not live.provider.expectations:
        yield skipped(check_ids.IDENTITY, f"{live.provider.title}'s answers do not identify the account")
    seen: dict[str, str] = {}
    # Answers to credentials override those to pings, which need none.
    for exchange in [*live.evidence.answers, *live.evidence.accepted.values()]:
        if exchange.response is not None:
            seen |= live.provider.probes.identity(exchange.response, live.settings, expected)
    if not is_pinned(live.provider, expected):
        yield _unpinned(live, seen)
    for key, wanted in expected.items():
        yield _compare(live, key, wanted, seen.get(key))


def is_pinned(provider: InstalledProvider, expected: Collection[str]) -> bool:
    """Return whether ``expect`` names the account, or the provider does not report it."""
    return not provider.expectations or not provider.identifying().isdisjoint(expected)


def _unpinned(live: LiveContext, seen: Mapping[str, str]) -> Check:
    """Warn in production that no account is expected. The evidence has the lines for the account that answered."""
    integration, table = live.integration, live.integration.head("expect")
    if not integration.environment.is_production:
        return skipped(check_ids.IDENTITY, f"no account is expected: fill in {table}")
    lines = [*_lines(live.provider, seen)]
    if not lines:
        keys = {name: live.provider.expectations[name] for name in sorted(live.provider.identifying())}
        do = f"Fill in {table} with " + ", or ".join(f"{name} ({text})" for name, text in keys.items())
    elif integration.is_inline("expect"):
        do, lines = "If that is your account, add this inside the braces", [", ".join(lines)]
    elif integration.has_own("expect"):
        do = f"If that is your account, add the lines to {table}"
    else:
        do, lines = "If that is your account, add the lines", [table, *lines]
    finding = Finding(
        CauseId.CONFIG_IDENTITY_UNPINNED,
        "no account is expected, so a credential of another account would pass",
        {"lines to add": lines or None},
        integration.locate_own("expect"),
        next_step=f"Compare the account that answered with {live.provider.title}'s console. {do}, and run "
        f"`mfagate gate --integration {integration.name}`.",
    )
    return Check.from_finding(check_ids.IDENTITY, finding)


def _lines(provider: InstalledProvider, seen: Mapping[str, str]) -> Iterator[str]:
    """Yield the TOML lines for the account that answered, except values that would be shortened or changed."""
    for name in provider.expectations:
        value = seen.get(name)
        if name in provider.identifying() and value and quoted(value, _LONGEST) == value:
            yield f"{name} = {json.dumps(value, ensure_ascii=False)}"


def _compare(live: LiveContext, key: str, wanted: str, answered: str | None) -> Check:
    if answered is not None and (answered == wanted or answered.startswith(f"{wanted}.")):
        return passed(check_ids.IDENTITY, f"{key} is {_short(answered)}", subject=key)
    outcome, next_step, cause = None, None, CauseId.CREDENTIAL_WRONG_ACCOUNT
    if answered is None:
        message = f"the answers do not contain the {key}, so {_short(wanted)} could not be confirmed"
        outcome = Outcome.INCONCLUSIVE
        table = live.integration.written_head("expect", key)
        next_step = f"Remove {key} from {table} if this target does not report it."
        # Another endpoint has proved the credential, because this one hides its reasons.
        cause = CauseId.CREDENTIAL_NOT_PROVABLE if live.evidence.proved_by else cause
    else:
        message = f"{key} is {_short(answered)}; expected {_short(wanted)}"
    finding = Finding(
        cause,
        message,
        {"expected": _short(wanted), "answered": _short(answered) if answered else None},
        live.integration.locate("expect", key),
        next_step,
        outcome,
    )
    return Check.from_finding(check_ids.IDENTITY, finding, subject=key)


def _short(value: str) -> str:
    """Return a value on one line; for a long value, such as a key file, its fingerprint."""
    return quoted(value, _LONGEST) if len(value) <= _LONGEST else f"a value with the fingerprint {fingerprint(value)}"
