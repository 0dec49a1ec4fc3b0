"""The tables beside the settings, other names of settings, and telephone numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mfagate.app.session import Session, prepared
from mfagate.checks import configuration, documentation
from mfagate.config.load import load
from mfagate.config.settings import ProviderSettings
from mfagate.core.causes import Outcome
from mfagate.core.result import Check
from mfagate.inspection.other_names import meant_by
from mfagate.inspection.telephone import doubt_about
from mfagate.providers import registry

from .healthy import EXAMPLES


def examined(
    folder: Path, provider: str, settings: dict[str, str], more: str = "", environment: str = "production"
) -> list[Check]:
    """Run the configuration check on a configuration as it is written."""
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    head, _, tables = more.partition("[") if not more.startswith("[") else ("", "", more[1:])
    text = f'[integrations.a]\nprovider = "{provider}"\nenvironment = "{environment}"\n{head}'
    text += f"[integrations.a.settings]\n{lines}" + (f"[{tables}" if tables else "")
    (folder / "integrations.toml").write_text(text)
    loaded = load(folder / "integrations.toml", registry.names())
    (integration,) = loaded.select()
    with prepared(Session(loaded), integration, live=False) as context:
        return list(configuration.run(context))


@pytest.fixture
def twilio(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    healthy = dict(EXAMPLES["twilio"])
    for name in ("auth_token", "api_key_secret"):
        monkeypatch.setenv(f"TW_{name}", healthy[name])
        healthy[name] = f"env:TW_{name}"
    return healthy


@pytest.mark.parametrize(
    ("table", "line", "cause"),
    [
        ("expect", 'account_sid = "changeme"', "config.placeholder-left"),
        ("expect", 'account_sid = "op://mfa/twilio/sid"', "config.reference-unresolved"),
        ("expect", 'account_sid = "env:NOT_THERE"', "config.reference-unresolved"),
        ("test_data", 'push_identity = "@Microsoft.KeyVault(VaultName=v;SecretName=s)"', "config.reference-unresolved"),
        ("test_data", 'push_identity = "{{ .Values.identity }}"', "config.placeholder-left"),
        ("test_data", 'phone = "#{Phone}"', "config.reference-unresolved"),
        ("test_data", 'phone = "+15550100100"', "config.malformed-value"),
        ("client", 'when_unavailable = "${FAILMODE}"', "config.placeholder-left"),
        ("client", 'retries = "$(Retries)"', "config.reference-unresolved"),
    ],
)
def test_every_table_is_judged(tmp_path: Path, twilio: dict[str, str], table: str, line: str, cause: str) -> None:
    (check,) = examined(tmp_path, "twilio", twilio, f"[integrations.a.{table}]\n{line}\n")
    assert check.outcome is Outcome.FAIL
    assert check.cause == cause
    assert check.location is not None
    assert check.location.line == 11
    assert check.next_step


def test_an_endpoint_may_be_a_variable_that_nothing_replaced(tmp_path: Path, twilio: dict[str, str]) -> None:
    (check,) = examined(tmp_path, "twilio", twilio, 'endpoint = "https://$(ProxyHost)"\n')
    assert check.cause == "config.reference-unresolved"
    (check,) = examined(tmp_path, "twilio", twilio, 'endpoint = "https://your-company.com"\n')
    assert check.cause == "config.placeholder-left"


def test_a_folder_without_certificates_is_no_bundle(tmp_path: Path, twilio: dict[str, str]) -> None:
    (check,) = examined(tmp_path, "twilio", twilio, 'ca_bundle = "."\n')
    assert check.cause == "config.reference-unresolved"
    assert "PEM" in check.message


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+491", "too few digits"),
        ("+49151", "too few digits"),
        ("+999123456789", "no country has its country code"),
        ("+1234", "too few digits for a number under +1"),
        ("+1555555010012", "too many digits for a number under +1"),
        ("+15550100100", "begins with 0 or 1"),
        ("+10005551234", "begins with 0 or 1"),
        ("00491701234567", "begins with 00"),
        ("0170 1234567", "not + and digits"),
        ("+4915l12345678", "not + and digits"),
        ("555-CALL-NOW", "not + and digits"),
        ("", "not + and digits"),
    ],
)
def test_a_number_that_cannot_exist(number: str, reason: str) -> None:
    doubt = doubt_about(number)
    assert doubt is not None
    assert doubt.certain
    assert reason in doubt.reason


@pytest.mark.parametrize(
    "number",
    ["+491701234567", "+49 170 123-4567", "+44 (20) 7946-0000", "+12125551234", "+33612345678", "+15005550006",
     "+8613800138000", "+81312345678", "+5511912345678", "+919876543210", "+61412345678", "+351912345678"],
)  # fmt: skip
def test_numbers_that_people_have(number: str) -> None:
    assert doubt_about(number) is None


def test_a_fictional_number_is_a_warning(tmp_path: Path, twilio: dict[str, str]) -> None:
    checks = examined(tmp_path, "twilio", twilio, '[integrations.a.test_data]\nphone = "+15555550100"\n', "staging")
    assert [check.outcome for check in checks] == [Outcome.WARN, Outcome.PASS]
    assert checks[0].cause == "config.malformed-value"


def test_names_of_another_product_are_recognised(tmp_path: Path) -> None:
    settings = {"api_host": EXAMPLES["duo"]["host"], "client_id": EXAMPLES["duo"]["integration_key"], "skey": "env:X"}
    checks = examined(tmp_path, "duo", settings)
    assert {str(check.cause) for check in checks} == {"config.unknown-setting"}
    assert [check.next_step.partition(".")[0] for check in checks if check.next_step] == [
        "Rename api_host to host",
        "Rename client_id to integration_key",
        "Rename skey to secret_key",
    ]
    assert "Auth API" in (checks[1].next_step or "")


@pytest.mark.parametrize(
    ("provider", "name", "field"),
    [
        ("duo", "ikey", "integration_key"), ("duo", "DUO_CLIENT_SECRET", "secret_key"), ("duo", "apiHost", "host"),
        ("okta", "OKTA_CLIENT_ORGURL", "org_url"), ("okta", "OKTA_API_TOKEN", "api_token"),
        ("okta", "token", "api_token"), ("okta", "privateKey", "private_key"), ("okta", "OKTA_DOMAIN", "org_url"),
        ("twilio", "TWILIO_ACCOUNT_SID", "account_sid"), ("twilio", "TWILIO_API_KEY", "api_key_sid"),
        ("twilio", "TWILIO_API_SECRET", "api_key_secret"), ("twilio", "verify_service_sid", "service_sid"),
        ("auth0", "AUTH0_ISSUER_BASE_URL", "domain"), ("auth0", "clientSecret", "client_secret"),
        ("entra", "AZURE_TENANT_ID", "tenant_id"), ("entra", "AZURE_CLIENT_SECRET", "client_secret"),
        ("entra", "ARM_CLIENT_ID", "client_id"), ("entra", "appId", "client_id"),
        ("okta", "orgUrl", "org_url"), ("entra", "password", "client_secret"),
        ("privacyidea", "PRIVACYIDEA_URL", "url"), ("privacyidea", "server_url", "url"),
    ],
)  # fmt: skip
def test_a_vendors_other_name_means_a_setting(provider: str, name: str, field: str) -> None:
    meant = meant_by(name, registry.get(provider).settings)
    assert meant is not None
    assert meant.field == field


@pytest.mark.parametrize("provider", sorted(EXAMPLES))
def test_other_names_lead_to_settings_that_are_there(provider: str) -> None:
    declared: type[ProviderSettings] = registry.get(provider).settings
    for source in declared.other_names:
        assert set(source.names.values()) <= set(declared.model_fields)
        assert not set(source.names) & set(declared.model_fields)


@pytest.mark.parametrize(
    ("reference", "file", "content", "there"),
    [
        ("env:DUO_SKEY", None, "", "env:DUO_CLIENT_SECRET"),
        ("dotenv:.env#DUO_SKEY", ".env", "DUO_CLIENT_SECRET=abc\n", "dotenv:.env#DUO_CLIENT_SECRET"),
        ("json:a.json#duo.skey", "a.json", '{"duo": {"clientSecret": "abc"}}', "json:a.json#duo.clientSecret"),
        ("yaml:a.yaml#duo.secret_key", "a.yaml", "duo:\n  skey: abc\n", "yaml:a.yaml#duo.skey"),
    ],
)
def test_a_setting_is_found_under_another_name_in_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, file: str | None, content: str, there: str
) -> None:
    monkeypatch.setenv("DUO_CLIENT_SECRET", "abc")
    if file is not None:
        (tmp_path / file).write_text(content)
    checks = examined(tmp_path, "duo", {**EXAMPLES["duo"], "secret_key": reference})
    assert checks[0].cause == "config.reference-unresolved"
    assert checks[0].message.endswith(f"; {there} is there")
    assert f'secret_key = "{there}"' in (checks[0].next_step or "")


def test_another_name_is_reported_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DUO_SKEY=abc\n")
    (check, *_) = examined(tmp_path, "duo", {**EXAMPLES["duo"], "secret_key": "dotenv:.env#DUO_SKEYY"})
    assert check.message.endswith("does not define DUO_SKEYY; did you mean 'DUO_SKEY'?")
    assert 'secret_key = "dotenv:.env#DUO_SKEY"' in (check.next_step or "")


def test_a_placeholder_in_the_documentation_is_missing(tmp_path: Path, twilio: dict[str, str]) -> None:
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in twilio.items())
    (tmp_path / "integrations.toml").write_text(
        f'[integrations.a]\nprovider = "twilio"\nenvironment = "production"\n[integrations.a.settings]\n{lines}'
        '[integrations.a.documentation]\nowner = "your-team"\nrunbook = "TODO"\nprovider_docs = "https://twilio.com/docs"\n'
        'escalation = "+1 415 390 2337"\nrotation_days = 90\n'
    )
    loaded = load(tmp_path / "integrations.toml", registry.names())
    with prepared(Session(loaded), loaded.select()[0], live=False) as context:
        (check,) = documentation.run(context)
    assert check.cause == "documentation.incomplete"
    assert check.evidence["missing"] == ["owner", "runbook"]
