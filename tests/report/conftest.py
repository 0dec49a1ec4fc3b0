"""A project with findings of every kind that need no network, and reports full of hostile text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.result import Check, IntegrationReport, Report, ReportLocation, Run, Summary, Verdict, Waived
from mfagate.report.formats import FORMATS
from mfagate.testing import CommandResult
from mfagate.testing.project import Project as AnyProject

from ..support.project import link_shipped

CANARY = "c4n4ryc4n4ryc4n4ryc4n4ryc4n4ryc4n4ry1234"

DUO = """
[integrations.{name}]
provider = "duo"
environment = "production"
share_of_users = 0.3

[integrations.{name}.settings]
host = "api-1a2b3c4d.duosecurity.com"
integration_key = "DI{key}"
secret_key = "{secret}"

[integrations.{name}.documentation]
owner = "identity-platform"
runbook = "https://runbooks.example.com/mfa/duo"
"""

CLIENT = """
[integrations.duo-us.client]
timeout_seconds = 9
retries = 2
login_budget_seconds = 10

[integrations.duo-eu.client]
when_unavailable = "allow"

[[integrations.duo-eu.waivers]]
cause = "config.fails-open"
reason = "the wards must log in during an outage"
owner = "Ada L."
until = {until}
"""


class Offline(AnyProject):
    """duo-us fails and warns, duo-eu passes with a waiver."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"SKEY": CANARY})
        (folder / ".git").mkdir()  # The root of a repository.
        link_shipped(folder)
        until = datetime.now(UTC).date() + timedelta(days=60)
        self.configuration = (
            DUO.format(name="duo-us", key="1" * 18, secret="env:NOBODY")
            + DUO.format(name="duo-eu", key="2" * 18, secret="env:SKEY")
            + CLIENT.format(until=until)
        )

    def text(self) -> str:
        return self.configuration

    def report_in(self, name: str, *arguments: str, **env: str) -> tuple[str, CommandResult]:
        """Return the report in a format, written to a file, and the result of the command."""
        self.write()
        done = self.execute("check", *arguments, "--output", f"{name}=report.out", **env)
        text = (self.folder / "report.out").read_text()
        assert CANARY not in text
        return text, done


@pytest.fixture
def offline(tmp_path: Path) -> Offline:
    return Offline(tmp_path)


HOSTILE = (
    "</script><img src=x onerror=alert(1)>\r\n::error::gone %0A|`` ```\n``````\n# h\n"
    "\x1b[31mred\x1b]8;;http://evil.example\x07 \u202egnp.exe\u2066 \u2028\x00 @octocat #123 [a](http://evil.example) "
    "<!-- --> --> </details> "
    "![i](http://evil.example/i.png) www.evil.example \\ \" ' {{ 7*7 }} Grüße 日本語 ##[error]x\n"
    "::stop-commands::x\n::warning::y\n/close\n~~~\n"
)

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)

Maker = Callable[..., Report]


def hostile_check(text: str = HOSTILE, **changed: Any) -> Check:
    values: dict[str, Any] = {
        "id": "credential.accepted",
        "subject": text,
        "outcome": Outcome.FAIL,
        "cause": CauseId.CREDENTIAL_REJECTED,
        "message": text,
        "next_step": text,
        "evidence": {"provider message": text, text: [text, {"key": text}]},
        "location": ReportLocation(file="deploy/duo.env", line=3),
        "seconds": 0.1,
        "expires": AT + timedelta(days=10),
    }
    return Check(**{**values, **changed})


def report_of(*checks: Check, verdict: Verdict = Verdict.FAIL, name: str = "duo-eu", **changed: Any) -> Report:
    red = next((check for check in checks if check.outcome.is_red), None)
    integration = IntegrationReport(
        name=name,
        provider="duo",
        environment="production",
        target="provider",
        share_of_users=0.3,
        owner="identity-platform",
        runbook="https://runbooks.example.com/mfa/duo",
        location=ReportLocation(file="integrations.toml", line=1),
        verdict=verdict,
        cause=red.cause if red else None,
        headline=red.message if red else "fine",
        exonerated=["network", "database"] if red else [],
        checks=list(checks),
    )
    run = Run(
        id="6b0f3a52-2a3c-4f0e-9a40-5a1d0e9b8f10",
        stage="gate",
        started=AT,
        finished=AT + timedelta(seconds=2),
        version="0.1.0",
        configuration="integrations.toml",
        exit_code=1,
    )
    report = Report(
        run=run, verdict=verdict, summary=Summary.of(checks), integrations=[integration, *changed.pop("more", [])]
    )
    return report.model_copy(update=changed)


def waived_check(**changed: Any) -> Check:
    waiver = Waived(
        reason=HOSTILE,
        owner=HOSTILE,
        until=date(2027, 1, 31),
        instead_of=Outcome.FAIL,
        location=ReportLocation(file="integrations.toml", line=9),
    )
    return hostile_check(outcome=Outcome.INFO, waiver=waiver, **changed)


@pytest.fixture
def hostile() -> Report:
    """A report with hostile text in every field that a provider or a person chooses."""
    return report_of(hostile_check(), hostile_check(outcome=Outcome.WARN), waived_check())


WRITTEN = [name for name in FORMATS if name != "html"]
