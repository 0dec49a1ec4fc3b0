"""``mfagate nightly`` as a schedule runs it."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.duo import Duo, emulator

from mfagate.history import History, HistoryLocation, IntegrationState
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import Handler, faulty_proxy
from mfagate.secrets.redaction import Redactor


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with emulator() as started:
        yield started


@pytest.fixture
def duo(tmp_path: Path, running: Running) -> Duo:
    return Duo(tmp_path, running)


def environment(duo: Duo) -> dict[str, str]:
    return {**os.environ, **duo.env, "DUO_HOST": duo._host}


COMMAND = [sys.executable, "-m", "mfagate", "nightly"]


def test_the_first_nights(duo: Duo) -> None:
    (duo.folder / ".mfagate").mkdir()  # as --notify makes it
    for night in range(2):
        result = duo.run("nightly")
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.report["run"]["stage"] == "nightly"
        (drift,) = result.checks("drift")
        assert drift["outcome"] == "pass"
        assert all(
            check["message"].startswith(f"{night} nightly runs are recorded") for check in result.checks("latency")
        )
        assert [check["outcome"] for check in result.checks("errors")] == ["skipped"]
        assert [check["outcome"] for check in result.checks("cassette.age")] == ["pass"]
    assert len(duo.execute("history").stdout.splitlines()) == 3
    assert (duo.folder / ".mfagate/.gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    ("other", "known"),
    [
        (lambda state: state, 16),
        (lambda state: replace(state, target="provider"), 1),
        (lambda state: replace(state, samples=tuple(replace(one, requests=1) for one in state.samples)), 1),
    ],
    ids=["the same", "another target", "few requests"],
)
def test_nights_that_asked_something_else_do_not_count(
    duo: Duo, other: Callable[[IntegrationState], IntegrationState], known: int
) -> None:
    duo.run("nightly")
    with History.open(HistoryLocation.of(None, duo.folder)) as history:
        (first,) = history.runs()
        for days in range(1, 16):
            at = first.started - timedelta(days=days)
            states = tuple(map(other, first.integrations))
            history.record(replace(first, id=str(uuid.uuid4()), started=at, finished=at, integrations=states))
    checks = duo.run("nightly").checks("latency")
    assert len(checks) == 5
    for check in checks:
        assert check["message"].startswith("1 nightly runs are recorded") is (known == 1)
        assert check["outcome"] == "skipped" or known == 16


BROKEN = """
[integrations.broken]
provider = "duo"
environment = "sandbox"
endpoint = "sandbox"

