"""Properties of every format."""

from __future__ import annotations

import html
import json
import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.foreign import harmless, harmless_tree
from mfagate.core.result import ChangedSince, Check, Report, SkipReason, Verdict
from mfagate.report import console, markdown, words
from mfagate.report.findings import findings
from mfagate.report.formats import FORMATS, Output
from mfagate.sandbox.faulty_proxy import always, faulty_proxy
from mfagate.secrets.redaction import Redactor
from mfagate.testing.project import Project as AnyProject

from ..support.project import link_shipped
from .conftest import CANARY, DUO, HOSTILE, Offline, hostile_check, report_of, waived_check
from .test_github import read
from .test_sarif import validated

VARYING = re.compile(
    r"in \d+\.\d s|\b[0-9a-f]{10}\b|[0-9a-f]{8}-[0-9a-f-]{27}|20\d\d-\d\d-\d\d[T ]?[\d:.]*Z?( UTC)?"
    r"|file:///[^\"]*/|\d\.\d+e[+-]\d\d|(?<=} )\d+\.\d{2,}|(?<=\"seconds\": )[\d.]+|(?<=time=\")[\d.]+"
)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_whole_command(offline: Offline, name: str, snapshot: SnapshotAssertion) -> None:
    text, done = offline.report_in(name)
    assert done.exit_code == 1
    # The catalogue has its own tests.
    text = re.sub(r'(?s)"rules": \[.*?\n          \]', '"rules": …', text)
    text = re.sub(r"(?s)<style>.*?</style>", "<style>…</style>", text)
    text = re.sub(r"sha256-[\w+/=]+", "sha256-…", text)
    assert VARYING.sub("…", text) == snapshot


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_can_be_written_to_stdout(offline: Offline, name: str) -> None:
    offline.write()
    done = offline.execute("check", "--output", name)
    assert (done.exit_code, bool(done.stdout)) == (1, True), done.stderr


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_help_lists_the_format(offline: Offline, name: str) -> None:
    for command in ("check", "gate"):
        assert re.search(rf"\b{name}\b", offline.execute(command, "--help").stdout)


def test_a_locale_without_a_character_does_not_prevent_a_report(offline: Offline) -> None:
    offline.configuration = offline.configuration.replace("identity-platform", "Zoë")
    offline.write()
    done = offline.execute("check", PYTHONIOENCODING="ascii")
    assert (done.exit_code, "(owner: Zo\\xeb)" in done.stdout) == (1, True), done.stderr


def test_a_misspelt_format_gets_the_nearest_name(offline: Offline) -> None:
    offline.write()
    done = offline.execute("check", "--output", "sarfi=x")
    assert (done.exit_code, "did you mean 'sarif'" in done.stderr) == (2, True)


def test_a_missing_extra_is_reported_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfagate.core.extras.find_spec", lambda asked: None if asked == "jinja2" else object())
    with pytest.raises(ValueError, match=r"jinja2: pip install \S+\[html\]"):
        Output.parse("html")


@pytest.mark.parametrize("name", sorted({*FORMATS} - {"json"}))
def test_no_report_contains_control_characters(hostile: Report, name: str) -> None:
    text = Output(name).render(hostile)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u2028\u202a-\u202e\u2066-\u2069]", text)
    assert "日本語" in text or "\\u65e5" in text
    text.encode("utf-8")


class Echoing(AnyProject):
    """A provider that responds with hostile text that contains the secret."""

    url = ""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"SKEY": CANARY})
        link_shipped(folder)

    def text(self) -> str:
        duo = DUO.format(name="duo-eu", key="2" * 18, secret="env:SKEY").replace("production", "staging")
        return duo.replace('"staging"', f'"staging"\nendpoint = "{self.url}"', 1)


def test_hostile_responses_are_sanitized_in_every_report(tmp_path: Path) -> None:
    project = Echoing(tmp_path)
    answer = {"stat": "FAIL", "code": 40103, "message": f"\ud800 {HOSTILE} {CANARY}", "message_detail": HOSTILE}
    with faulty_proxy("http://127.0.0.1:9", always(401, json.dumps(answer).encode())) as before:
        project.url = before.url
        project.write()
        outputs = [f"--output={name}=report.{name}" for name in FORMATS]
        done = project.execute("gate", *outputs)
    assert done.exit_code == 1, done.stdout
    redactor = Redactor({"skey": CANARY})
    for name in FORMATS:
        text = (tmp_path / f"report.{name}").read_text()
        assert redactor.found_in(text) == [], name
        assert "\x1b" not in text, name
        # Two formats do not show evidence.
        assert ("evil.example" in text) is (name not in ("gitlab", "openmetrics")), name
    commands = read((tmp_path / "report.github").read_text())
    assert {command.name for command in commands} <= {"error", "warning", "notice"}


