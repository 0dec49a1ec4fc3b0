"""Thirty nights with a provider to which everything happens: each is told on its night, once, and nothing else is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from tests.app.nightly.provider import Provider, running, simulate, write_project

from mfagate.app import gate
from mfagate.checks import Stage
from mfagate.config.load import load
from mfagate.core.causes import Outcome
from mfagate.core.result import Report
from mfagate.history.prior_runs import PriorRuns
from mfagate.history.recorder import RunRecorder, location_of
from mfagate.history.store import History
from mfagate.notify.changes import ProblemChange, ProblemStatus, observed
from mfagate.notify.deciding import notification
from mfagate.providers import registry

NIGHTS = 30

Told = tuple[str, str, str, str | None]
"""A change: kind, outcome, cause, subject."""


def add_a_field(response: dict[str, Any]) -> None:
    response["trusted_device_token_expires"] = 30


def drop_an_unused_one(response: dict[str, Any]) -> None:
    for device in response["devices"]:
        del device["display_name"]


def retype_a_used_one(response: dict[str, Any]) -> None:
    response["devices"] = {str(number): device for number, device in enumerate(response["devices"])}


def other_words_for_people(response: dict[str, Any]) -> None:
    response["status_msg"] = "Welcome back"  # a sentence is no enumeration


def another_value(response: dict[str, Any]) -> None:
    for device in response["devices"]:
        device["type"] = "token"


def _adds(*new: Callable[[dict[str, Any]], None]) -> Callable[[Provider], None]:
    return lambda provider: provider.emulator.changes.extend(new)


def _slower(factor: float) -> Callable[[Provider], None]:
    return lambda provider: setattr(provider, "slower", factor)


HAPPENS: Mapping[int, Callable[[Provider], None]] = {
    3: _adds(add_a_field),
    5: _adds(other_words_for_people),
    6: _adds(drop_an_unused_one),
    12: _adds(another_value),
    15: lambda provider: provider.use_certificate(400),
    16: _slower(1.5),
    19: _slower(1.0),
    24: _slower(2.0),
    28: _adds(retype_a_used_one),
}

PROCESSING = ("warn", "latency.shifted", "processing")

EXPECTED: Mapping[int, list[Told]] = {
    0: [
        ("new", "warn", "network.tls-expiring-soon", None),
        ("new", "info", "cassette.emulated", None),
    ],
    3: [("new", "info", "drift.field-added", "$.response.trusted_device_token_expires")],
    6: [("new", "warn", "drift.field-removed", "$.response.devices[*].display_name")],
    10: [("new", "warn", "credential.expiring-soon", "secret_key")],
    12: [("new", "warn", "drift.value-new", "$.response.devices[*].type")],
    15: [("recovered", "warn", "network.tls-expiring-soon", None)],
    17: [("new", *PROCESSING)],
    20: [("recovered", *PROCESSING)],
    25: [("new", *PROCESSING)],
    28: [("new", "fail", "contract.type-changed", None)],
}


def night(config: Path, at: datetime) -> tuple[list[Told], str]:
    """One run of ``mfagate nightly`` at that time: the differences from the night before, and the verdict."""
    with time_machine.travel(at, tick=True):
        configuration = load(config, registry.names())
        recorder = RunRecorder(configuration, None)
        with recorder.in_use():
            prior = recorder.prior_runs(["duo"], Stage.NIGHTLY)
            outcome = gate.run(gate.GatePlan(configuration, configuration.select(), Stage.NIGHTLY, prior=prior))
            report = outcome.report
            statuses = {
                key: ProblemStatus.model_validate(status) for key, status in (recorder.notified() or {}).items()
            }
            seen = observed(report, statuses)
            _, after = notification(seen.changes, seen.statuses, report.run.finished, configuration.notify)
            recorder.record(report, outcome.learnt)
            recorder.remember_notified({key: status.model_dump(mode="json") for key, status in after.items()})
        assert report.run.warnings == recorder.warnings == []
        assert all(check.cause != "gate.internal-error" for check in report.integrations[0].checks)
    told = [_told(change) for change in seen.changes] + _new_infos(report, prior["duo"])
    return told, report.verdict.value


def _told(change: ProblemChange) -> Told:
    outcome = "fail" if change.severe else "warn"
    return change.kind.value, outcome, change.cause, change.subject.partition(" ")[2] or None


def _new_infos(report: Report, prior: PriorRuns) -> list[Told]:
    """What is only for information is in the report of its night, and not sent."""
    before = {problem.key for _, state in prior.runs[-1:] for problem in state.problems}
    infos = [check for check in report.integrations[0].checks if check.outcome is Outcome.INFO]
    return [
        ("new", "info", str(check.cause), check.subject) for check in infos if (check.id, check.subject) not in before
    ]


def test_more_errors_than_usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request in six fails and is answered when it is asked again: no verdict and no fault, but news.

    Two of twelve questions become certain in the fourth night.
    """
    began = datetime.now(UTC)
    with running(tmp_path, began) as provider:
        simulate(monkeypatch, provider, key_expires=began + timedelta(days=400))
        config = write_project(tmp_path, provider, monkeypatch)
        night(config, began + timedelta(seconds=1))
        with History.open(location_of(load(config, registry.names()), None)) as history:
            (first,) = history.runs()
            for number in range(1, 16):
                at = began + timedelta(days=number)
                history.record(replace(first, id=str(uuid.uuid4()), started=at, finished=at))
        told = []
        for number in range(16, 23):
            every = 6 if number < 20 else None
            provider.emulator.be_unavailable(every)
            news, verdict = night(config, began + timedelta(days=number, seconds=1))
            assert verdict == "pass"
            told += [(number, *change) for change in news if change[2] != "cassette.emulated"]
    assert told == [
        (16, "new", "warn", "provider.degraded", None),
        (19, "new", "warn", "errors.raised", None),
        (20, "recovered", "warn", "provider.degraded", None),
        (21, "recovered", "warn", "errors.raised", None),
    ]


def test_thirty_nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began = datetime.now(UTC)
    told: dict[int, list[Told]] = {}
    verdicts = {}
    with running(tmp_path, began) as provider:
        simulate(monkeypatch, provider, key_expires=began + timedelta(days=40))
        config = write_project(tmp_path, provider, monkeypatch)
        provider.use_certificate(20)
        for number in range(NIGHTS):
            if number in HAPPENS:
                HAPPENS[number](provider)
            news, verdicts[number] = night(config, began + timedelta(days=number, seconds=1))
            if news:
                told[number] = news
    assert told == EXPECTED
    assert verdicts == {number: "fail" if number >= 28 else "pass" for number in range(NIGHTS)}
