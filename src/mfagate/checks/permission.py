"""Is the accepted credential allowed to do what the contract needs?"""

from __future__ import annotations

from collections.abc import Iterator

from mfagate.checks.context import CheckContext, passed, skipped
from mfagate.checks.retry import ask_probe, judging
from mfagate.core.result import Check

ID = "permission"


def run(climb: CheckContext) -> Iterator[Check]:
    """Send each permission probe of the provider."""
    probes = climb.provider.probes.permissions(climb.settings)
    if not probes:
        yield skipped(ID, "the credentials in use need no permission beyond being accepted")
    for probe in probes:
        judge = judging(probe, climb.diagnose, reviewed=True)
        picture = ask_probe(climb, probe, judge)
        exchange = picture.shown.value
        finding = judge(exchange)
        if finding is None:
            yield passed(ID, "granted", subject=probe.subject, seconds=exchange.seconds, **picture.told)
        else:
            finding = climb.place(picture.counted(finding))
            yield Check.from_finding(ID, finding, subject=probe.subject, seconds=exchange.seconds)
