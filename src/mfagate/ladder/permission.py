"""Is the accepted credential allowed to do what the contract needs?"""

from __future__ import annotations

from collections.abc import Iterator

from mfagate.diagnosis import diagnose
from mfagate.ladder.rung import Climb, passed, skipped
from mfagate.result import Check

ID = "permission"


def run(climb: Climb) -> Iterator[Check]:
    """Send each permission probe of the provider."""
    probes = climb.provider.permissions(climb.settings)
    if not probes:
        yield skipped(ID, "the credentials in use need no permission beyond being accepted")
    for probe in probes:
        exchange = climb.live.send(probe.request())
        response = exchange.response
        if response is None or not probe.accepted(response):
            finding = diagnose(exchange, climb)
        else:
            review = probe.review(response) if probe.review else None
            if review is None:
                yield passed(ID, "granted", subject=probe.subject, seconds=exchange.seconds)
                continue
            finding = review
        yield Check.from_finding(ID, climb.place(finding), subject=probe.subject, seconds=exchange.seconds)
