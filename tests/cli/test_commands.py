"""The commands as people type them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import junitparser
import psutil
import pytest
from syrupy.assertion import SnapshotAssertion

from mfagate import __version__, schemas
from mfagate.core.causes import CauseId
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import always, faulty_proxy

from ..support.project import REPOSITORY, Project


def test_version_and_help(project: Project) -> None:
    assert __version__ in project.execute("--version").stdout
    for command in ("check", "gate", "record", "sandbox", "explain", "schema", "completion"):
        shown = project.execute(command, "--help")
        assert shown.exit_code == 0
        assert len(shown.stdout.splitlines()) > 5


def test_explain(project: Project) -> None:
    page = project.execute("explain", "credential.rejected").stdout
    for heading in ("# credential.rejected", "## What it means", "## Evidence", "## First steps", "## Who to talk to"):
        assert heading in page
    everything = project.execute("explain").stdout
    assert all(cause in everything for cause in CauseId)
    unknown = project.execute("explain", "credential.rejectd")
    assert unknown.exit_code == 2
    assert "did you mean 'credential.rejected'" in unknown.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(project: Project, shell: str) -> None:
    assert "_MFAGATE_COMPLETE" in project.execute("completion", shell).stdout


def test_completion_knows_the_integrations(project: Project) -> None:
    project.write()
    env = {"_MFAGATE_COMPLETE": "bash_complete", "COMP_WORDS": "mfagate gate --integration ", "COMP_CWORD": "3"}
    assert "mfa" in project.execute(**env).stdout


def test_schema(project: Project) -> None:
    assert json.loads(project.execute("schema", "config").stdout) == schemas.config()
    assert json.loads(project.execute("schema", "report").stdout) == schemas.report()


def test_the_shipped_project_is_sound(project: Project) -> None:
    result = project.execute("check", "--config", str(REPOSITORY / "integrations.toml"))
    assert result.exit_code == 0, result.stdout


def test_without_secrets_a_laptop_can_check(project: Project) -> None:
    project.settings |= {"validate_key": "env:NOT_ON_THIS_LAPTOP", "admin_key": "env:NOR_THIS"}
    assert project.run("check").first["cause"] == "config.reference-unresolved"
    assert project.run("check", "--without-secrets").exit_code == 0


def test_nothing_checked_is_a_failure(project: Project) -> None:
    result = project.run("gate", "--environment", "production")
    assert (result.exit_code, result.report["cause"]) == (1, "gate.nothing-checked")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "integrations = {}\n", "[gate]\n[history]\n[integrations]\n"])
@pytest.mark.parametrize("command", ["check", "gate", "nightly", "record", "mutate"])
def test_a_configuration_without_integrations_is_refused(project: Project, command: str, text: str) -> None:
    (project.folder / "empty.toml").write_text(text)
    result = project.execute(command, "--config", "empty.toml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "empty.toml has no integrations" in result.stderr
    assert "`mfagate init`" in result.stderr


def test_a_missing_configuration_names_init(project: Project) -> None:
    result = project.execute("check", "--config", "absent.toml")
    assert result.exit_code == 2
    assert "--config PATH, or start one with `mfagate init`" in result.stderr


def test_fewer_checks_than_expected_are_a_failure(project: Project) -> None:
    project.settings["more"] = "minimum_checks = 500"
    result = project.run("check")
    assert (result.exit_code, result.first["cause"]) == (1, "gate.nothing-checked")


def test_inconclusive_may_be_allowed(project: Project, server: Running) -> None:
    with faulty_proxy(server.endpoint, always(503, b"")) as before:
        project.settings["url"] = before.url
        assert project.run("gate").exit_code == 3
        allowed = project.run("gate", "--on-inconclusive", "allow")
        assert (allowed.exit_code, allowed.report["verdict"]) == (0, "inconclusive")


def test_integrations_run_side_by_side(project: Project, server: Running) -> None:
    project.write()
    one = (project.folder / "integrations.toml").read_text()
    broken = one.replace("integrations.mfa", "integrations.eu").replace("env:VALIDATE", "env:NOBODY")
    (project.folder / "two.toml").write_text(one + broken)
    result = project.run("gate", "--config", "two.toml")
    assert result.exit_code == 1
    verdicts = {one["name"]: (one["verdict"], one["cause"]) for one in result.report["integrations"]}
    assert verdicts == {"mfa": ("pass", None), "eu": ("fail", "config.reference-unresolved")}
    only = project.run("gate", "--config", "two.toml", "--integration", "mfa")
    assert (only.exit_code, len(only.report["integrations"])) == (0, 1)


def test_two_integrations_on_one_server_do_not_disturb_each_other(project: Project) -> None:
    project.write()
    one = (project.folder / "integrations.toml").read_text()
    (project.folder / "two.toml").write_text(one + one.replace("integrations.mfa", "integrations.eu"))
    result = project.run("gate", "--config", "two.toml")
    assert result.exit_code == 0, result.stdout


def _without(project: Project, *keys: str) -> None:
    """Write the project's file without some keys, as ``other.toml``."""
    project.write()
    lines = (project.folder / "integrations.toml").read_text().splitlines()
    (project.folder / "other.toml").write_text("\n".join(line for line in lines if not line.startswith(keys)))


