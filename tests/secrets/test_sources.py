"""Where secrets come from: each source is known to the redactor without anybody having to remember it."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mfagate.app import gate
from mfagate.app.session import Session
from mfagate.checks import Stage
from mfagate.checks.live_target import LiveTarget
from mfagate.config.load import load
from mfagate.providers import registry
from mfagate.secrets.credentials import credentials_in, learn_surroundings
from mfagate.secrets.fingerprint import fingerprint
from mfagate.secrets.redaction import Redactor

PASSWORD = "p@ss/w0rd+of:proxy"
SECRET = "Zq7rTuW2xK9bN4mP6vC8sD1fG3hJ5kL0yQ2wE4rT"

CONFIGURATION = """\
[integrations.duo]
provider = "duo"
environment = "staging"
{more}
[integrations.duo.settings]
host = "env:DUO_HOST"
integration_key = "DIABCDEFGHIJKLMNOPQR"
secret_key = "env:DUO_SECRET_KEY"
{settings}
{tables}
"""

ENVIRONMENT = {"DUO_HOST": "api-1a2b3c4d.duosecurity.com", "DUO_SECRET_KEY": SECRET}


def session(folder: Path, **parts: str) -> Session:
    """A session that has resolved every table, as each stage does before it sends anything."""
    environ = {**ENVIRONMENT, **{name: parts.pop(name) for name in [*parts] if name.isupper()}}
    path = folder / "integrations.toml"
    path.write_text(CONFIGURATION.format(**{"more": "", "settings": "", "tables": "", **parts}))
    made = Session(load(path, registry.names()), environ=environ)
    (integration,) = made.configuration.integrations.values()
    for table in ("settings", "control", "expect", "test_data", "client"):
        made.resolve(integration, table, None)
    return made


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"])
@pytest.mark.parametrize(
    "address",
    [
        f"http://mfa:{quote(PASSWORD, safe='')}@proxy.example.com:3128",
        f"http://mfa:{PASSWORD}@proxy.example.com:3128",
        f"mfa:{quote(PASSWORD, safe='')}@proxy.example.com:3128",
        f"socks5h://mfa:{quote(PASSWORD, safe='')}@proxy.example.com",
        f"http://{quote(PASSWORD, safe='')}@proxy.example.com:3128",
    ],
)
def test_the_password_of_a_proxy(name: str, address: str) -> None:
    """These variables are the ones that requests reads."""
    redactor = Redactor()
    learn_surroundings(redactor, "", {name: address, "NO_PROXY": "localhost,proxy.example.com"})
    basic = base64.b64encode(f"mfa:{PASSWORD}".encode()).decode()
    for text in (PASSWORD, quote(PASSWORD, safe=""), f"Proxy-Authorization: Basic {basic}", address):
        shown = redactor.redact(text)
        assert f"[redacted {name}]" in shown
        assert PASSWORD[:12] not in shown
        assert quote(PASSWORD[:12]) not in shown
    assert redactor.redact("proxy proxy.example.com:3128: refused") == "proxy proxy.example.com:3128: refused"


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://mfa.example.com/path@x?y=1", []),
        ("https://user:pw-of-user@mfa.example.com/", ["pw-of-user"]),
        ("https://token-alone@mfa.example.com/", ["token-alone"]),
        ("postgresql://host/db?sslpassword=pw-of-key&user=x", ["pw-of-key"]),
        ("https://host/hook?access_token=abc#id_token=def", ["abc", "def"]),
    ],
)
def test_credentials_in_an_address(address: str, found: list[str]) -> None:
    assert list(credentials_in(address)) == found


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"more": 'endpoint = "https://me:{}@gw.example.com"'}, id="endpoint"),
        pytest.param(
            {"tables": '[integrations.duo.documentation]\nrunbook = "https://me:{}@wiki"'}, id="documentation"
        ),
        pytest.param({"tables": '[history]\nurl = "postgresql://me:{}@db/x"'}, id="history"),
        pytest.param({"tables": '[notify]\nreport_url = "https://ci/?token={}"'}, id="notify"),
        pytest.param({"MFAGATE_PUSH_GATEWAY": "https://me:{}@push.example.com"}, id="push gateway"),
        pytest.param(
            {"tables": '[history]\nurl = "env:X"', "X": "postgresql://me:{}@db/x"}, id="history out of a store"
        ),
        pytest.param({"tables": '[notify]\nurls = ["dotenv:x.env#X"]'}, id="notify out of a store"),
        pytest.param({"MFAGATE_FINGERPRINT_KEY": "{}"}, id="key of fingerprints"),
        pytest.param({"DUO_HOST": "https://me:{}@api-1a2b3c4d.duosecurity.com"}, id="a setting out of a store"),
        pytest.param({"settings": 'secret_kye = "env:X"', "X": "{}"}, id="an unknown setting out of a store"),
        pytest.param({"settings": 'secret_kye = "{}"'}, id="an unknown setting in the file"),
        pytest.param({"more": 'secret_key = "{}"'}, id="an unknown key in a wrong table"),
        pytest.param({"more": 'keys = [{{name = "{}"}}]'}, id="an unknown table in a wrong table"),
        pytest.param({"tables": '[integrations.duo.control]\nsecret_key = "env:X"', "X": "{}"}, id="control"),
        pytest.param({"tables": '[integrations.duo.test_data]\nadmin_secret_key = "{}"'}, id="test data"),
    ],
)
def test_a_secret_of_the_configuration_is_known_when_it_was_resolved(tmp_path: Path, parts: dict[str, str]) -> None:
    other = "c4n4ry-0ther-s3cret"
    (tmp_path / "x.env").write_text(f"X=https://hooks.example.com/services/{other}")
    made = session(tmp_path, **{name: text.format(other) for name, text in parts.items()})
    assert other not in made.redactor.redact(f"it said {other}.")
    assert "api-1a2b3c4d.duosecurity.com" in made.redactor.redact("no answer from api-1a2b3c4d.duosecurity.com")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--history", "postgresql://me:{}@db/x"],
        ["--history=postgresql://db/x?sslpassword={}"],
        ["--push-gateway", "https://me:{}@push.example.com"],
    ],
    ids=" ".join,
)
def test_a_secret_of_the_command_line_is_known(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "c4n4ry-0ther-s3cret"
    monkeypatch.setattr("sys.argv", ["mfagate", "gate", *(one.format(other) for one in arguments)])
    assert other not in session(tmp_path).redactor.redact(f"it said {other}.")


@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1:8080/c4n4ry-0ther-s3cret",
        "json://me:pw@127.0.0.1/hooks/{}/",
        "tgram://{}/12345",
        "json://h?a={}",
    ],
)
def test_the_host_of_an_addressee_is_no_secret(tmp_path: Path, address: str) -> None:
    made = session(tmp_path, tables='[notify]\nurls = ["env:X"]', X=address.format("c4n4ry-0ther-s3cret"))
    text = "GET http://127.0.0.1:9090/auth/v2/ping"
    assert made.redactor.redact(text) == text
    assert "c4n4ry" not in made.redactor.redact("c4n4ry-0ther-s3cret")


def test_a_history_that_is_a_file_is_no_secret(tmp_path: Path) -> None:
    made = session(tmp_path, tables='[history]\nurl = "env:X"', X="/var/lib/mfagate/history.db")
    assert made.redactor.redact("no room at /var/lib/mfagate/history.db") == "no room at /var/lib/mfagate/history.db"


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"client_assertion": "c4n4ry-0ther-s3cret", "client_id": "somebody-of-us"}},
        {
            "json": {
                "profile": {"login": "somebody-of-us"},
                "credentials": {"password": {"value": "c4n4ry-0ther-s3cret"}},
            }
        },
        {"json": [{"otpkey": "c4n4ry-0ther-s3cret", "user": "somebody-of-us"}]},
        {"headers": {"Authorization": "Bearer c4n4ry-0ther-s3cret"}, "data": "somebody-of-us"},
    ],
    ids=["assertion", "password", "seed", "token"],
)
def test_a_secret_made_at_run_time_is_known_before_it_is_answered(tmp_path: Path, sent: dict[str, Any]) -> None:
    """A test user's password, the seed of its token, an assertion: whoever refuses it may quote it."""
    made = session(tmp_path)
    (integration,) = made.configuration.integrations.values()
    provider = registry.get("privacyidea")
    settings = provider.settings.model_validate({"url": "https://mfa.example.com"})
    nobody = "http://127.0.0.1:1"
    target = LiveTarget(integration, provider, settings, endpoint=nobody, learn=made.redactor.add)
    target.arrange(requests.Request("POST", "/token/init", **sent))
    said = made.redactor.redact("invalid: c4n4ry-0ther-s3cret of somebody-of-us")
    assert re.fullmatch(r"invalid: \[redacted [\w ]+\] of somebody-of-us", said)


