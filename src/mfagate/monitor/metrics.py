"""The metrics: one set for each registry of prometheus_client, shared by all monitors of a process.

In multiprocess mode (``PROMETHEUS_MULTIPROC_DIR``), prometheus_client sums counters and histograms
over the workers, so other types of metrics are not used.
"""

from __future__ import annotations

import threading
from functools import partial
from weakref import WeakKeyDictionary

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from mfagate.core.causes import CauseFamily, CauseId
from mfagate.core.exchange import Phase

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_FAMILIES = (
    CauseFamily.NETWORK, CauseFamily.CLOCK, CauseFamily.CREDENTIAL, CauseFamily.ACCOUNT, CauseFamily.PROVIDER,
    CauseFamily.CONTRACT,
)  # fmt: skip

_FOUND_BY_THE_GATE_ALONE = {
    CauseId.CREDENTIAL_EXPIRING_SOON, CauseId.CREDENTIAL_NOT_ENFORCED, CauseId.CREDENTIAL_WRONG_ACCOUNT,
    CauseId.NETWORK_TLS_EXPIRING_SOON, CauseId.PROVIDER_DEGRADED, CauseId.PROVIDER_AUTH_OUTAGE,
    CauseId.CONTRACT_OUT_OF_DATE, CauseId.CONTRACT_WEAK_RULE, CauseId.CREDENTIAL_NOT_PROVABLE,
    CauseId.PROVIDER_PING_UNAVAILABLE,
}  # fmt: skip

_SETTINGS_THAT_PROVIDERS_REFUSE = {
    CauseId.CONFIG_MALFORMED_URL, CauseId.CONFIG_MALFORMED_VALUE, CauseId.CONFIG_SETTING_MISSING,
    CauseId.CONFIG_WRONG_KIND,
}  # fmt: skip

CAUSES = tuple(
    cause
    for cause in CauseId
    if cause in _SETTINGS_THAT_PROVIDERS_REFUSE or (cause.family in _FAMILIES and cause not in _FOUND_BY_THE_GATE_ALONE)
)
"""The causes that the monitor can find."""


class Metrics:
    """All metrics of one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("integration", "provider")
        self.requests = Counter(
            "mfagate_client_requests",
            "Calls to the MFA provider by result; refused means that the user was refused and the integration works.",
            (*labels, "result"),
            registry=registry,
        )
        self.problems = Counter(
            "mfagate_client_problems",
            "Calls to the MFA provider that failed for a reason other than the user, by cause.",
            (*labels, "cause"),
            registry=registry,
        )
        self.seconds = Histogram(
            "mfagate_client_request_seconds",
            "Time of a whole call, including redirects and retries.",
            labels,
            buckets=_BUCKETS,
            registry=registry,
        )
        self.phases = Histogram(
            "mfagate_client_phase_seconds",
            "Time of each phase of a call; connect (including name resolution) and tls only for new connections.",
            (*labels, "phase"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self.errors = Counter(
            "mfagate_client_monitor_errors",
            "Errors of the monitor itself, which did not affect the calls.",
            labels,
            registry=registry,
        )


class Series:
    """The metrics of one integration. All start at zero, because an alert on an increase needs a first value."""

    def __init__(self, metrics: Metrics, integration: str, provider: str) -> None:
        from mfagate.monitor.classification import CallResult

        self.seconds = metrics.seconds.labels(integration, provider)
        self.errors = metrics.errors.labels(integration, provider)
        self.results = {result: metrics.requests.labels(integration, provider, result.value) for result in CallResult}
        self.problems = {cause: metrics.problems.labels(integration, provider, cause.value) for cause in CAUSES}
        measured = (Phase.CONNECT, Phase.TLS, Phase.PROCESSING, Phase.TRANSFER)
        self.phases = {phase.value: metrics.phases.labels(integration, provider, phase.value) for phase in measured}
        self._more = partial(metrics.problems.labels, integration, provider)
        self._further = partial(metrics.phases.labels, integration, provider)

    def problem(self, cause: CauseId) -> None:
        """Count a problem, even with an unexpected cause."""
        (self.problems.get(cause) or self._more(cause.value)).inc()

    def phase(self, name: str, seconds: float) -> None:
        """Record the time of a phase, even if the wrapped clients do not measure it.

        Raises:
            ValueError: The phase does not exist.
        """
        (self.phases.get(name) or self._further(Phase(name).value)).observe(seconds)


_lock = threading.Lock()
_of_registry: WeakKeyDictionary[CollectorRegistry, Metrics] = WeakKeyDictionary()


def metrics_of(registry: CollectorRegistry | None) -> Metrics:
    """Return the metrics of a registry, by default prometheus_client's own; the first use creates them."""
    chosen = registry if registry is not None else REGISTRY
    with _lock:
        if chosen not in _of_registry:
            _of_registry[chosen] = Metrics(chosen)
        return _of_registry[chosen]