[integrations.broken.settings]
host = "sandbox:host"
integration_key = "sandbox:integration_key"
secret_key = "sandbox:secret_key"
"""


def test_a_drill_is_no_night(duo: Duo) -> None:
    """It is left out of the history, with what it has seen; what ran beside it is kept."""
    duo._text = duo.text() + BROKEN
    assert duo.run("nightly", "--fault", "broken=status:503").report["verdict"] == "inconclusive"
    assert duo.run("nightly", "--fault", "broken=slow:0.01").report["verdict"] == "pass"
    assert duo.run("nightly", "--integration", "broken", "--fault", "broken=status:503").exit_code == 3
    with closing(sqlite3.connect(duo.folder / ".mfagate/history.db")) as connection:
        kept = [connection.execute(f"SELECT {what}").fetchall() for what in ("verdict FROM runs", "name FROM shapes")]
        names = connection.execute("SELECT name FROM integrations").fetchall()
    assert (kept, names) == ([[("pass",)] * 2, [("duo",)]], [("duo",)] * 2)


def test_the_page_shows_earlier_nights(duo: Duo) -> None:
    duo.run("nightly")
    duo.execute("nightly", "--output", "html=report.html")
    page = (duo.folder / "report.html").read_text()
    assert "History" in page
    assert "2 pass" in page
    assert "processing" in page


@pytest.mark.parametrize(
    ("environment_name", "outcome", "exit_code"), [("production", "fail", 1), ("sandbox", "warn", 0)]
)
def test_what_is_not_written_down(duo: Duo, environment_name: str, outcome: str, exit_code: int) -> None:
    """In production that alone is a failure, and all else is looked at all the same."""
    text = duo.text().replace('environment = "sandbox"', f'environment = "{environment_name}"')
    duo._text = text + '\n[integrations.duo.documentation]\nowner = "iam"\nreviewed = 2020-02-02\n'
    result = duo.run("nightly")
    missing, review = result.checks("documentation")
    assert (missing["outcome"], missing["cause"], result.exit_code) == (outcome, "documentation.incomplete", exit_code)
    assert missing["evidence"]["missing"] == ["runbook", "provider_docs", "escalation", "rotation_days"]
    assert missing["location"]["line"] == duo.line_of("[integrations.duo.documentation]")
    assert (review["outcome"], review["cause"]) == ("warn", "documentation.review-overdue")
    assert review["location"]["line"] == duo.line_of("reviewed")
    assert result.checks("drift")[0]["outcome"] == "pass"


def test_nothing_is_known_of_the_answers(duo: Duo) -> None:
    """Without recordings the first night has nothing to compare with, and says so; the second one has."""
    (duo.folder / "cassettes").unlink()
    (first,), (second,) = (duo.run("nightly").checks("drift") for _ in range(2))
    assert (first["outcome"], second["outcome"]) == ("skipped", "pass")
    assert first["message"].startswith("there is neither a recording nor an earlier nightly run")


def with_a_new_field(handler: Handler) -> bool:
    status, body, headers = handler.ask()
    changed = body.replace(b'"stat": "OK"', b'"stat": "OK", "beta": true')
    return handler.relay(status, changed, headers, headers["Content-Type"])


def test_a_field_is_reported_once(duo: Duo, running: Running) -> None:
    with faulty_proxy(running.endpoint, with_a_new_field) as before:
        duo._text = duo.text().replace(running.endpoint, before.url)
        first, second = duo.run("nightly"), duo.run("nightly")
    (drift,) = first.checks("drift")
    assert (first.exit_code, drift["outcome"], drift["cause"]) == (0, "info", "drift.field-added")
    assert drift["evidence"]["field"] == "$.beta"
    assert len(drift["evidence"]["in the answers to"]) > 1
    assert [check["outcome"] for check in second.checks("drift")] == ["pass"]


def test_an_endpoint_that_will_go_is_a_warning(duo: Duo, running: Running) -> None:
    def announcing(handler: Handler) -> bool:
        status, body, headers = handler.ask()
        told = {"Sunset": "Sat, 01 May 2027 00:00:00 GMT"}
        return handler.relay(status, body, headers, headers["Content-Type"], **told)

    with faulty_proxy(running.endpoint, announcing) as before:
        duo._text = duo.text().replace(running.endpoint, before.url)
        result = duo.run("nightly")
    (told,) = result.checks("drift")
    assert (result.exit_code, told["outcome"], told["cause"]) == (0, "warn", "drift.field-added")
    assert told["message"] == "the provider announces the end of an endpoint: header sunset"


def test_without_a_history_the_verdict_comes_all_the_same(duo: Duo, running: Running) -> None:
    (duo.folder / ".mfagate").write_text("in the way")
    with faulty_proxy(running.endpoint, with_a_new_field) as before:
        duo._text = duo.text().replace(running.endpoint, before.url)
        results = [duo.run("nightly") for _ in range(2)]
    for result in results:
        assert result.exit_code == 0
        (warning,) = result.report["run"]["warnings"]
        assert "name another location with --history" in warning
        assert [check["cause"] for check in result.checks("drift")] == ["drift.field-added"]
        assert [check["outcome"] for check in result.checks("latency")] == ["skipped"]


def test_postgresql_is_not_there(duo: Duo) -> None:
    result = duo.run("nightly", "--history", f"postgresql://mfa:{duo.env['HISTORY_PASSWORD']}@127.0.0.1:1/mfa")
    assert result.exit_code == 0
    assert "check the host and the port, and that the server is running" in result.stderr


def test_two_at_once_and_one_killed(duo: Duo) -> None:
    duo.write()
    three = [
        subprocess.Popen(COMMAND, cwd=duo.folder, env=environment(duo), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    three[2].send_signal(signal.SIGKILL)
    three[2].communicate()
    for one in three[:2]:
        out, err = one.communicate(timeout=60)
        assert (one.returncode, err) == (0, b""), out
    assert duo.run("nightly").stderr == ""
    assert len(duo.execute("history").stdout.splitlines()) == 4


def test_no_secret_is_kept(duo: Duo, running: Running) -> None:
    """Neither those of the configuration nor those that a provider sends back, in a field or in a message."""
    secret = duo.env["DUO_SKEY"]

    def telling(handler: Handler) -> bool:
        status, body, headers = handler.ask()
        changed = body.replace(b'"stat": "OK"', f'"stat": "OK", "echo": "{secret}", "{secret}": 1'.encode())
        return handler.relay(status, changed, headers, headers["Content-Type"])

    with faulty_proxy(running.endpoint, telling) as before:
        duo._text = duo.text().replace(running.endpoint, before.url)
        result = duo.run("nightly")
        duo.run("nightly")
    assert {check["cause"] for check in result.checks("drift")} == {"drift.field-added"}
    kept = b"".join(path.read_bytes() for path in (duo.folder / ".mfagate").iterdir()).decode("latin-1")
    assert '"$.echo"' in kept
    assert Redactor(duo.env).found_in(kept) == []


@pytest.mark.parametrize(
    ("missing", "place", "extra"),
    [("sqlalchemy", "runs.db", "history"), ("psycopg", "postgresql://127.0.0.1:1/x", "postgresql")],
)
def test_an_extra_that_is_not_installed(duo: Duo, missing: str, place: str, extra: str) -> None:
    (duo.folder / "without").mkdir()
    (duo.folder / "without" / f"{missing}.py").write_text("raise ImportError")
    path = os.pathsep.join([str(duo.folder / "without"), os.environ.get("PYTHONPATH", "")])
    result = duo.run("nightly", "--history", place, PYTHONPATH=path)
    assert result.exit_code == 0
    assert re.search(rf"pip install \S+\[{extra}\]", result.stderr)


@pytest.mark.parametrize(
    "damage",
    [
        "problems SET evidence = '{'",
        "problems SET evidence = '[1]'",
        "integrations SET verdict = '?'",
        "integrations SET questions = -1",
        "integrations SET questions = 3000000000",
        "integrations SET ran = X'ff00'",
        "samples SET median = 'soon'",
        "samples SET requests = 'many'",
        "shapes SET answers = '['",
        "shapes SET answers = '[1]'",
        """shapes SET answers = '[["user in bypass", {}]]'""",
        f"shapes SET answers = '{'[' * 100_000}'",
        f"problems SET evidence = '{'[' * 100_000}'",
        """shapes SET answers = '{"user in bypass": 7}'""",
        """shapes SET answers = '{"user in bypass": {"$.stat": {"kinds": 5, "values": null, "answers": 1}}}'""",
        """shapes SET answers = '{"user in bypass": {"$.stat": {"kinds": [], "values": [1], "answers": "x"}}}'""",
    ],
    ids=lambda damage: damage[:60],
)
def test_rows_that_nobody_has_written(duo: Duo, damage: str) -> None:
    """Whatever they hold, JSON of another structure included: a warning, and the verdict is what it would have been."""
    duo.run("nightly")
    with closing(sqlite3.connect(duo.folder / ".mfagate/history.db")) as connection, connection:
        connection.execute(f"UPDATE {damage}")
        (run_id,) = connection.execute("SELECT id FROM runs").fetchone()
    result = duo.run("nightly")
    assert (result.exit_code, result.report["verdict"]) == (0, "pass")
    assert "has content that mfagate did not write" in result.stderr
    if not damage.startswith("shapes"):
        for shown in (duo.execute("history"), duo.execute("history", run_id)):
            assert (shown.exit_code, "Traceback" in shown.stderr) == (2, False)