@pytest.mark.parametrize("name", FORMATS)
def test_an_unpaired_surrogate_does_not_prevent_a_report(name: str) -> None:
    """A JSON response or a path that is not UTF-8 may contain one, and a JSON parser may reject it."""
    report = report_of(hostile_check(f"{HOSTILE}\ud800"))
    configured = report.run.model_copy(update={"configuration": os.fsdecode(b"caf\xe9/integrations.toml")})
    text = Output(name).render(report.model_copy(update={"run": configured})).encode()
    if name == "json":
        read_back = Report.model_validate_json(text)
        assert read_back.run.configuration == "caf\ufffd/integrations.toml"
        assert read_back.integrations[0].checks[0].message == f"{HOSTILE}\ufffd"


def test_invisible_characters_are_escaped() -> None:
    assert harmless("a\x1b[31m\u202eb\r\nc\td") == "a\\x1b[31m\\u202eb c d"
    assert harmless("\ud800") == "\\ud800"
    assert harmless("Grüße 日本語 \u00a0👩\u200d🚀") == "Grüße 日本語 👩\u200d🚀"


def test_only_hostile_characters_of_a_report_change(hostile: Report) -> None:
    shown = harmless_tree(hostile)
    assert harmless_tree(shown) == shown
    assert shown.integrations[0].checks[0].message == harmless(HOSTILE)
    assert shown.run == hostile.run


def test_the_deciding_problem_comes_first_and_warnings_last() -> None:
    """The first problem is the one that decides the verdict and the exoneration."""
    warned = hostile_check("warned", outcome=Outcome.WARN)
    unknown = hostile_check("unknown", outcome=Outcome.INCONCLUSIVE)
    consequence = hostile_check("consequence", cause=CauseId.CONTRACT_STATUS_CHANGED)
    decides = hostile_check("decides")
    report = report_of(warned, unknown, consequence, decides)
    assert report.integrations[0].problems == [decides, consequence, unknown, warned]
    found = findings(report)
    assert [(one.check.message, one.decides) for one in found] == [
        ("decides", True), ("consequence", False), ("unknown", False), ("warned", False),
    ]  # fmt: skip
    assert markdown.render(report).count("exonerated: ") == 1


@pytest.mark.parametrize("name", ["github", "gitlab", "sarif"])
def test_paths_are_relative_to_the_root_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Code hosts need such paths, wherever the command runs."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "login").mkdir()
    monkeypatch.chdir(tmp_path / "login")
    *_, path = re.findall(r"[\w/]*deploy/duo\.env", Output(name).render(report_of(hostile_check("x"))))
    assert path == "login/deploy/duo.env"


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_skipped_check_with_a_cause_is_not_a_finding(name: str) -> None:
    """A provider that asks for a later request causes a skipped check with a cause."""
    later = hostile_check("later", outcome=Outcome.SKIPPED, cause=CauseId.CONTRACT_ASKED_TOO_SOON, expires=None)
    report = report_of(later, verdict=Verdict.PASS)
    assert findings(report) == []
    assert Output(name).render(report)


def test_the_console_counts_many_problems_of_a_kind() -> None:
    report = report_of(*[hostile_check("the same", subject=str(number)) for number in range(9)])
    text = console.render(report)
    assert text.count("fail duo-eu: the same") == 3
    text = " ".join(text.split())
    assert "and 6 more of credential.accepted with the cause credential.rejected in duo-eu; --output json" in text


def test_an_empty_selection_fails() -> None:
    """An empty selection is not a pass, even if nothing has changed."""
    empty = SELECTED.model_copy(update={"changed": {}, "unchanged": []})
    report = noted(integrations=[], verdict=Verdict.FAIL, cause=CauseId.GATE_NOTHING_CHECKED)
    report = report.model_copy(update={"run": report.run.model_copy(update={"changed_since": empty})})
    assert console.render(report).startswith("FAIL: do not deploy")
    (suite,) = ElementTree.fromstring(Output("junit").render(report))
    assert suite.get("failures") == "1"


SELECTED = ChangedSince(
    revision="main", commit="4f6168f", changed={"duo-eu": ["deploy/duo-eu.env"]}, unchanged=["duo-us"], removed=["old"]
)
NOTES = [
    "incident 4711",
    "drill, faults injected: duo-eu (credential-revoked)",
    "changed since main: duo-eu (deploy/duo-eu.env)",
    "unchanged, not checked: duo-us",
    "no longer in the file: old",
    "warning: a history cannot be written PASS: deploy",
]


def noted(**changed: Any) -> Report:
    """Return a passed drill with --changed-since and an override, and a warning of two lines."""
    report = report_of(verdict=Verdict.PASS)
    values = {
        "override": NOTES[0],
        "changed_since": SELECTED,
        "warnings": ["a history cannot be written\nPASS: deploy"],
    }
    (one,) = report.integrations
    broken = one.model_copy(update={"faults": ["credential-revoked"]})
    run = report.run.model_copy(update=values)
    return report.model_copy(update={"run": run, "integrations": [broken], **changed})


