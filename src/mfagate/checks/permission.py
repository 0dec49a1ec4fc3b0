"""Check that the accepted credential may do what the contract needs."""

from __future__ import annotations

from collections.abc import Iterator

from mfagate.checks.live import LiveContext
from mfagate.checks.probing import ask_probe, judging
from mfagate.checks.results import passed, skipped
from mfagate.core import check_ids
from mfagate.core.result import Check


def run(live: LiveContext) -> Iterator[Check]:
    """Send each permission probe of the provider."""
    probes = live.provider.permissions(live.settings)
    if not probes:
        yield skipped(check_ids.PERMISSION, "the credentials in use need no permission beyond being accepted")
    for probe in probes:
        attempts = ask_probe(live, probe, judging(probe, live.diagnoser.diagnose, reviewed=True))
        exchange, finding = attempts.value, attempts.finding
        if finding is None:
            yield passed(
                check_ids.PERMISSION, "granted", subject=probe.subject, seconds=exchange.seconds, **attempts.summary
            )
        else:
            finding = live.locate(attempts.counted(finding))
            yield Check.from_finding(check_ids.PERMISSION, finding, subject=probe.subject, seconds=exchange.seconds)
