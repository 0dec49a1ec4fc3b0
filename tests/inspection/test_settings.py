"""Every slip in a value is found offline, by cause and place, and a right value raises no alarm."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from mfagate.config.jwt import Jwt, claims, expiry
from mfagate.config.load import load
from mfagate.config.model import Environment
from mfagate.config.resolved import resolve_table
from mfagate.config.settings import ProviderSettings, Setting
from mfagate.config.shapes import BaseUrl, EnvironmentMark, Lookalike, Misfit, Pattern
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.inspection.settings import InspectedSettings, inspect_settings
from mfagate.inspection.shared import shared_credentials
from mfagate.secrets.redaction import Redactor
from mfagate.secrets.stores import StoreContext, Stores

HORIZON = timedelta(days=30)
ID = "DI" + "ABCDEFGH1234567890"
SECRET = "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep"
URL = "https://api.provider.net"


def jwt(days: float = 365, alg: str = "HS256", signature: int = 43, **more: Any) -> str:
    def part(content: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    expires = int((datetime.now(UTC) + timedelta(days=days)).timestamp())
    return f"{part({'alg': alg})}.{part({'exp': expires, 'role': 'reader', **more})}.{'Ab-_' * 200}"[: -800 + signature]


def _reader(found: Any) -> Misfit | None:
    return None if found.get("role") == "reader" else Misfit("it is no reader", CauseId.CONFIG_WRONG_KIND)


class Settings(ProviderSettings):
    """A provider with one setting of each kind."""

    url: Annotated[str, Setting("URL.", "the console", URL, shape=BaseUrl(api_paths=("/v1", "/v1/check")))]
    key_id: Annotated[
        str,
        Setting("Id.", "the console", ID, shape=Pattern(r"DI[A-Z0-9]{18}", "DI and 18 letters or digits", 20)),
    ]
    key: Annotated[
        SecretStr,
        Setting(
            "Key.",
            "the console",
            "env:KEY",
            shape=Pattern(r"[A-Za-z0-9]{40}", "40 letters or digits", 40),
            lookalikes=(
                Lookalike(r"ID-\d+", CauseId.CONFIG_SECRET_ID_NOT_SECRET, "the id of a key", "Copy the key itself."),
            ),
            environments=(EnvironmentMark("^test", production=False, message="is a test key"),),
        ),
    ]
    token: Annotated[SecretStr | None, Setting("Token.", "the console", "env:TOKEN", shape=Jwt(kind=_reader))] = None


Inspect = Callable[..., list[Finding]]


@pytest.fixture
def inspect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inspect:
    """Inspect settings that are right but for what a test changes; no secret may stand in any finding."""

    def run(environment: str = "production", env: dict[str, str] | None = None, **changed: str | None) -> list[Finding]:
        values = {"url": URL, "key_id": ID, "key": "env:KEY", **changed}
        secrets = {"KEY": SECRET, **(env or {})}
        for name, value in secrets.items():
            monkeypatch.setenv(name, value)
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if value is not None]
        text = f'[integrations.a]\nprovider = "p"\nenvironment = "{environment}"\n[integrations.a.settings]\n'
        (tmp_path / "integrations.toml").write_text(text + "\n".join(lines) + "\n")
        findings = inspect_settings(_subject(tmp_path), horizon=HORIZON)
        literal = {"literal": SECRET} if changed.get("key") == SECRET else {}
        redactor = Redactor({name: value for name, value in (secrets | literal).items() if len(value) > 8})
        for finding in findings:
            shown = json.dumps([finding.message, dict(finding.evidence), finding.next_step or ""], default=str)
            assert redactor.found_in(shown) == []
        return findings

    return run


def _subject(folder: Path, name: str = "a") -> InspectedSettings:
    import os

    integration = load(folder / "integrations.toml", ["p"]).integrations[name]
    stores = Stores(StoreContext(folder, os.environ))
    return InspectedSettings(
        integration, Settings, resolve_table(integration, "settings", stores, sandbox_running=True)
    )


def causes(findings: list[Finding]) -> list[str]:
    return [str(finding.cause) for finding in findings]


def test_right_settings_raise_no_alarm(inspect: Inspect) -> None:
    assert inspect() == []
    assert inspect(token="env:TOKEN", env={"TOKEN": jwt()}) == []


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        pytest.param(SECRET[:-1], "config.malformed-value", id="truncated"),
        pytest.param(SECRET + "x", "config.malformed-value", id="too long"),
        pytest.param(SECRET[:-1] + "!", "config.malformed-value", id="alphabet"),
        pytest.param(SECRET + " ", "config.stray-characters", id="space behind"),
        pytest.param("\t" + SECRET, "config.stray-characters", id="tab in front"),
        pytest.param(SECRET + "\r\n", "config.stray-characters", id="CRLF"),
        pytest.param(SECRET + "\\n", "config.stray-characters", id="escape"),
        pytest.param("\ufeff" + SECRET, "config.stray-characters", id="BOM"),
        pytest.param("\u00a0" + SECRET, "config.stray-characters", id="non-breaking space"),
        pytest.param(SECRET[:9] + "\u200b" + SECRET[9:], "config.stray-characters", id="zero-width space inside"),
        pytest.param(f"'{SECRET}'", "config.stray-characters", id="quotes"),
        pytest.param(f"“{SECRET}”", "config.stray-characters", id="typographic quotes"),
        pytest.param(f'{SECRET}"', "config.stray-characters", id="one quote"),
        pytest.param(f"Bearer {SECRET}", "config.stray-characters", id="Bearer"),
        pytest.param("", "config.setting-missing", id="empty"),
        pytest.param("  \n", "config.setting-missing", id="blank"),
        pytest.param("ID-12345", "config.secret-id-not-secret", id="id"),
        pytest.param("test" + SECRET[4:], "config.wrong-environment", id="test key"),
        *(
            pytest.param(value, "config.placeholder-left", id=value)
            for value in ("changeme", "CHANGE_ME", "<skey>", "${SKEY}", "$SKEY", "{{ skey }}", "xxxxxxxx", "TODO",
                          "your-secret-key-here", "********", "replace me", "__SKEY__", "%SKEY%", "secret", "null")
        ),
    ],
)  # fmt: skip
def test_a_slip_in_a_secret(inspect: Inspect, value: str, cause: str) -> None:
    findings = inspect(env={"KEY": value})
    assert causes(findings) == [cause]
    finding = findings[0]
    assert finding.evidence["setting"] == "a.settings.key"
    assert finding.location is not None
    assert finding.location.line == 7
    assert finding.next_step or cause == "config.placeholder-left" or cause == "config.wrong-environment"


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        pytest.param({"key": None}, "config.setting-missing", id="missing"),
        pytest.param({"key": "env:NO_SUCH_VARIABLE"}, "config.reference-unresolved", id="unset"),
        pytest.param({"key": "evn:KEY"}, "config.reference-unresolved", id="misspelt scheme"),
        pytest.param({"key": SECRET}, "config.literal-secret", id="literal"),
        pytest.param({"key": "changeme"}, "config.placeholder-left", id="literal placeholder"),
        pytest.param({"keyy": "env:KEY"}, "config.unknown-setting", id="misspelt"),
    ],
)
def test_a_slip_in_the_file(inspect: Inspect, changed: dict[str, str | None], cause: str) -> None:
    assert causes(inspect(**changed)) == [cause]


def test_swapped_values_are_one_finding(inspect: Inspect) -> None:
    findings = inspect(key_id="env:KEY", key="env:ID", env={"ID": ID})
    assert causes(findings) == ["config.values-swapped"]
    assert "key_id" in findings[0].message
    assert "key" in findings[0].message


@pytest.mark.parametrize(
    "url",
    ["api.provider.net", "ftp://api.provider.net", "https://", "https://api.provider.net/", "https://api.provider.net/v1",
     "https://api.provider.net/v1/check", "https://user:pw@api.provider.net", "https://api.provider.net?x=1",
     "https://api.provider.net#x", "https://api.provider.net:99999", "https://api.provider.net:port",
     "https://api provider.net", "https://api.provider.net\\v1", "https:/api.provider.net", "https://-api-.net",
     "https://api..provider.net", "http://api.provider.net", "https://[::1"],
)  # fmt: skip
def test_a_slip_in_a_url(inspect: Inspect, url: str) -> None:
    assert causes(inspect(url=url)) == ["config.malformed-url"]


@pytest.mark.parametrize(
    "url",
    ["https://mfa", "https://mfa.example.com:8443", "https://mfa.example.com/prefix/two", "https://[2001:db8::1]:8443",
     "https://10.0.0.1", "https://mfa_internal.corp", "HTTPS://MFA.EXAMPLE.COM",
     "http://127.0.0.1:5000", "http://localhost:5000", "http://[::1]:5000"],
)  # fmt: skip
def test_a_right_url_raises_no_alarm(inspect: Inspect, url: str) -> None:
    assert inspect(url=url) == []


def test_http_is_for_tests_only(inspect: Inspect) -> None:
    assert inspect(environment="development", url="http://mfa.lab") == []
    assert causes(inspect(environment="staging", url="http://mfa.lab")) == ["config.malformed-url"]


@pytest.mark.parametrize(
    ("token", "cause"),
    [
        pytest.param(jwt()[:-1], "config.malformed-value", id="truncated"),
        pytest.param(jwt()[1:], "config.malformed-value", id="cut in front"),
        pytest.param(jwt() + "A", "config.malformed-value", id="appended"),
        pytest.param(jwt().replace(".", "", 1), "config.malformed-value", id="one dot"),
        pytest.param(jwt().rpartition(".")[0], "config.malformed-value", id="no signature"),
        pytest.param(jwt(role="writer"), "config.wrong-kind", id="another role"),
        pytest.param(jwt(days=-1), "config.expired", id="expired"),
        pytest.param(jwt(days=10), "config.expiring-soon", id="expiring"),
        pytest.param(jwt(days=0.1), "config.expiring-soon", id="expiring today"),
    ],
)
def test_a_slip_in_a_token(inspect: Inspect, token: str, cause: str) -> None:
    findings = inspect(token="env:TOKEN", env={"TOKEN": token})
    assert causes(findings) == [cause]
    assert findings[0].effective_outcome is (Outcome.WARN if cause == "config.expiring-soon" else Outcome.FAIL)


@pytest.mark.parametrize(
    ("alg", "signature"), [("HS256", 43), ("HS384", 64), ("HS512", 86), ("ES256", 86), ("RS256", 342), ("EdDSA", 86)]
)
def test_tokens_of_every_algorithm_are_right(inspect: Inspect, alg: str, signature: int) -> None:
    assert inspect(token="env:TOKEN", env={"TOKEN": jwt(alg=alg, signature=signature)}) == []


@given(st.text(max_size=80))
def test_no_text_breaks_the_look_at_a_token(text: str) -> None:
    misfit = Jwt().misfit(text)
    if text.count(".") != 2:
        assert misfit is not None
        assert claims(text) == {}
    if not claims(text):
        assert expiry(text) is None


@given(st.text(max_size=80))
def test_no_text_breaks_the_look_at_a_url(text: str) -> None:
    misfit = BaseUrl().misfit(text)
    assert misfit is None or misfit.cause is CauseId.CONFIG_MALFORMED_URL


@given(key=st.from_regex(r"[A-Za-z0-9]{40}", fullmatch=True), days=st.integers(31, 4000))
def test_random_right_values_raise_no_alarm(key: str, days: int) -> None:
    shape = next(field.setting.shape for field in Settings.fields() if field.name == "key")
    assert shape is not None
    assert shape.misfit(key) is None
    assert Jwt(kind=_reader).misfit(jwt(days=days)) is None


def test_the_line_of_the_value_itself_is_named(inspect: Inspect, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"# keys\nOTHER=1\nKEY='{SECRET} '\n")
    finding = inspect(key="dotenv:.env#KEY")[0]
    assert (finding.location and (finding.location.file.name, finding.location.line)) == (".env", 3)


def _share(folder: Path, **integrations: tuple[str, str]) -> dict[str, list[Finding]]:
    """Integrations by environment and variable of the key."""
    tables = [
        f'[integrations.{name}]\nprovider = "p"\nenvironment = "{environment}"\n'
        f'[integrations.{name}.settings]\nurl = "{URL}"\nkey_id = "{ID}"\nkey = "env:{variable}"\n'
        for name, (environment, variable) in integrations.items()
    ]
    (folder / "integrations.toml").write_text("".join(tables))
    return dict(shared_credentials([_subject(folder, name) for name in integrations]))


def test_one_credential_in_two_environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", SECRET)
    monkeypatch.setenv("SAME", SECRET + "\n")
    found = _share(tmp_path, a=("production", "KEY"), b=("staging", "SAME"), c=("staging", "KEY"))
    assert {name: causes(findings) for name, findings in found.items()} == {
        name: ["config.shared-credential"] for name in "abc"
    }
    assert "b.settings.key (staging)" in found["a"][0].message
    assert "c.settings" not in found["b"][0].message
    assert Environment.STAGING in found["b"][0].evidence.values()
    assert str(found["b"][0].location) == str(tmp_path / "integrations.toml:14")


def test_a_shared_credential_is_changed_in_the_less_trusted_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Production keeps it, in whichever of the two places the finding is read."""
    monkeypatch.setenv("KEY", SECRET)
    found = _share(tmp_path, a=("production", "KEY"), b=("staging", "KEY"), c=("development", "KEY"))
    places = {name: str(finding.location) for name, (finding,) in found.items()}
    staging, development = (str(tmp_path / f"integrations.toml:{line}") for line in (14, 21))
    assert places == {"a": development, "b": staging, "c": development}
    assert {finding.next_step for (finding,) in found.values()} == {
        f"Create a separate credential for {name}, and put it there. {keeper} keeps this one."
        for name, keeper in (("c", "a"), ("b", "a"))
    }


