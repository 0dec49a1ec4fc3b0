"""A defect of ours costs one check and no other, and its traceback shows no secret."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.project import Project

from mfagate.app import gate
from mfagate.checks import Stage
from mfagate.config.load import load
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Response
from mfagate.core.result import Check, Report, Verdict
from mfagate.providers import registry
from mfagate.providers.privacyidea.probes import PrivacyIDEAProbes


def run(project: Project, monkeypatch: pytest.MonkeyPatch) -> Report:
    project.write()
    for name, value in project.env.items():
        monkeypatch.setenv(name, value)
    configuration = load(Path(project.folder / "integrations.toml"), registry.names())
    return gate.run(gate.GatePlan(configuration, configuration.select(), Stage.GATE)).report


def defects(report: Report) -> list[Check]:
    return [check for check in report.integrations[0].checks if check.cause is CauseId.GATE_INTERNAL_ERROR]


def test_a_defect_in_one_check_does_not_stop_the_others(
    project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def identity(self: PrivacyIDEAProbes, *_: object) -> dict[str, str]:
        raise RuntimeError(f"a defect that quotes {project.env['VALIDATE']}")

    monkeypatch.setattr(PrivacyIDEAProbes, "identity", identity)
    with caplog.at_level(logging.ERROR, logger="mfagate"):
        report = run(project, monkeypatch)
    assert [check.id for check in defects(report)] == ["identity"]
    assert report.verdict is Verdict.INCONCLUSIVE
    later = [check for check in report.integrations[0].checks if check.id == "contract.interaction"]
    assert {check.outcome for check in later} == {Outcome.PASS}
    assert "Traceback" in caplog.text
    assert project.env["VALIDATE"] not in caplog.text + report.model_dump_json()


def test_a_defect_in_one_interaction_stops_no_other(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.ask_everything()
    from mfagate.contract import Interaction, Mismatch
    from mfagate.contract.mismatch import Showable

    good = Interaction.match

    def match(self: Interaction, response: Response, showable: Showable, values: Mapping[str, str]) -> list[Mismatch]:
        return good(self, response, showable, values) if self.description != "replayed OTP" else [][0]

    monkeypatch.setattr(Interaction, "match", match)
    report = run(project, monkeypatch)
    assert [check.subject for check in defects(report)] == ["replayed OTP"]
    assert report.summary.passed > 30
