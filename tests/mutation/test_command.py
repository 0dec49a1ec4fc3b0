"""The whole command on another user's layout, with canary secrets in every source."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mfagate.config.load import load
from mfagate.mutation import NotMutable, Runner, mutants_of, opened
from mfagate.mutation.run import _leads_to
from mfagate.providers import registry
from mfagate.testing.project import Project

CANARY = "CanaryZq7fR2mW9xK4pL8sT1vB6nY3hJ5gD0c"

CONFIGURATION = """\
[integrations.duo]
provider = "duo"
environment = "production"

[integrations.duo.settings]
host = "dotenv:deploy/duo.env#DUO_HOST"
integration_key = "yaml:deploy/values.yaml#mfa.ikey"
secret_key = "k8s-secret:deploy/secret.yaml#mfa/skey"

[integrations.duo.client]
timeout_seconds = 3
login_budget_seconds = 10
when_unavailable = "deny"

[integrations.duo-us]
provider = "duo"
environment = "staging"

[integrations.duo-us.settings]
host = "api-1a2b3c4d.duosecurity.com"
integration_key = "env:DUO_US_IKEY"
secret_key = "file:deploy/duo-us.skey"
"""


class Somebody(Project):
    def text(self) -> str:
        return CONFIGURATION


@pytest.fixture
def somebody(tmp_path: Path) -> Somebody:
    shipped = Path(__file__).parents[2]
    for name in ("contracts", "cassettes"):
        (tmp_path / name).symlink_to(shipped / name)
    deploy = tmp_path / "deploy"
    deploy.mkdir()
    encoded = base64.b64encode(CANARY.encode()).decode()
    (deploy / "duo.env").write_text(f"# {CANARY}\nOTHER={CANARY}\nDUO_HOST={CANARY}\n")
    (deploy / "values.yaml").write_text(f"mfa:\n  other: {CANARY}\n  ikey: {CANARY}\n")
    (deploy / "secret.yaml").write_text(f"kind: Secret\nmetadata:\n  name: mfa\ndata:\n  skey: {encoded}\n")
    (deploy / "duo-us.skey").write_text(CANARY)
    project = Somebody(tmp_path, {"DUO_US_IKEY": CANARY})
    project.write()
    return project


def _contents(folder: Path) -> Mapping[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "all.json"}


def test_every_class_on_a_layout_of_five_stores(somebody: Somebody) -> None:
    before = _contents(somebody.folder)
    result = somebody.execute("mutate", "--output", "json=all.json", "--verbose")
    assert result.exit_code == 0, result.stdout + result.stderr
    assert _contents(somebody.folder) == before

    written = (somebody.folder / "all.json").read_text()
    assert CANARY not in written + result.stdout + result.stderr
    document = json.loads(written)
    assert document["format"] == "mfagate.mutation/1"
    assert document["fates"]["survived"] == document["fates"]["refused"] == 0
    assert document["caught"] == document["harmful"] > 250
    assert document["rightly_named"] >= 0.97 * document["harmful"]
    assert document["fates"]["caught live"] > 5
    kinds = {mutant["class"] for mutant in document["mutants"]}
    assert {"typo", "stray", "encoding", "address", "reference", "client", "harmless"} <= kinds

    by_id = {mutant["id"]: mutant for mutant in document["mutants"]}
    mistyped = by_id["duo.settings.secret_key/mistyped"]
    assert (mistyped["fate"], mistyped["cause"]) == ("caught live", "credential.rejected")
    assert mistyped["location"] == {"file": str(somebody.folder / "deploy/secret.yaml"), "line": 5} or (
        mistyped["location"]["file"].endswith("deploy/secret.yaml") and mistyped["location"]["line"] == 5
    )
    assert by_id["duo.client.when_unavailable/fails-open"]["cause"] == "config.fails-open"
    assert [mutant["id"] for mutant in document["mutants"] if mutant["only_warned"]] == [
        "duo.client.timeout_seconds/over-the-budget"
    ]
    assert by_id["duo.settings.secret_key/plain-in-data"]["fate"] == "caught offline"
    # The two accounts have separate sandboxes, so the copy-paste error is visible.
    copied = [m for m in document["mutants"] if m["operator"] == "points-at-other-integration"]
    assert copied
    assert {mutant["fate"] for mutant in copied} <= {"caught offline", "caught live"}


def test_the_offline_check_accepts_what_only_the_provider_can_refuse(somebody: Somebody) -> None:
    result = somebody.execute("mutate", "--offline", "--integration", "duo", "--class", "typo")
    assert result.exit_code == 1
    assert "survived: duo.settings.secret_key/mistyped" in result.stdout
    assert "deploy/secret.yaml:5" in result.stdout
    assert "mistyped: one character is another one" in result.stdout
    assert "leave --offline out" in result.stdout


def test_the_list_runs_nothing_and_is_the_same_for_the_same_seed(somebody: Somebody) -> None:
    listed = somebody.execute("mutate", "--list", "--class", "stray", "--integration", "duo")
    assert listed.exit_code == 0
    assert "duo.settings.host/trailing-blank  a blank behind\n" in listed.stdout
    assert somebody.execute("mutate", "--list", "--class", "stray", "--integration", "duo").stdout == listed.stdout


def test_bad_usage_is_reported_in_one_message(somebody: Somebody) -> None:
    for arguments, message in (
        (("--integration", "du"), "did you mean 'duo'"),
        (("--output", "junit=x"), "is not json=PATH"),
        (("--class", "nonsense"), "is not one of"),
        (("--class", "permission"), "no edit of the class permission applies to"),
        (("--class", "permission", "--list"), "no edit of the class permission applies to"),
        (("--config", "nowhere.toml"), "cannot be read"),
        (("--output", "json=no/such/folder/x", "--class", "client"), "cannot be written"),
    ):
        result = somebody.execute("mutate", *arguments)
        assert result.exit_code == 2, arguments
        assert message in result.stderr
        assert "Traceback" not in result.stderr


def test_the_credentials_of_all_sandboxes_are_distinguished(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "integrations.toml"
    project = Somebody(tmp_path, {})
    arguments = ("--class", "stale", "--class", "permission", "--class", "expectation", "--output", "json=all.json")
    result = project.execute("mutate", "--config", str(shipped), *arguments)
    assert result.exit_code == 0, result.stdout + result.stderr
    document = json.loads((tmp_path / "all.json").read_text())
    assert document["caught"] == document["harmful"] == document["rightly_named"] > 40
    by_id = {mutant["id"]: mutant["cause"] for mutant in document["mutants"]}
    assert by_id["privacyidea.settings.validate_key/expired"] == "config.expired"
    # Its fault is not that it belongs to another application, which expect names.
    assert by_id["entra.settings.client_secret/roleless"] == "credential.insufficient-permission"
    # It passes every probe, and is refused only while a state is set up.
    assert by_id["twilio.settings.api_key_secret/read_only"] == "credential.insufficient-permission"


SHARED = """\
[integrations.NAME]
provider = "twilio"
environment = "ENVIRONMENT"
[integrations.NAME.settings]
account_sid = "dotenv:KEYS.env#ACCOUNT"
service_sid = "dotenv:KEYS.env#SERVICE"
auth_token = "dotenv:KEYS.env#TOKEN"
api_key_sid = "dotenv:KEYS.env#KEY"
api_key_secret = "dotenv:KEYS.env#SECRET"
"""


def test_a_warning_that_exists_without_the_edit_does_not_catch_it(tmp_path: Path) -> None:
    """Shared credentials of two integrations are a warning; another shared key adds nothing."""
    tables = (("one", "production", "ours"), ("two", "staging", "ours"), ("three", "production", "theirs"))
    text = "".join(
        SHARED.replace("NAME", name).replace("ENVIRONMENT", environment).replace("KEYS", keys)
        for name, environment, keys in tables
    )
    (tmp_path / "integrations.toml").write_text(text)
    arguments = ("--offline", "--class", "reference", "--output", "json=all.json")
    result = Somebody(tmp_path, {}).execute("mutate", *arguments)
    assert result.exit_code == 1, result.stdout + result.stderr
    mutants = json.loads((tmp_path / "all.json").read_text())["mutants"]
    survived = {mutant["setting"] for mutant in mutants if mutant["fate"] == "survived"}
    assert {"one.settings.auth_token", "one.settings.api_key_secret"} <= survived


def test_after_an_edit_that_reads_the_same_nothing_is_counted(tmp_path: Path) -> None:
    """Of two names for one value in a file, the shorter is the longer without its end."""
    first = SHARED.replace("NAME", "one").replace("ENVIRONMENT", "staging").replace("KEYS", "ours")
    (tmp_path / "integrations.toml").write_text(first + first.replace("one", "two").replace("#ACCOUNT", "#ACCOUNT2"))
    arguments = ("--offline", "--integration", "one", "--integration", "two", "--class", "reference", "--verbose")
    result = Somebody(tmp_path, {}).execute("mutate", *arguments, "--output", "json=all.json")
    assert "equivalent      two.settings.account_sid/points-nowhere/2\n" in result.stdout, result.stderr
    assert "edits; 1 are equivalent and not counted" in result.stdout
    document = json.loads((tmp_path / "all.json").read_text())
    assert document["harmful"] == len(document["mutants"]) - 1


WAIVED = """\
[integrations.ward]
provider = "duo"
environment = "production"
[integrations.ward.settings]
host = "env:HOST"
integration_key = "env:IKEY"
secret_key = "env:SKEY"
[integrations.ward.client]
when_unavailable = "ANSWER"
[[integrations.ward.waivers]]
cause = "config.fails-open"
reason = "the wards must be able to log in"
owner = "Ada Lovelace"
until = UNTIL
"""


@pytest.mark.parametrize("answer", ["allow", "deny"])
def test_a_waiver_is_applied_as_in_the_gate(tmp_path: Path, answer: str) -> None:
    """The unedited copy passes with the waiver, and an edit that the waiver accepts survives."""
    until = str(datetime.now(UTC).date() + timedelta(days=90))
    (tmp_path / "integrations.toml").write_text(WAIVED.replace("ANSWER", answer).replace("UNTIL", until))
    result = Somebody(tmp_path, {}).execute("mutate", "--offline", "--class", "client")
    assert result.exit_code == (1 if answer == "deny" else 0), result.stdout + result.stderr
    survivor = "survived: ward.client.when_unavailable/fails-open"
    assert (survivor in result.stdout) is (answer == "deny")
    assert (f"perhaps    a waiver accepts config.fails-open until {until}" in result.stdout) is (answer == "deny")


def test_a_sandbox_that_dies_catches_nothing(somebody: Somebody) -> None:
    """It refuses every edit, but never because of the edit."""
    configuration = load(somebody.folder / "integrations.toml", registry.names())
    with opened(configuration, configuration.select(("duo",))) as project:
        runner = Runner(project)
        runner.confirm()
        typos = [mutant for mutant in mutants_of(project) if mutant.id == "duo.settings.secret_key/mistyped"]
        assert [result.cause for result in runner.run(typos)] == ["credential.rejected"]
        dead = {name: replace(one, endpoint="https://127.0.0.1:1") for name, one in project.running.items()}
        runner.project = replace(project, running=dead)
        with pytest.raises(
            NotMutable, match=r"duo no longer passes on the sandbox, .*\(network\.connection-refused\)$"
        ):
            runner.run(typos)


def test_no_name_of_a_provider_is_looked_up(somebody: Somebody, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped address may be another server's."""
    asked, look_up = set(), socket.getaddrinfo

    def noted(host: Any, *arguments: Any, **options: Any) -> Any:
        asked.add(host)
        return look_up(host, *arguments, **options)

    monkeypatch.setattr("socket.getaddrinfo", noted)
    configuration = load(somebody.folder / "integrations.toml", registry.names())
    with opened(configuration, configuration.select(("duo",))) as project:
        runner = Runner(project)
        runner.confirm()
        hosts = [mutant for mutant in mutants_of(project) if mutant.setting == "duo.settings.host"]
        causes = {result.cause for result in runner.run(hosts)}
    assert "network.dns-failure" in causes
    elsewhere = asked - {"127.0.0.1"}
    assert elsewhere
    assert all(host.endswith(".invalid") for host in elsewhere), elsewhere


