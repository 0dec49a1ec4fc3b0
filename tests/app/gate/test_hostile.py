"""Answers made to hold up the gate: it ends, says what it saw, and has no defect."""

from __future__ import annotations

import pytest
from tests.support.project import Project

from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import Fault, always, faulty_proxy

TITLES = b"<title" * 43_000


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        pytest.param(always(403, TITLES, "text/html"), "contract.not-json", id="titles"),
        pytest.param(always(429, b"{}", Retry_After="9" * 5_000), "provider.rate-limited", id="digits"),
        pytest.param(always(503, b"{}", Retry_After="9" * 60_000), "provider.maintenance", id="more digits"),
        pytest.param(
            always(429, b"{}", Retry_After="Fri, 31 Dec 9999 23:59:59 GMT"), "provider.rate-limited", id="far"
        ),
        pytest.param(always(200, b"[" * 262_144, "application/json"), "contract.body-unreadable", id="deep"),
        pytest.param(
            always(200, b"9" * 5_000, "application/json"), "contract.body-unreadable", id="a number of 5,000 digits"
        ),
    ],
)
def test_a_hostile_answer(project: Project, server: Running, fault: Fault, cause: str) -> None:
    with faulty_proxy(server.endpoint, fault) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert result.exit_code in (1, 3), result.stdout
    assert result.first["cause"] == cause, result.stdout
    assert not [check for check in result.first["checks"] if check["cause"] == "gate.internal-error"]
