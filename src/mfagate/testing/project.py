"""A user's project: a configuration, secrets, and the commands to run in it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mfagate.secrets.public import Part, words_in
from mfagate.secrets.redaction import LEAST_OWN, RUN, Redactor
from mfagate.testing import preloaded

COMMAND_SECONDS = 120


_DER_PREFIX = 40
"""The number of characters at the start of a PEM body that identify the type of key and are equal in all keys."""


def telling_runs(secret: str) -> Iterator[str]:
    """Yield every run of 12 characters of a secret, except public ones: the header of a JWT, the type of a key."""
    if secret.lstrip().startswith("-----BEGIN "):
        lines = [line.strip() for line in secret.splitlines() if not line.startswith("-----")]
        parts = ["".join(lines)[_DER_PREFIX:]]
    elif secret.startswith("eyJ") and secret.count(".") == 2:
        parts = secret.split(".")[1:]
    else:
        parts = [secret]
    for part in parts:
        own = Part(part, words_in(part)).own()
        yield from (part[at : at + RUN] for at in range(len(part) - RUN + 1) if own[at + RUN] - own[at] >= LEAST_OWN)


def _is_file(path: Path) -> bool:
    """Return whether it is a file; a name may be too long for a path."""
    try:
        return path.is_file()
    except OSError:
        return False


def _text_of(path: Path) -> str | None:
    """Return the text of a file, or None if it no longer exists: SQLite removes files next to a database."""
    try:
        return path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return None


@dataclass
class CommandResult:
    """The result of a command. ``report`` is the JSON report, empty if the command wrote none."""

    exit_code: int
    stdout: str
    stderr: str
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def first(self) -> dict[str, Any]:
        """The report on the first integration."""
        integration: dict[str, Any] = self.report["integrations"][0]
        return integration

    @property
    def first_red(self) -> dict[str, Any]:
        """The first red check of the first integration."""
        check: dict[str, Any] = next(c for c in self.first["checks"] if c["outcome"] in ("fail", "inconclusive"))
        return check

    def checks(self, check_id: str) -> list[dict[str, Any]]:
        """Return all checks of the first integration with this id."""
        return [check for check in self.first["checks"] if check["id"] == check_id]


class Project:
    """A folder with an ``integrations.toml``; everything that a command writes there is searched for secrets.

    ``env`` has the environment variables of the commands; each value is a secret.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.env = dict(env)
        self._known = dict(env)

    def text(self) -> str:
        """Return the text of ``integrations.toml``."""
        raise NotImplementedError

    def write(self) -> None:
        """Write ``integrations.toml``."""
        text = self.text()
        tomllib.loads(text)
        (self.folder / "integrations.toml").write_text(text)

    def line_of(self, start: str) -> int:
        """Return the number of the line of the configuration that starts with a text, counted from 1."""
        lines = (self.folder / "integrations.toml").read_text().splitlines()
        return next(number for number, line in enumerate(lines, 1) if line.startswith(start))

    def write_k8s_secret(self, value: str) -> Path:
        """Write a manifest as kubectl does, with the key ``token`` of the Secret ``mfa``, and return its path."""
        encoded = base64.b64encode(value.encode()).decode()
        path = self.folder / "secret.yaml"
        path.write_text(f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: mfa\ndata:\n  token: {encoded}\n")
        return path

    def run(self, *arguments: str, **env: str) -> CommandResult:
        """Run a command that writes reports, with the current configuration."""
        return self._with_report(self.execute(*self._reporting(arguments), **env))

    def run_in_process(self, *arguments: str) -> CommandResult:
        """Run a command like :meth:`run`, in this process: for many runs of an offline command."""
        from click.testing import CliRunner

        from mfagate.cli import cli

        reporting = self._reporting(arguments)
        with chdir(self.folder):
            done = CliRunner().invoke(cli, reporting, env=self.env, catch_exceptions=False)
        result = CommandResult(done.exit_code, done.stdout, done.stderr)
        self.assert_no_secret(result, *self._files_written(reporting))
        return self._with_report(result)

    def _reporting(self, arguments: Sequence[str]) -> list[str]:
        """Write the configuration, and add the arguments for the reports."""
        self.write()
        (self.folder / "report.json").unlink(missing_ok=True)
        return [*arguments, "--output", "json=report.json", "--output", "junit=junit.xml"]

    def _with_report(self, result: CommandResult) -> CommandResult:
        report = self.folder / "report.json"
        result.report = json.loads(report.read_text()) if report.exists() else {}
        return result

    def execute(self, *arguments: str, **env: str) -> CommandResult:
        """Run any mfagate command in the folder."""
        environment = {**os.environ, **self.env, **env}
        if not preloaded.can_run(environment):
            with self.start(*arguments, **env) as command:
                return self.ended(command, *arguments)
        result = CommandResult(*preloaded.run(arguments, self.folder, environment, COMMAND_SECONDS))
        self.assert_no_secret(result, *self._files_written(arguments))
        return result

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Start any mfagate command in the folder."""
        return subprocess.Popen(  # noqa: S603 - mfagate itself
            [sys.executable, "-m", "mfagate", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self, command: subprocess.Popen[str], *arguments: str) -> CommandResult:
        """Wait for a command; ``arguments`` name the reports to search for secrets."""
        try:
            out, err = command.communicate(timeout=COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            command.kill()
            raise
        result = CommandResult(command.returncode, out, err)
        self.assert_no_secret(result, *self._files_written(arguments))
        return result

    def _files_written(self, arguments: Sequence[str]) -> list[Path]:
        """Return the reports that a command wrote, and the history."""
        named = (argument.partition("=")[2] for argument in arguments)
        reports = {self.folder / name for name in ("report.json", "junit.xml", *filter(None, named))}
        return sorted(path for path in (*reports, *self.folder.glob(".mfagate/*")) if _is_file(path))

    def assert_no_secret(self, result: CommandResult, *files: Path) -> None:
        """Search everything that was written for every secret, in every encoding, and for parts of secrets."""
        secrets = {**self._known, **{f"changed {name}": value for name, value in self.env.items()}}
        redactor = Redactor(secrets)
        written = [text for text in map(_text_of, files) if text is not None]
        texts = [result.stdout, result.stderr, *written]
        # Line wrapping in a report must not hide a secret from the search.
        texts += ["".join(line.strip() for line in text.splitlines()) for text in texts]
        telling = {run: name for name, value in secrets.items() for run in telling_runs(value)}
        for text in texts:
            found = redactor.found_in(text)
            assert not found, f"these secrets were written: {found}"
            parts = {telling.get(text[at : at + RUN]) for at in range(len(text) - RUN + 1)} - {None}
            assert not parts, f"a part of these was written: {parts}"
