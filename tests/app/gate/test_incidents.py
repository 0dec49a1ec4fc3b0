"""What goes wrong in real deployments, one change at a time: exit code, cause, place, next step."""

from __future__ import annotations

import datetime
import json
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from tests.support.faults import after, clock_ahead, on_path, without_date
from tests.support.project import Project

from mfagate.sandbox import Running
from mfagate.sandbox.faulty_proxy import Fault, Handler, always, drip, faulty_proxy, flood, hang_up

FAIL, INCONCLUSIVE = 1, 3


def test_a_healthy_server_passes(project: Project) -> None:
    project.ask_everything()
    result = project.run("gate")
    assert (result.exit_code, result.report["verdict"]) == (0, "pass"), result.stdout
    assert result.report["summary"]["fail"] == result.report["summary"]["inconclusive"] == 0
    assert len(result.checks("contract.interaction")) >= 14
    assert all(check["outcome"] == "pass" for check in result.checks("contract.interaction"))


def _edit_env(edit: Callable[[str], str]) -> Callable[[Project], None]:
    def change(project: Project) -> None:
        project.env["VALIDATE"] = edit(project.env["VALIDATE"])

    return change


def _in_file(project: Project) -> None:
    (project.folder / "key").write_text(project.env["VALIDATE"] + "\n")
    project.settings["validate_key"] = "file:key"


def _in_manifest(project: Project) -> None:
    project.write_k8s_secret(project.env["VALIDATE"] + "\n")
    project.settings["validate_key"] = "k8s-secret:secret.yaml#mfa/token"


def _swap(project: Project) -> None:
    project.env["VALIDATE"], project.env["ADMIN"] = project.env["ADMIN"], project.env["VALIDATE"]


def _expired(project: Project) -> None:
    project.env["VALIDATE"] = project.env["EXPIRED"]


def _admin_for_validate(project: Project) -> None:
    project.env["VALIDATE"] = project.env["ADMIN"]


def _unset(project: Project) -> None:
    project.settings["validate_key"] = "env:VALIDATE_KEY_OF_NOBODY"


def _literal(project: Project) -> None:
    project.settings["validate_key"] = project.env["VALIDATE"]


@pytest.mark.parametrize(
    ("change", "cause", "file"),
    [
        pytest.param(_edit_env(lambda key: key[:-1]), "config.malformed-value", "integrations.toml", id="truncated"),
        pytest.param(_edit_env(lambda key: key[1:]), "config.malformed-value", "integrations.toml", id="cut in front"),
        pytest.param(_edit_env(lambda key: key + "\n"), "config.stray-characters", "integrations.toml", id="newline"),
        pytest.param(_edit_env(lambda key: f'"{key}"'), "config.stray-characters", "integrations.toml", id="quotes"),
        pytest.param(_edit_env("Bearer {}".format), "config.stray-characters", "integrations.toml", id="Bearer"),
        pytest.param(_edit_env("\ufeff{}".format), "config.stray-characters", "integrations.toml", id="BOM"),
        pytest.param(_edit_env(lambda key: ""), "config.setting-missing", "integrations.toml", id="empty"),
        pytest.param(
            _edit_env(lambda key: "changeme"), "config.placeholder-left", "integrations.toml", id="placeholder"
        ),
        pytest.param(_in_file, "config.stray-characters", "key", id="newline in a file"),
        pytest.param(_in_manifest, "config.stray-characters", "secret.yaml", id="newline in a manifest"),
        pytest.param(_swap, "config.values-swapped", "integrations.toml", id="swapped"),
        pytest.param(_expired, "config.expired", "integrations.toml", id="expired"),
        pytest.param(_admin_for_validate, "config.wrong-kind", "integrations.toml", id="admin key"),
        pytest.param(_unset, "config.reference-unresolved", "integrations.toml", id="unset"),
        pytest.param(_literal, "config.literal-secret", "integrations.toml", id="literal"),
    ],
)
def test_a_wrong_value_is_found_before_anything_is_sent(
    project: Project, server: Running, change: Callable[[Project], None], cause: str, file: str
) -> None:
    change(project)
    with faulty_proxy(server.endpoint) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
        assert before.requests == []
    assert (result.exit_code, result.first["cause"]) == (FAIL, cause)
    location = result.first_red["location"]
    assert Path(location["file"]).name == file
    assert location["line"] == {"key": 1, "secret.yaml": 6}.get(file, project.line_of("validate_key"))
    assert result.first_red["next_step"]
    assert "validate_key" in result.stdout
    assert f"{location['file']}:{location['line']}" in result.stdout
    assert "30% of users" in result.stdout


