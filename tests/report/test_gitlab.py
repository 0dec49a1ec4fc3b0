"""The Code Quality report, as documented at https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from mfagate.core.result import Report
from mfagate.report.formats import Output

from .conftest import Offline

DOCUMENTED = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "location", "severity"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string", "minLength": 1, "pattern": "^[^\n]*$"},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./|/)"},
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"type": "integer"}}},
                },
            },
        },
    },
}


def issues(text: str) -> list[dict[str, Any]]:
    assert not text.startswith("\ufeff"), "GitLab reads no byte order mark"
    document = json.loads(text)
    jsonschema.validate(document, DOCUMENTED)
    prints = [issue["fingerprint"] for issue in document]
    assert len(set(prints)) == len(prints), "GitLab shows one issue a fingerprint"
    loaded: list[dict[str, Any]] = document
    return loaded


def test_a_command_writes_findings(offline: Offline) -> None:
    found = {issue["check_name"]: issue for issue in issues(offline.report_in("gitlab")[0])}
    first = found["config.reference-unresolved"]
    assert first["location"] == {"path": "integrations.toml", "lines": {"begin": offline.line_of("secret_key")}}
    assert found["config.timeout-budget"]["severity"] == "minor"
    assert found["config.fails-open"]["severity"] == "info"
    assert "waived by Ada L." in found["config.fails-open"]["description"]


def test_a_refused_credential_blocks(hostile: Report) -> None:
    assert [issue["severity"] for issue in issues(Output("gitlab").render(hostile))] == ["blocker", "minor", "info"]


def test_an_empty_selection_is_a_finding(offline: Offline) -> None:
    (issue,) = issues(offline.report_in("gitlab", "--environment", "staging")[0])
    assert issue["check_name"] == "gate.nothing-checked"
    assert issue["location"]["path"] == "integrations.toml"
