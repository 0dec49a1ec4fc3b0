"""Accepted findings: whole commands, what each report says, and what no waiver reaches."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from tests.support.faults import on_path
from tests.support.project import Project

from mfagate import schemas
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import always, faulty_proxy
from mfagate.testing import CommandResult

FAIL, USAGE = 1, 2
FAILS_OPEN = '[integrations.mfa.client]\nwhen_unavailable = "allow"\n'
PACT = "contracts/privacyidea/auth-service-privacyidea.json"
DATES = {"ahead": 60, "soon": 14, "today": 0, "yesterday": -1}


def day(when: str) -> str:
    return str(datetime.now(UTC).date() + timedelta(days=DATES[when]))


def waiver(cause: str, when: str = "ahead", **keys: str) -> str:
    """The table of one waiver."""
    given = {"cause": cause, "reason": "the card machines of the clinic", "owner": "Ada L.", **keys}
    lines = [f"{key} = {json.dumps(value)}" for key, value in given.items()]
    return "\n".join(["[[integrations.mfa.waivers]]", *lines, f"until = {day(when)}", ""])


@pytest.fixture
def fails_open(project: Project) -> Project:
    """A production integration that lets users in when the provider is down."""
    project.settings |= {"environment": "production", "tables": FAILS_OPEN}
    return project


@pytest.fixture
def changed(project: Project) -> Project:
    """A contract of which two interactions are answered otherwise."""
    project.ask_everything()
    document = json.loads((project.folder / PACT).read_text())
    for interaction in document["interactions"]:
        if interaction["description"] in ("OTP accepted", "wrong OTP"):
            interaction["response"]["status"] = 418
    (project.folder / "mine.json").write_text(json.dumps(document))
    project.settings["more"] = 'contract = "mine.json"'
    return project


def waived(result: CommandResult) -> list[dict[str, Any]]:
    return [check for check in result.first["checks"] if check["waiver"]]


def about_waivers(result: CommandResult) -> list[tuple[str, str]]:
    return [(check["cause"], check["outcome"]) for check in result.checks("waiver")]


def test_a_waived_finding_no_longer_blocks_and_every_report_says_so(fails_open: Project) -> None:
    assert fails_open.run("check").exit_code == FAIL
    fails_open.settings["tables"] += waiver("config.fails-open")
    result = fails_open.run("check")
    assert (result.exit_code, result.report["verdict"], result.first["cause"]) == (0, "pass", None)

    (check,) = waived(result)
    assert (check["outcome"], check["cause"]) == ("info", "config.fails-open")
    assert check["evidence"]["read from"]
    assert check["location"]["line"] == fails_open.line_of("when_unavailable")
    place = {"file": "integrations.toml", "line": fails_open.line_of("[[integrations.mfa.waivers]]")}
    assert check["waiver"] == {
        "reason": "the card machines of the clinic",
        "owner": "Ada L.",
        "until": day("ahead"),
        "instead_of": "fail",
        "location": place,
    }
    jsonschema.validate(result.report, schemas.report(), cls=jsonschema.Draft202012Validator)
    summary = result.report["summary"]
    assert (summary["waived"], summary["info"], summary["fail"]) == (1, 0, 0)
    assert sum(summary.values()) == len(result.first["checks"])
    assert result.first["headline"] == f"{summary['pass']} checks passed, 1 waived"

    console = " ".join(result.stdout.split())
    for words in (
        "PASS",
        "passed, 1 waived",
        "waived mfa: client.when_unavailable lets users in",
        "waived for the card machines of the clinic",
        "waived by Ada L.",
        f"waived until {day('ahead')} (integrations.toml:{place['line']}); without it: fail",
        "1 waived in",
    ):
        assert words in console

    suite = next(ElementTree.parse(fails_open.folder / "junit.xml").iter("testsuite"))
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")
    assert {one.get("name"): one.get("value") for one in suite.iter("property")}["waived"] == "1"
    (said,) = [text for text in (one.text or "" for one in suite.iter("system-out")) if text.startswith("waived: ")]
    for words in ("config.fails-open", "the card machines of the clinic", "Ada L.", day("ahead")):
        assert words in said


def test_later_checks_run_after_a_waived_finding(fails_open: Project) -> None:
    fails_open.settings["tables"] += waiver("config.fails-open")
    result = fails_open.run("gate")
    assert result.exit_code == 0, result.stdout
    assert [check["outcome"] for check in result.checks("credential.accepted")] == ["pass", "pass"]
    assert "pass" in {check["outcome"] for check in result.checks("contract.interaction")}


def test_a_waived_configuration_is_not_exonerated(fails_open: Project, server: Running) -> None:
    with faulty_proxy(server.endpoint, always(503, b"")) as before:
        fails_open.settings["url"] = before.url
        fails_open.settings["tables"] = ""
        assert "configuration" in fails_open.run("gate").first["exonerated"]
        fails_open.settings["tables"] = FAILS_OPEN + waiver("config.fails-open")
        result = fails_open.run("gate")
    assert (result.exit_code, result.first["cause"]) == (3, "provider.outage")
    assert "configuration" not in result.first["exonerated"]


def test_the_last_day_counts_and_the_day_after_does_not(fails_open: Project) -> None:
    fails_open.settings["tables"] = FAILS_OPEN + waiver("config.fails-open", "today")
    result = fails_open.run("check")
    assert (result.exit_code, about_waivers(result)) == (0, [("waiver.expiring-soon", "warn")])

    fails_open.settings["tables"] = FAILS_OPEN + waiver("config.fails-open", "yesterday")
    result = fails_open.run("check")
    assert (result.exit_code, result.first["cause"]) == (FAIL, "config.fails-open")
    assert result.first_red["evidence"]["waiver"].startswith(f"ended on {day('yesterday')}")
    assert about_waivers(result) == [("waiver.expired", "fail")]
    (ended,) = result.checks("waiver")
    assert f"ended on {day('yesterday')}" in ended["message"]
    assert ended["location"]["line"] == fails_open.line_of("[[integrations.mfa.waivers]]")
    assert "Ada L." in result.stdout


def test_a_warning_stays_a_warning_when_its_waiver_ends(project: Project) -> None:
    budget = "[integrations.mfa.client]\ntimeout_seconds = 9\nlogin_budget_seconds = 5\n"
    project.settings["tables"] = budget + waiver("config.timeout-budget")
    result = project.run("check")
    assert [check["waiver"]["instead_of"] for check in waived(result)] == ["warn"]
    assert result.report["summary"]["warn"] == 0
    project.settings["tables"] = budget + waiver("config.timeout-budget", "yesterday")
    result = project.run("check")
    assert (result.exit_code, about_waivers(result)) == (0, [("waiver.expired", "warn")])


def test_a_waiver_can_be_limited_to_one_subject(changed: Project) -> None:
    changed.settings["tables"] = waiver("contract.status-changed", subject="OTP *")
    result = changed.run("gate")
    assert [check["subject"] for check in waived(result)] == ["OTP accepted"]
    assert (result.exit_code, result.first_red["subject"]) == (FAIL, "wrong OTP")

    changed.settings["tables"] += waiver("contract.status-changed", check="contract.interaction", subject="wrong OTP")
    result = changed.run("gate")
    assert (result.exit_code, result.report["summary"]["waived"]) == (0, 2)


def test_many_waived_findings_of_a_kind_are_summed_up(changed: Project) -> None:
    document = json.loads((changed.folder / "mine.json").read_text())
    fine = [one["response"] for one in document["interactions"] if one["response"]["status"] == 200]
    for response in fine:
        response["status"] = 418
    (changed.folder / "mine.json").write_text(json.dumps(document))
    changed.settings["tables"] = waiver("contract.status-changed")
    result = changed.run("gate")
    assert result.exit_code == 0, result.stdout
    number = result.report["summary"]["waived"]
    assert number >= len(fine) > 3
    assert f"and {number - 3} more of contract.interaction with the cause contract.status-changed, waived" in (
        " ".join(result.stdout.split())
    )


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        pytest.param(waiver("config.timeout-budget"), "its cause was not found", id="nothing to find"),
        pytest.param(waiver("cassette.missing", subject="OPT accepted"), "none has this subject", id="no subject"),
        pytest.param(
            waiver("config.timeout-budget", "yesterday"), f"it ended on {day('yesterday')}", id="and it has ended"
        ),
    ],
)
def test_a_waiver_that_covers_nothing_is_a_warning(project: Project, tables: str, says: str) -> None:
    project.settings["tables"] = tables
    result = project.run("check")
    assert (result.exit_code, about_waivers(result)) == (0, [("waiver.unused", "warn")])
    assert says in result.checks("waiver")[0]["message"]


def test_the_second_of_two_waivers_for_one_finding_is_unused(fails_open: Project) -> None:
    fails_open.settings["tables"] += 2 * waiver("config.fails-open")
    result = fails_open.run("check")
    assert (result.exit_code, about_waivers(result)) == (0, [("waiver.unused", "warn")])
    place = result.checks("waiver")[0]["location"]["line"]
    assert place > fails_open.line_of("[[integrations.mfa.waivers]]")


def test_a_run_that_could_not_find_it_does_not_call_it_unused(project: Project, server: Running) -> None:
    live, offline = waiver("contract.status-changed"), waiver("cassette.missing")
    project.settings["tables"] = live
    assert about_waivers(project.run("check")) == []
    assert about_waivers(project.run("gate")) == [("waiver.unused", "warn")]
    project.settings["tables"] = offline
    assert about_waivers(project.run("gate")) == []
    # Skipped in production.
    project.settings |= {"environment": "production", "tables": waiver("contract.status-changed", subject="wrong OTP")}
    assert about_waivers(project.run("gate")) == []
    # The check is red, so it may not have reported everything.
    project.settings |= {"environment": "staging", "tables": waiver("config.timeout-budget"), "admin_key": "env:NOBODY"}
    assert about_waivers(project.run("check")) == []
    project.settings["admin_key"] = "env:ADMIN"
    # Not reached.
    project.settings |= {"environment": "staging", "tables": live}
    with faulty_proxy(server.endpoint, always(503, b"")) as before:
        project.settings["url"] = before.url
        assert about_waivers(project.run("gate")) == []


def test_an_expired_waiver_is_reported_offline_before_it_blocks_the_gate(project: Project) -> None:
    project.settings["tables"] = waiver("contract.status-changed", "yesterday")
    result = project.run("check")
    assert (result.exit_code, about_waivers(result)) == (0, [("waiver.expired", "warn")])


@pytest.mark.parametrize(("days", "number"), [(None, 1), (13, 0)])
def test_the_horizon_can_be_set(fails_open: Project, days: int | None, number: int) -> None:
    fails_open.settings["tables"] += waiver("config.fails-open", "soon")
    if days is not None:
        fails_open.settings["tables"] += f"[gate]\nwaiver_expiring_soon_days = {days}\n"
    assert len(about_waivers(fails_open.run("check"))) == number


def test_a_check_that_others_depend_on_cannot_be_waived(project: Project, server: Running) -> None:
    """The same cause, found on the credential's own probe, means that nothing was shown."""
    project.settings["tables"] = waiver("contract.not-json") + waiver("contract.status-changed")
    with faulty_proxy(server.endpoint, always(200, b"<html>log in</html>")) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert result.exit_code == FAIL
    assert waived(result) == []


