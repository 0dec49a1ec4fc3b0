"""SARIF fits the official schema, and has what code scanning needs."""

from __future__ import annotations

import json
from email.message import Message
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from mfagate.core.causes import CauseId
from mfagate.core.result import Report
from mfagate.report import sarif
from mfagate.report.formats import Output
from mfagate.report.places import root

from .conftest import Offline

REFUSED, WARNED, ACCEPTED = "config.reference-unresolved", "config.timeout-budget", "config.fails-open"


@cache
def schema() -> dict[str, Any]:
    text = Path(__file__).with_name("schemas").joinpath("sarif-2.1.0-rtm.5.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def validated(text: str) -> dict[str, Any]:
    """Return the only run of a log, which must fit the schema."""
    document = json.loads(text)
    jsonschema.validate(document, schema(), cls=jsonschema.Draft4Validator)
    (run,) = document["runs"]
    made: dict[str, Any] = run
    return made


def by_rule(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {result["ruleId"]: result for result in run["results"]}


def test_a_command_writes_results(offline: Offline) -> None:
    run = validated(offline.report_in("sarif")[0])
    results = by_rule(run)
    levels = {rule: result["level"] for rule, result in results.items()}
    assert levels | {REFUSED: "error", WARNED: "warning", ACCEPTED: "error"} == levels
    assert run["invocations"][0]["exitCode"] == 1
    (location,) = results[REFUSED]["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "integrations.toml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": offline.line_of("secret_key")},
    }
    base = run["originalUriBaseIds"]["%SRCROOT%"]["uri"]
    assert Path(urlsplit(base).path) == offline.folder
    (waiver,) = results[ACCEPTED]["suppressions"]
    assert (waiver["kind"], waiver["status"]) == ("external", "accepted")
    assert "the wards must log in during an outage" in waiver["justification"]
    assert all("suppressions" not in result for rule, result in results.items() if rule != ACCEPTED)


def test_each_cause_is_a_rule(offline: Offline) -> None:
    run = validated(offline.report_in("sarif")[0])
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [cause.value for cause in CauseId]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_fingerprints_are_unique_and_do_not_depend_on_lines(offline: Offline) -> None:
    def prints() -> list[str]:
        run = validated(offline.report_in("sarif")[0])
        return sorted(result["partialFingerprints"]["mfagate/v1"] for result in run["results"])

    before = prints()
    assert len(set(before)) == len(before)
    offline.configuration = "\n\n# moved\n" + offline.configuration
    assert prints() == before


def test_paths_are_relative_to_the_root_when_run_in_a_subfolder(offline: Offline) -> None:
    below = offline.folder / "deploy"
    below.mkdir()
    offline.write()
    offline.folder = below
    done = offline.execute("check", "--config", "../integrations.toml", "--output", "sarif")
    run = validated(done.stdout)
    location = by_rule(run)[REFUSED]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": "integrations.toml", "uriBaseId": "%SRCROOT%"}


def test_a_file_outside_the_repository_has_an_absolute_uri(
    hostile: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    (check,) = hostile.integrations[0].checks[:1]
    assert check.location is not None
    elsewhere = check.model_copy(update={"location": check.location.model_copy(update={"file": "../a b/#x.env"})})
    integration = hostile.integrations[0].model_copy(update={"checks": [elsewhere]})
    run = validated(sarif.render(hostile.model_copy(update={"integrations": [integration]})))
    location = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": f"{root().parent.as_uri()}/a%20b/%23x.env"}


def test_a_result_has_the_line_of_its_interaction_in_the_pact(tmp_path: Path, hostile: Report) -> None:
    pact = tmp_path / "pact.json"
    pact.write_text(json.dumps({"interactions": [{"description": "a"}, {"description": 'größer "b"'}]}, indent=1))
    check = (
        hostile.integrations[0]
        .checks[0]
        .model_copy(update={"subject": 'größer "b"', "location": None, "evidence": {"contract": str(pact)}})
    )
    integration = hostile.integrations[0].model_copy(update={"checks": [check]})
    run = validated(sarif.render(hostile.model_copy(update={"integrations": [integration]})))
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert '"b' in pact.read_text().splitlines()[region["startLine"] - 1]


def test_hostile_text_fits_the_schema(hostile: Report) -> None:
    run = validated(Output("sarif").render(hostile))
    assert len(run["results"]) == 3


def test_an_empty_selection_is_a_result(offline: Offline) -> None:
    text, done = offline.report_in("sarif", "--environment", "staging")
    (result,) = validated(text)["results"]
    assert (done.exit_code, result["ruleId"]) == (1, "gate.nothing-checked")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "integrations.toml"


def test_rules_link_to_the_pages_of_causes_if_the_package_has_their_address(
    hostile: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Message()
    package["Project-URL"] = "Causes, https://docs.example.com/reference/causes/"
    monkeypatch.setattr(sarif, "metadata", lambda name: package)
    rules = validated(sarif.render(hostile))["tool"]["driver"]["rules"]
    uris = {rule["id"]: rule["helpUri"] for rule in rules}
    assert uris["credential.rejected"] == "https://docs.example.com/reference/causes/credential.rejected.html"
