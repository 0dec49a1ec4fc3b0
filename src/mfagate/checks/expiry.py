"""When do the credentials run out, as far as the provider tells?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mfagate.checks.context import CheckContext, passed, skipped
from mfagate.checks.retry import ask_probe, judging
from mfagate.config.dates import in_words
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding
from mfagate.core.result import Check
from mfagate.providers.base import Expiry, ExpiryProbe

ID = "credential.expiry"


def run(climb: CheckContext) -> Iterator[Check]:
    """Look up the dates; what may not be looked up is no fault."""
    probes = climb.provider.expiries(climb.settings)
    if not probes:
        yield skipped(ID, f"{climb.provider.title} tells no expiry of these credentials")
    for expiry_probe in probes:
        yield from _look_up(climb, expiry_probe)


_MAY_NOT_ASK = (CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, CauseId.PROVIDER_REFUSAL_UNRECOGNISED)
"""Refusals of a credential that was accepted: no login needs the date."""


def _look_up(climb: CheckContext, expiry_probe: ExpiryProbe) -> Iterator[Check]:
    probe = expiry_probe.probe
    judge = judging(probe, climb.diagnose)
    picture = ask_probe(climb, probe, judge)
    exchange = picture.shown.value
    if exchange.response is None or not probe.accepted(exchange.response):
        finding = picture.counted(climb.diagnose(exchange, probe))
        if finding.cause in _MAY_NOT_ASK:
            yield skipped(ID, f"to see the expiry ahead of time, grant {expiry_probe.needs}", subject=probe.subject)
        else:
            yield Check.from_finding(ID, climb.place(finding), subject=probe.subject, seconds=exchange.seconds)
        return
    expiries = expiry_probe.read(exchange.response)
    if not expiries:
        yield skipped(ID, "the provider lists no expiry of this credential", subject=probe.subject)
    for expiry in expiries:
        yield _judge(climb, expiry, exchange.seconds)


def _judge(climb: CheckContext, expiry: Expiry, seconds: float) -> Check:
    left = expiry.when - datetime.now(UTC)
    date = f"{expiry.when:%Y-%m-%d %H:%M} UTC"
    # What each use prolongs is never far from its end: only a part of the window is a warning.
    horizon = min(climb.horizon, expiry.window / 3) if expiry.window else climb.horizon
    if left > horizon:
        prolonged = f", unless it is used: then {expiry.window.days} days after that" if expiry.window else ""
        message = f"{expiry.what} lasts until {date}{prolonged}"
        return passed(ID, message, subject=expiry.subject, seconds=seconds).until(expiry.when)
    expired = left <= timedelta(0)
    cause = CauseId.CREDENTIAL_EXPIRED if expired else CauseId.CREDENTIAL_EXPIRING_SOON
    when = f"expired on {date}" if expired else f"expires on {date}, in {in_words(left)}"
    evidence = {"expires": date, "known from": f"{climb.provider.title}'s own answer"}
    message = f"{expiry.what} {when}"
    finding = climb.place(Finding(cause, message, evidence, setting=expiry.subject, expires=expiry.when))
    return Check.from_finding(ID, finding, subject=expiry.subject, seconds=seconds)
