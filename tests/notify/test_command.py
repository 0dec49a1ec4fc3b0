"""mfagate gate --notify: what is sent, and what happens if nothing can be sent."""

from __future__ import annotations

import json
import logging
import socket
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from mfagate.history.location import HistoryLocation
from mfagate.history.store import History
from mfagate.notify.changes import ProblemStatus
from mfagate.notify.delivery import NotifyUrl, NotReady, Undelivered, deliver, require_packages
from mfagate.notify.wording import Notification as Words
from mfagate.sandbox.faulty_proxy import Handler, faulty_proxy
from mfagate.secrets.redaction import Redactor
from mfagate.testing.project import CommandResult

from .conftest import TOKEN, Duo, Webhook


def gate(project: Duo, url: str, *more: str) -> CommandResult:
    done = project.run("gate", "--notify", *more, MFA_NOTIFY_URL=url)
    files = [path.read_bytes().decode(errors="replace") for path in (project.folder / ".mfagate").glob("*")]
    written = "\n".join([done.stdout, done.stderr, json.dumps(done.report), *files])
    assert Redactor({"token": TOKEN}).found_in(written) == []
    return done


def test_an_outage_sends_one_message_at_its_start_and_one_at_its_end(project: Duo, webhook: Webhook) -> None:
    codes = []
    for broken in (False, False, True, True, False, False):
        project.broken = broken
        done = gate(project, webhook.url)
        codes.append(done.exit_code)
        assert done.report["run"]["warnings"] == [], done.stderr
    assert codes == [0, 0, 1, 1, 0, 0]
    began, ended = webhook.received
    assert (began["title"], began["type"]) == ("mfagate: duo-eu: new credential.rejected", "failure")
    assert "NEW duo-eu: credential.rejected\n" in began["message"]
    assert "next step: In the Duo Admin Panel, open the application, and compare its secret key" in began["message"]
    assert (ended["title"], ended["type"]) == ("mfagate: duo-eu: recovered from credential.rejected", "success")
    assert webhook.paths == [f"/hooks/{TOKEN}/"] * 2


def test_a_message_has_no_bidirectional_control_characters(project: Duo, webhook: Webhook) -> None:
    project.broken = True
    project.owner = "identity\u202emroftalp"
    gate(project, webhook.url)
    (sent,) = webhook.received
    assert "identity\\u202emroftalp" in sent["message"]


def test_an_unreachable_url_changes_no_verdict_and_the_next_run_sends_again(project: Duo, webhook: Webhook) -> None:
    project.broken = True
    webhook.status = 500
    done = gate(project, webhook.url)
    (warning,) = done.report["run"]["warnings"]
    trouble = "notification: env:MFA_NOTIFY_URL did not accept the message, or cannot be reached"
    expected = f"{trouble}. The verdict is not affected."
    assert (done.exit_code, warning) == (1, expected)
    assert f"warning: {expected}\n" in done.stderr
    webhook.status = 200
    assert gate(project, webhook.url).report["run"]["warnings"] == []
    assert [one["title"] for one in webhook.received] == ["mfagate: duo-eu: new credential.rejected"] * 2


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (f"json://127.0.0.1:1/{TOKEN}", "did not accept the message, or cannot be reached"),
        (f"nosuch://{TOKEN}", "is not a URL that Apprise supports"),
        ("", "is empty: expected a URL"),
    ],
)
def test_urls_that_do_not_work(project: Duo, url: str, why: str) -> None:
    project.broken = True
    done = gate(project, url)
    assert done.exit_code == 1
    (warning,) = done.report["run"]["warnings"]
    assert "env:MFA_NOTIFY_URL" in warning and why in warning


def test_one_url_of_two_is_enough(project: Duo, webhook: Webhook) -> None:
    project.broken = True
    project.notify = 'urls = ["env:NOBODY_SET_IT", "env:MFA_NOTIFY_URL"]'
    (warning,) = gate(project, webhook.url).report["run"]["warnings"]
    assert "NOBODY_SET_IT" in warning
    gate(project, webhook.url)
    assert len(webhook.received) == 1


def test_the_console_report_has_the_warning(project: Duo) -> None:
    project.broken = True
    project.write()
    done = project.execute("gate", "--notify", "--no-color", MFA_NOTIFY_URL="")
    line = "warning: notification: env:MFA_NOTIFY_URL is empty: expected a URL. The verdict is not affected."
    assert line in " ".join(done.stdout.split())
    assert line in done.stderr.splitlines()


def test_a_message_about_a_drill_says_so(project: Duo, webhook: Webhook) -> None:
    gate(project, webhook.url, "--fault", "duo-eu=status:503")
    (message,) = webhook.received
    assert "drill: " in message["message"]


def _remembered(project: Duo) -> sqlite3.Connection:
    return sqlite3.connect(project.folder / ".mfagate/history.db", isolation_level=None)


def test_a_run_with_notifications_is_stored_in_the_default_history(project: Duo, webhook: Webhook) -> None:
    project.broken = True
    gate(project, webhook.url)
    with closing(_remembered(project)) as history:
        assert history.execute("SELECT stage, verdict FROM runs").fetchall() == [("gate", "fail")]
        ((problem, status),) = history.execute("SELECT problem, status FROM notified").fetchall()
    assert (problem, json.loads(status)["reported"]) == ("duo-eu", "credential.rejected")


def test_invalid_statuses_are_a_warning_and_problems_are_sent_again(project: Duo, webhook: Webhook) -> None:
    project.broken = True
    gate(project, webhook.url)
    with closing(_remembered(project)) as history:
        # Without a time zone the age of a problem is unknown.
        history.execute("""UPDATE notified SET status = '{"since": "2026-11-01T00:00:00"}'""")
    (warning,) = gate(project, webhook.url).report["run"]["warnings"]
    assert "already reported problems will be sent again" in warning
    assert gate(project, webhook.url).report["run"]["warnings"] == []
    assert len(webhook.received) == 2


