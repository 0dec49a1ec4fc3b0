"""Render the report as metrics, for the textfile collector of node_exporter and for a Pushgateway.

Every metric is a gauge. This makes the text valid both as OpenMetrics 1.0
(https://prometheus.io/docs/specs/om/open_metrics_spec/) and in the older Prometheus text format, the only one that the
textfile collector reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from mfagate.core.causes import Outcome
from mfagate.core.result import IntegrationReport, Report, Verdict
from mfagate.history.record import samples_of
from mfagate.report.words import kind

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

_HELP = {
    "mfagate_run_verdict": "1 for the verdict of the last run, 0 for the others.",
    "mfagate_run_info": "The version of mfagate that ran.",
    "mfagate_run_overridden": "1 if the verdict was overridden.",
    "mfagate_run_started_timestamp_seconds": "When the last run began.",
    "mfagate_run_finished_timestamp_seconds": "When the last run ended.",
    "mfagate_run_duration_seconds": "How long the last run took.",
    "mfagate_integration_verdict": "1 for the verdict on the integration, 0 for the others.",
    "mfagate_integration_problem": "1 for each cause of a failure, inconclusive check or warning that is not waived.",
    "mfagate_integration_checks": "Checks of the integration by outcome.",
    "mfagate_integration_checked_timestamp_seconds": "When the integration was checked.",
    "mfagate_integration_drill": "1 if faults were injected into the sandbox.",
    "mfagate_integration_users_ratio": "The share of users who log in through the integration.",
    "mfagate_integration_expiry_timestamp_seconds": "When a credential or certificate expires.",
    "mfagate_integration_phase_duration_seconds": "The median duration of a phase over all answered requests.",
    "mfagate_integration_check_duration_seconds": "The total duration of the checks with one id.",
}

Sample = tuple[str, Mapping[str, str], float]


def render(report: Report) -> str:
    """Return one exposition, which ends with ``# EOF``."""
    from prometheus_client.openmetrics.exposition import generate_latest

    exposition: bytes = generate_latest(Exposition(samples(report)))  # type: ignore[no-untyped-call]
    return exposition.decode("utf-8")


class Exposition:
    """A collector of samples for prometheus_client."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = list(samples)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield one family for each metric, in the order of the first samples."""
        from prometheus_client.core import GaugeMetricFamily

        by_name: dict[str, list[Sample]] = defaultdict(list)
        for sample in self._samples:
            by_name[sample[0]].append(sample)
        for name, same in by_name.items():
            family = GaugeMetricFamily(name, _HELP[name])
            for _, labels, value in same:
                family.add_sample(name, dict(labels), value)
            yield family


def samples(report: Report) -> Iterator[Sample]:
    """Yield the samples of a run and its integrations."""
    yield from of_the_run(report)
    for integration in report.integrations:
        yield from of_integration(integration, report)


def of_the_run(report: Report) -> Iterator[Sample]:
    """Yield the samples of the run as a whole."""
    run, labels = report.run, {"stage": report.run.stage}
    for verdict in Verdict:
        yield "mfagate_run_verdict", {**labels, "verdict": verdict.value}, float(report.verdict is verdict)
    yield "mfagate_run_info", {**labels, "version": run.version}, 1.0
    yield "mfagate_run_overridden", labels, float(run.override is not None)
    yield "mfagate_run_started_timestamp_seconds", labels, run.started.timestamp()
    yield "mfagate_run_finished_timestamp_seconds", labels, run.finished.timestamp()
    yield "mfagate_run_duration_seconds", labels, (run.finished - run.started).total_seconds()


def of_integration(integration: IntegrationReport, report: Report) -> Iterator[Sample]:
    """Yield the samples of one integration."""
    labels = {
        "stage": report.run.stage,
        "integration": integration.name,
        "provider": integration.provider,
        "environment": integration.environment,
    }
    for verdict in Verdict:
        of_verdict = {**labels, "verdict": verdict.value}
        yield "mfagate_integration_verdict", of_verdict, float(integration.verdict is verdict)
    for cause in dict.fromkeys(str(check.cause) for check in integration.problems):
        yield "mfagate_integration_problem", {**labels, "cause": cause}, 1.0
    for outcome in [*Outcome, "waived"]:
        number = sum(kind(check) == outcome for check in integration.checks)
        yield "mfagate_integration_checks", {**labels, "outcome": str(outcome)}, float(number)
    yield "mfagate_integration_checked_timestamp_seconds", labels, report.run.finished.timestamp()
    yield "mfagate_integration_drill", labels, float(bool(integration.faults))
    if integration.share_of_users is not None:
        yield "mfagate_integration_users_ratio", labels, integration.share_of_users
    for (check_id, subject), when in expiries(integration).items():
        of_expiry = {**labels, "check": check_id, "subject": subject}
        yield "mfagate_integration_expiry_timestamp_seconds", of_expiry, when.timestamp()
    yield from _durations(integration, labels)


def _durations(integration: IntegrationReport, labels: Mapping[str, str]) -> Iterator[Sample]:
    seconds: dict[str, float] = defaultdict(float)
    for check in integration.checks:
        if check.outcome is not Outcome.SKIPPED:
            seconds[check.id] += check.seconds
    for sample in samples_of(integration.measured):
        yield "mfagate_integration_phase_duration_seconds", {**labels, "phase": sample.phase.value}, sample.median
    for check_id, taken in seconds.items():
        yield "mfagate_integration_check_duration_seconds", {**labels, "check": check_id}, taken


def expiries(integration: IntegrationReport) -> dict[tuple[str, str], datetime]:
    """Return the earliest expiry date for each check id and subject: two series must not have the same labels."""
    earliest: dict[tuple[str, str], datetime] = {}
    for check in integration.checks:
        if check.expires is not None:
            key = (check.id, check.subject or "")
            earliest[key] = min(earliest.get(key, check.expires), check.expires)
    return earliest
