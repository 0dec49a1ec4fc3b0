"""The metrics as they are scraped: from one process, and from many."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.openmetrics import exposition
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from mfagate.core.exchange import Response
from mfagate.core.foreign.parsing import raw
from mfagate.monitor import Answer, Monitor, monitor
from mfagate.monitor.metrics import CAUSES
from mfagate.providers.duo.dialect import DuoDialect
from mfagate.providers.duo.provider import Duo
from mfagate.providers.errors import ApiError

from .conftest import problems_by_cause, requests_by_result

REFUSED = Answer(401, {"Content-Type": "application/json"}, b'{"stat":"FAIL","code":40103,"message":"m"}')

WORKER = """
import sys
from mfagate.monitor import Answer, monitor

watching = monitor("duo", integration="duo-eu")
for _ in range(int(sys.argv[1])):
    watching.observe(None, Answer(200), 0.1, {"processing": 0.1})
    watching.observe(None, Answer(401, {}, b'{"stat":"FAIL","code":40103,"message":"m"}'), 0.2)
"""


def test_everything_begins_at_zero(watching: Monitor, registry: CollectorRegistry) -> None:
    """An alert on an increase needs a value from before it."""
    labels = {"integration": "duo-eu", "provider": "duo"}
    for cause in CAUSES:
        assert registry.get_sample_value("mfagate_client_problems_total", labels | {"cause": cause}) == 0
    for result in ("ok", "refused", "problem", "unexplained", "abandoned"):
        assert registry.get_sample_value("mfagate_client_requests_total", labels | {"result": result}) == 0
    assert registry.get_sample_value("mfagate_client_monitor_errors_total", labels) == 0


def test_it_is_openmetrics(watching: Monitor, registry: CollectorRegistry) -> None:
    watching.observe(None, REFUSED, 0.25, {"processing": 0.2})
    text = exposition.generate_latest(registry).decode()  # type: ignore[no-untyped-call]
    families = {family.name: family for family in text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]
    assert set(families) == {
        "mfagate_client_requests",
        "mfagate_client_problems",
        "mfagate_client_request_seconds",
        "mfagate_client_phase_seconds",
        "mfagate_client_monitor_errors",
    }
    assert all(family.documentation for family in families.values())


def test_every_phase_has_a_metric(watching: Monitor, registry: CollectorRegistry) -> None:
    """One that nobody knows is a defect that is counted, and costs neither the other phases nor the cause."""
    watching.observe(None, REFUSED, 0.25, {"resolve": 0.1, "waiting": 0.1, "processing": 0.2})
    labels = {"integration": "duo-eu", "provider": "duo"}
    for phase in ("resolve", "processing"):
        name = "mfagate_client_phase_seconds_count"
        assert registry.get_sample_value(name, labels | {"phase": phase}) == 1
    assert registry.get_sample_value("mfagate_client_monitor_errors_total", labels) == 1
    assert problems_by_cause(registry) == {"credential.rejected": 1}


def test_monitors_of_one_registry_share_the_metrics(registry: CollectorRegistry) -> None:
    for name in ("duo-eu", "duo-us"):
        monitor("duo", integration=name, registry=registry).observe(None, REFUSED, 0.1)
    monitor("okta", registry=registry).observe(None, Answer(200), 0.1)
    problems = [
        registry.get_sample_value(
            "mfagate_client_problems_total", {"integration": name, "provider": "duo", "cause": "credential.rejected"}
        )
        for name in ("duo-eu", "duo-us")
    ]
    assert problems == [1, 1]


def test_workers_are_added_up(tmp_path: Path) -> None:
    for calls in (3, 4):
        subprocess.run(
            [sys.executable, "-c", WORKER, str(calls)],
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            check=True,
            timeout=60,
        )
    together = CollectorRegistry()
    MultiProcessCollector(together, path=str(tmp_path))  # type: ignore[no-untyped-call]
    assert requests_by_result(together) == {"ok": 7, "problem": 7}
    assert problems_by_cause(together) == {"credential.rejected": 7}
    labels = {"integration": "duo-eu", "provider": "duo"}
    assert together.get_sample_value("mfagate_client_request_seconds_count", labels) == 14


def test_a_provider_of_another_package(registry: CollectorRegistry) -> None:
    class OtherDialect(DuoDialect):
        about_a_user = frozenset({"wrong_pin"})

        def error_of(self, response: Response) -> ApiError | None:
            return ApiError(raw(response.text))

    class Other(Duo):
        name = "other"
        dialect = OtherDialect()

    watching = monitor(Other(), registry=registry)
    watching.observe(None, Answer(400, body=b"wrong_pin"), 0.1)
    watching.observe(None, Answer(403, body=b"who knows"), 0.1)
    assert requests_by_result(registry) == {"refused": 1, "problem": 1}
    assert problems_by_cause(registry) == {"provider.refusal-unrecognised": 1}
    assert watching.provider == "other"