@pytest.mark.parametrize("command", ["check", "gate"])
def test_a_contract_that_needs_a_credential_which_is_not_set_fails(project: Project, command: str) -> None:
    """An admin key alone starts challenges and can never finish a login."""
    project.ask_everything()
    _without(project, "validate_key", "realm")
    result = project.run(command, "--config", "other.toml")
    assert (result.exit_code, result.first["cause"]) == (1, "config.setting-missing")
    red = result.first_red
    assert "settings.validate_key is not set, and 19 of 22 interactions" in red["message"]
    assert "validate_key = 'env:PRIVACYIDEA_VALIDATE_KEY'" in red["next_step"]
    lines = (project.folder / "other.toml").read_text().splitlines()
    assert lines[red["location"]["line"] - 1] == "[integrations.mfa.settings]"


def test_a_contract_of_what_the_credential_can_do_passes(project: Project) -> None:
    project.ask_everything()
    pact = json.loads((project.folder / "contracts/privacyidea/auth-service-privacyidea.json").read_text())
    trigger = "/validate/triggerchallenge"
    pact["interactions"] = [one for one in pact["interactions"] if one["request"]["path"] == trigger]
    (project.folder / "triggers.json").write_text(json.dumps(pact))
    project.settings["more"] = 'contract = "triggers.json"'
    _without(project, "validate_key", "realm", "cassettes")
    assert project.run("gate", "--config", "other.toml").exit_code == 0


def test_a_validate_key_alone_is_a_whole_configuration(project: Project) -> None:
    """What only an admin key could arrange is skipped, counted by its reason, and the verdict line says so."""
    project.ask_everything()
    _without(project, "admin_key")
    result = project.run("gate", "--config", "other.toml")
    assert result.exit_code == 0, result.stdout
    contract = result.first["contract"]
    assert contract["interactions"] == contract["asked"] + sum(contract["skipped"].values())
    assert set(contract["skipped"]) <= {"setting-absent", "no-test-data"}
    assert contract["skipped"]["setting-absent"] > 10
    shown = project.execute("gate", "--config", "other.toml").stdout.splitlines()[0]
    assert shown.startswith(f"PASS: deploy ({contract['asked']} of 22 contract interactions tested, ")
    assert f"{contract['skipped']['setting-absent']} without a setting" in shown


def test_a_gate_that_asks_everything_says_so(project: Project) -> None:
    project.ask_everything()
    project.write()
    shown = project.execute("gate").stdout.splitlines()[0]
    assert shown == "PASS: deploy (22 of 22 contract interactions tested)"


def test_skips_of_production_are_counted_as_such(project: Project) -> None:
    project.ask_everything()
    project.settings["environment"] = "production"
    result = project.run("gate")
    assert result.first["contract"] == {"interactions": 22, "asked": 1, "skipped": {"read-only": 21}}
    because = {
        check["skipped_because"] for check in result.checks("contract.interaction") if check["outcome"] == "skipped"
    }
    assert because == {"read-only"}


@pytest.mark.parametrize(("minimum", "exit_code"), [(1, 0), (2, 1)])
def test_more_interactions_can_be_demanded(project: Project, minimum: int, exit_code: int) -> None:
    project.settings |= {"environment": "production", "more": f"minimum_interactions = {minimum}"}
    result = project.run("gate")
    assert result.exit_code == exit_code
    if exit_code:
        assert result.first["cause"] == "gate.nothing-checked"
        assert "1 interactions of the contract were sent, but at least 2" in result.first_red["message"]


def test_a_contract_that_is_too_small_for_the_demand_fails_offline(project: Project) -> None:
    project.settings["more"] = "minimum_interactions = 23"
    result = project.run("check")
    assert (result.exit_code, result.first["cause"]) == (1, "gate.nothing-checked")


