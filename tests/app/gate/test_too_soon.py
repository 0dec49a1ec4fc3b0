"""A provider that wants to be asked later: nothing is wrong, and nothing is to be repaired."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.support.project import REPOSITORY

from mfagate.core.causes import CauseId
from mfagate.sandbox import BETWEEN_MESSAGES, Running
from mfagate.sandbox import registry as sandboxes
from mfagate.sandbox.faulty_proxy import Fault, Handler, faulty_proxy
from mfagate.testing.project import CommandResult
from mfagate.testing.provider_project import ProviderProject

DEADLINE = 25


class Project(ProviderProject):
    """A project without time to wait."""

    def __init__(self, folder: Path, name: str, running: Running, *descriptions: str) -> None:
        class Suite:
            provider = name
            contract = folder / "pact.json"
            cassettes = REPOSITORY / "cassettes" / name
            expect: dict[str, str] = {}

        pact = json.loads((REPOSITORY / f"contracts/{name}/auth-service-{name}.json").read_text())
        wanted = [one for one in pact["interactions"] if one["description"] in descriptions]
        assert len(wanted) == len(descriptions)
        Suite.contract.write_text(json.dumps({**pact, "interactions": wanted}))
        self.deadline = DEADLINE
        super().__init__(folder, Suite, running)  # type: ignore[arg-type]

    def text(self) -> str:
        """With a deadline, and in production with everything allowed."""
        text = super().text().replace("cassettes =", 'production_allows = ["unsafe-interactions"]\ncassettes =')
        return f"[gate]\ndeadline_seconds = {self.deadline}\n{text}"


def start(name: str) -> Iterator[Running]:
    sandbox = sandboxes.get(name)
    with sandbox.start() as running:
        yield running


@pytest.fixture
def okta() -> Iterator[Running]:
    """An org with Okta's own interval."""
    yield from start("okta")


@pytest.fixture(scope="module")
def twilio() -> Iterator[Running]:
    """A service."""
    yield from start("twilio")


@pytest.fixture(scope="module")
def auth0() -> Iterator[Running]:
    """A tenant."""
    yield from start("auth0")


def assert_skipped(result: CommandResult, description: str, words: str) -> None:
    """The gate passes, and says when it can be asked again; it blames nobody."""
    (check,) = [check for check in result.checks("contract.interaction") if check["subject"] == description]
    assert (result.exit_code, check["outcome"], check["cause"]) == (0, "skipped", CauseId.CONTRACT_ASKED_TOO_SOON)
    assert words in check["message"]
    assert re.search(r"it can be sent again after \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$", check["message"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", check["evidence"]["again after"])
    assert "repair" not in check["message"] + check["next_step"]


def test_without_enough_time_it_is_skipped(okta: Running, tmp_path: Path) -> None:
    project = Project(tmp_path, "okta", okta, "message sent", "unknown user")
    assert project.run("gate").checks("contract.interaction")[1]["outcome"] == "pass"
    assert_skipped(project.run("gate"), "message sent", "a code was sent to this user a moment ago")


@pytest.mark.parametrize(("environment", "requests"), [("staging", 2), ("production", 1)])
def test_with_enough_time_it_waits_once_and_sends_again(
    environment: str, requests: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And never in production."""
    monkeypatch.setenv(BETWEEN_MESSAGES, "1")
    for okta in start("okta"):
        project = Project(tmp_path, "okta", okta, "message sent")
        project.environment = environment
        refused = Refusing(
            "/verify", 429, {"errorCode": "E0000109", "errorSummary": "Please wait 1 seconds before trying again."}
        )
        with faulty_proxy(project.endpoint, refused) as before:
            project.endpoint = before.url
            assert_skipped(project.run("gate"), "message sent", "a code was sent to this user a moment ago")
        assert refused.requests == requests


class Refusing:
    """Refuses what sends a message; probes, which ask about nobody, are passed on."""

    def __init__(self, path: str, status: int, body: dict[str, Any]) -> None:
        self.requests = 0
        self._path = path
        self._answer = status, json.dumps(body).encode(), "application/json"

    def __call__(self, handler: Handler) -> bool:
        path = urlsplit(handler.path).path
        if handler.command != "POST" or not path.endswith(self._path) or "nosuch" in path:
            return False
        self.requests += 1
        return handler.answer(*self._answer)


def refused_by(project: Project, fault: Fault) -> CommandResult:
    with faulty_proxy(project.endpoint, fault) as before:
        project.endpoint = before.url
        return project.run("gate")


@pytest.mark.parametrize(
    ("code", "path", "description", "words"),
    [
        (60203, "/Verifications", "code sent", "five messages were sent to this number"),
        (60203, "/Verifications", "wrong code", "five messages were sent to this number"),
        (60212, "/Verifications", "code accepted", "too many concurrent verifications were started"),
        (60312, "/Challenges", "push sent", "daily limit of challenges"),
        (60312, "/Challenges", "push accepted", "daily limit of challenges"),
    ],
)
def test_limits_of_a_number_or_factor(
    twilio: Running, tmp_path: Path, code: int, path: str, description: str, words: str
) -> None:
    """In the interaction itself as well as in what arranges its state."""
    project = Project(tmp_path, "twilio", twilio, description)
    refused = Refusing(path, 429, {"code": code, "message": "Max", "more_info": "", "status": 429})
    assert_skipped(refused_by(project, refused), description, words)
    assert refused.requests == 1


def test_a_user_who_was_blocked(auth0: Running, tmp_path: Path) -> None:
    project = Project(tmp_path, "auth0", auth0, "push sent")
    body = {"error": "too_many_attempts", "error_description": "Too many"}
    refused = Refusing("/mfa/challenge", 429, body)
    assert_skipped(refused_by(project, refused), "push sent", "after too many wrong attempts")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("okta", {"errorCode": "E0000109", "errorSummary": "Please wait 1 seconds before trying again."}),
        ("twilio", {"code": 60312, "message": "Max", "more_info": "", "status": 429}),
        ("auth0", {"error": "too_many_attempts", "error_description": "Too many"}),
    ],
)
def test_no_other_error_is_skipped(
    name: str, body: dict[str, Any], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """A provider that says so to everything has not accepted the credential."""
    project = Project(tmp_path, name, request.getfixturevalue(name), "unknown user")
    answer = json.dumps(body).encode()
    result = refused_by(project, lambda handler: handler.answer(429, answer, "application/json"))
    assert result.exit_code != 0, result.stdout


def test_an_interaction_that_only_reads_is_not_excused(okta: Running, tmp_path: Path) -> None:
    project = Project(tmp_path, "okta", okta, "unknown user")
    body = json.dumps({"errorCode": "E0000109", "errorSummary": "Please wait 1 seconds"}).encode()

    def refuse(handler: Handler) -> bool:
        is_list = handler.command == "GET" and urlsplit(handler.path).path.endswith("/factors")
        return is_list and handler.answer(429, body, "application/json")

    result = refused_by(project, refuse)
    assert result.exit_code != 0, result.stdout
