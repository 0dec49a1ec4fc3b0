"""Each CI file runs as pasted, as far as a machine without its service can show it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mfagate.sandbox import Running

from ..support.project import REPOSITORY
from ..support.repository import git
from .conftest import SOURCE, WRONG_KEY, point_at
from .machine import GitHub, Machine, load

UNREACHABLE = "https://127.0.0.1:9"


def in_order(machine: Machine, duo: Running) -> None:
    """Nothing is wrong."""


def wrong_key(machine: Machine, duo: Running) -> None:
    machine.env["DUO_SECRET_KEY"] = WRONG_KEY


def unreachable(machine: Machine, duo: Running) -> None:
    point_at(machine, UNREACHABLE)


def no_configuration(machine: Machine, duo: Running) -> None:
    (machine.folder / "integrations.toml").write_text("[[")


Fault = Callable[[Machine, Running], None]
verdicts = pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (in_order, 0, "PASS: deploy"),
        (wrong_key, 1, "FAIL: do not deploy"),
        (no_configuration, 2, "mfagate did not run to its end (exit code 2)"),
        (unreachable, 3, "INCONCLUSIVE: could not be determined, which is not a pass."),
    ],
    ids=["pass", "fail", "usage", "inconclusive"],
)
ends = pytest.mark.parametrize("code", [0, 1, 3])


def report(machine: Machine, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((machine.folder / name).read_text())
    return found


# GitHub


def github(machine: Machine, event: str) -> GitHub:
    """The values that GitHub would give to a workflow."""
    since = f"--changed-since {git(machine.folder, 'rev-parse', 'HEAD')}" if event == "pull_request" else ""
    names = ("DUO_HOST", "DUO_INTEGRATION_KEY", "DUO_SECRET_KEY", "MFAGATE_FINGERPRINT_KEY")
    secrets = {f"secrets.{name}": machine.env.pop(name) for name in names}
    expression = (
        "github.event_name == 'pull_request' && format('--changed-since {0}', github.event.pull_request.base.sha) || ''"
    )
    about = {"server_url": "https://github.com", "repository": "acme/login", "run_id": "7", "token": "x"}
    return GitHub(machine, {**secrets, expression: since, **{f"github.{name}": value for name, value in about.items()}})


def workflow(machine: Machine, name: str) -> dict[str, Any]:
    jobs: dict[str, Any] = load(machine.folder / ".github/workflows" / name)["jobs"]
    return jobs


@verdicts
@pytest.mark.parametrize("started", ["github"], indirect=True)
def test_github_gate(started: Machine, duo: Running, fault: Fault, code: int, words: str) -> None:
    fault(started, duo)
    outcome = github(started, "workflow_dispatch").job(workflow(started, "mfagate.yml")["mfa-gate"])
    assert outcome == ("failure" if code else "success"), started.written
    assert words in started.written[-1]
    assert started.noted("GITHUB_OUTPUT") == f"exit-code={code}\n"
    assert started.noted("installed") == f"-m pip install --disable-pip-version-check mfagate[history] @ {SOURCE}\n"
    if code != 2:
        for name in ("report.md", "mfagate.sarif"):
            assert (started.folder / "mfagate-reports" / name).stat().st_size > 0
        assert words.split(":")[0] in started.noted("GITHUB_STEP_SUMMARY")
        assert report(started, "mfagate-reports/report.json")["integrations"][0]["name"] == "duo"
        assert "<testsuite " in (started.folder / "mfagate-reports/junit.xml").read_text()
    level = {0: [], 1: ["::error"], 2: ["::error"], 3: ["::warning"]}[code]
    assert re.findall(r"(?m)^::\w+(?= title=mfagate gate::)", started.written[-1]) == level


@pytest.mark.parametrize("started", ["github"], indirect=True)
def test_github_keeps_no_report_of_an_earlier_use(started: Machine, duo: Running) -> None:
    """A job may use the action twice, and a usage error writes no report."""
    gate, runner = workflow(started, "mfagate.yml")["mfa-gate"], github(started, "workflow_dispatch")
    assert runner.job(gate) == "success", started.written
    no_configuration(started, duo)
    assert runner.job(gate) == "failure"
    assert not [*(started.folder / "mfagate-reports").iterdir()]


@pytest.mark.parametrize("started", ["github"], indirect=True)
def test_github_arguments_may_stand_on_lines_of_their_own(started: Machine) -> None:
    started.mfagate_ends_with(0)
    step = {"uses": "./.github/actions/mfagate", "with": {"arguments": "--environment staging\n--integration duo\n"}}
    assert github(started, "workflow_dispatch").job({"steps": [step]}) == "success", started.written
    assert "mfagate gate --environment staging --integration duo --output github" in started.written[-1]


@pytest.mark.parametrize("started", ["github"], indirect=True)
def test_github_pull_request_asks_only_what_it_changes(started: Machine) -> None:
    jobs = workflow(started, "mfagate.yml")
    runner = github(started, "pull_request")
    assert runner.job(jobs["mfa-check"]) == "success", started.written
    assert "PASS: no fault found offline" in started.written[-1]
    assert runner.job(jobs["mfa-gate"]) == "success", started.written
    assert "PASS: nothing to check: no integration changed since" in started.written[-1]


@ends
@pytest.mark.parametrize("known", ["", "12\n"], ids=["new", "known"])
@pytest.mark.parametrize("started", ["github"], indirect=True)
def test_github_nightly_opens_one_issue(started: Machine, known: str, code: int) -> None:
    started.mfagate_ends_with(code)
    (started.own / "open-issue").write_text(known)
    outcome = github(started, "schedule").job(workflow(started, "mfagate-nightly.yml")["mfa-nightly"])
    assert outcome == ("failure" if code else "success"), started.written
    assert "mfagate nightly --environment production --history .mfagate/history.db" in started.written[1]
    asked = [line.partition(" --")[0] for line in started.noted("asked-github").splitlines()]
    said = "issue comment 12" if known else "issue create"
    assert asked == (["issue list", said] if code else [])
    issue = started.folder / "mfagate-issue.md"
    assert not code or "https://github.com/acme/login/actions/runs/7" in issue.read_text()


@pytest.mark.parametrize("started", ["github"], indirect=True)
def test_github_nightly_itself(started: Machine) -> None:
    outcome = github(started, "schedule").job(workflow(started, "mfagate-nightly.yml")["mfa-nightly"])
    assert outcome == "success", started.written
    assert (started.folder / ".mfagate/history.db").exists()


# GitLab


def gitlab(machine: Machine, job: str) -> tuple[int, dict[str, Any]]:
    """Run a job as the runner does: the scripts one after the other in one shell, without ``pipefail``."""
    document = load(machine.folder / ".gitlab/mfagate.gitlab-ci.yml")
    merged = {**document[".mfagate"], **document[job]}
    predefined = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": git(machine.folder, "rev-parse", "HEAD")}
    script = "\n".join([*merged["before_script"], *merged["script"]])
    done = machine.run(["bash", "-e", "-c"], script, {**merged["variables"], **predefined})
    return done.returncode, merged


@verdicts
@pytest.mark.parametrize("started", ["gitlab"], indirect=True)
def test_gitlab_gate(started: Machine, duo: Running, fault: Fault, code: int, words: str) -> None:
    fault(started, duo)
    ended, job = gitlab(started, "mfa-gate")
    assert (ended, words in started.written[-1]) == (code, True), started.written
    assert job["retry"] == {"max": 1, "exit_codes": [3]}
    assert "allow_failure" not in job, "what could not be known must not be deployed"
    assert code == 2 or report(started, job["artifacts"]["paths"][0])["run"]["stage"] == "gate"
    written = {name: started.folder / path for name, path in job["artifacts"]["reports"].items()}
    assert code == 2 or "<testsuite " in written["junit"].read_text()
    assert code == 2 or bool(json.loads(written["codequality"].read_text())), "that an emulator answers is a finding"


@pytest.mark.parametrize("started", ["gitlab"], indirect=True)
def test_gitlab_merge_request(started: Machine) -> None:
    started.env.clear()
    assert gitlab(started, "mfa-check")[0] == 0, started.written
    assert "PASS: nothing to check: no integration changed since" in started.written[-1]


@ends
@pytest.mark.parametrize("started", ["gitlab"], indirect=True)
def test_gitlab_nightly(started: Machine, code: int) -> None:
    started.mfagate_ends_with(code)
    ended, job = gitlab(started, "mfa-nightly")
    assert (ended, "INCONCLUSIVE" in started.written[-1]) == (code, code == 3)
    assert job["allow_failure"]["exit_codes"] == [3]
    assert job["cache"]["paths"] == [".mfagate/history.db"]


# Jenkins


def jenkins(machine: Machine, stage: str) -> tuple[int, str]:
    """Run the shell steps of a stage; the last code, and the stage's text."""
    text = (machine.folder / "Jenkinsfile").read_text()
    (body,) = re.findall(rf"(?s)stage\('{stage}'\) \{{\n(.*?)\n        \}}\n", text)
    names = dict(re.findall(r"(?m)^        (\w+) = '(.*)'$", text))
    code = 0
    for script in re.findall(r"(?s)'''\n(.*?)'''", body):
        code = machine.run(["sh", "-xe", "-c"], script.replace("\\\\", "\\"), names).returncode
    return code, body


