"""Test the shipped project on other days and in other time zones; ``python -m tests.clock`` runs more tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ..support.project import REPOSITORY
from .clocks import CLOCKS, Clock

by_clock = pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
live = pytest.mark.parametrize("clock", [CLOCKS["leap-day"], CLOCKS["utc+14"]], ids=["leap-day", "utc+14"])
"""The slow job, ``python -m tests.clock``, uses all clocks."""

LONG = timedelta(hours=1)
"""Longer than any of these commands takes."""


def under(clock: Clock, library: str, *command: str, folder: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    environment = clock.environment(os.environ, library)
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def report_of(clock: Clock, library: str, report: Path, *arguments: str, folder: Path = REPOSITORY) -> dict[str, Any]:
    """Run a command that must pass under a clock, and return its report."""
    shown = clock.shows(datetime.now(UTC))
    command = [sys.executable, "-m", "mfagate", *arguments, "--output", f"json={report}"]
    done = under(clock, library, *command, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    parsed: dict[str, Any] = json.loads(report.read_text())
    assert shown - LONG < datetime.fromisoformat(parsed["run"]["started"]) < shown + LONG
    return parsed


def problems(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the integration and the cause of each failure and warning."""
    return [
        (integration["name"], check["cause"])
        for integration in report["integrations"]
        for check in integration["checks"]
        if check["outcome"] in ("fail", "inconclusive", "warn")
    ]


@by_clock
def test_stale_recordings_cause_one_warning_for_each_integration(clock: Clock, library: str, tmp_path: Path) -> None:
    report = report_of(clock, library, tmp_path / "report.json", "check")
    found = problems(report)
    assert {cause for _, cause in found} <= {"cassette.stale"}
    assert all(times == 1 for times in Counter(found).values())
    if clock.name in ("in-400-days", "leap-day"):
        assert len(found) == len(report["integrations"]) == 6


@live
def test_a_gate_and_its_sandbox_see_the_same_clock(clock: Clock, library: str, tmp_path: Path) -> None:
    report = report_of(clock, library, tmp_path / "report.json", "gate", "--integration", "duo")
    (skewed,) = (check for check in report["integrations"][0]["checks"] if check["id"] == "clock")
    assert skewed["outcome"] == "pass"
    assert problems(report) == []


@live
def test_a_nightly_run_warns_only_about_age(clock: Clock, library: str, tmp_path: Path) -> None:
    arguments = ("nightly", "--integration", "duo", "--history", str(tmp_path / "history.db"))
    found = problems(report_of(clock, library, tmp_path / "report.json", *arguments))
    assert {cause for _, cause in found} <= {"cassette.stale", "documentation.review-overdue"}
    assert all(times == 1 for times in Counter(found).values())


@by_clock
def test_time_passes_as_usual(clock: Clock, library: str) -> None:
    """Timeouts and sleeps keep their length on every day."""
    program = "import time; began = time.monotonic(); time.sleep(0.05); print(0.05 <= time.monotonic() - began < 60)"
    assert under(clock, library, sys.executable, "-c", program).stdout == "True\n"


def test_each_clock_shows_what_its_name_says() -> None:
    now = datetime(2027, 3, 5, 17, 30, tzinfo=UTC)
    shown = {name: clock.shows(now) for name, clock in CLOCKS.items()}
    assert (shown["tomorrow"] - now, shown["in-400-days"] - now) == (timedelta(days=1), timedelta(days=400))
    assert (shown["leap-day"].year, shown["leap-day"].month, shown["leap-day"].day) == (2028, 2, 29)
    assert shown["turn-of-the-year"].year == 2027
    assert (shown["turn-of-the-year"] + timedelta(minutes=1)).year == 2028
    for name, hours in {"utc+14": 14, "utc-11": -11}.items():
        assert (shown[name] + timedelta(hours=hours)).date() != shown[name].date()