def test_a_gate_that_sends_nothing_but_probes_warns(project: Project) -> None:
    """Only the interactions that need a test user are in the contract, and there is none."""
    pact = json.loads((project.folder / "contracts/privacyidea/auth-service-privacyidea.json").read_text())
    pact["interactions"] = [
        one for one in pact["interactions"] if one["providerStates"][0]["name"] == "a user with a working OTP"
    ]
    (project.folder / "users.json").write_text(json.dumps(pact))
    project.settings["more"] = 'contract = "users.json"'
    _without(project, "user", "cassettes")
    result = project.run("gate", "--config", "other.toml")
    assert (result.exit_code, result.first["verdict"]) == (0, "pass")
    (warning,) = [check for check in result.first["checks"] if check["cause"] == "gate.partly-asked"]
    assert warning["outcome"] == "warn"
    assert warning["evidence"] == {"not asked": "2 without test data"}


def test_nothing_asked_is_no_warning_where_nothing_else_is_allowed(project: Project) -> None:
    """In production a contract without safe interactions leaves nothing but probes."""
    pact = json.loads((project.folder / "contracts/privacyidea/auth-service-privacyidea.json").read_text())
    for one in pact["interactions"]:
        one.pop("comments", None)
    (project.folder / "unsafe.json").write_text(json.dumps(pact))
    project.settings |= {"environment": "production", "more": 'contract = "unsafe.json"'}
    result = project.run("gate")
    assert result.exit_code == 0
    assert result.first["contract"]["asked"] == 0
    assert not [check for check in result.first["checks"] if check["cause"] == "gate.partly-asked"]


def test_states_are_not_arranged_in_production(project: Project, server: Running) -> None:
    pact = (project.folder / "contracts/privacyidea/auth-service-privacyidea.json").read_text()
    document = json.loads(pact)
    for interaction in document["interactions"]:
        interaction["comments"] = {"mfagate": {"safe-in-production": True}}
    (project.folder / "unsafe.json").write_text(json.dumps(document))
    project.settings |= {"environment": "production", "more": 'contract = "unsafe.json"'}
    with faulty_proxy(server.endpoint) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
        assert not [path for _, path in before.requests if path.startswith("/token")]
    assert result.checks("contract.interaction")


@pytest.fixture
def mixed(project: Project) -> Project:
    """A project with a failure, a warning and a pass that need no network."""
    project.settings |= {"validate_key": "env:NOBODY", "environment": "production"}
    project.settings["tables"] = (
        "[integrations.mfa.client]\ntimeout_seconds = 9\nretries = 2\nlogin_budget_seconds = 10\n"
    )
    return project


def test_json_report_fits_its_schema(mixed: Project) -> None:
    result = mixed.run("check")
    jsonschema.Draft202012Validator.check_schema(schemas.report())
    jsonschema.validate(result.report, schemas.report(), cls=jsonschema.Draft202012Validator)
    assert result.report["schema"] == "mfagate.report/1"
    assert json.loads(mixed.execute("check", "--output", "json").stdout)["verdict"] == "fail"


def test_a_junit_reader_reads_the_report(mixed: Project) -> None:
    result = mixed.run("check")
    path = mixed.folder / "junit.xml"
    suites = list(junitparser.JUnitXml.fromfile(str(path)))
    assert [suite.name for suite in suites] == ["mfa"]
    cases = list(suites[0])
    assert len(cases) == suites[0].tests == len(result.first["checks"])
    failed = [case for case in cases if any(isinstance(r, junitparser.Failure) for r in case.result)]
    assert len(failed) == suites[0].failures == result.report["summary"]["fail"] == 1
    assert failed[0].result[0].type == "config.reference-unresolved"
    told = {one.get("name"): one.get("value") for one in ElementTree.parse(path).iter("property")}
    assert told == {name: result.first[name] for name in ("verdict", "cause", "target")}


def test_console_report(mixed: Project, snapshot: SnapshotAssertion) -> None:
    shown = mixed.run("check").stdout
    assert re.sub(r"in \d+\.\d s|127\.0\.0\.1:\d+|[0-9a-f]{10}\b", "…", shown) == snapshot


def _servers_of(process: psutil.Process) -> list[psutil.Process]:
    """The sandboxes below a process that listen already; what ends meanwhile is none."""
    found = []
    for child in process.children(recursive=True):
        with suppress(psutil.Error):
            if "server.py" in str(child.cmdline()) and child.net_connections():
                found.append(child)
    return found


