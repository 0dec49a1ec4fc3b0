"""Check when the credentials expire, if the provider lists it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from mfagate.checks.live import LiveContext
from mfagate.checks.probing import is_accepted, send_probe
from mfagate.checks.results import passed, skipped
from mfagate.config.dates import in_words
from mfagate.core import check_ids
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.providers.probes import Expiry, ExpiryProbe


def run(live: LiveContext) -> Iterator[Check]:
    """Report each date. A missing permission to look it up is not a failure."""
    probes = live.provider.probes.expiries(live.settings)
    if not probes:
        message = f"{live.provider.title} does not report when these credentials expire"
        yield skipped(check_ids.CREDENTIAL_EXPIRY, message)
    for checks in live.at_once([partial(_look_up, live, probe) for probe in probes]):
        yield from checks


_MAY_NOT_ASK = (CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, CauseId.PROVIDER_REFUSAL_UNRECOGNISED)
"""Refusals of an accepted credential. No login needs the date, so they are not reported as failures."""


def _look_up(live: LiveContext, expiry_probe: ExpiryProbe) -> list[Check]:
    probe = expiry_probe.probe
    attempts = send_probe(live, probe)
    exchange, found = attempts.value, attempts.finding
    if found is not None and not is_accepted(probe, exchange):
        if found.cause in _MAY_NOT_ASK:
            reason = f"to see the expiry ahead of time, grant {expiry_probe.needs}"
            return [skipped(check_ids.CREDENTIAL_EXPIRY, reason, subject=probe.subject)]
        finding = live.locate(attempts.counted(found))
        return [
            Check.from_finding(check_ids.CREDENTIAL_EXPIRY, finding, subject=probe.subject, seconds=exchange.seconds)
        ]
    expiries = expiry_probe.read(exchange.response) if exchange.response is not None else []
    if not expiries:
        reason = "the provider lists no expiry date for this credential"
        return [skipped(check_ids.CREDENTIAL_EXPIRY, reason, subject=probe.subject)]
    return [_check(live, expiry, exchange.seconds) for expiry in expiries]


def _check(live: LiveContext, expiry: Expiry, seconds: float) -> Check:
    left = expiry.when - datetime.now(UTC)
    date = f"{expiry.when:%Y-%m-%d %H:%M} UTC"
    # A credential that is prolonged by each use is always close to its end, so warn only in a part of its window.
    horizon = min(live.context.horizon, expiry.window / 3) if expiry.window else live.context.horizon
    if left > horizon:
        prolonged = f", or for {expiry.window.days} days after its last use" if expiry.window else ""
        message = f"{expiry.what} is valid until {date}{prolonged}"
        return passed(check_ids.CREDENTIAL_EXPIRY, message, subject=expiry.subject, seconds=seconds).until(expiry.when)
    expired = left <= timedelta(0)
    cause = CauseId.CREDENTIAL_EXPIRED if expired else CauseId.CREDENTIAL_EXPIRING_SOON
    when = f"expired on {date}" if expired else f"expires on {date}, in {in_words(left)}"
    evidence = {"expires": date, "known from": f"{live.provider.title}'s own answer"}
    message = f"{expiry.what} {when}"
    finding = live.locate(Finding(cause, message, evidence, setting=expiry.subject, expires=expiry.when))
    return Check.from_finding(check_ids.CREDENTIAL_EXPIRY, finding, subject=expiry.subject, seconds=seconds)