DUO, LOCAL = "https://api-1a2b3c4d.duosecurity.com", "http://127.0.0.1:45123"


@pytest.mark.parametrize(
    ("edited", "original", "expected"),
    [
        ("https://api-1a2b3c4e.duosecurity.com", DUO, "https://api-1a2b3c4e.duosecurity.com.invalid"),
        (f"{DUO}:8443", DUO, "http://127.0.0.1:1"),
        (f"{DUO}/api", DUO, LOCAL),
        ("http://127.0.0.7:45123", LOCAL, "http://127.0.0.7.invalid"),
        # Any server on this machine may use the port.
        ("http://127.0.0.1:45128", LOCAL, "http://127.0.0.1:1"),
        ("http://127.0.0.1", LOCAL, "http://127.0.0.1:1"),
        ("https://127.0.0.1:45123", LOCAL, None),
    ],
)
def test_where_an_edited_address_leads(edited: str, original: str, expected: str | None) -> None:
    assert _leads_to(edited, original, LOCAL) == expected


UNPINNED = """\
[integrations.sms]
provider = "twilio"
environment = "production"
[integrations.sms.settings]
account_sid = "dotenv:keys.env#ACCOUNT"
service_sid = "dotenv:keys.env#SERVICE"
auth_token = "dotenv:keys.env#TOKEN"
"""


def test_a_survivor_of_another_account_names_the_missing_expectation(tmp_path: Path) -> None:
    project = Somebody(tmp_path, {})
    (tmp_path / "integrations.toml").write_text(UNPINNED)
    (tmp_path / "contracts").symlink_to(Path(__file__).parents[2] / "contracts")
    result = project.execute("mutate", "--class", "wrong-value")
    assert result.exit_code == 1, result.stdout + result.stderr
    assert "survived: sms.settings.auth_token/other-account" in result.stdout
    assert "[integrations.sms.expect] does not say whose account must answer" in result.stdout
    assert "(config.identity-unpinned): fill in account_sid" in result.stdout
    assert "the other value serves as well" not in result.stdout
    (tmp_path / "integrations.toml").write_text(UNPINNED + '[integrations.sms.expect]\naccount_sid = "AC00"\n')
    assert project.execute("mutate", "--class", "wrong-value").exit_code == 0
