"""A CI machine without its service: runs the shell steps of the files as they stand.

Two things of it are not real: ``pip install`` and ``python -m venv`` do nothing but put our own command in
place, and ``gh`` only notes what it is asked for.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PYTHON = """\
#!/bin/sh
# Stands for the Python of a CI machine, on which nothing has to be downloaded.
case "$*" in
    "-m pip install "*) printf '%s\\n' "$*" >>"$MACHINE/installed" ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$MACHINE/bin/python" "$MACHINE/bin/mfagate" "$3/bin" ;;
    *) exec {python} "$@" ;;
esac
"""

MFAGATE = """\
#!/bin/sh
exec {python} -m mfagate "$@"
"""

GH = """\
#!/bin/sh
# The command of GitHub: an issue is open if the file ISSUE says so.
printf '%s\\n' "$*" >>"$MACHINE/asked-github"
case "$1 $2" in "issue list") cat "$MACHINE/open-issue" 2>/dev/null || true ;; esac
"""


@dataclass
class Machine:
    """A checkout with commands in front of the real ones. ``env`` holds the secrets of the CI service."""

    folder: Path
    own: Path
    env: dict[str, str] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.own / "bin").mkdir(parents=True)
        for name, text in {"python": PYTHON, "python3": PYTHON, "mfagate": MFAGATE, "gh": GH}.items():
            self.command(name, text.format(python=sys.executable))

    def command(self, name: str, text: str) -> None:
        """Put a command in front of the real ones."""
        path = self.own / "bin" / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def mfagate_ends_with(self, code: int) -> None:
        """Stand in for mfagate where it is the words around it that matter."""
        self.command("mfagate", f'#!/bin/sh\necho "mfagate $*"\nexit {code}\n')

    def run(self, shell: list[str], script: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run one script in the checkout."""
        done = subprocess.run(
            [*shell, script],
            cwd=self.folder,
            env={
                **os.environ,
                **self.env,
                **env,
                "MACHINE": str(self.own),
                "PATH": f"{self.own / 'bin'}{os.pathsep}{os.environ['PATH']}",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        self.written.append(done.stdout)
        return done

    def noted(self, name: str) -> str:
        """What one of the commands noted."""
        path = self.own / name
        return path.read_text() if path.exists() else ""


def load(path: Path) -> dict[str, Any]:
    """A YAML file; of GitHub's ``on`` YAML 1.1 makes true, which matters to nobody here."""
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document


@dataclass
class GitHub:
    """Runs the steps of an action or a workflow in order, as the runner would.

    ``expressions`` are the values of ``${{ … }}`` by their text; one that is not there fails the test.
    """

    machine: Machine
    expressions: dict[str, str]

    def job(self, job: Mapping[str, Any]) -> str:
        """Run a job; the outcome is that of its first failed step."""
        outcome = "success"
        for step in job["steps"]:
            wanted = step.get("if", "success()")
            if wanted not in ("always()", f"{outcome}()"):
                continue
            if "run" in step and self._run(["bash", "-e", "-c"], step, {}):
                outcome = "failure"
            elif step.get("uses", "").startswith("./"):
                action = load(self.machine.folder / step["uses"] / "action.yml")
                given = {name: self.evaluated(str(value)) for name, value in step.get("with", {}).items()}
                inputs = {name: str(given.get(name, one["default"])) for name, one in action["inputs"].items()}
                assert given.keys() <= inputs.keys()
                if self.action(action, inputs, step.get("env", {})):
                    outcome = "failure"
        return outcome

    def action(self, action: Mapping[str, Any], inputs: Mapping[str, str], env: Mapping[str, str]) -> int:
        """Run the steps of a composite action; the code of the first that fails."""
        inner = GitHub(self.machine, {f"inputs.{name}": value for name, value in inputs.items()})
        around = {name: self.evaluated(value) for name, value in env.items()}
        for step in action["runs"]["steps"]:
            if "run" in step:
                assert step["shell"] == "bash"
                code = inner._run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"], step, around)
                if code:
                    return code
        return 0

    def _run(self, shell: list[str], step: Mapping[str, Any], around: Mapping[str, str]) -> int:
        own = {name: self.evaluated(str(value)) for name, value in step.get("env", {}).items()}
        assert "${{" not in step["run"], "an expression in a script is an injection"
        files = {name: str(self.machine.own / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        return self.machine.run(shell, step["run"], {**around, **own, **files}).returncode

    def evaluated(self, text: str) -> str:
        """The text with each expression replaced by its value."""
        return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", lambda found: self.expressions[found[1]], text).strip()
