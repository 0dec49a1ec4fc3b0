"""An application that proves itself with a token of another identity provider, read from a file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from pydantic import SecretStr
from tests.support.project import link_shipped

from mfagate.app.session import Session, prepared
from mfagate.checks import configuration
from mfagate.config.load import load
from mfagate.core.result import Check
from mfagate.providers.entra.probes import made_up_assertion
from mfagate.providers.entra.provider import PROVIDER as ENTRA
from mfagate.providers.entra.settings import EntraSettings, token_path
from mfagate.providers.made_up import new_private_key
from mfagate.providers.oauth import Tokens
from mfagate.sandbox import Running

from .test_signing import Server, form_of

PROVIDER = "entra"
KEY = new_private_key()
NOW = int(time.time())
CLAIMS: dict[str, Any] = {
    "iss": "https://oidc.example.com/cluster",
    "sub": "system:serviceaccount:login:mfa",
    "aud": ["api://AzureADTokenExchange"],
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 3600,
}

TOML = """\
[integrations.a]
provider = "entra"
environment = "production"
[integrations.a.settings]
tenant_id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
client_id = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
client_assertion = "{reference}"
{more}
"""

Examine = Callable[..., list[Check]]


def made(algorithm: str = "RS256", key: str = KEY, **changed: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}
    return jwt.encode(claims, key, algorithm)


@pytest.fixture
def examine(tmp_path: Path) -> Examine:
    """Judge a configuration with a token in a file, offline."""

    def run(token: str, more: str = "", reference: str = "file:token") -> list[Check]:
        (tmp_path / "token").write_text(token)
        (tmp_path / "integrations.toml").write_text(TOML.format(more=more, reference=reference))
        settings = load(tmp_path / "integrations.toml", ["entra"])
        (integration,) = settings.select()
        with prepared(Session(settings), integration, live=False) as context:
            return list(configuration.run(context))

    return run


def test_a_token_that_lasts_an_hour_is_in_order_and_its_end_is_no_news(examine: Examine) -> None:
    (check,) = examine(made())
    assert (check.outcome, check.expires) == ("pass", None)


@pytest.mark.parametrize(
    ("changed", "cause", "message"),
    [
        ({"exp": NOW - 60}, "config.expired", "settings.client_assertion expired on"),
        ({"exp": None}, "config.wrong-kind", "it has no expiry time (exp)"),
        ({"nbf": NOW + 3600}, "config.malformed-value", "is not valid before"),
        ({"aud": None}, "config.wrong-kind", "it has no audience (aud)"),
        ({"aud": "api://AzureADTokenExchangeChina"}, "config.wrong-kind", "the one for the cloud china"),
        ({"sub": None}, "config.wrong-kind", "it has no subject (sub)"),
        ({"sub": "x" * 601}, "config.wrong-kind", "longer than 600 characters"),
        ({"iss": "kubernetes/serviceaccount"}, "config.wrong-kind", "its issuer (iss) is not an https URL"),
        ({"algorithm": "HS256", "key": "k" * 40}, "config.wrong-kind", "it is signed with HS256"),
    ],
)
def test_what_no_federated_credential_can_trust(
    examine: Examine, changed: dict[str, Any], cause: str, message: str
) -> None:
    first = examine(made(**changed))[0]
    assert (first.outcome, first.cause) == ("fail", cause)
    assert message in first.message


def test_an_audience_of_ones_own_is_a_warning_with_the_recommended_one(examine: Examine) -> None:
    first = examine(made(aud="https://kubernetes.default.svc"))[0]
    assert (first.outcome, first.cause) == ("warn", "config.wrong-kind")
    assert first.evidence["recommended"] == "api://AzureADTokenExchange"


@pytest.mark.parametrize(
    ("cloud", "audience"),
    [("us-gov", "api://AzureADTokenExchangeUSGov"), ("china", "api://AzureADTokenExchangeChina")],
)
def test_each_cloud_has_its_audience(examine: Examine, cloud: str, audience: str) -> None:
    (check,) = examine(made(aud=audience), f'cloud = "{cloud}"')
    assert check.outcome == "pass"


@pytest.mark.parametrize(
    ("token", "reference", "message"),
    [
        (made() + "\n", "file:token", "ends with a newline"),
        (made()[:-20], "file:token", "truncated"),
        ("9f8e7d6c5b4a.3f2e1d0c", "file:token", "between dots instead of 3"),
        (made(), "file:none", "cannot be read"),
    ],
)
def test_damaged_tokens(examine: Examine, token: str, reference: str, message: str) -> None:
    assert message in examine(token, reference=reference)[0].message


@pytest.mark.parametrize(
    "path",
    [
        "/var/run/secrets/azure/tokens/azure-identity-token",
        "/token",
        "/tokens/t1",
        r"\\\\host\share\token",
        "C:/t/token",
    ],
)
def test_the_path_in_a_variable_is_not_the_token(examine: Examine, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", path)
    first = examine(made(), reference="env:AZURE_FEDERATED_TOKEN_FILE")[0]
    assert first.outcome == "fail"
    assert "path of" in first.message
    assert "file:" in str(first.next_step)


def test_two_ways_to_authenticate_are_one_too_many(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "abc8Q~" + "d" * 34)
    first = examine(made(), 'client_secret = "env:SECRET"')[0]
    assert "settings.client_secret and settings.client_assertion are both set" in first.message


def settings_of(token: str) -> EntraSettings:
    return EntraSettings(
        tenant_id="3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        client_id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
        client_assertion=SecretStr(token),
    )


def sent(settings: EntraSettings) -> dict[str, list[str]]:
    auth = ENTRA.api.auth(settings, Tokens(Server()))
    url = ENTRA.api.url(settings, token_path(settings))
    form = {"grant_type": "client_credentials", "client_secret": "another"}
    return form_of(requests.Request("POST", url, data=form, auth=auth).prepare())


def test_the_token_is_sent_as_an_assertion_and_read_again_for_each_request() -> None:
    settings, tokens = settings_of("first"), iter(["second", "third"])
    settings.read_again({"client_assertion": lambda: next(tokens)})
    assert [sent(settings)["client_assertion"] for _ in range(2)] == [["second"], ["third"]]
    assert "client_secret" not in sent(settings_of("first"))


def test_a_token_that_was_put_in_its_place_is_not_read_again() -> None:
    settings = settings_of("first")
    settings.read_again({"client_assertion": lambda: "from the file"})
    bad = ENTRA.probes.with_bad_credential(settings, "client_assertion")
    assert sent(bad)["client_assertion"] == [bad.secret("client_assertion")]


def test_a_made_up_token_is_well_formed() -> None:
    claims = jwt.decode(made_up_assertion(), options={"verify_signature": False})
    assert claims["iss"].endswith(".invalid")


def test_the_gate_reads_the_file_and_proves_the_token(
    running: Running, tmp_path: Path, run_gate: Callable[..., dict[str, Any]]
) -> None:
    report = run_gate(tmp_path, running, running.values["client_assertion"])
    accepted = [check for check in report["checks"] if check["id"] == "credential.accepted"]
    assert [(check["subject"], check["outcome"]) for check in accepted] == [("client_assertion", "pass")]
    assert running.values["client_assertion"].split(".")[2] not in json.dumps(report)


def test_a_token_of_another_subject_is_refused(
    running: Running, tmp_path: Path, run_gate: Callable[..., dict[str, Any]]
) -> None:
    held = jwt.decode(running.values["client_assertion"], options={"verify_signature": False})
    other = {**held, "sub": "system:serviceaccount:login:other"}
    token = jwt.encode(other, running.values["issuer_private_key"], "RS256")
    report = run_gate(tmp_path, running, token)
    assert report["verdict"] == "fail"
    assert str(report["cause"]).startswith("credential.")


GATE = """\
[integrations.a]
provider = "entra"
environment = "staging"
endpoint = "{endpoint}"
ca_bundle = "{ca_bundle}"
[integrations.a.settings]
tenant_id = "{tenant_id}"
client_id = "{client_id}"
client_assertion = "file:token"
"""


@pytest.fixture
def run_gate() -> Callable[..., dict[str, Any]]:
    """Run the whole gate with a token in a file; return the report on the integration."""
    import subprocess
    import sys

    def run(folder: Path, running: Running, token: str) -> dict[str, Any]:
        link_shipped(folder)
        (folder / "token").write_text(token)
        places = {"endpoint": running.endpoint, "ca_bundle": running.ca_bundle}
        (folder / "integrations.toml").write_text(GATE.format(**{**running.values, **places}))
        command = [sys.executable, "-m", "mfagate", "gate", "--output", "json=report.json"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert token not in done.stdout + done.stderr
        report: dict[str, Any] = json.loads((folder / "report.json").read_text())["integrations"][0]
        return report

    return run


def test_the_file_is_read_again_and_a_gap_is_bridged(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(made())
    (tmp_path / "integrations.toml").write_text(TOML.format(more="", reference="file:token"))
    settings = load(tmp_path / "integrations.toml", ["entra"])
    (integration,) = settings.select()
    with prepared(Session(settings), integration, live=False) as context:
        list(configuration.run(context))
        typed = context.tables.typed
        assert typed is not None
        path.write_text(renewed := made(jti="next"))
        assert typed.settings.current("client_assertion") == renewed
        path.unlink()
        assert typed.settings.current("client_assertion") == typed.settings.secret("client_assertion")
