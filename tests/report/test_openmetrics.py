"""Metrics, as the parsers of Prometheus read them."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text_format

from mfagate.core.result import Report
from mfagate.report import openmetrics
from mfagate.report.formats import Output

from ..support.programs import require_program
from .conftest import Offline, hostile_check, report_of

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series(text: str) -> Series:
    """Return every series of an exposition, which both parsers must read alike."""
    read: list[Series] = []
    for reader in (read_openmetrics, read_text_format):
        samples = [sample for family in reader(text) for sample in family.samples]
        by_labels = {(one.name, frozenset(one.labels.items())): float(one.value) for one in samples}
        assert len(by_labels) == len(samples), "a series occurs twice"
        read.append(by_labels)
    assert read[0] == read[1]
    return read[0]


def values(text: str, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
    wanted = set(labels.items())
    return [
        (dict(given), value) for (metric, given), value in series(text).items() if metric == name and wanted <= given
    ]


def value(text: str, name: str, **labels: str) -> float:
    ((_, one),) = values(text, name, **labels)
    return one


def test_a_command_writes_metrics(offline: Offline) -> None:
    text, _ = offline.report_in("openmetrics")
    (labels, one) = values(text, "mfagate_integration_problem", integration="duo-us")[0]
    assert one == 1
    assert labels == {
        "stage": "check",
        "integration": "duo-us",
        "provider": "duo",
        "environment": "production",
        "cause": "config.reference-unresolved",
    }
    verdicts = {
        given["verdict"]: one for given, one in values(text, "mfagate_integration_verdict", integration="duo-us")
    }
    assert verdicts == {"fail": 1, "pass": 0, "inconclusive": 0}
    assert not values(text, "mfagate_integration_problem", integration="duo-eu"), "waived"
    assert value(text, "mfagate_integration_checks", integration="duo-eu", outcome="waived") == 1
    assert value(text, "mfagate_run_verdict", verdict="fail") == 1
    assert value(text, "mfagate_run_finished_timestamp_seconds") >= value(text, "mfagate_run_started_timestamp_seconds")


def test_expiry_dates_are_timestamps() -> None:
    check = hostile_check("x")
    assert check.expires is not None
    later = check.until(check.expires + timedelta(days=1))
    for checks in ((check, later), (later, check)):
        text = openmetrics.render(report_of(*checks))
        assert value(text, "mfagate_integration_expiry_timestamp_seconds") == check.expires.timestamp(), "the earliest"


def test_a_drill_differs_from_an_incident() -> None:
    report = report_of(hostile_check("x"))
    broken = report.integrations[0].model_copy(update={"faults": ["credential-revoked"]})
    drill = report.model_copy(update={"integrations": [broken]})
    values = [value(openmetrics.render(one), "mfagate_integration_drill") for one in (report, drill)]
    assert values == [0, 1]


def test_an_override_differs_from_a_pass() -> None:
    report = report_of(hostile_check("x"))
    overridden = report.model_copy(update={"run": report.run.model_copy(update={"override": "incident 4711"})})
    values = [value(openmetrics.render(one), "mfagate_run_overridden") for one in (report, overridden)]
    assert values == [0, 1]


def test_hostile_labels_are_read_unchanged(hostile: Report) -> None:
    text = Output("openmetrics").render(hostile)
    (labels, _), *_ = values(text, "mfagate_integration_expiry_timestamp_seconds")
    assert ":\\x3aerror::" in labels["subject"]


def test_promtool_finds_no_problem(hostile: Report) -> None:
    promtool = require_program("promtool", package="prometheus")
    text = Output("openmetrics").render(hostile)
    done = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_file_of_the_textfile_collector_is_replaced_atomically(offline: Offline) -> None:
    offline.write()
    target = offline.folder / "mfagate.prom"
    target.write_text("old")
    before = target.stat().st_ino
    offline.execute("check", "--output", f"openmetrics={target}")
    assert target.stat().st_ino != before
    assert target.read_text().endswith("# EOF\n")
    assert [path for path in Path(offline.folder).iterdir() if path.suffix == ".prom"] == [target]
