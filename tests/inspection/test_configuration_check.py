"""The configuration check: what is found outside the settings, and what the typed settings are."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mfagate.app.session import Session, prepared
from mfagate.checks import configuration
from mfagate.checks.context import CheckContext
from mfagate.config.load import load
from mfagate.core.result import Check

KEYS = {"validate": "VALIDATE", "admin": "ADMIN"}

TABLE = """\
[integrations.{name}]
provider = "privacyidea"
environment = "{environment}"
{more}
[integrations.{name}.settings]
url = "https://mfa.example.com"
validate_key = "env:{validate}"
admin_key = "env:{admin}"
"""

Examine = Callable[..., tuple[list[Check], CheckContext]]


def key(role: str) -> str:
    parts = {"alg": "HS256", "typ": "JWT"}, {"role": role, "exp": 4_102_444_800}
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "A" * 43])


@pytest.fixture
def examine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examine:
    """Run the check on a right configuration with something changed."""
    for role, variable in KEYS.items():
        monkeypatch.setenv(variable, key(role))

    def run(
        more: str = "", tables: str = "", *, name: str = "a", environment: str = "production", **keys: str
    ) -> tuple[list[Check], CheckContext]:
        path = tmp_path / "integrations.toml"
        text = TABLE.format(name=name, environment=environment, more=more, **(KEYS | keys))
        path.write_text(text + tables)
        settings = load(path, ["privacyidea"])
        (integration,) = settings.select()
        with prepared(Session(settings), integration, live=False) as context:
            return list(configuration.run(context)), context

    return run


def test_tokens_that_say_when_they_run_out_are_dated(examine: Examine) -> None:
    checks, _ = examine()
    assert checks[-1].expires == datetime(2100, 1, 1, tzinfo=UTC)


def test_a_right_configuration_gives_typed_settings(examine: Examine) -> None:
    (check,), context = examine()
    assert (check.outcome, check.message) == ("pass", "3 settings are well-formed")
    typed = context.tables.typed
    assert typed is not None
    assert typed.settings.secret("validate_key") == key("validate")
    assert typed.control is None


def test_a_control_overrides_a_part_of_the_settings(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROL", key("validate")[:-1] + "B")
    (check,), context = examine(tables='[integrations.a.control]\nvalidate_key = "env:CONTROL"\n')
    assert check.outcome == "pass"
    typed = context.tables.typed
    assert typed is not None and typed.control is not None
    assert typed.control.secret("validate_key") == key("validate")[:-1] + "B"
    assert typed.control.secret("admin_key") == key("admin")


# The line of the file that is at fault is marked by #!
@pytest.mark.parametrize(
    ("changed", "cause", "message"),
    [
        pytest.param(
            {"more": "timeout = 5 #!"},
            "config.unknown-setting",
            "timeout is not a key of an integration (did you mean 'timeout_seconds'?)",
            id="key",
        ),
        pytest.param(
            {"tables": "[integrations.a.clients] #!\nretries = 1\n"},
            "config.unknown-setting",
            "clients is not a key of an integration (did you mean 'client'?)",
            id="table",
        ),
        pytest.param(
            {"tables": "[integrations.a.client]\nretry = 1 #!\n"},
            "config.unknown-setting",
            "client.retry is not a key of an integration (did you mean 'retries'?)",
            id="key of the client",
        ),
        pytest.param(
            {"tables": "validate_keys = 'env:VALIDATE' #!\n"},
            "config.unknown-setting",
            "settings.validate_keys is not a setting of privacyidea (did you mean 'validate_key'?)",
            id="setting",
        ),
        pytest.param(
            {"tables": "[integrations.a.expect]\nrealms = 'x' #!\n"},
            "config.unknown-setting",
            "expect.realms is not a key of privacyIDEA (did you mean 'realm'?)",
            id="expectation",
        ),
        pytest.param(
            {"tables": "[integrations.a.test_data]\nusers = 'x' #!\n"},
            "config.unknown-setting",
            "test_data.users is not a key of privacyIDEA (did you mean 'user'?)",
            id="test data",
        ),
        pytest.param(
            {"tables": "[integrations.a.expect]\nrealm = 'env:NO_SUCH' #!\n"},
            "config.reference-unresolved",
            "expect.realm cannot be read: the environment variable NO_SUCH is not set",
            id="unresolved",
        ),
        pytest.param(
            {"more": 'endpoint = "mfa.example.com" #!'},
            "config.malformed-url",
            "endpoint cannot be right: it has no scheme",
            id="endpoint",
        ),
        pytest.param(
            {"more": 'endpoint = "http://mfa.example.com" #!'},
            "config.malformed-url",
            "endpoint is http",
            id="endpoint in the clear",
        ),
        pytest.param({"more": 'ca_bundle = "none.pem" #!'}, "config.reference-unresolved", "", id="no bundle"),
        pytest.param({"more": 'ca_bundle = "integrations.toml" #!'}, "config.reference-unresolved", "", id="no PEM"),
        pytest.param(
            {"tables": "[integrations.a.control]\nvalidate_key = 'env:ADMIN' #!\n"},
            "config.wrong-kind",
            "control.validate_key cannot be right: it is a key with the role admin; expected a key with the role "
            "validate",
            id="control",
        ),
    ],
)
def test_a_slip_outside_the_settings_has_its_line(
    tmp_path: Path, examine: Examine, changed: dict[str, str], cause: str, message: str
) -> None:
    (check,), _ = examine(**changed)
    assert (check.outcome, check.cause) == ("fail", cause)
    assert check.message.startswith(message)
    assert check.next_step
    text = (tmp_path / "integrations.toml").read_text()
    assert check.location is not None
    assert check.location.line == text[: text.index("#!")].count("\n") + 1


def test_swapped_keys_are_one_finding(examine: Examine) -> None:
    (check,), _ = examine(validate="ADMIN", admin="VALIDATE")
    assert check.cause == "config.values-swapped"


@pytest.mark.parametrize("name", ["a", "'duo.eu.west'"])
def test_the_subject_is_the_setting_whatever_the_integration_is_called(examine: Examine, name: str) -> None:
    (check,), _ = examine(name=name, validate="NO_SUCH")
    assert check.subject == "validate_key"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:5000", "https://mfa.example.com", "http://[::1]:5000"])
def test_a_right_endpoint_raises_no_alarm(examine: Examine, endpoint: str) -> None:
    (check,), _ = examine(more=f'endpoint = "{endpoint}"')
    assert check.outcome == "pass"


def test_warnings_come_after_what_is_red(examine: Examine) -> None:
    client = "[integrations.a.client]\ntimeout_seconds = 30\nlogin_budget_seconds = 10\n"
    checks, _ = examine("timeout = 5", client)
    assert [check.cause for check in checks] == ["config.unknown-setting", "config.timeout-budget"]
