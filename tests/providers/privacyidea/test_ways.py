"""Servers as people run them: policies that hide reasons, no key, a service account, a front that blocks paths."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from prometheus_client import CollectorRegistry

from mfagate.monitor import Answer, monitor
from mfagate.monitor import CallResult as Judged
from mfagate.providers.privacyidea.client import PrivacyIDEAClient, ServiceAccount
from mfagate.providers.privacyidea.provider import PROVIDER
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings
from mfagate.providers.second_factor import CredentialRejected, Factor
from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import Fault, Handler, faulty_proxy
from mfagate.testing.project import CommandResult, Project
from mfagate_sandbox.privacyidea.sandbox import PrivacyIDEASandbox

from ...support.answers import Answers
from ...support.project import link_shipped

REASONS, STATUS = "hidden-reasons", "hidden-status"
HIDING = [[REASONS], [REASONS, STATUS]]


def forged() -> str:
    bad = PROVIDER.probes.with_bad_credential(PrivacyIDEASettings(url="https://mfa.example.com"), "validate_key")
    assert bad is not None
    return bad.secret("validate_key") or ""


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with PrivacyIDEASandbox().start(faults=[]) as running:
        yield running


class Ways(Project):
    """One integration whose settings a test writes whole; without test data only safe questions are asked."""

    def __init__(self, folder: Path, running: Running) -> None:
        link_shipped(folder)
        secrets = {"GOOD": "validate_key", "ADMIN": "admin_key", "PASSWORD": "admin_password"}
        super().__init__(
            folder,
            {name: running.values[value] for name, value in secrets.items()}
            | {"BAD": forged(), "WRONG": "n0t-the-password-of-it"},
        )
        self.url = running.endpoint
        self.environment = "staging"
        self.more = ""
        self.settings = ""

    def text(self) -> str:
        return (
            f'[integrations.mfa]\nprovider = "privacyidea"\nenvironment = "{self.environment}"\n{self.more}\n'
            f'[integrations.mfa.settings]\nurl = "{self.url}"\n{self.settings}\n'
        )


Gate = Callable[..., CommandResult]


@pytest.fixture
def gate(tmp_path: Path, running: Running) -> Iterator[Gate]:
    project = Ways(tmp_path, running)

    def run(
        settings: str, faults: list[str] | None = None, environment: str = "staging", more: str = "", url: str = ""
    ) -> CommandResult:
        running.change_faults(faults or [])
        project.settings, project.environment, project.more = settings, environment, more
        project.url = url or running.endpoint
        return project.run("gate")

    yield run
    running.change_faults([])


def of(result: CommandResult, check_id: str, subject: str | None = None) -> dict[str, Any]:
    return next(check for check in result.checks(check_id) if check["subject"] == subject)


def assert_replaces_nothing(result: CommandResult) -> None:
    for check in result.first["checks"]:
        step = check["next_step"] or ""
        assert "Put the right value" not in step, check
        assert not step.startswith(("Replace", "Rotate")), check


GOOD = 'validate_key = "env:GOOD"'
BAD = 'validate_key = "env:BAD"'
OPEN = 'validate_access = "open"'
ACCOUNT = 'service_account = "admin"\nservice_password = "env:PASSWORD"'
WRONG_PASSWORD = 'service_account = "admin"\nservice_password = "env:WRONG"'


@pytest.mark.parametrize("faults", HIDING)
def test_a_good_key_behind_hidden_reasons_is_proved_elsewhere(gate: Gate, faults: list[str]) -> None:
    result = gate(GOOD, faults)
    accepted = of(result, "credential.accepted", "validate_key")
    assert accepted["outcome"] == "pass"
    assert "GET /validate/polltransaction" in accepted["evidence"]["asked instead"]
    assert of(result, "credential.enforced", "validate_key")["outcome"] == "pass"
    # What the contract says of refusals cannot be compared, and nobody is accused.
    assert (result.exit_code, result.first["cause"]) == (3, "credential.not-provable")
    assert "hide_specific_error_message" in result.first_red["message"]
    assert "exempt this client" in result.first_red["next_step"]
    assert_replaces_nothing(result)


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("faults", [*HIDING, [STATUS], []])
def test_a_bad_key_is_rejected_whatever_is_hidden(gate: Gate, faults: list[str], environment: str) -> None:
    result = gate(BAD, faults, environment)
    assert (result.exit_code, result.first["cause"]) == (1, "credential.rejected"), result.stdout
    assert "another server issued it" in result.first_red["message"]


def test_a_server_that_fails_at_the_key_points_at_its_log(gate: Gate, running: Running) -> None:
    body = json.dumps({"result": {"status": False, "error": {"code": -500, "message": "m"}}}).encode()

    def fault(handler: Handler) -> bool:
        return handler.path.startswith("/validate/check") and handler.answer(500, body, "application/json")

    with faulty_proxy(running.endpoint, fault) as before:
        result = gate(GOOD, url=before.url)
    assert (result.exit_code, result.first["cause"]) == (3, "provider.auth-outage"), result.stdout
    assert "privacyidea.log" in result.first_red["next_step"]
    assert "status page" not in result.first_red["next_step"]


@pytest.mark.parametrize("faults", HIDING)
def test_in_production_acceptance_elsewhere_is_no_proof(gate: Gate, faults: list[str]) -> None:
    """Nobody knows there whether a made-up key would fare differently."""
    result = gate(GOOD, faults, "production")
    assert (result.exit_code, result.first["cause"]) == (3, "credential.not-provable")
    assert result.first_red["id"] == "credential.accepted"
    assert "hide_specific_error_message" in result.first_red["message"]
    assert result.first_red["next_step"].startswith("Do not replace the key")
    assert result.first_red["location"] is None
    assert_replaces_nothing(result)
    allowed = gate(GOOD, faults, "production", 'production_allows = ["failing-credential"]')
    assert of(allowed, "credential.accepted", "validate_key")["outcome"] == "pass"


def test_a_hidden_status_leaves_the_code(gate: Gate) -> None:
    result = gate(GOOD, [STATUS])
    assert of(result, "credential.accepted", "validate_key")["outcome"] == "pass"
    assert of(result, "credential.enforced", "validate_key")["outcome"] == "pass"
    assert (result.exit_code, result.first["cause"]) == (1, "contract.status-changed")
    assert "hide_auth_error_status" in result.first_red["message"]
    assert_replaces_nothing(result)


def test_an_admin_key_is_proved_as_ever(gate: Gate) -> None:
    result = gate('admin_key = "env:ADMIN"', [REASONS, STATUS])
    assert of(result, "credential.accepted", "admin_key")["outcome"] == "pass"
    assert of(result, "permission", "triggerchallenge")["outcome"] == "pass"


def only(*paths: str, status: int = 403, body: bytes = b"<html><title>403 Forbidden</title></html>") -> Fault:
    """Let some paths through, as a front end does."""

    def fault(handler: Handler) -> bool:
        if handler.path.partition("?")[0] in paths:
            return False
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        kind = "application/json" if body.startswith(b"{") else "text/html"
        return handler.answer(status, body, kind)

    return fault


@pytest.mark.parametrize("key", [GOOD, BAD])
def test_with_the_other_endpoint_blocked_nothing_is_known(gate: Gate, running: Running, key: str) -> None:
    with faulty_proxy(running.endpoint, only("/validate/check", "/healthz/readyz")) as before:
        result = gate(key, [REASONS, STATUS], url=before.url)
    assert (result.exit_code, result.first["cause"]) == (3, "credential.not-provable")
    assert "hide_specific_error_message" in result.first_red["message"]
    assert_replaces_nothing(result)


NO_HEALTH = json.dumps({"result": {"status": False, "error": {"code": -404, "message": "404 Not Found: …"}}}).encode()


@pytest.mark.parametrize(
    "fault",
    [only("/validate/check"), only("/validate/check", status=404, body=NO_HEALTH), only("/validate/check", status=404)],
    ids=["a front end", "an old server", "a page"],
)
def test_without_a_health_url_the_key_is_asked(gate: Gate, running: Running, fault: Fault) -> None:
    with faulty_proxy(running.endpoint, fault) as before:
        result = gate(GOOD, url=before.url)
        refused = gate(BAD, url=before.url)
    ping = of(result, "provider.ping")
    assert (ping["outcome"], ping["cause"]) == ("warn", "provider.ping-unavailable")
    assert of(result, "credential.accepted", "validate_key")["outcome"] == "pass"
    assert (result.exit_code, result.first["verdict"]) == (0, "pass"), result.stdout
    assert refused.first["cause"] == "credential.rejected"


def drops_authorization(handler: Handler) -> bool:
    del handler.headers["Authorization"]
    return False


@pytest.mark.parametrize(("key", "cause"), [(GOOD, "network.proxy"), (BAD, "credential.rejected")])
def test_a_proxy_that_drops_the_header(gate: Gate, running: Running, key: str, cause: str) -> None:
    with faulty_proxy(running.endpoint, drops_authorization) as before:
        result = gate(key, url=before.url)
    assert (result.exit_code, result.first["cause"]) == (1, cause)
    if cause == "network.proxy":
        assert "removes or replaces that header" in result.first_red["message"]
        assert "WSGIPassAuthorization" in result.first_red["next_step"]


def test_a_front_end_that_lets_nothing_through_is_no_wrong_url(gate: Gate, running: Running) -> None:
    with faulty_proxy(running.endpoint, only()) as before:
        result = gate(GOOD, url=before.url)
    assert (result.exit_code, result.first["cause"]) == (1, "contract.not-json"), result.stdout
    assert "403 Forbidden" in result.first_red["evidence"]["page title"]
    assert "allow this machine's address" in result.first_red["next_step"]
    assert_replaces_nothing(result)


@pytest.mark.parametrize("fault", [only(status=401), only(status=404), only(status=404, body=NO_HEALTH)])
def test_another_application_at_the_address(gate: Gate, running: Running, fault: Fault) -> None:
    """Or the server, at another path."""
    with faulty_proxy(running.endpoint, fault) as before:
        result = gate(GOOD, url=before.url)
    assert (result.exit_code, result.first["cause"]) == (1, "config.malformed-url")
    assert "not privacyIDEA's API" in result.first_red["message"]
    assert "host, port and path" in result.first_red["next_step"]


def test_a_server_without_a_key(gate: Gate) -> None:
    result = gate(OPEN, ["keyless"])
    assert (result.exit_code, result.first["verdict"]) == (0, "pass"), result.stdout
    assert of(result, "credential.accepted", "validate_access")["outcome"] == "pass"
    assert of(result, "credential.enforced", "validate_access")["outcome"] == "skipped"


def test_a_server_that_wants_a_key_after_all(gate: Gate) -> None:
    result = gate(OPEN)
    assert (result.exit_code, result.first["cause"]) == (1, "config.setting-missing")
    assert "api_key_required" in result.first_red["message"]
    assert result.first_red["evidence"]["setting"] == "mfa.settings.validate_access"
    assert "set validate_key" in result.first_red["next_step"]


@pytest.mark.parametrize(("beside", "faults"), [(GOOD, []), (OPEN, ["keyless"])])
def test_a_service_account(gate: Gate, beside: str, faults: list[str]) -> None:
    result = gate(f"{beside}\n{ACCOUNT}", faults)
    assert (result.exit_code, result.first["verdict"]) == (0, "pass"), result.stdout
    assert of(result, "credential.accepted", "service_password")["outcome"] == "pass"
    assert of(result, "credential.enforced", "service_password")["outcome"] == "pass"
    assert of(result, "permission", "triggerchallenge")["outcome"] == "pass"


def test_a_wrong_password_of_a_service_account(gate: Gate) -> None:
    result = gate(f"{GOOD}\n{WRONG_PASSWORD}")
    assert (result.exit_code, result.first["cause"]) == (1, "credential.rejected")
    assert "service account" in result.first_red["message"]
    assert result.first_red["evidence"]["setting"] == "mfa.settings.service_password"


def test_a_login_whose_refusal_is_hidden(gate: Gate) -> None:
    result = gate(f"{GOOD}\n{WRONG_PASSWORD}", [REASONS])
    assert (result.exit_code, result.first["cause"]) == (1, "provider.refusal-unrecognised")
    assert "hide_specific_error_message" in result.first_red["message"]
    assert "audit log" in result.first_red["next_step"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ('service_account = "admin"', "service_password"),
        (f'{GOOD}\nservice_password = "env:PASSWORD"', "service_account"),
        (f"{GOOD}\n{OPEN}", "validate_access"),
        (f'admin_key = "env:ADMIN"\n{ACCOUNT}', "admin_key"),
        ('validate_access = "closed"', "validate_access"),
        ("", "validate_access"),
    ],
)
def test_contradictions_are_found_offline(tmp_path: Path, running: Running, settings: str, named: str) -> None:
    project = Ways(tmp_path, running)
    project.settings = settings
    result = project.run_in_process("check")
    assert result.exit_code == 1
    assert named in result.first_red["message"]


@pytest.mark.parametrize("beside", ["", f"{ACCOUNT}"])
def test_a_contract_that_needs_the_key_says_how_to_do_without(tmp_path: Path, running: Running, beside: str) -> None:
    project = Ways(tmp_path, running)
    project.settings = beside or 'admin_key = "env:ADMIN"'
    check = of(project.run_in_process("check"), "contract.file")
    assert check["cause"] == "config.setting-missing"
    assert 'validate_access = "open"' in check["next_step"]


@pytest.mark.parametrize("faults", [[], [STATUS], [REASONS], [REASONS, STATUS]])
def test_a_mistyped_user_name_wakes_nobody(
    running: Running, faults: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the server hides: no problem is counted, and no line is written."""
    running.change_faults(faults)
    watching = monitor("privacyidea", registry=CollectorRegistry())
    for user in ("nobody-of-this-name", "mfagate-no-such-user"):
        answer = requests.post(
            f"{running.endpoint}/validate/check",
            data={"user": user, "pass": "000000"},
            headers={"Authorization": running.values["validate_key"], "Accept": "application/json"},
            timeout=10,
        )
        request = SimpleNamespace(method="POST", url=answer.url)
        judged = watching.observe(request, Answer(answer.status_code, dict(answer.headers), answer.content), 0.1)
        assert judged in (Judged.REFUSED, Judged.UNEXPLAINED)
        assert (judged is Judged.UNEXPLAINED) == (REASONS in faults)
    assert watching.causes == ()
    assert caplog.messages == []
    running.change_faults([])


