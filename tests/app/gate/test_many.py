"""Many integrations at a time: threads that are bounded, machines that run out, neighbours that are counted."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.project import Project

from mfagate.app import gate
from mfagate.app.correlate import add_peer_evidence
from mfagate.checks import Stage
from mfagate.checks.results import internal_error
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import some
from mfagate.core.resources import shortage_of
from mfagate.core.result import Check, IntegrationReport, Verdict
from mfagate.core.workers import Workers
from mfagate.secrets.redaction import Redactor
from mfagate.testing.project import CommandResult
from mfagate.transport.stalls import Stalls


def test_no_more_threads_than_allowed_and_every_job_is_done() -> None:
    most, together = 3, threading.Barrier(3)
    names = set()

    def job(number: int) -> int:
        names.add(threading.current_thread().name)
        if number < most:
            together.wait(timeout=30)
        return number

    workers = Workers(most)
    futures = [workers.submit(job, number) for number in range(50)]
    assert [future.result() for future in futures] == list(range(50))
    assert len(names) == most
    workers.shutdown()


def test_the_error_of_a_failed_job_is_raised_to_its_caller() -> None:
    workers = Workers(1)
    with pytest.raises(ZeroDivisionError):
        workers.submit(lambda: 1 // 0).result()
    assert workers.submit(lambda: 7).result() == 7
    workers.shutdown()


def test_waiting_jobs_can_be_cancelled() -> None:
    workers, begun, released = Workers(1), threading.Event(), threading.Event()

    def job() -> None:
        begun.set()
        released.wait(timeout=30)

    first, second = workers.submit(job), workers.submit(job)
    begun.wait(timeout=30)
    workers.shutdown(wait=False, cancel_futures=True)
    released.set()
    first.result()
    assert not second.done()


@pytest.mark.parametrize("possible", [0, 1, 4])
def test_all_jobs_are_done_with_fewer_threads_than_wanted(possible: int, monkeypatch: pytest.MonkeyPatch) -> None:
    started = threading.Thread.start
    left = iter(range(possible))

    def start(self: threading.Thread) -> None:
        if next(left, None) is None:
            raise RuntimeError("can't start new thread")
        started(self)

    monkeypatch.setattr(threading.Thread, "start", start)
    workers = Workers(32)
    assert [workers.submit(lambda n=number: n).result() for number in range(60)] == list(range(60))
    workers.shutdown()


def test_a_run_offline_takes_one_thread_and_a_live_one_a_bounded_number() -> None:
    assert gate._most_workers(Stage.CHECK, 1000) == 1
    assert gate._most_workers(Stage.GATE, 1000) == 32
    assert gate._most_workers(Stage.GATE, 3) == 3
    assert gate._most_workers(Stage.GATE, 0) == 1


def test_time_in_which_no_thread_could_run_is_counted() -> None:
    """A wait that should have ended long ago, as that of a thread that is not given a processor."""
    stalls = Stalls(step=60)
    with stalls.measured():
        while stalls._due is None:
            time.sleep(0.001)
        stalls._due = -1e6
        assert stalls.lost() > 1000
    assert stalls.lost() == 0.0


def test_a_watcher_that_is_late_counts_nothing_after_the_end() -> None:
    stalls, ended = Stalls(), threading.Event()
    ended.set()
    stalls._watch(ended)
    assert stalls._due is None


def test_no_time_is_subtracted_without_a_measurement() -> None:
    stalls = Stalls()
    assert stalls.lost() == 0.0


SHORT: list[tuple[BaseException, str | None]] = [
    (OSError(errno.EMFILE, "x"), "file descriptors (the limit of this process)"),
    (OSError(errno.ENFILE, "x"), "file descriptors (the limit of this machine)"),
    (OSError(errno.ENOMEM, "x"), "memory"),
    (BlockingIOError(errno.EAGAIN, "fork"), "processes"),
    (MemoryError(), "memory"),
    (RuntimeError("can't start new thread"), "threads"),
    (RuntimeError("another"), None),
    (OSError(errno.ENOENT, "x"), None),
    (ConnectionResetError(), None),
    (ValueError("x"), None),
]


@pytest.mark.parametrize(("error", "what"), SHORT, ids=repr)
def test_every_shortage_of_a_machine_is_recognised(error: Exception, what: str | None) -> None:
    assert shortage_of(error) == what
    wrapped = ValueError("something else")
    wrapped.__cause__ = error
    assert shortage_of(wrapped) == what


@pytest.mark.parametrize(("error", "what"), SHORT, ids=repr)
def test_a_check_that_could_not_be_done(error: Exception, what: str | None) -> None:
    integration: Any = SimpleNamespace(name="x")
    with pytest.raises(type(error)) as raised:
        raise error
    check = internal_error(integration, Redactor(), "contract.file", raised.value)
    assert check.outcome is Outcome.INCONCLUSIVE
    assert check.cause == (CauseId.GATE_INTERNAL_ERROR if what is None else CauseId.GATE_RESOURCES)


def report(name: str, outcome: Outcome) -> IntegrationReport:
    red = outcome is not Outcome.PASS
    cause = CauseId.CREDENTIAL_REJECTED if red else None
    return IntegrationReport(
        name=name,
        provider="duo",
        environment="staging",
        verdict=Verdict.FAIL if red else Verdict.PASS,
        cause=cause,
        headline="",
        checks=[Check(id="credential.accepted", outcome=outcome, cause=cause, next_step="Look.")],
    )


def other_integrations(reports: list[IntegrationReport], name: str) -> str:
    integrations: Any = [SimpleNamespace(name=one.name, uses_sandbox=False) for one in reports]
    (found,) = (one for one in add_peer_evidence(reports, integrations) if one.name == name)
    return str(found.checks[0].evidence.get("other integrations"))


@pytest.mark.parametrize("position", [0, 3, 5, 6, 500])
def test_of_many_other_integrations_five_are_named(position: int) -> None:
    names = [f"duo-{number:04d}" for number in range(1001)]
    reports = [report(name, Outcome.FAIL if name == names[position] else Outcome.PASS) for name in names]
    others = [name for name in names if name != names[position]]
    assert other_integrations(reports, names[position]) == f"accepted in this run: {', '.join(others[:5])} and 995 more"


@pytest.mark.parametrize("position", [0, 5, 6, 9])
def test_other_integrations_with_the_same_problem_are_counted(position: int) -> None:
    names = [f"duo-{number}" for number in range(10)]
    others = [name for name in names if name != names[position]]
    expected = f"not accepted either: {', '.join(others[:5])} and 4 more"
    assert other_integrations([report(name, Outcome.FAIL) for name in names], names[position]) == expected


@pytest.mark.parametrize(("number", "text"), [(1, "0"), (5, "0, 1, 2, 3, 4"), (6, "0, 1, 2, 3, 4 and 1 more"), (0, "")])
def test_a_list_in_a_sentence(number: int, text: str) -> None:
    assert some([str(one) for one in range(number)]) == text


LIMITED = """
import resource, runpy, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
runpy.run_module("mfagate", run_name="__main__", alter_sys=True)
"""


def limited(project: Project, limit: int, *arguments: str) -> CommandResult:
    """A command of which the process, and nobody else, may open so many files and connections."""
    project.write()
    report = project.folder / "report.json"
    report.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), *arguments, "--output", "json=report.json"],
        cwd=project.folder,
        env={**os.environ, **project.env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    document = json.loads(report.read_text()) if report.exists() else {}
    return CommandResult(done.returncode, done.stdout, done.stderr, document)


@pytest.mark.parametrize(("command", "limits"), [("check", (4, 6, 64)), ("gate", (8, 64))])
def test_a_lack_of_descriptors_blames_nothing_else(project: Project, command: str, limits: tuple[int, ...]) -> None:
    """From too few to enough: it passes, or says that this machine ran out of them."""
    seen = set()
    for limit in limits:
        result = limited(project, limit, command)
        assert "Traceback" not in result.stderr, result.stderr
        if not result.report:
            assert result.exit_code == 2, (limit, result.stdout, result.stderr)
            continue
        checks = result.first["checks"]
        red = {check["cause"] for check in checks if check["outcome"] in ("fail", "inconclusive")}
        assert red <= {"gate.resources"}, (limit, red, result.stdout)
        assert result.exit_code == (3 if red else 0), (limit, result.stdout, result.stderr)
        seen.add(result.exit_code)
    assert 0 in seen
