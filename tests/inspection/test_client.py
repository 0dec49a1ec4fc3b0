"""How the login service's own client is set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mfagate.config.load import load
from mfagate.config.resolved import resolve_table
from mfagate.core.causes import Outcome
from mfagate.core.finding import Finding
from mfagate.inspection.client import inspect_client
from mfagate.secrets.stores import StoreContext, Stores


def inspected(folder: Path, client: str, environment: str = "production") -> list[Finding]:
    text = f'[integrations.a]\nprovider = "p"\nenvironment = "{environment}"\n[integrations.a.client]\n{client}\n'
    (folder / "integrations.toml").write_text(text)
    (folder / "login.yaml").write_text("mfa:\n  timeout: 30\n  failmode: safe\n  broken: soon\n")
    integration = load(folder / "integrations.toml", ["p"]).integrations["a"]
    stores = Stores(StoreContext(folder, os.environ))
    return list(inspect_client(integration, resolve_table(integration, "client", stores, sandbox_running=True)))


@pytest.mark.parametrize(
    "client",
    [
        "",
        "timeout_seconds = 3\nretries = 2\nbackoff_seconds = 0.5\nlogin_budget_seconds = 10",
        "timeout_seconds = 300",
        "login_budget_seconds = 1",
        *(f'when_unavailable = "{word}"' for word in ("deny", "closed", "Secure", " block ", "false")),
    ],
)
def test_a_sound_client_raises_no_alarm(tmp_path: Path, client: str) -> None:
    assert inspected(tmp_path, client) == []


@pytest.mark.parametrize("word", ["allow", "open", "safe", "Bypass", "true"])
def test_failing_open_matters_in_production_only(tmp_path: Path, word: str) -> None:
    client = f'when_unavailable = "{word}"'
    assert [finding.cause for finding in inspected(tmp_path, client)] == ["config.fails-open"]
    assert inspected(tmp_path, client, "staging") == []


@pytest.mark.parametrize(
    ("client", "cause", "message", "place"),
    [
        (
            "timeout_seconds = 5\nretries = 2\nbackoff_seconds = 1\nlogin_budget_seconds = 15",
            "config.timeout-budget",
            "a login may wait 17 s for the provider, but its budget is 15 s",
            "integrations.toml:5",
        ),
        (
            'timeout_seconds = "yaml:login.yaml#mfa.timeout"\nlogin_budget_seconds = 15',
            "config.timeout-budget",
            "a login may wait 30 s",
            "login.yaml:2",
        ),
        (
            'when_unavailable = "yaml:login.yaml#mfa.failmode"',
            "config.fails-open",
            "client.when_unavailable lets users in without a second factor",
            "login.yaml:3",
        ),
        (
            'retries = "yaml:login.yaml#mfa.broken"',
            "config.malformed-value",
            "client.retries is not a number of zero or more",
            "login.yaml:4",
        ),
        (
            "retries = -1",
            "config.malformed-value",
            "client.retries is not a number of zero or more",
            "integrations.toml:5",
        ),
        (
            'when_unavailable = "denny"',
            "config.malformed-value",
            "client.when_unavailable is neither deny nor allow (did you mean 'deny'?)",
            "integrations.toml:5",
        ),
        (
            'retries = "yaml:login.yaml#mfa.retries"',
            "config.reference-unresolved",
            "client.retries cannot be read: yaml:login.yaml#mfa.retries: there is no 'retries' under mfa",
            "integrations.toml:5",
        ),
    ],
)
def test_a_slip_is_named_with_its_place(tmp_path: Path, client: str, cause: str, message: str, place: str) -> None:
    (finding,) = inspected(tmp_path, client)
    assert finding.cause == cause
    assert finding.message.startswith(message)
    assert str(finding.location) == str(tmp_path / place)
    assert (finding.effective_outcome is Outcome.WARN) == (cause == "config.timeout-budget")


@pytest.mark.parametrize(
    ("client", "step"),
    [
        ('timeout_seconds = "3s"', "a number of seconds without a unit, such as 3."),
        ("login_budget_seconds = -1", "a number of seconds without a unit, such as 10."),
        ('backoff_seconds = "1,5"', "a number of seconds without a unit, such as 0.5."),
        ('retries = "two"', "a number, such as 1."),
        ('retries = "yaml:login.yaml#mfa.broken"', "a number, such as 1."),
        ('when_unavailable = "denied"', "deny if the login service then lets nobody in, or allow if it lets users in."),
    ],
)
def test_the_next_step_sends_nobody_to_the_provider(tmp_path: Path, client: str, step: str) -> None:
    """No console of a provider shows how the login service's own client is set."""
    (finding,) = inspected(tmp_path, client)
    assert finding.next_step == f"At the line in the report, write the value that the login service uses: {step}"