def test_bookkeeping_does_not_count_as_a_check_that_ran(project: Project) -> None:
    ran = project.run("check").report["summary"]["pass"]
    project.settings |= {"more": f"minimum_checks = {ran + 1}", "tables": waiver("config.timeout-budget")}
    result = project.run("check")
    assert (result.exit_code, result.first["cause"]) == (FAIL, "gate.nothing-checked")


def test_what_is_accepted_as_unknown_does_not_count_as_checked(project: Project, server: Running) -> None:
    project.ask_everything()
    nothing = json.dumps({"result": {"status": True, "value": {"count": 0, "tokens": []}}}).encode()
    no_tokens = on_path("/token/", always(200, nothing, "application/json"))
    with faulty_proxy(server.endpoint, lambda handler: handler.command == "GET" and no_tokens(handler)) as before:
        project.settings |= {"url": before.url, "tables": waiver("contract.state-unavailable")}
        result = project.run("gate")
        unknown = [check for check in waived(result) if check["waiver"]["instead_of"] == "inconclusive"]
        assert (result.exit_code, len(unknown) > 3) == (0, True)
        ran = sum(check["outcome"] != "skipped" for check in result.first["checks"])
        project.settings["more"] = f"minimum_checks = {ran - len(unknown)}"
        assert project.run("gate").exit_code == 0
        project.settings["more"] = f"minimum_checks = {ran}"
        assert project.run("gate").first["cause"] == "gate.nothing-checked"


