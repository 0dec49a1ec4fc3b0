"""The next step is an action: it names the line, the value or the command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mfagate.core.causes import CauseId, load
from mfagate.testing.project import CommandResult, Project

from .support.project import REPOSITORY, link_shipped

KEY = "c4n4ryc4n4ryc4n4ryc4n4ryc4n4ryc4n4ry1234"

DUO = """
[integrations.duo-eu]
provider = "duo"
environment = "production"
{more}
[integrations.duo-eu.settings]
host = "api-1a2b3c4d.duosecurity.com"
integration_key = "DI111111111111111111"
secret_key = "{key}"
"""


class Duo(Project):
    """A project with one integration."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {})
        self.values = {"key": "env:DUO_SECRET_KEY", "more": ""}

    def text(self) -> str:
        return DUO.format(**self.values)


@pytest.fixture
def duo(tmp_path: Path) -> Duo:
    return Duo(tmp_path)


def steps(result: CommandResult, check: str) -> list[str]:
    return [str(one["next_step"]) for one in result.checks(check) if one["next_step"]]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("env:DUO_SECRET_KEY", "Set the environment variable DUO_SECRET_KEY where this command runs"),
        ("file:secrets/key", "Put the value into the file secrets/key"),
        ("dotenv:.env#KEY", "Put the value where dotenv:.env#KEY reads it"),
    ],
)
def test_a_value_that_cannot_be_read(duo: Duo, reference: str, expected: str) -> None:
    link_shipped(duo.folder)
    duo.values["key"] = reference
    result = duo.run("check")
    (step,) = steps(result, "configuration")
    assert step.startswith(expected)
    assert "Where to find it: Duo Admin Panel" in step
    assert "mfagate check --without-secrets" in step
    assert duo.run("check", "--without-secrets").exit_code == 0, "the command of the step works"


def test_a_missing_contract(duo: Duo, tmp_path: Path) -> None:
    duo.env["DUO_SECRET_KEY"] = KEY
    (step,) = steps(duo.run("check"), "contract.file")
    assert "set contract to its path in [integrations.duo-eu]" in step
    assert "`mfagate init --provider duo`" in step
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    assert Duo(fresh).execute("init", "--provider", "duo").exit_code == 0
    for name in ("contracts", "cassettes"):
        (fresh / name).rename(duo.folder / name)
    assert duo.run("check").exit_code == 0, "the command of the step works"


def test_commands_name_the_integration(duo: Duo) -> None:
    duo.env["DUO_SECRET_KEY"] = KEY
    duo.values["more"] = f'contract = "{REPOSITORY}/contracts/duo/auth-service-duo.json"'
    result = duo.run("check")
    found = steps(result, "cassette")
    assert found
    assert {"mfagate record --integration duo-eu" in step for step in found} == {True}
    assert "NAME" not in result.stdout


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('endpoint = "127.0.0.1:8443"', 'for example endpoint = "https://127.0.0.1:8443"'),
        ('endpoint = "http://duo.example.com"', "Write https:// in endpoint"),
        ('ca_bundle = "nothing.pem"', "Put a PEM file with the authorities' certificates there"),
        ('expect = { org = "x" }', "Remove the line: Duo needs nothing in expect."),
    ],
)
def test_keys_of_the_integration(duo: Duo, line: str, expected: str) -> None:
    duo.env["DUO_SECRET_KEY"] = KEY
    link_shipped(duo.folder)
    duo.values["more"] = line
    (step,) = steps(duo.run("check"), "configuration")
    assert expected in step


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[integrations.duo]\n", 'add provider = "NAME" below [integrations.duo]'),
        ('[integrations.duo]\nprovider = "duo"\n', 'add environment = "production"'),
        ("[integrations.duo]\nprovider = duo\n", 'text needs quotes, as in provider = "duo"'),
        ("integrations = 3\n", "begin one with a line such as [integrations.duo]"),
        ("[integrations]\nduo = 5\n", "write its keys below a line [integrations.duo]"),
    ],
)
def test_an_unusable_file(duo: Duo, text: str, expected: str) -> None:
    duo.write()
    (duo.folder / "integrations.toml").write_text(text)
    done = duo.execute("check")
    assert done.exit_code == 2
    assert expected in done.stderr


VAGUE = re.compile(r"(?i)watch the trend|be careful|make sure that everything|find out (which|why|whether)\b")


@pytest.mark.parametrize("cause", CauseId)
def test_no_next_step_of_the_catalogue_is_vague(cause: CauseId) -> None:
    step = load(cause).next_step
    assert not VAGUE.search(step) or cause in (CauseId.CREDENTIAL_REVOKED, CauseId.CONFIG_READ_DIFFERENTLY)
    assert len(step) < 320


@pytest.mark.parametrize("cause", [cause for cause in CauseId if not cause.startswith(("config.", "cassette."))])
def test_only_causes_of_an_unusable_credential_advise_to_replace_it(cause: CauseId) -> None:
    """Nobody should replace a valid credential during an incident."""
    over = ("credential.expired", "credential.expiring-soon", "credential.revoked", "credential.wrong-kind")
    if cause not in over:
        text = re.sub(r"(?i)(do not|never|nothing shows|before you) [^.;]*", "", load(cause).next_step)
        assert not re.search(r"(?i)\brotate (?!nothing)|replace the (key|secret|credential)|create a new", text), text
