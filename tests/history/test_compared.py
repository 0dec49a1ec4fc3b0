"""The report says whether a value has changed since the last pass, whatever happens to the key."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

import pytest

from mfagate.history import History, HistoryLocation
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import Handler, faulty_proxy
from mfagate.secrets.fingerprint import Key
from mfagate.testing.project import CommandResult

from ..support.duo import Duo, emulator
from ..support.postgres import Server
from ..support.repository import git

LABEL = "compared"
OTHER_KEY = "Zq7rTuW2xK9bN4mP6vC8sD1fG3hJ5kL0qW2eR4tY"
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with emulator() as started:
        yield started


@pytest.fixture
def duo(tmp_path: Path, running: Running) -> Duo:
    return Duo(tmp_path, running)


def compared(result: CommandResult) -> str:
    """Return the comparison, which is the first evidence of the deciding check."""
    check = next(check for check in result.first["checks"] if check["cause"] == result.first["cause"])
    name, text = next(iter(check["evidence"].items()))
    assert name == LABEL, check
    return str(text)


def key_file(duo: Duo) -> Path:
    return duo.folder / ".mfagate/fingerprint.key"


def test_a_changed_value_is_the_first_evidence(duo: Duo) -> None:
    duo.run("nightly")
    result = duo.run("nightly", DUO_SKEY=OTHER_KEY)
    assert result.first["cause"] == "credential.rejected"
    today = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"
    assert re.fullmatch(rf"this value was different in the last run that passed \({today}\)", compared(result))
    assert re.search(r"compared +this value was different in the last run that passed", result.stdout)


@pytest.mark.parametrize("form", ["console", "markdown", "html", "json", "junit", "sarif"])
def test_every_format_has_the_comparison(duo: Duo, form: str) -> None:
    duo.run("nightly")
    duo.execute("nightly", "--output", f"{form}=report", DUO_SKEY=OTHER_KEY)
    shown = " ".join((duo.folder / "report").read_text().split())
    assert "this value was different in the last run that passed" in shown


def refusing(handler: Handler) -> bool:
    """Refuse every signed request, as Duo does if the key was reset at Duo."""
    if "Authorization" not in handler.headers:
        return handler.relay(*handler.ask(), "application/json")
    body = {"code": 40103, "message": "Invalid signature in request credentials", "stat": "FAIL"}
    return handler.relay(401, json.dumps(body).encode(), HTTPMessage(), "application/json")


def test_the_same_value_means_a_change_at_the_provider(duo: Duo, running: Running) -> None:
    answers = [lambda handler: handler.relay(*handler.ask(), "application/json"), refusing]
    with faulty_proxy(running.endpoint, lambda handler: answers[0](handler)) as before:
        duo._text = duo.text().replace(running.endpoint, before.url)
        passing = duo.run("nightly")
        del answers[0]
        refused = duo.run("nightly")
    assert (passing.exit_code, refused.first["cause"]) == (0, "credential.rejected")
    assert re.fullmatch(
        r"the same value as in the last run that passed \(.*\): the change was made at the provider", compared(refused)
    )


def test_a_different_endpoint_is_reported_with_the_same_value(duo: Duo, running: Running) -> None:
    duo.run("nightly")
    with faulty_proxy(running.endpoint, refusing) as before:
        duo._text = duo.text().replace(running.endpoint, before.url)
        result = duo.run("gate")
    assert re.fullmatch(r"the same value as in the last run .*, but endpoint differed", compared(result))


def test_one_run_at_another_commit(duo: Duo) -> None:
    git(duo.folder, "init", "--quiet")
    duo.write()
    git(duo.folder, "add", "integrations.toml")
    git(duo.folder, "commit", "--quiet", "--message", "first")
    commit = git(duo.folder, "rev-parse", "HEAD")
    report = duo.run("nightly").report
    assert report["run"]["commit"] == commit
    comparison = compared(duo.run("gate", DUO_SKEY=OTHER_KEY))
    assert comparison.endswith(f", commit {commit[:7]})")
    duo._text += "\n# changed\n"
    assert duo.run("nightly").report["run"]["commit"] == f"{commit}-dirty"


def test_the_gate_reads_a_history_that_it_does_not_write(duo: Duo) -> None:
    duo.run("nightly")
    before = key_file(duo).read_text()
    assert "this value was different" in compared(duo.run("gate", DUO_SKEY=OTHER_KEY))
    assert len(duo.execute("history").stdout.splitlines()) == 2
    assert key_file(duo).read_text() == before


def test_an_offline_run_compares_values_too(duo: Duo) -> None:
    duo.run("nightly")
    result = duo.run("check", DUO_SKEY=duo.env["DUO_SKEY"][:-1])
    assert result.first["cause"] == "config.malformed-value"
    assert "this value was different" in compared(result)


def test_passing_runs_record_a_fingerprint_of_each_value(duo: Duo) -> None:
    report = duo.run("nightly").report
    key = Key(key_file(duo).read_text().strip(), kept=True)
    prints = report["integrations"][0]["fingerprints"]
    assert prints["secret_key"] == key.fingerprint(duo.env["DUO_SKEY"])
    assert set(prints) == {"host", "integration_key", "secret_key", "endpoint"}
    assert report["run"]["fingerprint_key"] == key.identifier
    with History.open(HistoryLocation.of(None, duo.folder)) as history:
        (run,) = history.runs()
    assert (run.fingerprint_key, run.integrations[0].fingerprints) == (key.identifier, prints)


def test_without_a_history_the_report_says_how_to_compare(duo: Duo) -> None:
    result = duo.run("gate", DUO_SKEY=OTHER_KEY)
    assert compared(result).startswith("no earlier run is stored here; `mfagate nightly`")
    assert result.report["run"]["fingerprint_key"] is None
    assert not (duo.folder / ".mfagate").exists()


def test_only_this_user_can_read_the_key_and_no_output_contains_it(duo: Duo) -> None:
    result = duo.run("nightly", DUO_SKEY=OTHER_KEY)
    text = key_file(duo).read_text().strip()
    assert key_file(duo).stat().st_mode & 0o777 == 0o600
    kept = b"".join(path.read_bytes() for path in duo.folder.glob(".mfagate/history.db*"))
    assert text.encode() not in kept
    assert text not in result.stdout + result.stderr + json.dumps(result.report)
    assert (duo.folder / ".mfagate/.gitignore").read_text() == "*\n"


def test_a_new_key_that_git_would_commit_causes_one_warning(duo: Duo) -> None:
    git(duo.folder, "init", "--quiet")
    (warning,) = duo.run("gate", "--history", "runs.db").report["run"]["warnings"]
    assert warning == "fingerprint.key is the new fingerprint key: add it to .gitignore"
    assert duo.run("gate", "--history", "runs.db").stderr == ""
    assert duo.run("nightly").stderr == ""
    assert git(duo.folder, "ls-files", "--others", "--exclude-standard", ".mfagate") == ""


def test_a_key_in_a_response_is_not_shown(duo: Duo) -> None:
    duo.run("nightly")
    text = key_file(duo).read_text().strip()
    duo._text += f'\n[integrations.duo.documentation]\nowner = "{text}"\n'
    assert text not in duo.execute("nightly", "--output", "json").stdout


def test_two_runs_at_once_create_one_key(duo: Duo) -> None:
    duo.write()
    command = [sys.executable, "-m", "mfagate", "nightly", "--output", "json"]
    environment = {**os.environ, **duo.env, "DUO_HOST": duo._host}
    both = [subprocess.Popen(command, cwd=duo.folder, env=environment, stdout=subprocess.PIPE) for _ in range(3)]
    reports: list[dict[str, Any]] = [json.loads(one.communicate(timeout=120)[0]) for one in both]
    identifier = Key(key_file(duo).read_text().strip(), kept=True).identifier
    assert [report["run"]["fingerprint_key"] for report in reports] == [identifier] * 3
    assert not [*key_file(duo).parent.glob(".mfagate-*")]


def test_a_key_in_the_variable_creates_no_file(duo: Duo) -> None:
    duo.run("nightly", MFAGATE_FINGERPRINT_KEY=KEY)
    assert not key_file(duo).exists()
    assert "this value was different" in compared(
        duo.run("nightly", DUO_SKEY=OTHER_KEY, MFAGATE_FINGERPRINT_KEY=f"{KEY}\n")
    )


def test_runs_with_different_keys_are_not_compared(duo: Duo) -> None:
    duo.run("nightly", MFAGATE_FINGERPRINT_KEY=KEY)
    result = duo.run("nightly", DUO_SKEY=OTHER_KEY, MFAGATE_FINGERPRINT_KEY=KEY[::-1])
    assert re.search(r"^the last run that passed .* used another fingerprint key \(", compared(result))
    assert result.stderr == ""


def test_a_lost_key_is_created_again_with_one_warning(duo: Duo) -> None:
    duo.run("nightly")
    key_file(duo).unlink()
    result = duo.run("nightly", DUO_SKEY=OTHER_KEY)
    (warning,) = result.report["run"]["warnings"]
    assert f"the fingerprint key {Path('.mfagate/fingerprint.key')} was missing, so a new key was created" in warning
    assert "used another fingerprint key" in compared(result)
    assert duo.run("nightly").stderr == ""
    assert "this value was different" in compared(duo.run("nightly", DUO_SKEY=OTHER_KEY))


def loosen(path: Path) -> None:
    path.chmod(0o644)


def empty(path: Path) -> None:
    path.write_text("")


def scribble(path: Path) -> None:
    path.write_text("no key")


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def binary(path: Path) -> None:
    path.write_bytes(b"\xff" * 64)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (loosen, "can be read or changed by other users (chmod 600 ends that)"),
        (empty, "contains no fingerprint key: restore it, or remove it"),
        (scribble, "contains no fingerprint key: restore it, or remove it"),
        (binary, "cannot be read: it is not text"),
        (link, "is a link"),
        (folder, "cannot be read: Is a directory"),
        (pipe, "cannot be read: it is a named pipe"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_unusable_key_is_one_warning_and_changes_no_verdict(duo: Duo, spoil: Any, words: str) -> None:
    duo.run("nightly")
    spoil(key_file(duo))
    passing, failing = duo.run("nightly"), duo.run("nightly", DUO_SKEY=OTHER_KEY)
    assert (passing.exit_code, failing.exit_code) == (0, 1)
    (warning,) = passing.report["run"]["warnings"]
    assert words in warning
    assert "MFAGATE_FINGERPRINT_KEY" in warning or "restore it" in warning
    assert not re.search("the same value|was different", compared(failing))
    assert "Traceback" not in passing.stderr + failing.stderr


@pytest.mark.parametrize(
    "value", ["short", "aaaaaaaaaaaaaaaaaaaaaaaa", "changeme-changeme", "${MFAGATE_FINGERPRINT_KEY}"]
)
def test_a_weak_key_in_the_variable_is_not_used(duo: Duo, value: str) -> None:
    for command in ("nightly", "check"):
        result = duo.run(command, MFAGATE_FINGERPRINT_KEY=value)
        assert (result.exit_code, result.report["run"]["fingerprint_key"]) == (0, None)
        (warning,) = result.report["run"]["warnings"]
        assert "MFAGATE_FINGERPRINT_KEY" in warning
        assert value not in warning


def test_a_database_needs_the_variable(duo: Duo, postgres_server: Server) -> None:
    location = postgres_server.new_database("compared")
    result = duo.run("nightly", "--history", location)
    (warning,) = result.report["run"]["warnings"]
    assert "set MFAGATE_FINGERPRINT_KEY to the same secret in each run" in warning
    for key in (duo.env["DUO_SKEY"], OTHER_KEY):
        result = duo.run("nightly", "--history", location, DUO_SKEY=key, MFAGATE_FINGERPRINT_KEY=KEY)
        assert result.stderr == ""
    assert "this value was different" in compared(result)
    assert not (duo.folder / ".mfagate").exists()


def test_missing_documentation_does_not_prevent_a_comparison(duo: Duo) -> None:
    duo._text = duo.text().replace('environment = "sandbox"', 'environment = "production"')
    assert duo.run("nightly").first["cause"] == "documentation.incomplete"
    result = duo.run("nightly", DUO_SKEY=OTHER_KEY)
    assert result.first["cause"] == "credential.rejected"
    assert "in the last run that passed except for its documentation" in compared(result)