def test_secrets_in_a_waiver_are_redacted(fails_open: Project) -> None:
    secret = fails_open.env["VALIDATE"]
    fails_open.settings["tables"] += waiver("config.fails-open", "soon", reason=f"old key {secret}", owner=secret[:200])
    result = fails_open.run("check")
    assert result.exit_code == 0
    assert waived(result)[0]["waiver"]["reason"] == "old key [redacted validate_key]"


TOO_LATE = str(datetime.now(UTC).date() + timedelta(days=181))


@pytest.mark.parametrize(
    ("table", "key", "says"),
    [
        ('cause = "config.fails-opn"', "cause", "no cause has this id (did you mean 'config.fails-open'?)"),
        ('cause = "credential.rejected"', "cause", "credential.rejected cannot be waived: repair it, or let one"),
        ('cause = "gate.nothing-checked"', "cause", "gate.nothing-checked cannot be waived"),
        ("cause = 5", "cause", "must be a string in quotes"),
        ('reason = " "', "reason", "must not be empty"),
        ('owner = ""', "owner", "must not be empty"),
        ('subject = ""', "subject", "must not be empty"),
        (f"until = {TOO_LATE}", "until", f"{TOO_LATE} is 181 days ahead; 180 are allowed (gate.longest_waiver_days)"),
        ('until = "soon"', "until", "must be a date such as 2026-10-01"),
        ("until = 5", "until", "must be a date such as 2026-10-01"),
        ('check = "credential.accepted"', "check", "no such check finds this cause; it is found by configuration"),
        ('chek = "configuration"', "chek", "unknown key (did you mean 'check'?)"),
    ],
)
def test_an_error_in_a_waiver_names_file_line_and_key(fails_open: Project, table: str, key: str, says: str) -> None:
    lines = [line for line in waiver("config.fails-open").splitlines() if not line.startswith(f"{key} =")]
    fails_open.settings["tables"] += "\n".join([*lines, table])
    for command in ("check", "gate"):
        result = fails_open.run(command)
        assert (result.exit_code, result.stdout) == (USAGE, "")
        place = f"integrations.toml:{fails_open.line_of(table)}: integrations.mfa.waivers.0.{key}: "
        assert place + says in " ".join(result.stderr.split())
        assert "Traceback" not in result.stderr