def test_statuses_of_unselected_integrations_are_kept(project: Duo, webhook: Webhook) -> None:
    okta = ProblemStatus(cause="provider.outage", since=datetime(2026, 11, 1, tzinfo=UTC), reported="provider.outage")
    with History.open(HistoryLocation.of(None, project.folder)) as history:
        history.remember_notified({"okta": okta.model_dump(mode="json")})
    project.broken = True
    gate(project, webhook.url)
    with History.open(HistoryLocation.of(None, project.folder)) as history:
        statuses = history.notified()
    assert statuses.keys() == {"okta", "duo-eu"}
    assert ProblemStatus.model_validate(statuses["okta"]) == okta


def test_no_message_contains_a_url_of_notify(project: Duo, webhook: Webhook) -> None:
    """The URL is also in a text that the message quotes."""
    project.broken = True
    text = project.text().replace("https://runbooks.example.com/mfa", webhook.url)
    project.text = lambda: text  # type: ignore[method-assign]
    project.run("gate", "--notify", MFA_NOTIFY_URL=webhook.url)
    (message,) = webhook.received
    assert "[redacted env:MFA_NOTIFY_URL]" in message["message"]
    assert TOKEN not in message["message"]


def test_the_message_links_to_the_report(project: Duo, webhook: Webhook) -> None:
    project.broken = True
    project.notify += '\nreport_url = "env:CI_JOB_URL"'
    done = project.run("gate", "--notify", MFA_NOTIFY_URL=webhook.url, CI_JOB_URL="https://ci.example.com/1")
    assert done.report["run"]["warnings"] == []
    assert webhook.received[0]["message"].endswith("report: https://ci.example.com/1")


def test_without_a_usable_history_the_message_is_sent_and_a_warning_says_why(project: Duo, webhook: Webhook) -> None:
    project.broken = True
    project.notify += '\nreport_url = "env:NOBODY_SET_IT"\n[history]\nurl = "integrations.toml/history.db"'
    done = gate(project, webhook.url)
    assert done.exit_code == 1
    unusable, unasked, unset = done.report["run"]["warnings"]
    assert "integrations.toml/history.db" in unusable
    assert unasked.startswith("notification: the history cannot be read, so already reported problems")
    assert unset.startswith("notify.report_url: ") and "NOBODY_SET_IT" in unset
    assert "report:" not in webhook.received[0]["message"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what Apprise imports
def test_a_defect_of_a_plugin_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ValueError(TOKEN)

    monkeypatch.setattr("apprise.Apprise.notify", broken)
    with pytest.raises(Undelivered) as failed:
        deliver(Words("title", "body", "failure", ()), NotifyUrl("env:X", f"json://{TOKEN}@127.0.0.1:1"))
    assert str(failed.value) == "env:X failed (ValueError)"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what Apprise imports
def test_no_library_of_apprise_logs_a_url(caplog: pytest.LogCaptureFixture) -> None:
    """urllib3 logs a warning with the URL if a response has an invalid header."""

    def odd(handler: Handler) -> bool:
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno header\r\n\r\n{}")
        handler.close_connection = True
        return True

    with faulty_proxy("http://127.0.0.1:9", odd) as server, caplog.at_level(1):
        address = f"json://bot:{TOKEN}@127.0.0.1:{server.server_port}/hooks/{TOKEN}/"
        deliver(Words("title", "body", "failure", ()), NotifyUrl("env:X", address))
        logging.getLogger("mfagate").warning("heard again")
    assert caplog.messages == ["heard again"]


def test_a_message_is_sent_as_mail(project: Duo) -> None:
    mails: list[Any] = []

    class Postman:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            mails.append(envelope)
            return "250 OK"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(Postman(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        project.broken = True
        url = f"mailto://127.0.0.1:{port}?from=mfagate@example.com&to=oncall@example.com&format=text"
        done = gate(project, url)
    finally:
        server.stop()
    assert done.report["run"]["warnings"] == []
    (mail,) = mails
    assert mail.rcpt_tos == ["oncall@example.com"]
    parsed: Message = message_from_bytes(mail.content)
    assert parsed["Subject"] == "mfagate: duo-eu: new credential.rejected"


@pytest.mark.parametrize(
    ("notify", "message"),
    [
        ("", "--notify needs at least one URL: set urls in [notify] in integrations.toml"),
        (f'urls = ["json://{TOKEN}@host"]', "notify.urls.0: should be a reference such as env:MFA_NOTIFY_URL"),
        ('url = ["env:X"]', "notify.url: unknown key (did you mean 'urls'?)"),
        ('urls = ["env:X"]\nstate = "notifications.json"', "notify.state: unknown key"),
        ('urls = ["env:X"]\non = ["old"]', "notify.on.0: should be 'new', 'changed' or 'recovered'"),
        ('urls = ["env:X"]\nflapping = {changes = 1}', "notify.flapping.changes: should be greater than or equal to 2"),
    ],
)
def test_an_invalid_configuration_is_refused_before_any_request(project: Duo, notify: str, message: str) -> None:
    project.notify = notify
    done = gate(project, "")
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("package", "extra"), [("apprise", "notify"), ("sqlalchemy", "history")])
def test_the_message_names_a_missing_extra(monkeypatch: pytest.MonkeyPatch, package: str, extra: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(NotReady, match=rf"pip install \S+\[{extra}\]"):
        require_packages()
