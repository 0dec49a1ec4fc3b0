"""A provider that answers now one way and now another."""

from __future__ import annotations

import itertools
import json
import time
from collections import defaultdict
from collections.abc import Iterator

import pytest
from tests.support.faults import on_path
from tests.support.project import Project

from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import Fault, Handler, always, faulty_proxy, hang_up

REFUSAL = {"code": 4031, "message": "Authentication failure. The authorization token is missing or expired."}
UNAVAILABLE = always(503, b"")


def every(number: int, fault: Fault) -> Fault:
    """The fault once in so many requests."""
    count = itertools.count(1)
    return lambda handler: next(count) % number == 0 and fault(handler)


def often(fault: Fault) -> Fault:
    """The fault in three of ten requests for each path, with no period that could be that of an interaction."""
    counts: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)
    return lambda handler: next(counts[handler.path.partition("?")[0]]) * 5**0.5 % 1 < 0.3 and fault(handler)


def between(first: int, last: int, fault: Fault) -> Fault:
    """The fault from one request to another."""
    count = itertools.count(1)
    return lambda handler: first <= next(count) <= last and fault(handler)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        pytest.param(between(20, 21, UNAVAILABLE), "provider.degraded", id="503"),
        pytest.param(between(20, 21, hang_up), "network.connection-reset", id="resets"),
    ],
)
def test_a_transient_error_is_a_warning(project: Project, server: Running, fault: Fault, cause: str) -> None:
    project.ask_everything()
    with faulty_proxy(server.endpoint, fault) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert result.exit_code == 0, result.stdout
    (steady,) = result.checks("provider.steady")
    assert (steady["outcome"], steady["cause"]) == ("warn", cause)
    assert "not answered at the first attempt" in steady["message"]


def late(handler: Handler) -> bool:
    time.sleep(0.9)
    return False


def test_a_provider_that_is_slow_for_a_while_is_a_warning(project: Project, server: Running) -> None:
    """Eight late answers in a row take longer than the time after which a troubled run ends."""
    project.ask_everything()
    with faulty_proxy(server.endpoint, between(8, 15, late)) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert result.exit_code == 0, result.stdout
    assert not [check for check in result.first["checks"] if check["outcome"] == "inconclusive"]
    assert len(result.checks("contract.interaction")) > 20


def test_too_many_transient_errors_are_inconclusive(project: Project, server: Running) -> None:
    """All is answered in the end; but what the gate asks again, a login does not."""
    with faulty_proxy(server.endpoint, often(UNAVAILABLE)) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (3, "provider.degraded"), result.stdout


def test_a_lasting_error_names_how_many_requests_were_answered(project: Project, server: Running) -> None:
    """Some errors pass, and then there are too many of them: not down, and not in order."""
    project.ask_everything()
    sporadic, lasting = every(7, UNAVAILABLE), between(30, 200, UNAVAILABLE)
    with faulty_proxy(server.endpoint, lambda handler: lasting(handler) or sporadic(handler)) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (3, "provider.degraded"), result.stdout
    assert "only when repeated" in result.first_red["evidence"]["in this run"]


def refuse(handler: Handler) -> bool:
    body = {"result": {"status": False, "error": REFUSAL}}
    return handler.answer(401, json.dumps(body).encode(), "application/json")


def test_one_endpoint_refuses_what_the_others_accept(project: Project, server: Running) -> None:
    """The credential was accepted, and is when it is asked for again: it is not wrong."""
    project.ask_everything()
    with faulty_proxy(server.endpoint, on_path("/validate/polltransaction", refuse)) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (1, "contract.status-changed"), result.stdout
    assert result.first_red["evidence"]["refused as"].startswith("credential.")
    assert result.first_red["evidence"]["credential"].startswith("accepted in the same minute")


def test_a_pending_interaction_stays_an_information(project: Project, server: Running) -> None:
    """Whatever is found out about it: it is not agreed on yet."""
    project.ask_everything()
    name = "contracts/privacyidea/auth-service-privacyidea.json"
    pact = json.loads((project.folder / name).read_text())
    pending = [one for one in pact["interactions"] if one["request"]["path"] == "/validate/polltransaction"]
    for interaction in pending:
        interaction["pending"] = True
    (project.folder / "pact.json").write_text(json.dumps(pact))
    project.settings["more"] = 'contract = "pact.json"'
    with faulty_proxy(server.endpoint, on_path("/validate/polltransaction", refuse)) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    outcomes = {check["subject"]: check["outcome"] for check in result.checks("contract.interaction")}
    assert pending
    assert {outcomes[one["description"]] for one in pending} == {"info"}
    assert result.exit_code == 0, result.stdout


def test_a_credential_that_is_refused_in_mid_run(project: Project, server: Running) -> None:
    with faulty_proxy(server.endpoint, between(12, 999, refuse)) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (3, "provider.auth-outage"), result.stdout
    assert "accepted at the start of this run" in result.first["headline"]