@verdicts
@pytest.mark.parametrize("started", ["jenkins"], indirect=True)
def test_jenkins_gate(started: Machine, duo: Running, fault: Fault, code: int, words: str) -> None:
    fault(started, duo)
    assert jenkins(started, "Install")[0] == 0
    assert "mfagate[history]" in started.noted("installed")
    ended, stage = jenkins(started, "Gate")
    assert ended == code, started.written
    assert "if (status == 3) {" in stage
    assert "INCONCLUSIVE: could not be determined, which is not a pass." in stage
    assert code == 2 or report(started, "mfagate.json")["run"]["stage"] == "gate"


@pytest.mark.parametrize("started", ["jenkins"], indirect=True)
def test_jenkins_publishes_no_report_of_an_earlier_build(started: Machine, duo: Running) -> None:
    """The workspace is kept, and a usage error writes none."""
    for name in ("mfagate.json", "mfagate.xml"):
        (started.folder / name).write_text("of yesterday")
    no_configuration(started, duo)
    assert (jenkins(started, "Install")[0], jenkins(started, "Gate")[0]) == (0, 2)
    assert not [*started.folder.glob("mfagate.*")]


@ends
@pytest.mark.parametrize("started", ["jenkins"], indirect=True)
def test_jenkins_nightly(started: Machine, code: int) -> None:
    started.mfagate_ends_with(code)
    jenkins(started, "Install")
    ended, stage = jenkins(started, "Nightly")
    assert (ended, "unstable('INCONCLUSIVE" in stage) == (code, True)
    assert "mfagate nightly --environment production --history .mfagate/history.db" in started.written[-1]


