"""Progress and log records on stderr contain no secret, and foreign text in them begins no line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from mfagate.app import gate
from mfagate.app.progress import on_terminal
from mfagate.app.session import Session
from mfagate.checks.results import internal_error
from mfagate.config.load import load
from mfagate.core.causes import Outcome
from mfagate.core.foreign import hiding
from mfagate.core.result import Check
from mfagate.providers import registry

SECRET = "Zq7rTuW2xK9bN4mP6vC8sD1fG3hJ5kL0yQ2wE4rT"
HOSTILE = f"x\n::error::HOSTILE \x1b[2J {SECRET}"

CONFIGURATION = """\
[integrations.mfa]
provider = "duo"
environment = "staging"
[integrations.mfa.settings]
secret_key = "env:SECRET"
"""


@pytest.fixture
def session(tmp_path: Path) -> Session:
    (tmp_path / "integrations.toml").write_text(CONFIGURATION)
    made = Session(load(tmp_path / "integrations.toml", registry.names()), environ={"SECRET": SECRET})
    (integration,) = made.configuration.integrations.values()
    made.resolve(integration, "settings", None)
    return made


def test_progress_on_a_terminal(session: Session) -> None:
    stderr = io.StringIO()
    with (
        hiding(session.redactor.redact),
        on_terminal(Console(file=stderr, force_terminal=True, width=400)) as progress,
    ):
        progress.started(HOSTILE, "starting the sandbox")
        progress.checked(HOSTILE, Check(id="contract.interaction", subject=SECRET[:20], outcome=Outcome.PASS))
    assert "[redacted secret_key]" in stderr.getvalue()
    assert not _is_shown(stderr.getvalue())
    assert "\n::error" not in stderr.getvalue()
    assert "\x1b[2J " not in stderr.getvalue()


def test_the_log_of_a_defect(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    (integration,) = session.configuration.integrations.values()
    try:
        raise RuntimeError(HOSTILE)
    except RuntimeError as error:
        internal_error(integration, session.redactor, "identity", error)
    (record,) = caplog.records
    assert "[redacted secret_key]" in record.getMessage()
    _assert_harmless(record.getMessage())


def test_the_log_of_leftovers_after_an_interrupt(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    """A provider chooses the ids of the objects that a run creates."""
    session.cleanup.left.append(f"user {HOSTILE}")
    gate._log_what_is_left(session)
    (record,) = caplog.records
    assert record.getMessage().startswith("not removed: user x")
    _assert_harmless(record.getMessage())


def _assert_harmless(message: str) -> None:
    assert not _is_shown(message)
    assert "\x1b" not in message
    assert not [line for line in message.splitlines() if line.startswith("::error")]


def _is_shown(text: str) -> bool:
    return any(SECRET[at : at + 12] in text for at in range(len(SECRET) - 11))