# The GitLab format has only findings, and metrics have no text.
@pytest.mark.parametrize("name", sorted({*FORMATS} - {"gitlab", "json", "openmetrics"}))
def test_every_format_has_the_notes_of_the_run(name: str) -> None:
    text = html.unescape(re.sub("\u200b|&#8203;", "", Output(name).render(noted())))
    expected = NOTES if name != "junit" else [NOTES[0], 'name="faults" value="credential-revoked"', *NOTES[2:]]
    assert [note for note in expected if note not in text] == []


@pytest.mark.parametrize("changed_since", [{"changed": {}}, None], ids=["nothing-changed", "nothing-checked"])
def test_junit_has_the_notes_if_no_integration_was_checked(changed_since: dict[str, Any] | None) -> None:
    report = noted(integrations=[], cause=None if changed_since else CauseId.GATE_NOTHING_CHECKED)
    if changed_since:
        run = report.run.model_copy(update={"changed_since": SELECTED.model_copy(update=changed_since)})
        report = report.model_copy(update={"run": run})
    (suite,) = ElementTree.fromstring(Output("junit").render(report))
    properties = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert (properties["override"], properties["warning"]) == (NOTES[0], NOTES[-1])
    assert NOTES[3] in str(properties["selection"])


def test_sarif_notes_fit_the_schema() -> None:
    (invocation,) = validated(Output("sarif").render(noted()))["invocations"]
    levels = [note["level"] for note in invocation["toolExecutionNotifications"]]
    assert levels == ["note"] * 5 + ["warning"]


def test_the_report_has_the_exit_code(offline: Offline) -> None:
    assert offline.run("check").report["run"]["exit_code"] == 1
    assert offline.run("check", "--override", "approved by the lead").report["run"]["exit_code"] == 0


def test_a_long_name_is_not_cut() -> None:
    """People search logs for the name of an integration."""
    name = "duo-production-europe-west-frankfurt-customer-login-portal"
    lines = console.render(report_of(hostile_check(subject=None), name=name)).splitlines()
    at = lines.index(name)
    assert lines[at + 1 : at + 3] == ["  duo, production  fail: credential.rejected", "  0 of 1 passed, 1 failed"]


@pytest.mark.parametrize("name", ["duo", "duo-eu/production", "x" * 40, "x" * 200, "\u6771\u4eac" * 20])
def test_no_line_is_wider_than_80_columns(name: str) -> None:
    checks = [hostile_check(), hostile_check(outcome=Outcome.WARN), hostile_check(outcome=Outcome.SKIPPED, cause=None)]
    text = console.render(harmless_tree(report_of(*checks, waived_check(), name=name)), verbose=True)
    assert max(map(cell_len, text.splitlines())) <= 80


def test_the_verbose_report_says_why_checks_did_not_run() -> None:
    checks = [
        hostile_check("not reached: x found y", id=name, subject=None, outcome=Outcome.SKIPPED, cause=None)
        for name in ("identity", "permission")
    ]
    report = report_of(hostile_check("x"), *checks)
    assert "\n  identity, permission: not reached: x found y\n" in console.render(report, verbose=True)
    assert "did not run" not in console.render(report)
    assert Output("console", verbose=True).render(report) == console.render(report, verbose=True)


def test_outcomes_are_counted_in_words() -> None:
    skipped = hostile_check("x", outcome=Outcome.SKIPPED, skipped_because=SkipReason.NO_TEST_DATA, cause=None)
    passed = hostile_check("x", outcome=Outcome.PASS, cause=None)
    (one,) = report_of(passed, passed, waived_check(), hostile_check("x"), skipped, skipped).integrations
    assert words.count_outcomes(one.checks) == "2 of 4 passed, 1 failed, 1 waived, 2 without test data"
    (one,) = report_of(*[passed] * 38, *[skipped.model_copy(update={"skipped_because": None})] * 2).integrations
    assert words.count_outcomes(one.checks) == "38 of 38 passed, 2 not applicable"


def emulated(*names: str) -> Report:
    note = Check(id="cassette", outcome=Outcome.INFO, cause=CauseId.CASSETTE_EMULATED, message="20 recordings")
    first, *more = [report_of(note, verdict=Verdict.PASS, name=name).integrations[0] for name in names]
    report = report_of(verdict=Verdict.PASS)
    return report.model_copy(update={"integrations": [first, *more]})


@pytest.mark.parametrize("name", sorted({*FORMATS} - {"json", "openmetrics"}))
def test_recordings_of_emulators_are_one_line(name: str) -> None:
    text = Output(name).render(emulated("duo", "okta", "entra"))
    assert "recordings made with emulators: duo, okta, entra" in text.replace("&#58;", ":")
    assert text.count('"ruleId": "cassette.emulated"' if name == "sarif" else "cassette.emulated") <= 1


def test_the_json_report_has_the_check_of_each_integration() -> None:
    text = Output("json").render(emulated("duo", "okta"))
    causes = [check["cause"] for one in json.loads(text)["integrations"] for check in one["checks"]]
    assert causes == ["cassette.emulated"] * 2