# Kubernetes


def manifests(machine: Machine) -> dict[str, dict[str, Any]]:
    """The pod of each workload, by kind."""
    import yaml

    found = {}
    for path in sorted((machine.folder / "deploy/mfagate").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            found[document["kind"]] = document
    return found


def pods(machine: Machine) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Job and pod of the Job and of the CronJob."""
    found = manifests(machine)
    jobs = [found["Job"]["spec"], found["CronJob"]["spec"]["jobTemplate"]["spec"]]
    return [(job, job["template"]["spec"]) for job in jobs]


@pytest.mark.parametrize(("fault", "code"), [(in_order, 0), (wrong_key, 1), (unreachable, 3)])
@pytest.mark.parametrize("started", ["kubernetes"], indirect=True)
def test_kubernetes_gate(started: Machine, duo: Running, fault: Fault, code: int) -> None:
    fault(started, duo)
    _, pod = pods(started)[0]
    done = started.run(["sh", "-c"], shlex.join(["mfagate", *pod["containers"][0]["args"]]), {})
    assert done.returncode == code, done.stdout


@pytest.mark.parametrize(("completed", "code"), [(True, 0), (False, 1)])
@pytest.mark.parametrize("started", ["kubernetes"], indirect=True)
def test_kubernetes_without_helm_stops_at_a_failed_job(started: Machine, completed: bool, code: int) -> None:
    """The commands that the file names: the log is shown, and is not what they end with."""
    text = (started.folder / "deploy/mfagate/gate.yaml").read_text()
    script = "\n".join(re.findall(r"(?m)^#   (kubectl .*)$", text))
    started.command("kubectl", f'#!/bin/sh\necho "kubectl $1"\ntest "$1" != wait || {str(completed).lower()}\n')
    done = started.run(["sh", "-c"], script, {})
    assert (done.returncode, "kubectl wait" in done.stdout, "kubectl logs" in done.stdout) == (code, True, bool(code))


@pytest.mark.parametrize("started", ["kubernetes"], indirect=True)
def test_kubernetes_holds_it_tight(started: Machine) -> None:
    """What the restricted Pod Security Standard asks for, and a little more."""
    for job, pod in pods(started):
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"].keys() == {"requests", "limits"}
        assert container["envFrom"] == [{"secretRef": {"name": "login-mfa"}}]
        (key,) = container["env"]
        of_secret = {"name": "mfagate", "key": "fingerprint-key", "optional": True}
        assert key == {"name": "MFAGATE_FINGERPRINT_KEY", "valueFrom": {"secretKeyRef": of_secret}}
        assert (pod["restartPolicy"], job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"]) == ("Never", [1, 2])
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        assert job["activeDeadlineSeconds"] <= 1200
    found = manifests(started)
    assert found["CronJob"]["spec"]["concurrencyPolicy"] == "Forbid"
    claim = found["PersistentVolumeClaim"]["metadata"]["name"]
    assert pods(started)[1][1]["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim


@pytest.mark.parametrize("started", ["kubernetes"], indirect=True)
def test_the_image_holds_what_it_copies_and_nothing_else(started: Machine) -> None:
    text = (started.folder / "mfagate.Dockerfile").read_text()
    sources = re.findall(r"(?m)^COPY (?!--)(\S+) ", text)
    assert sources and all((started.folder / source).exists() for source in sources)
    allowed = (started.folder / "mfagate.Dockerfile.dockerignore").read_text().splitlines()
    assert [line for line in allowed if not line.startswith("#")] == ["*", *(f"!{source}" for source in sources)]
    assert re.search(r"(?m)^USER [1-9]\d*:", text)


# systemd


def unit(machine: Machine) -> dict[str, str]:
    text = (machine.folder / "systemd/mfagate-nightly.service").read_text()
    return dict(re.findall(r"(?m)^(\w+)=(.*)$", text))


@pytest.mark.parametrize("started", ["systemd"], indirect=True)
def test_systemd_nightly_itself(started: Machine, tmp_path: Path) -> None:
    command = unit(started)["ExecStart"].replace("/opt/mfagate/bin/mfagate", "mfagate")
    done = started.run(["sh", "-c"], command, {"STATE_DIRECTORY": str(tmp_path)})
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "history.db").exists()


@pytest.mark.parametrize(
    ("code", "said"),
    [(0, ""), (1, "<3>FAIL"), (3, "<4>INCONCLUSIVE"), (2, "<3>mfagate did not run to its end: exit-code 2")],
)
@pytest.mark.parametrize("started", ["systemd"], indirect=True)
def test_systemd_says_how_it_ended(started: Machine, code: int, said: str) -> None:
    program, option, script = shlex.split(unit(started)["ExecStopPost"].replace("$$", "$"))
    done = started.run([program, option], script, {"EXIT_STATUS": str(code), "SERVICE_RESULT": "exit-code"})
    assert (done.returncode, done.stdout[: len(said)], bool(done.stdout)) == (0, said, bool(code))


@pytest.mark.parametrize("started", ["systemd"], indirect=True)
def test_systemd_tries_again_only_what_could_not_be_known(started: Machine) -> None:
    found = unit(started)
    assert (found["Restart"], found["RestartPreventExitStatus"]) == ("on-failure", "1 2")
    assert found["LoadCredential"] == "mfa.env:/etc/login/mfa.env"


# The key of fingerprints


KINDS = sorted(path.name for path in (REPOSITORY / "ci/templates").iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_every_template_names_the_key_of_fingerprints(kind: str) -> None:
    files = [path for path in (REPOSITORY / "ci/templates" / kind).rglob("*") if path.is_file()]
    running = [
        path
        for path in files
        if re.search(r"mfagate (check|gate|nightly)|\[(gate|nightly),|command: ", path.read_text())
    ]
    assert running
    assert [path for path in running if "MFAGATE_FINGERPRINT_KEY" not in path.read_text()] == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_template_keeps_the_key_with_the_history(kind: str) -> None:
    """A cache is read by whoever may run a job."""
    texts = [path.read_text() for path in (REPOSITORY / "ci/templates" / kind).rglob("*") if path.is_file()]
    assert not [text for text in texts if re.search(r"path: \.mfagate$|paths: \[\.mfagate/\]", text, re.MULTILINE)]