@pytest.mark.parametrize("realm", [None, "admins"])
def test_the_reference_client_uses_a_service_account(realm: str | None) -> None:
    """A token is fetched with name and password, and triggers the challenge; the key stays where it was."""
    answers = Answers()
    answers.say({"result": {"status": True, "value": {"token": "t0ken"}}}, path="/auth")
    triggered = {"result": {"status": True, "value": 1}, "detail": {"transaction_id": "42"}}
    answers.say(triggered, path="/validate/triggerchallenge")
    with faulty_proxy("http://127.0.0.1:9", answers) as server:
        service = ServiceAccount("mfa-trigger", "pa55", realm)
        client = PrivacyIDEAClient(server.url, None, service=service, timeout_seconds=2)
        assert client.start("alice", Factor.PUSH).transaction == "42"
    login, trigger = answers.asked
    form = {"username": ["mfa-trigger"], "password": ["pa55"]} | ({"realm": [realm]} if realm else {})
    assert (login.path, login.form) == ("/auth", form)
    assert trigger.form == {"user": ["alice"]}
    assert "pa55" not in repr(service)


def test_the_reference_client_says_that_a_service_account_is_refused() -> None:
    answers = Answers()
    refusal = {"result": {"status": False, "error": {"code": 4031, "message": "Authentication failure."}}}
    answers.say(refusal, 401, path="/auth")
    with faulty_proxy("http://127.0.0.1:9", answers) as server:
        client = PrivacyIDEAClient(server.url, None, service=ServiceAccount("mfa-trigger", "pa55"), timeout_seconds=2)
        with pytest.raises(CredentialRejected):
            client.start("alice", Factor.PUSH)
    assert [asked.path for asked in answers.asked] == ["/auth"]