def test_an_assertion_is_known_and_an_example_of_a_contract_is_none(tmp_path: Path) -> None:
    made = session(tmp_path)
    (integration,) = made.configuration.integrations.values()
    provider = registry.get("okta")
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    settings = provider.settings.model_validate(
        {"org_url": "https://acme.okta.com", "client_id": "0oa1b2c3d4e5f6g7h8i9", "private_key": key.decode()}
    )
    learnt: dict[str, str] = {}
    target = LiveTarget(integration, provider, settings, endpoint="http://127.0.0.1:1", learn=learnt.__setitem__)
    form = {"grant_type": "client_credentials", "state_token": "of-a-login-that-never-was"}
    target.send(requests.Request("POST", "/oauth2/v1/token", data=form))
    assert [*learnt] == ["client_assertion"]
    assert learnt["client_assertion"].count(".") == 2


def test_a_value_that_is_no_secret_is_shown(tmp_path: Path) -> None:
    made = session(
        tmp_path,
        settings='colour = "production"',
        tables='[integrations.duo.test_data]\nuser = "mfagate-test-user"\n[integrations.duo.client]\nretries = 2',
    )
    text = "production: mfagate-test-user, DIABCDEFGHIJKLMNOPQR at api-1a2b3c4d.duosecurity.com"
    assert made.redactor.redact(text) == text