@contextmanager
def _started(*arguments: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that does not outlive the test."""
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("arguments", "number", "exit_code"),
    [
        (["gate"], signal.SIGINT, 130),
        (["gate"], signal.SIGTERM, 143),
        (["sandbox", "privacyidea"], signal.SIGINT, 130),
        (["sandbox", "privacyidea"], signal.SIGTERM, 143),
    ],
)
def test_an_interrupt_leaves_nothing_behind(
    tmp_path: Path, arguments: list[str], number: signal.Signals, exit_code: int
) -> None:
    env = {"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    with _started(sys.executable, "-m", "mfagate", *arguments, cwd=REPOSITORY, env=env) as process:
        me = psutil.Process(process.pid)
        _wait_for(lambda: _servers_of(me))
        servers = _servers_of(me)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, "Traceback" in out + err) == (exit_code, False), err
        _wait_for(lambda: not any(server.is_running() for server in servers))
        _wait_for(lambda: not list(tmp_path.iterdir()))


def test_a_background_job_of_a_script_can_be_interrupted(tmp_path: Path) -> None:
    """A shell starts such a job with SIGINT ignored."""
    command = f"{sys.executable} -m mfagate sandbox privacyidea --env-file {tmp_path}/keys.env & echo $!; wait"
    with _started("sh", "-c", command) as script:
        assert script.stdout is not None
        job = psutil.Process(int(script.stdout.readline()))
        _wait_for(lambda: _servers_of(job))
        servers = _servers_of(job)
        job.send_signal(signal.SIGINT)
        script.communicate(timeout=30)
        _wait_for(lambda: not any(process.is_running() for process in [job, *servers]))


def test_a_sandbox_can_be_used_by_a_person(project: Project) -> None:
    """Follow the words that the command prints."""
    keys = project.folder / "keys.env"
    with _started(sys.executable, "-m", "mfagate", "sandbox", "privacyidea", "--env-file", str(keys)) as process:
        assert process.stdout is not None
        shown = ""
        while "Ctrl-C" not in shown:
            line = process.stdout.readline()
            assert line, shown
            shown += line
        assert keys.stat().st_mode & 0o777 == 0o600
        configuration = "\n".join(line.strip() for line in shown.splitlines() if line.startswith("  "))
        (project.folder / "integrations.toml").write_text(configuration)
        result = project.execute("gate")
        assert result.exit_code == 0, result.stdout


def test_an_unknown_sandbox(project: Project) -> None:
    result = project.execute("sandbox", "privacyida")
    assert result.exit_code == 2
    assert "did you mean 'privacyidea'" in result.stderr


def test_a_reader_that_has_enough(project: Project) -> None:
    """`mfagate explain | head -1` is no error worth a traceback."""
    command = f"{sys.executable} -m mfagate explain | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


NO_SPACE = """\
Error: the output cannot be written: No space left on device
       the verdict is: PASS: no fault found offline
"""


@pytest.mark.parametrize(
    ("redirection", "exit_code", "said"),
    [
        (">&-", 0, ""),
        (">&- 2>&-", 0, ""),
        ("> /dev/full", 2, NO_SPACE),
        # An answer that fits into the buffer is first refused when that is flushed.
        ("--integration duo > /dev/full", 2, NO_SPACE),
    ],
)
def test_a_place_for_the_output_that_is_none(redirection: str, exit_code: int, said: str) -> None:
    command = f"{sys.executable} -m mfagate check --config {REPOSITORY}/integrations.toml {redirection}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (exit_code, "", said)


def test_the_references_of_a_new_project_are_listed_once_each(project: Project) -> None:
    """Before any variable is set, one block a reference would bury what to do first."""
    project.settings |= {"validate_key": "env:NOBODY_1", "admin_key": "env:NOBODY_2", "url": "env:NOBODY_3"}
    short, full = project.run("check"), project.run("check", "--verbose")
    assert short.exit_code == full.exit_code == 1
    assert "2 more references cannot be read" in short.stdout
    assert short.stdout.count("next step") < full.stdout.count("next step") == 3
    for number in (1, 2, 3):
        assert f"NOBODY_{number} is not set" in " ".join(short.stdout.split())


def test_an_unknown_plan_is_a_fault_of_its_line(project: Project) -> None:
    project.settings["more"] = 'plan = "fre"'
    result = project.run_in_process("check")
    assert (result.exit_code, result.first["cause"]) == (1, "config.malformed-value"), result.stdout
    assert result.first_red["location"]["line"] == project.line_of("plan")
    assert "paid" in result.first_red["next_step"]