def test_a_credential_in_a_line_that_environments_share_gets_a_line_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", SECRET)
    settings = f'settings = {{ url = "{URL}", key_id = "{ID}", key = "env:KEY" }}\n'
    heads = "".join(f"[integrations.a.environments.{name}]\n" for name in ("production", "staging"))
    (tmp_path / "integrations.toml").write_text(f'[integrations.a]\nprovider = "p"\n{settings}{heads}')
    found = shared_credentials([_subject(tmp_path, name) for name in ("a/production", "a/staging")])
    step = (
        "Create a separate credential for a/staging, and write key of its own in "
        "[integrations.a.environments.staging.settings]. a/production keeps this one."
    )
    assert {finding.next_step for findings in found.values() for finding in findings} == {step}


def test_a_credential_of_many_integrations_is_reported_briefly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", SECRET)
    holders = {f"s{number}": ("staging", "KEY") for number in range(20)}
    found = _share(tmp_path, a=("production", "KEY"), **holders)
    assert found["a"][0].message.endswith("s4.settings.key (staging) and 15 more")
    assert found["s7"][0].message.endswith("a.settings.key (production)")


def test_one_credential_in_one_environment_is_no_news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", SECRET)
    monkeypatch.setenv("OTHER", SECRET[::-1])
    monkeypatch.setenv("EMPTY", " ")
    for variables in (("KEY", "KEY"), ("KEY", "OTHER"), ("EMPTY", "EMPTY")):
        environment = "staging" if variables == ("KEY", "KEY") else "production"
        assert _share(tmp_path, a=("staging", variables[0]), b=(environment, variables[1])) == {}


def test_a_pem_block_where_a_short_value_is_due_is_of_another_kind(inspect: Inspect) -> None:
    block = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"
    (finding,) = inspect(env={"KEY": block})
    assert finding.cause is CauseId.CONFIG_WRONG_KIND
    assert "PEM" in finding.message
