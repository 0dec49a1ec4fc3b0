"""What ``mfagate doctor`` says of a machine: as a whole command, against an emulator and on closed doors."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mfagate.sandbox import Running
from mfagate.secrets.redaction import Redactor

from ..support.duo import emulator as started_emulator
from ..support.listener import hostile_listener
from ..support.project import link_shipped

KEY = "Wq7pLz3Vn8Kc5Rt2Xb9Ym4Jd6Hf1Gs0Tv7Nw3Qz5"

CONFIGURATION = """\
[integrations.duo]
provider = "duo"
environment = "staging"
endpoint = "{endpoint}"
{more}
[integrations.duo.settings]
host = "api-1a2b3c4d.duosecurity.com"
integration_key = "DIABCDEFGHIJKLMNOPQR"
secret_key = "{secret_key}"
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with started_emulator() as running:
        yield running


@dataclass
class Machine:
    folder: Path
    env: dict[str, str]

    def configure(self, endpoint: str, secret_key: str = "env:DUO_SECRET_KEY", more: str = "") -> None:
        text = CONFIGURATION.format(endpoint=endpoint, secret_key=secret_key, more=more)
        (self.folder / "integrations.toml").write_text(text)

    def doctor(self, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "mfagate", "doctor", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=120, env={**os.environ, **self.env}
        )
        assert "Traceback" not in done.stderr
        found = Redactor({"key": KEY}).found_in(done.stdout + done.stderr)
        assert found == [], "no value is shown"
        return done.returncode, done.stdout + done.stderr

    def items(self, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
        code, text = self.doctor("--output", "json", *arguments)
        document = json.loads(text)
        assert document["schema"] == "mfagate.doctor/1"
        assert document["sound"] is (code == 0)
        return code, {item["name"]: item for item in document["items"]}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    folder = tmp_path / "project"
    folder.mkdir()
    link_shipped(folder)
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    return Machine(folder, {"DUO_SECRET_KEY": KEY, "XDG_STATE_HOME": str(state)})


def test_a_machine_that_is_ready(machine: Machine, running: Running) -> None:
    shutil.copy(str(running.ca_bundle), machine.folder / "ca.pem")
    machine.configure(running.endpoint, more='ca_bundle = "ca.pem"')
    code, shown = machine.doctor()
    assert (code, shown.splitlines()[0]) == (0, "This machine is ready."), shown
    for area in ("installed", "readable", "writable", "reachable"):
        assert f"\n{area}\n" in shown
    _, items = machine.items()
    assert {item["state"] for item in items.values()} <= {"yes", "not needed"}
    assert "TLS, certificate until" in items[running.endpoint]["detail"]
    assert items["clock"]["state"] == "yes"
    assert items["env:DUO_SECRET_KEY"]["detail"] == "duo.settings.secret_key"


def test_no_credential_is_sent(machine: Machine) -> None:
    with hostile_listener() as listener:
        machine.configure(f"http://127.0.0.1:{listener.port}")
        code, shown = machine.doctor()
        sent = b"".join(listener.received)
    assert code == 0, shown
    assert sent.startswith(b"GET /auth/v2/ping ")
    assert b"authorization" not in sent.lower()
    assert KEY.encode() not in sent


def test_offline_sends_nothing(machine: Machine) -> None:
    with hostile_listener() as listener:
        machine.configure(f"http://127.0.0.1:{listener.port}")
        code, items = machine.items("--offline")
        assert (code, listener.received) == (0, [])
    assert {item["area"] for item in items.values()} == {"installed", "readable", "writable"}


def test_a_variable_that_is_not_set(machine: Machine) -> None:
    machine.configure("sandbox", secret_key="env:MFA_KEY")
    code, items = machine.items()
    assert (code, items["env:MFA_KEY"]["state"]) == (1, "no")
    assert items["env:MFA_KEY"]["next_step"].startswith("Set MFA_KEY in the environment of mfagate")
    code, items = machine.items("--without-secrets")
    assert (code, items["env:MFA_KEY"]["state"]) == (0, "warning")


def test_a_file_of_secrets(machine: Machine) -> None:
    (machine.folder / "mfa.env").write_text(f"KEY={KEY}\n")
    machine.configure("sandbox", secret_key="dotenv:mfa.env#KEY")
    assert machine.items()[1]["dotenv:mfa.env#KEY"]["state"] == "yes"
    machine.configure("sandbox", secret_key="dotenv:mfa.env#KYE")
    code, items = machine.items()
    assert (code, items["dotenv:mfa.env#KYE"]["state"]) == (1, "no")
    assert "integrations.toml:9" in items["dotenv:mfa.env#KYE"]["next_step"]


def test_a_host_that_is_closed(machine: Machine) -> None:
    machine.configure("https://127.0.0.1:1")
    code, items = machine.items()
    item = items["https://127.0.0.1:1"]
    assert (code, item["state"]) == (1, "no")
    assert "connect: " in item["detail"]
    assert item["next_step"].startswith("For https://127.0.0.1:1 (connect): ")


def test_a_name_that_does_not_exist(machine: Machine) -> None:
    """One host shows nothing about this machine: the gate judges by the same rule."""
    machine.configure("https://nowhere.invalid")
    code, items = machine.items()
    item = items["https://nowhere.invalid"]
    assert (code, item["state"]) == (1, "no")
    assert item["next_step"].startswith("For https://nowhere.invalid (resolve): ")


@pytest.mark.parametrize("more", ["", 'ca_bundle = "{bundle}"\n'], ids=["plain", "with a bundle"])
def test_two_names_that_do_not_exist(machine: Machine, running: Running, more: str) -> None:
    machine.configure("https://nowhere.invalid", more=more.format(bundle=running.ca_bundle))
    path = machine.folder / "integrations.toml"
    other = path.read_text().replace("integrations.duo", "integrations.other").replace("nowhere", "neither")
    path.write_text(path.read_text() + other)
    code, items = machine.items()
    found = [items["https://nowhere.invalid"], items["https://neither.invalid"]]
    assert (code, [one["state"] for one in found]) == (1, ["no", "no"])
    assert len({one["next_step"] for one in found}) == 1
    assert found[0]["next_step"].startswith("Check this machine's resolver first")
    assert all("network.this-machine" in one["detail"] for one in found)


def test_one_name_of_two_that_does_not_exist(machine: Machine, running: Running) -> None:
    """A server on this machine is no witness, so a name of the kind is needed that does resolve: an address."""
    machine.configure("https://nowhere.invalid")
    path = machine.folder / "integrations.toml"
    other = path.read_text().replace("integrations.duo", "integrations.other")
    path.write_text(path.read_text() + other.replace("https://nowhere.invalid", running.endpoint))
    _, items = machine.items()
    assert "this-machine" not in items["https://nowhere.invalid"]["detail"]


def test_a_proxy_is_named_without_its_password(machine: Machine) -> None:
    machine.configure("https://mfa.invalid")
    machine.env |= {"HTTPS_PROXY": f"http://user:{KEY}@127.0.0.1:1", "NO_PROXY": "localhost"}
    code, items = machine.items()
    assert code == 1
    assert items["proxy variables"]["detail"] == "set: HTTPS_PROXY, NO_PROXY"
    assert "network.proxy" in items["https://mfa.invalid"]["detail"]


def test_an_authority_that_is_not_known(machine: Machine, running: Running) -> None:
    machine.configure(running.endpoint)
    code, items = machine.items()
    assert code == 1
    assert "tls: " in items[running.endpoint]["detail"]
    machine.configure(running.endpoint, more='ca_bundle = "nothing.pem"')
    assert machine.items()[1]["authorities of duo"]["state"] == "no"


def test_a_host_that_is_not_known_yet(machine: Machine) -> None:
    text = CONFIGURATION.format(endpoint="", secret_key="env:DUO_SECRET_KEY", more="")
    text = text.replace('endpoint = ""\n', "").replace('"api-1a2b3c4d.duosecurity.com"', '"env:NOT_SET"')
    (machine.folder / "integrations.toml").write_text(text)
    _, items = machine.items()
    assert items["host of duo"]["state"] == "warning"


def test_a_missing_contract_and_recordings(machine: Machine) -> None:
    machine.configure("sandbox", more='contract = "nothing.json"\ncassettes = "nothing"')
    code, items = machine.items()
    assert (code, items["contract of duo"]["state"], items["recordings of duo"]["state"]) == (1, "no", "warning")
    assert "mfagate init --provider duo" in items["contract of duo"]["next_step"]


def test_a_history_that_cannot_be_written(machine: Machine) -> None:
    machine.configure("sandbox")
    with (machine.folder / "integrations.toml").open("a") as file:
        file.write('[history]\nurl = "/proc/nowhere/history.db"\n')
    code, items = machine.items()
    assert (code, items["history"]["state"]) == (1, "no")
    assert "[history]" in items["history"]["next_step"]
    (machine.folder / ".mfagate/history.db").mkdir(parents=True)
    machine.configure("sandbox")
    assert "is a folder" in machine.items()[1]["history"]["detail"]


def test_the_address_of_a_database_is_not_shown(machine: Machine) -> None:
    machine.configure("sandbox")
    with (machine.folder / "integrations.toml").open("a") as file:
        file.write('[history]\nurl = "env:HISTORY"\n[notify]\nurls = ["env:NOTIFY"]\n')
    machine.env["HISTORY"] = f"postgresql://mfagate:{KEY}@127.0.0.1:1/mfa"
    code, items = machine.items()
    assert (code, items["env:NOTIFY"]["state"], items["env:HISTORY"]["state"]) == (1, "no", "yes")


def test_a_folder_that_others_can_use_is_not_taken(machine: Machine) -> None:
    machine.configure("sandbox")
    folder = Path(machine.env["XDG_STATE_HOME"]) / "mfagate"
    assert machine.items()[1]["record of what runs make"]["detail"] == str(folder)
    folder.chmod(0o755)
    machine.env["TMPDIR"] = str(machine.folder)
    (machine.folder / f"mfagate-state-{os.getuid()}").mkdir(mode=0o755)
    code, items = machine.items()
    item = items["record of what runs make"]
    assert (code, item["state"]) == (1, "no")
    assert "chmod 700" in item["next_step"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "mfagate init --provider NAME"),
        ("[integrations.duo", "is not TOML"),
        ("", "no integration"),
    ],
)
def test_a_configuration_that_cannot_be_used(machine: Machine, text: str | None, words: str) -> None:
    if text is not None:
        (machine.folder / "integrations.toml").write_text(text)
    code, items = machine.items()
    assert (code, items["configuration"]["state"]) == (1, "no")
    assert words in items["configuration"]["detail"] + items["configuration"]["next_step"]


