"""Drills by command: a sandbox that goes well, broken and well again, and a gate run against a broken one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from mfagate.app.fault_options import FaultsFile
from mfagate.core.files import write_atomically
from mfagate.providers import registry
from mfagate.sandbox import Running, SandboxError
from mfagate.sandbox import registry as sandboxes
from mfagate.sandbox.emulator.faults import changed, replaced, together, without
from mfagate.sandbox.faulty_sandbox import BadFault, faulty_sandbox
from mfagate.testing.project import CommandResult, Project

REPOSITORY = Path(__file__).parents[2]

CONFIGURATION = """\
[integrations.mfa]
provider = "duo"
environment = "staging"
endpoint = "sandbox"
timeout_seconds = 5
[integrations.mfa.settings]
host = "sandbox:host"
integration_key = "sandbox:integration_key"
secret_key = "sandbox:secret_key"

[integrations.hosted]
provider = "duo"
environment = "development"
[integrations.hosted.settings]
host = "api-12345678.duosecurity.com"
integration_key = "DIWJ8X6AEYOR5OMC6TQ1"
secret_key = "env:HOSTED"
"""


class Drill(Project):
    """One integration with a sandbox, and one without."""

    def text(self) -> str:
        return CONFIGURATION

    def gate(self, *faults: str, integration: str = "mfa") -> CommandResult:
        """A run with these faults."""
        arguments = [part for fault in faults for part in ("--fault", fault)]
        return self.run("gate", "--integration", integration, *arguments)


@pytest.fixture
def project(tmp_path: Path) -> Drill:
    (tmp_path / "contracts").symlink_to(REPOSITORY / "contracts")
    return Drill(tmp_path, {"HOSTED": "Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep"})


@pytest.mark.parametrize(
    ("faults", "cause", "exit_code"),
    [
        (["credential-revoked"], "credential.unknown-key", 1),
        (["status:503"], "provider.outage", 3),
        (["tls-expired"], "network.tls-expired", 1),
        (["rotated", "slow:0.01,rate=0.5"], "credential.rejected", 1),
    ],
)
def test_a_gate_run_shows_what_a_report_would_look_like(
    project: Drill, faults: list[str], cause: str, exit_code: int
) -> None:
    result = project.gate(*(f"mfa={fault}" for fault in faults))
    assert (result.exit_code, result.first["cause"]) == (exit_code, cause), result.stdout
    assert result.first["faults"] == faults
    assert f"drill, faults injected: mfa ({', '.join(faults)})" in result.stdout


def test_a_drill_that_passes_is_reported_as_a_drill(project: Drill) -> None:
    result = project.gate("mfa=added")
    assert (result.exit_code, "drill, faults injected" in result.stdout) == (0, True), result.stdout
    assert 'name="faults" value="added"' in (project.folder / "junit.xml").read_text()
    assert result.report["run"]["warnings"] == []


@pytest.mark.parametrize("fault", ["removed:nosuchfield", "status:503,path=/nowhere", "reset,after=9999"])
def test_a_fault_that_never_fires_is_reported(project: Drill, fault: str) -> None:
    """Whoever misspells a field must not take the pass for a gate that sees nothing."""
    result = project.gate(f"mfa={fault}")
    (warning,) = result.report["run"]["warnings"]
    assert (result.exit_code, warning.partition(":")[0]) == (0, "mfa"), result.stdout
    assert f"the fault {fault} never fired" in warning
    assert f"warning: {warning}" in result.stderr


@pytest.mark.parametrize(
    ("fault", "integration", "words"),
    [
        ("mfa=credential-revokd", "mfa", "did you mean 'credential-revoked'?"),
        ("mfa=account-suspended", "mfa", "there is no fault 'account-suspended'"),
        ("mfa=rotated,rate=0.5", "mfa", "rotated lasts until it is removed"),
        ("mfa", "mfa", "write INTEGRATION=FAULT, for example mfa=status:503"),
        ("mfaa=reset", "mfa", "did you mean 'mfa'?"),
        ("hosted=reset", "hosted", 'hosted does not have endpoint = "sandbox"'),
    ],
)
def test_a_drill_that_cannot_be_had(project: Drill, fault: str, integration: str, words: str) -> None:
    result = project.gate(fault, integration=integration)
    assert (result.exit_code, result.report, "Traceback" in result.stderr) == (2, {}, False)
    assert words in result.stderr


class Told(Exception):
    """Ends what follows a file for ever."""


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        # It was read before the sandbox was started, which takes a while.
        (["slow:1"], ["change ['slow:1']", "Injected faults: slow:1"]),
        (["slo", "rotated", "slo"], ["FILE: no; Injected faults: rotated"] * 2),
    ],
)
def test_a_file_of_faults_is_followed_from_what_the_sandbox_was_started_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: list[str], expected: list[str]
) -> None:
    file, heard, left = tmp_path / "faults", [], iter(texts)

    def wait(seconds: float) -> None:
        text = next(left, None)
        if text is None:
            raise Told
        file.write_text(text)

    def change(faults: Sequence[str]) -> None:
        if faults == ["slo"]:
            raise BadFault("no")
        heard.append(f"change {faults}")

    monkeypatch.setattr("mfagate.app.fault_options.time.sleep", wait)
    with pytest.raises(Told):
        FaultsFile(file, []).follow(Running("", change_faults=change), ["rotated"], heard.append)
    assert [each.replace(str(file), "FILE") for each in heard] == expected


@contextmanager
def sandbox(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """``mfagate sandbox``, stopped as a person stops it."""
    command = [sys.executable, "-m", "mfagate", "sandbox", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def said(process: subprocess.Popen[str], until: str) -> str:
    """What it prints, up to a line with these words."""
    assert process.stdout is not None
    shown = ""
    while until not in shown:
        line = process.stdout.readline()
        assert line, shown
        shown += line
    return shown


def test_well_broken_and_well_again(project: Drill) -> None:
    """Nothing is restarted, and the printed address and authority are good all the time."""
    faults, keys = project.folder / "faults.txt", project.folder / "keys.env"
    with sandbox("duo", "--env-file", str(keys), "--faults-file", str(faults)) as process:
        shown = said(process, "Ctrl-C")
        configuration = "\n".join(line.strip() for line in shown.splitlines() if line.startswith("  "))
        (project.folder / "integrations.toml").write_text(configuration)
        secrets = {
            line.partition("=")[2].strip().strip("'") for line in keys.read_text().splitlines() if "secret" in line
        }
        seen = [project.execute("gate").exit_code]
        for text, words, expected in (
            ("# revoked\ncredential-revoked\n", "Injected faults: credential-revoked", "credential.unknown-key"),
            ("status:503\nrotated", "Injected faults: status:503, rotated", "provider.outage"),
            ("refuse", "Injected faults: refuse", "network.connection-refused"),
        ):
            write_atomically(faults, text)
            said(process, words)
            result = project.execute("gate")
            assert expected in result.stdout, result.stdout
            assert not [secret for secret in secrets if secret in result.stdout]
        write_atomically(faults, "rotatd")
        assert "did you mean 'rotated'?); Injected faults: refuse" in said(process, "rotatd")
        faults.unlink()
        said(process, "No fault is injected.")
        seen.append(project.execute("gate").exit_code)
        assert seen == [0, 0]


def test_a_sandbox_that_is_broken_from_the_start(project: Drill) -> None:
    with sandbox("duo", "--fault", "auth-down", "--fault", "tls-expired") as process:
        shown = said(process, "Injected faults: auth-down, tls-expired")
        configuration = "\n".join(line.strip() for line in shown.splitlines() if line.startswith("  "))
        (project.folder / "integrations.toml").write_text(configuration)
        assert "network.tls-expired" in project.execute("gate").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fault", "rotatd"], "did you mean 'rotated'?"),
        (["--fault", "refuse", "--fault", "rotated"], "refuse excludes all other faults"),
        (["--faults-file", "."], "'.' is a directory"),
    ],
)
def test_a_sandbox_that_cannot_be_broken_so(project: Drill, arguments: list[str], words: str) -> None:
    result = project.execute("sandbox", "duo", *arguments)
    assert (result.exit_code, "Traceback" in result.stderr) == (2, False)
    assert words in result.stderr.replace("\n       ", " ")


@pytest.mark.parametrize("name", registry.names())
def test_the_faults_are_listed(project: Drill, name: str) -> None:
    shown = project.execute("sandbox", name, "--list-faults").stdout
    local = sandboxes.get(name)
    for kind in local.faults:
        assert f"  {kind.name}" in shown
        assert kind.summary in shown
    assert "  status:500" in shown


def test_a_sandbox_without_a_drill_cannot_be_changed() -> None:
    local = sandboxes.get("duo")
    with local.start() as running, pytest.raises(SandboxError, match=r"start\(faults=\[\]\)"):
        running.change_faults(["rotated"])


def test_what_is_handed_out_leads_to_the_faulty_address() -> None:
    """A login service is pointed at it with these values, and trusts the authority that they name."""

    @contextmanager
    def start(faults: Path | None) -> Iterator[Running]:
        values = {"url": "https://127.0.0.1:9", "ca_bundle": "behind.pem", "user": "somebody"}
        yield Running("https://127.0.0.1:9", values, ca_bundle="behind.pem")

    with faulty_sandbox(start, (), []) as running:
        assert running.endpoint != "https://127.0.0.1:9"
        assert running.ca_bundle is not None
        assert Path(running.ca_bundle).is_file()
        expected = {"url": running.endpoint, "ca_bundle": running.ca_bundle, "user": "somebody"}
        assert running.values == expected


class Thing:
    """Something with a state."""

    colour = "red"


def test_what_was_changed_is_changed_back() -> None:
    thing, mapping = Thing(), {"a": 1, "b": 2}
    with together([changed(thing, colour="blue"), without(mapping, "a"), without(mapping, "a")]):
        assert (thing.colour, mapping) == ("blue", {"b": 2})
        with replaced(mapping, "b", 3):
            assert mapping == {"b": 3}
    assert (thing.colour, mapping) == ("red", {"a": 1, "b": 2})
