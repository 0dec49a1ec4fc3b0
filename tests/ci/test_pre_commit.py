"""The hooks stop a commit: pre-commit itself runs them in a scratch repository.

How pre-commit installs mfagate is not part of it, for that needs a package index: the hooks are those of
the files, with our own command in front.
"""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml

from ..support.repository import git
from .machine import Machine, load
from .test_linted import HOOKS, PRE_COMMIT, program


def hooks() -> dict[str, list[dict[str, Any]]]:
    """The hooks of both files, those that a project refers to and those that it pastes."""
    (manifest,) = [yaml.safe_load(path.read_text()) for path in HOOKS]
    (repository,) = load(PRE_COMMIT[0])["repos"]
    return {"manifest": manifest, "template": repository["hooks"]}


def test_both_files_have_the_same_hooks() -> None:
    left_out = ("description", "minimum_pre_commit_version", "additional_dependencies")
    compared = [[{k: v for k, v in hook.items() if k not in left_out} for hook in found] for found in hooks().values()]
    assert compared[0] == compared[1]


@pytest.fixture(params=["manifest", "template"])
def committing(request: pytest.FixtureRequest, started: Machine) -> Machine:
    """The project with the hooks installed."""
    local = [{**hook, "language": "system"} for hook in hooks()[request.param]]
    for hook in local:
        hook.pop("additional_dependencies", None)
        hook.pop("minimum_pre_commit_version", None)
    configuration = {"repos": [{"repo": "local", "hooks": local}]}
    (started.folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(configuration))
    started.env.clear()  # a laptop has no production secrets
    return started


def run(machine: Machine, *arguments: str) -> subprocess.CompletedProcess[str]:
    home = machine.own / "home"
    script = " ".join([*program("pre-commit"), "run", *arguments])
    staged = "git add --all && " + script
    return machine.run(["bash", "-c"], staged, {"PRE_COMMIT_HOME": str(home), "PRE_COMMIT_COLOR": "never"})


@pytest.mark.parametrize("started", ["github"], indirect=True)
def test_a_sound_project_is_committed(committing: Machine) -> None:
    done = run(committing, "--all-files")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("Passed") == len(hooks()["manifest"])


@pytest.mark.parametrize("started", ["github"], indirect=True)
def test_a_misspelt_key_is_not(committing: Machine) -> None:
    path = committing.folder / "integrations.toml"
    path.write_text(path.read_text().replace("secret_key =", "secret_kye ="))
    done = run(committing)
    assert (done.returncode, "config.unknown-setting" in done.stdout) == (1, True), done.stdout


@pytest.mark.parametrize("started", ["github"], indirect=True)
def test_a_recording_with_a_key_is_not(committing: Machine) -> None:
    path = committing.folder / "cassettes/duo/key-accepted.yaml"
    path.write_text(
        path.read_text().replace(
            "headers: {}",
            "headers:\n      Authorization: [Basic RElSV0lIMFpaUFY0Rzg4QjM3VlE6WnE3clR1VzJ4SzliTjRtUDZ2Qzg=]",
            1,
        )
    )
    done = run(committing)
    assert (done.returncode, "the header Authorization of the request" in done.stdout) == (1, True), done.stdout


@pytest.mark.parametrize("started", ["github"], indirect=True)
def test_other_files_do_not_wake_it(committing: Machine) -> None:
    run(committing)
    git(committing.folder, "commit", "--quiet", "--no-verify", "--message", "hooks")
    (committing.folder / "README.md").write_text("news")
    done = run(committing)
    assert (done.returncode, done.stdout.count("Skipped")) == (0, len(hooks()["manifest"])), done.stdout