def test_what_comes_out_of_a_store_is_shown_as_a_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text(json.dumps({"user": "somebody-of-the-lab"}))
    made = session(tmp_path, tables='[integrations.duo.test_data]\nuser = "json:store.json#user"')
    mark = fingerprint("somebody-of-the-lab")
    assert made.redactor.redact("no user somebody-of-the-lab") == f"no user [user, fingerprint {mark}]"
    assert made.redactor.found_in("no user somebody-of-the-lab") == []


def test_a_secret_is_one_even_if_another_table_names_it_as_none(tmp_path: Path) -> None:
    made = session(tmp_path, tables='[integrations.duo.test_data]\nuser = "env:DUO_SECRET_KEY"')
    assert made.redactor.found_in(SECRET) == ["secret_key"]
    alone = Redactor()
    alone.add_fingerprinted("user", "somebody", "0")
    assert (alone.redact("somebody"), alone.found_in("somebody")) == ("[user, fingerprint 0]", [])
    later = Redactor()
    later.add_fingerprinted("user", SECRET, "0")
    later.add("secret_key", SECRET)
    assert later.found_in(SECRET[:20]) == ["secret_key"]


def test_a_report_holds_none_of_them(tmp_path: Path) -> None:
    made = session(tmp_path, settings=f'secret_kye = "{PASSWORD}"')
    report = gate.run(
        gate.GatePlan(made.configuration, [*made.configuration.integrations.values()], Stage.CHECK)
    ).report
    assert PASSWORD not in report.model_dump_json()
