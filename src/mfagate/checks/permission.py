"""Check that the accepted credential may do what the contract needs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from mfagate.checks.live import LiveContext
from mfagate.checks.probing import check_of, review_probe
from mfagate.checks.results import skipped
from mfagate.core import check_ids
from mfagate.core.result import Check
from mfagate.providers.probes import Probe


def run(live: LiveContext) -> Iterator[Check]:
    """Send each permission probe of the provider."""
    probes = live.provider.probes.permissions(live.settings)
    if not probes:
        yield skipped(check_ids.PERMISSION, "the credentials in use need no permission beyond being accepted")
    yield from live.at_once([partial(_granted, live, probe) for probe in probes])


def _granted(live: LiveContext, probe: Probe) -> Check:
    attempts = review_probe(live, probe)
    finding = attempts.finding and live.locate(attempts.counted(attempts.finding))
    return check_of(check_ids.PERMISSION, probe.subject, attempts.value, finding, "granted", **attempts.summary)
