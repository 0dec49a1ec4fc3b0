"""What people reported: exit code, first cause, and a step that leaves a good credential alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.app.gate.public_reports import REPLACING, REPORTS, PublicReport
from tests.support.project import link_shipped

from mfagate.providers import registry
from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.sandbox.faulty_proxy import faulty_proxy
from mfagate.testing import Project

Start = Callable[[str], Running]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Each provider's sandbox, started once."""
    running: dict[str, Running] = {}
    with ExitStack() as stack:

        def started(name: str) -> Running:
            if name not in running:
                sandbox = sandboxes.get(name)
                running[name] = stack.enter_context(sandbox.start())
            return running[name]

        yield started


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


class Reported(Project):
    """The integration of a report, at a server that answers as the report says."""

    def __init__(self, folder: Path, report: PublicReport, running: Running, url: str) -> None:
        provider = registry.get(report.provider)
        names = report.settings or sandboxes.get(report.provider).settings
        secret = {field.name for field in provider.settings.fields() if field.secret}
        values = {name: url if name == "url" else running.values[name] for name in names}
        super().__init__(folder, {name.upper(): values[name] for name in names if name in secret})
        link_shipped(folder)
        settings = [f'{name} = "{f"env:{name.upper()}" if name in secret else values[name]}"' for name in names]
        endpoint = "" if "url" in names else f'endpoint = "{url}"\n'
        phone = (
            f'[integrations.x.test_data]\nphone = "{running.values["phone"]}"\n' if provider.name == "twilio" else ""
        )
        self._text = (
            f'[integrations.x]\nprovider = "{provider.name}"\nenvironment = "staging"\n{endpoint}'
            f"[integrations.x.settings]\n{chr(10).join(settings)}\n{phone}"
        )

    def text(self) -> str:
        return self._text


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_a_public_report(report: PublicReport, start: Start, tmp_path: Path) -> None:
    running = start(report.provider)
    with faulty_proxy(running.endpoint, report.fault) as before:
        result = Reported(tmp_path, report, running, before.url).run_in_process("gate")
    first = result.first
    check = next(
        c for c in first["checks"] if c["cause"] == first["cause"] and c["outcome"] in ("fail", "inconclusive")
    )
    assert (result.exit_code, first["cause"]) == (report.exit_code, report.cause), check
    step = check["next_step"]
    assert [words for words in report.step if words not in step] == [], step
    assert not step.startswith(REPLACING) or not report.keeps, step


def test_each_report_is_public_and_listed_once() -> None:
    assert len({report.url for report in REPORTS}) == len(REPORTS) >= 40
    assert all(report.url.startswith("https://") for report in REPORTS)