def test_the_key_of_another_environment_is_refused_by_name(project: Project, other_server: Running) -> None:
    project.env["VALIDATE"] = other_server.values["validate_key"]
    result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (FAIL, "credential.rejected")
    assert result.first_red["subject"] == "validate_key"
    assert result.first_red["evidence"]["provider code"] == 303
    assert result.first_red["location"]["line"] == project.line_of("validate_key")
    assert set(result.first["exonerated"]) == {"network", "provider", "clock"}
    assert "no database took part in this answer" in " ".join(result.stdout.split())


def test_a_good_control_credential_settles_whose_fault_it_is(project: Project, other_server: Running) -> None:
    project.env |= {"CONTROL": project.env["VALIDATE"], "VALIDATE": other_server.values["validate_key"]}
    project.settings["tables"] = '[integrations.mfa.control]\nvalidate_key = "env:CONTROL"'
    result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (FAIL, "credential.rejected")
    assert "accepted" in result.first_red["evidence"]["control credential"]


def test_a_refused_control_credential_means_the_provider(project: Project, other_server: Running) -> None:
    project.env |= {"CONTROL": other_server.values["validate_key"], "VALIDATE": other_server.values["validate_key"]}
    project.settings["tables"] = '[integrations.mfa.control]\nvalidate_key = "env:CONTROL"'
    result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (INCONCLUSIVE, "provider.auth-outage")


def test_another_account_answers(project: Project) -> None:
    project.settings["expect"] = 'realm = "production"'
    result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (FAIL, "credential.wrong-account")


@pytest.mark.parametrize(
    ("whose", "exit_code", "cause"), [("own", 0, None), ("other", FAIL, "credential.wrong-account")]
)
def test_the_signature_tells_which_server_answers(
    project: Project, server: Running, other_server: Running, whose: str, exit_code: int, cause: str | None
) -> None:
    key = (server if whose == "own" else other_server).values["public_key"]
    (project.folder / "server.pem").write_text(key)
    project.settings |= {"environment": "production", "expect": 'public_key = "file:server.pem"'}
    result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (exit_code, cause), result.stdout


def test_a_right_that_is_missing(project: Project, server: Running) -> None:
    message = "Admin actions are defined, but the action triggerchallenge is not allowed!"
    body = json.dumps({"result": {"status": False, "error": {"code": 303, "message": message}}}).encode()
    with faulty_proxy(
        server.endpoint, on_path("/validate/triggerchallenge", always(403, body, "application/json"))
    ) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (FAIL, "credential.insufficient-permission")
    assert (result.first_red["id"], result.first_red["subject"]) == ("permission", "triggerchallenge")


def test_a_misspelt_host(project: Project) -> None:
    project.settings["url"] = "https://mfa.exampel.invalid"
    result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (FAIL, "network.dns-failure")
    assert "mfa.exampel.invalid" in result.stdout


def test_a_closed_port(project: Project, server: Running) -> None:
    with faulty_proxy(server.endpoint) as gone:
        project.settings["url"] = gone.url
    result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (INCONCLUSIVE, "network.connection-refused")


