"""mfagate.check(), gate() and nightly(): the commands as functions."""

from __future__ import annotations

import json
import logging
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.duo import Duo, emulator
from tests.support.programs import missing
from tests.support.project import REPOSITORY, link_shipped

import mfagate
from mfagate.app import api
from mfagate.cli import cli
from mfagate.sandbox import Running

EXAMPLES = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs/reference/python-api.md").read_text(), re.DOTALL)

CONFIGURATION = """
[integrations.{name}]
provider = "duo"
environment = "sandbox"
endpoint = "sandbox"

[integrations.{name}.settings]
host = "sandbox:host"
integration_key = "sandbox:integration_key"
secret_key = "{key}"
"""


def _write(folder: Path, name: str = "duo-eu", key: str = "sandbox:secret_key") -> Path:
    link_shipped(folder)
    path = folder / "integrations.toml"
    path.write_text(CONFIGURATION.format(name=name, key=key))
    return path


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with emulator() as started:
        yield started


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_of_the_page_run(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "docs/reference/python-api.md", "exec"), {})
    if "history=" in example:
        assert (tmp_path / "runs.db").exists()
    if "output=" in example:
        assert json.loads((tmp_path / "report.json").read_text())["verdict"] == "pass"
        assert (tmp_path / "junit.xml").exists()
    if "except" in example:
        assert "no-such-file.toml" in capsys.readouterr().out


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys, mfagate; print(sorted(name for name in sys.modules if name.startswith('mfagate')))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "['mfagate', 'mfagate.core', 'mfagate.core.version']"


def test_every_name_of_the_package_can_be_used() -> None:
    assert all(getattr(mfagate, name) for name in mfagate.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        mfagate.nothing  # type: ignore[attr-defined] # noqa: B018


@pytest.mark.parametrize(
    ("command", "options"),
    [("check", api.CheckOptions), ("gate", api.LiveOptions), ("nightly", api.LiveOptions)],
)
def test_the_arguments_are_the_options_of_the_command(command: str, options: type) -> None:
    names = {option.opts[0].removeprefix("--").replace("-", "_") for option in cli.commands[command].params}
    for_terminals = {"verbose", "no_color"}
    assert options.__optional_keys__ == names - for_terminals  # type: ignore[attr-defined]


def test_a_function_returns_what_the_command_reports(tmp_path: Path, running: Running) -> None:
    duo = Duo(tmp_path, running)
    by_command = duo.run("check").report
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**duo.env, "DUO_HOST": running.values["host"]}.items():
            patch.setenv(name, value)
        report = mfagate.check(config=tmp_path / "integrations.toml")
    by_api = json.loads(report.model_dump_json())
    for each in (by_command, by_api):
        each["run"] = {name: each["run"][name] for name in ("stage", "exit_code", "warnings", "override")}
        for integration in each["integrations"]:
            integration.pop("fingerprints")
            integration.pop("location")
            for check in integration["checks"]:
                check.pop("location"), check.pop("seconds"), check.pop("evidence")
    assert by_api == by_command


def test_an_error_has_the_message_of_the_command(tmp_path: Path, running: Running) -> None:
    duo = Duo(tmp_path, running)
    printed = duo.run("check", "--integration", "dou").stderr
    with pytest.raises(mfagate.RunRefused) as raised:
        mfagate.check(config=tmp_path / "integrations.toml", integration="dou")
    assert "has no integration 'dou'" in str(raised.value)
    assert str(raised.value).partition(" has ")[2] == printed.strip().partition(" has ")[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": "htlm=x"}, "output: no output format 'htlm'"),
        ({"output": ["json", "junit"]}, "would both go to stdout"),
        ({"environment": "prod"}, "environment: no environment 'prod'"),
        ({"on_inconclusive": "ignore"}, "on_inconclusive: 'ignore' is neither"),
        ({"override": " … "}, "override: say why"),
        ({"push_gateway": "ftp://host"}, "push_gateway: it must be http"),
        ({"history": "mysql://host/name"}, "is neither a path nor a postgresql:// URL"),
        ({"fault": "duo-eu"}, "write INTEGRATION=FAULT"),
        ({"notify": True}, "set urls in [notify]"),
        ({"changed_since": "no-such-revision"}, "git"),
    ],
)
def test_options_that_cannot_be_used_are_refused(tmp_path: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(mfagate.MfagateError) as raised:
        mfagate.gate(config=_write(tmp_path), **options)  # type: ignore[arg-type]
    assert message in str(raised.value)


def test_an_unknown_argument_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"check\(\) got an unexpected keyword argument 'notify'"):
        mfagate.check(notify=True)  # type: ignore[call-arg]


def test_an_error_holds_no_password_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE", "postgresql://me:hunter2hunter2@host/name")
    with pytest.raises(mfagate.RunRefused) as raised:
        mfagate.check(config=_write(tmp_path), integration="hunter2hunter2")
    assert "hunter2hunter2" not in str(raised.value)


def test_a_report_that_cannot_be_written_does_not_lose_the_result(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        missing("/dev/full", "run the tests on Linux")
    with pytest.raises(mfagate.ReportNotWritten, match="the verdict is: ") as raised:
        mfagate.check(config=_write(tmp_path), output="json=/dev/full")
    assert raised.value.report.run.stage == "check"


def test_a_warning_goes_to_the_report_and_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mfagate"):
        report = mfagate.gate(config=_write(tmp_path), history=tmp_path / "integrations.toml/history.db")
    (warning,) = report.run.warnings
    assert "integrations.toml/history.db" in warning
    assert caplog.messages == [warning]


def test_several_threads_do_not_disturb_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run uses the fingerprint key beside its own history, and reports only its own integrations."""
    monkeypatch.delenv("MFAGATE_FINGERPRINT_KEY", raising=False)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    configs = []
    for number in range(4):
        folder = tmp_path / str(number)
        folder.mkdir()
        configs.append(_write(folder, f"duo-{number}"))
    start = threading.Barrier(len(configs))

    def run(config: Path) -> list[mfagate.Report]:
        start.wait()
        return [mfagate.nightly(config=config) for _ in range(2)]

    with ThreadPoolExecutor(len(configs)) as pool:
        runs = list(pool.map(run, configs))
    assert [[report.integrations[0].name for report in reports] for reports in runs] == [
        [f"duo-{number}"] * 2 for number in range(4)
    ]
    keys = [{report.run.fingerprint_key for report in reports} for reports in runs]
    assert all(len(own) == 1 and None not in own for own in keys)
    assert len(set().union(*keys)) == len(configs)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