def test_single_brackets_are_reported(fails_open: Project) -> None:
    fails_open.settings["tables"] += waiver("config.fails-open").replace("[[", "[").replace("]]", "]")
    result = fails_open.run("check")
    assert (result.exit_code, result.stdout) == (USAGE, "")
    assert "integrations.mfa.waivers: must be a list of tables: write its header in double brackets" in result.stderr


@pytest.mark.parametrize("key", ["cause", "reason", "owner", "until"])
def test_a_waiver_lacks_a_key(fails_open: Project, key: str) -> None:
    lines = [line for line in waiver("config.fails-open").splitlines() if not line.startswith(f"{key} =")]
    fails_open.settings["tables"] += "\n".join(lines)
    result = fails_open.run("check")
    assert (result.exit_code, result.stdout) == (USAGE, "")
    line = fails_open.line_of("[[integrations.mfa.waivers]]")
    assert f"integrations.toml:{line}: integrations.mfa.waivers.0.{key}: is missing" in result.stderr


def test_a_longer_waiver_can_be_allowed(fails_open: Project) -> None:
    lines = [line for line in waiver("config.fails-open").splitlines() if not line.startswith("until")]
    fails_open.settings["tables"] += "\n".join([*lines, f"until = {TOO_LATE}", "[gate]", "longest_waiver_days = 181"])
    assert fails_open.run("check").exit_code == 0


@pytest.mark.parametrize("cause", ["waiver.expired", "waiver.expiring-soon", "waiver.unused"])
def test_the_causes_are_explained(project: Project, cause: str) -> None:
    shown = project.execute("explain", cause)
    assert (shown.exit_code, shown.stdout.splitlines()[0]) == (0, f"# {cause}")