@pytest.mark.parametrize(
    ("fault", "exit_code", "cause"),
    [
        pytest.param(always(200, b"<html><title>Login</title>"), FAIL, "contract.not-json", id="HTML"),
        pytest.param(always(503, b"<html>busy"), INCONCLUSIVE, "provider.outage", id="503"),
        pytest.param(
            always(503, b"later", Retry_After="120"), INCONCLUSIVE, "provider.maintenance", id="503 with Retry-After"
        ),
        pytest.param(always(429, b"{}", "application/json"), INCONCLUSIVE, "provider.rate-limited", id="429"),
        pytest.param(always(200, b"", "application/json"), FAIL, "contract.body-unreadable", id="empty body"),
        pytest.param(always(200, b'{"result"', "application/json"), FAIL, "contract.body-unreadable", id="cut JSON"),
        pytest.param(
            always(302, b"", Location="https://login.example/"), FAIL, "network.unexpected-redirect", id="redirect"
        ),
        pytest.param(always(404, b"{}", "application/json"), FAIL, "config.malformed-url", id="another application"),
        pytest.param(always(407, b""), FAIL, "network.proxy", id="407"),
        pytest.param(flood, FAIL, "contract.body-unreadable", id="50 MB"),
        pytest.param(drip, INCONCLUSIVE, "network.read-timeout", id="one byte a second"),
        pytest.param(hang_up, INCONCLUSIVE, "network.connection-reset", id="hangs up"),
        pytest.param(clock_ahead(3600), FAIL, "clock.skew", id="an hour ahead"),
        pytest.param(clock_ahead(-3600), FAIL, "clock.skew", id="an hour behind"),
        pytest.param(after(8, hang_up), INCONCLUSIVE, "network.connection-reset", id="stops in mid-run"),
        pytest.param(after(14, always(503, b"")), INCONCLUSIVE, "provider.outage", id="fails in mid-run"),
        pytest.param(
            on_path("/validate/check", always(404, b"{}", "application/json")),
            FAIL,
            "contract.endpoint-retired",
            id="endpoint gone",
        ),
    ],
)
def test_a_server_in_trouble(project: Project, server: Running, fault: Fault, exit_code: int, cause: str) -> None:
    with faulty_proxy(server.endpoint, fault) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (exit_code, cause), result.stdout
    assert result.first_red["next_step"]
    answered = [check for check in result.checks("contract.interaction") if check["outcome"] == "pass"]
    assert ("database" in result.first["exonerated"]) == bool(answered), "only if a login was reproduced and answered"


def test_a_key_that_is_not_looked_at(project: Project, server: Running) -> None:
    def takes_any_key(handler: object) -> bool:
        handler.headers.replace_header("Authorization", project.env["VALIDATE"])  # type: ignore[attr-defined]
        return False

    with faulty_proxy(server.endpoint, on_path("/validate/check", takes_any_key)) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (FAIL, "credential.not-enforced")


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    return trustme.CA()


def _server_tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def _days(number: int) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=number)


@pytest.mark.parametrize(
    ("trusted", "name", "days_left", "exit_code", "cause", "warnings"),
    [
        pytest.param(True, "127.0.0.1", 300, 0, None, [], id="good"),
        pytest.param(True, "127.0.0.1", 5, 0, None, ["network.tls-expiring-soon"], id="expiring soon"),
        pytest.param(False, "127.0.0.1", 300, FAIL, "network.tls-untrusted", [], id="unknown CA"),
        pytest.param(True, "127.0.0.1", -1, FAIL, "network.tls-expired", [], id="expired"),
        pytest.param(True, "mfa.example.org", 300, FAIL, "network.tls-hostname-mismatch", [], id="another name"),
    ],
)
def test_tls(
    project: Project,
    server: Running,
    ca: trustme.CA,
    trusted: bool,
    name: str,
    days_left: int,
    exit_code: int,
    cause: str | None,
    warnings: list[str],
) -> None:
    tls = _server_tls(ca.issue_cert(name, not_before=_days(-30), not_after=_days(days_left)))
    ca.cert_pem.write_to_path(str(project.folder / "ca.pem"))
    with faulty_proxy(server.endpoint, tls=tls) as before:
        project.settings |= {"url": before.url, "more": 'ca_bundle = "ca.pem"' if trusted else ""}
        result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (exit_code, cause), result.stdout
    assert [check["cause"] for check in result.first["checks"] if check["outcome"] == "warn"] == warnings


