"""Look up when the credentials expire, if the provider lists it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mfagate.checks.live import LiveContext
from mfagate.checks.probing import ask_probe, is_accepted, judging
from mfagate.checks.results import passed, skipped
from mfagate.config.dates import in_words
from mfagate.core import check_ids
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.providers.base import Expiry, ExpiryProbe


def run(live: LiveContext) -> Iterator[Check]:
    """Report each date. A missing permission to look it up is not a failure."""
    probes = live.provider.expiries(live.settings)
    if not probes:
        yield skipped(check_ids.CREDENTIAL_EXPIRY, f"{live.provider.title} tells no expiry of these credentials")
    for expiry_probe in probes:
        yield from _look_up(live, expiry_probe)


_MAY_NOT_ASK = (CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, CauseId.PROVIDER_REFUSAL_UNRECOGNISED)
"""Refusals of an accepted credential. No login needs the date, so they are not reported as failures."""


def _look_up(live: LiveContext, expiry_probe: ExpiryProbe) -> Iterator[Check]:
    probe = expiry_probe.probe
    attempts = ask_probe(live, probe, judging(probe, live.diagnoser.diagnose))
    exchange, found = attempts.value, attempts.finding
    if found is not None and not is_accepted(probe, exchange):
        finding = attempts.counted(found)
        if finding.cause in _MAY_NOT_ASK:
            yield skipped(
                check_ids.CREDENTIAL_EXPIRY,
                f"to see the expiry ahead of time, grant {expiry_probe.needs}",
                subject=probe.subject,
            )
        else:
            yield Check.from_finding(
                check_ids.CREDENTIAL_EXPIRY, live.locate(finding), subject=probe.subject, seconds=exchange.seconds
            )
        return
    expiries = expiry_probe.read(exchange.response) if exchange.response is not None else []
    if not expiries:
        yield skipped(
            check_ids.CREDENTIAL_EXPIRY, "the provider lists no expiry of this credential", subject=probe.subject
        )
    for expiry in expiries:
        yield _judge(live, expiry, exchange.seconds)


def _judge(live: LiveContext, expiry: Expiry, seconds: float) -> Check:
    left = expiry.when - datetime.now(UTC)
    date = f"{expiry.when:%Y-%m-%d %H:%M} UTC"
    # A credential that each use prolongs is never far from its end, so only a part of the window is a warning.
    horizon = min(live.context.horizon, expiry.window / 3) if expiry.window else live.context.horizon
    if left > horizon:
        prolonged = f", unless it is used: then {expiry.window.days} days after that" if expiry.window else ""
        message = f"{expiry.what} lasts until {date}{prolonged}"
        return passed(check_ids.CREDENTIAL_EXPIRY, message, subject=expiry.subject, seconds=seconds).until(expiry.when)
    expired = left <= timedelta(0)
    cause = CauseId.CREDENTIAL_EXPIRED if expired else CauseId.CREDENTIAL_EXPIRING_SOON
    when = f"expired on {date}" if expired else f"expires on {date}, in {in_words(left)}"
    evidence = {"expires": date, "known from": f"{live.provider.title}'s own answer"}
    message = f"{expiry.what} {when}"
    finding = live.locate(Finding(cause, message, evidence, setting=expiry.subject, expires=expiry.when))
    return Check.from_finding(check_ids.CREDENTIAL_EXPIRY, finding, subject=expiry.subject, seconds=seconds)