def test_an_extra_that_the_configuration_needs(machine: Machine) -> None:
    machine.configure("sandbox")
    from mfagate.config.load import load
    from mfagate.doctor import installed as module
    from mfagate.providers import registry

    configuration = load(machine.folder / "integrations.toml", registry.names())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mfagate.core.extras.find_spec", lambda name: None if name in {"werkzeug", "jinja2"} else 1)
        items = {item.name: item for item in module.installed(configuration)}
    assert (items["extra emulator"].state, items["extra html"].state) == ("no", "not needed")
    assert "[emulator]" in items["extra emulator"].next_step
    assert "[all]" in items["extra emulator"].next_step


def test_bad_input(machine: Machine) -> None:
    machine.configure("sandbox")
    for arguments, words in (
        (["--integration", "dou"], "did you mean 'duo'?"),
        (["--output", "yaml"], "write console or json"),
        (["--output", "json=integrations.toml"], "would be overwritten"),
        (["--output", "json=nowhere/report.json"], "cannot be written"),
    ):
        code, shown = machine.doctor(*arguments)
        assert (code, words in shown) == (2, True), shown


def test_a_report_in_a_file(machine: Machine) -> None:
    machine.configure("sandbox")
    assert machine.doctor("--output", "json=doctor.json")[0] == 0
    assert json.loads((machine.folder / "doctor.json").read_text())["sound"] is True