def test_a_clock_that_was_not_seen_is_not_cleared(project: Project, server: Running, other_server: Running) -> None:
    project.env["VALIDATE"] = other_server.values["validate_key"]
    with faulty_proxy(server.endpoint, without_date) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert result.first["cause"] == "credential.rejected"
    assert result.checks("clock")[0]["outcome"] == "skipped"
    assert set(result.first["exonerated"]) == {"network", "provider"}


def test_nothing_unsafe_is_sent_to_production(project: Project, server: Running) -> None:
    project.settings["environment"] = "production"
    with faulty_proxy(server.endpoint) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
        sent = set(before.requests)
    assert result.exit_code == 0, result.stdout
    assert sent == {
        ("GET", "/healthz/readyz"),
        ("POST", "/validate/check"),
        ("GET", "/auth/rights"),
        ("POST", "/validate/triggerchallenge"),
    }
    ran = [check["subject"] for check in result.checks("contract.interaction") if check["outcome"] == "pass"]
    assert ran == ["unknown user"]
    assert result.checks("credential.enforced")[0]["outcome"] == "skipped"


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_ca_bundle_that_cannot_be_used(project: Project, content: str | None) -> None:
    if content is not None:
        (project.folder / "ca.pem").write_text(content)
    from_environment = project.run("gate", REQUESTS_CA_BUNDLE=str(project.folder / "ca.pem"))
    assert (from_environment.exit_code, from_environment.first["cause"]) == (FAIL, "config.reference-unresolved")
    assert "REQUESTS_CA_BUNDLE" in from_environment.stdout
    project.settings["more"] = 'ca_bundle = "ca.pem"'
    from_file = project.run("check")
    assert (from_file.exit_code, from_file.first["cause"]) == (FAIL, "config.reference-unresolved")
    assert from_file.first_red["location"]["line"] == project.line_of("ca_bundle")


def test_a_proxy_that_cannot_be_reached(project: Project, server: Running) -> None:
    with faulty_proxy(server.endpoint) as gone:
        proxy = gone.url
    assert project.run("gate", HTTP_PROXY=proxy).first["cause"] == "network.proxy"
    assert project.run("gate", HTTP_PROXY=proxy, NO_PROXY="127.0.0.1").exit_code == 0


def test_https_to_a_plain_port(project: Project, server: Running) -> None:
    project.settings["url"] = server.endpoint.replace("http:", "https:")
    result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (FAIL, "network.tls-handshake")


def test_an_admin_key_that_may_not_list_tokens(project: Project, server: Running) -> None:
    """The server then answers with an empty list, as if there were no tokens."""
    nothing = json.dumps({"result": {"status": True, "value": {"count": 0, "tokens": []}}}).encode()

    def fault(handler: Handler) -> bool:
        return handler.command == "GET" and on_path("/token/", always(200, nothing, "application/json"))(handler)

    with faulty_proxy(server.endpoint, fault) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (INCONCLUSIVE, "contract.state-unavailable")
    assert "tokenlist" in result.stdout


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (always(403, b"<html>Blocked</html>", "text/html"), "contract.not-json"),
        (always(200, b'{"result": {', "application/json"), "contract.body-unreadable"),
    ],
)
def test_a_setup_answer_that_cannot_be_read(
    project: Project, server: Running, answer: Callable[[Handler], bool], cause: str
) -> None:
    with faulty_proxy(server.endpoint, on_path("/token/init", answer)) as before:
        project.settings["url"] = before.url
        result = project.run("gate")
    assert (result.exit_code, result.first["cause"]) == (INCONCLUSIVE, cause)
    assert result.first_red["message"].startswith("POST /token/init")
