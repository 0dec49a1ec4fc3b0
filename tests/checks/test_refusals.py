"""An unknown refusal blames no setting; a refusal without a reason does so only after further requests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mfagate.app import gate
from mfagate.checks import Stage
from mfagate.config.load import load
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.result import Check, IntegrationReport
from tests.checks.fake import CANARY, TOKEN, Fake, Run, Server, of, red

CONTROL = "c0ntr0l-client-s3cret"
BARE = (401, b"")
UNKNOWN = (401, {"error": "a code nobody has seen"})
GOOD = (200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})

Answer = tuple[int, Any]


def answers(own: Answer, made_up: Answer, control: Answer = GOOD) -> Callable[[bytes], Answer]:
    """Answer the configured, the control and a made-up secret."""

    def token(body: bytes) -> Answer:
        if CANARY.encode() in body:
            return own
        return control if CONTROL.encode() in body else made_up

    return token


Runs = Callable[..., IntegrationReport]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server, provider: Fake) -> Runs:
    """Run the gate with a control credential or in another environment."""
    monkeypatch.setenv("SECRET", CANARY)
    monkeypatch.setenv("CONTROL", CONTROL)

    def run(environment: str = "staging", extra: str = "", *, control: bool = False) -> IntegrationReport:
        table = '[integrations.x.control]\ntenant = "acme"\nclient_secret = "env:CONTROL"\n' if control else ""
        (tmp_path / "integrations.toml").write_text(
            f'[integrations.x]\nprovider = "fake"\nenvironment = "{environment}"\n{extra}\n'
            f'[integrations.x.settings]\ntenant = "acme"\nclient_secret = "env:SECRET"\n{table}'
        )
        configuration = load(tmp_path / "integrations.toml", ["fake"])
        return gate.run(gate.GatePlan(configuration, configuration.select(), Stage.GATE)).report.integrations[0]

    return run


def assert_accuses_nothing(check: Check) -> None:
    assert (check.cause, check.outcome) == (CauseId.PROVIDER_REFUSAL_UNRECOGNISED, Outcome.FAIL)
    assert (check.next_step or "").startswith("Do not rotate")
    assert "Put the right value" not in (check.next_step or "")
    assert check.location is None


def test_an_unknown_code_is_shown_and_accuses_nothing(run: Run, server: Server) -> None:
    server.token = lambda body: UNKNOWN
    check = red(run())
    assert_accuses_nothing(check)
    assert check.evidence["provider code"] == "a code nobody has seen"
    assert check.evidence["provider message"] == "in its own words"
    assert check.evidence["provider reference"] == "request-4711"
    assert check.evidence["provider's errors"] == "https://fake.example/errors"
    assert "https://fake.example/errors" in (check.next_step or "")
    assert check.evidence["attempts"] == "3 of 3 failed: 3 × provider.refusal-unrecognised (401)"


@pytest.mark.parametrize(("answer", "is_foreign"), [((403, {"message": "Forbidden"}), True), (UNKNOWN, False)])
def test_a_gateways_own_refusal_is_looked_for(run: Run, server: Server, answer: Answer, is_foreign: bool) -> None:
    """A gateway refused with its own JSON, and the report led to the provider's list of codes."""
    server.token = lambda body: answer
    check = red(run())
    assert_accuses_nothing(check)
    assert ("look first for a gateway or proxy" in str(check.next_step)) is is_foreign


@pytest.mark.parametrize("status", [400, 401, 402, 403, 409, 422, 423])
def test_an_unknown_code_accuses_nothing_at_any_status(run: Run, server: Server, status: int) -> None:
    server.token = lambda body: (status, {"error": "a code nobody has seen"})
    assert_accuses_nothing(red(run()))


@pytest.mark.parametrize("status", [400, 403, 404, 410, 500, 503])
def test_a_known_code_decides_at_any_status(run: Run, server: Server, status: int) -> None:
    server.token = lambda body: (status, {"error": "bad_secret"})
    assert red(run()).cause is CauseId.CREDENTIAL_REJECTED


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"message": "Forbidden"}, "Forbidden"),
        ({"Message": "not for you"}, "not for you"),
        ({"title": "Denied", "detail": "by policy 7"}, "by policy 7"),
        ({"code": 17}, None),
        ({}, None),
        ([], None),
        ("no", "no"),
        (b"RBAC: access denied", "RBAC: access denied"),
        (b'{"damaged', '{"damaged'),
    ],
)
def test_words_in_another_form_are_shown(run: Run, server: Server, body: Any, said: str | None) -> None:
    server.token = lambda _: (403, body)
    server.headers["/login/token"] = {"X-Request-Id": "r-1"}
    check = red(run())
    assert_accuses_nothing(check)
    assert check.evidence.get("provider message") == said
    assert check.evidence["provider reference"] == "r-1"


def test_an_echoed_secret_is_not_shown(run: Run, server: Server) -> None:
    server.token = lambda _: (403, {"message": f"no such secret: {CANARY}"})
    check = red(run())
    assert_accuses_nothing(check)
    assert "no such secret" in check.evidence["provider message"]


def test_a_page_is_not_the_providers_refusal(run: Run, server: Server) -> None:
    server.token = lambda _: (403, b"<html><title>Blocked</title></html>")
    check = red(run())
    assert check.cause is CauseId.CONTRACT_NOT_JSON
    assert check.evidence["page title"] == "Blocked"


def test_a_refusal_without_a_reason_that_a_made_up_credential_gets_too(run: Run, server: Server) -> None:
    server.token = answers(BARE, BARE)
    check = red(run())
    assert (check.id, check.cause) == ("credential.accepted", CauseId.CREDENTIAL_REJECTED)
    assert check.evidence["made-up credential"] == "refused in the same way (401)"
    assert check.evidence["setting"] == "x.settings.client_secret"
    assert "Compare the fingerprint" in (check.next_step or "")


@pytest.mark.parametrize(
    ("made_up", "result"),
    [
        (GOOD, "accepted"),
        ((401, {"error": "bad_secret"}), "refused in other words (401)"),
        ((403, b""), "refused with another status"),
        ((500, {}), "refused in other words (500)"),
    ],
)
def test_a_refusal_without_a_reason_that_a_made_up_credential_does_not_get(
    run: Run, server: Server, made_up: Answer, result: str
) -> None:
    server.token = answers(BARE, made_up)
    check = red(run())
    assert_accuses_nothing(check)
    assert check.evidence["made-up credential"] == result


def test_a_challenge_that_gives_a_reason_is_not_without_words(run: Run, server: Server) -> None:
    server.token = answers(BARE, BARE)
    server.headers["/login/token"] = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
    assert_accuses_nothing(red(run()))


def test_a_server_that_refuses_everything_shows_nothing_about_the_credential(run: Run, server: Server) -> None:
    """A gateway that refuses the ping as well may refuse the caller."""
    server.token = answers(BARE, BARE)
    server.answers["/login/ping"] = BARE
    assert_accuses_nothing(red(run()))


def test_in_production_no_made_up_credential_is_sent(runs: Runs, server: Server) -> None:
    server.token = answers(BARE, GOOD)
    check = red(runs("production"))
    assert check.cause is CauseId.CREDENTIAL_REJECTED
    assert check.evidence["made-up credential"] == "not sent in production"
    assert all(CANARY.encode() in body for body in server.bodies["/login/token"])


def test_in_production_it_is_sent_where_that_is_allowed(runs: Runs, server: Server) -> None:
    server.token = answers(BARE, GOOD)
    assert_accuses_nothing(red(runs("production", 'production_allows = ["failing-credential"]')))


def test_a_control_that_is_accepted_settles_it(runs: Runs, server: Server) -> None:
    server.token = answers(BARE, BARE)
    check = red(runs(control=True))
    assert check.cause is CauseId.CREDENTIAL_REJECTED
    assert check.evidence["control credential"] == "accepted in the same minute"


@pytest.mark.parametrize("own", [BARE, UNKNOWN])
def test_a_control_that_is_refused_too(runs: Runs, server: Server, own: Answer) -> None:
    server.token = answers(own, own, own)
    check = red(runs(control=True))
    assert (check.cause, check.outcome) == (CauseId.PROVIDER_AUTH_OUTAGE, Outcome.INCONCLUSIVE)


def test_a_control_that_settles_nothing(runs: Runs, server: Server) -> None:
    server.token = answers(BARE, BARE, (400, {"error": "no_application"}))
    check = red(runs(control=True))
    assert_accuses_nothing(check)
    assert check.evidence["control credential"] == "not settled (account.resource-missing)"


def test_an_unknown_refusal_names_the_result_of_the_control(runs: Runs, server: Server) -> None:
    server.token = answers(UNKNOWN, UNKNOWN)
    check = red(runs(control=True))
    assert_accuses_nothing(check)
    assert check.evidence["control credential"] == "accepted in the same minute"


def test_a_refusal_that_comes_and_goes_is_not_the_credential(run: Run, server: Server) -> None:
    turn = iter([UNKNOWN])
    server.token = lambda body: next(turn, GOOD)
    check = red(run())
    assert (check.cause, check.outcome) == (CauseId.PROVIDER_AUTH_OUTAGE, Outcome.INCONCLUSIVE)


def test_a_made_up_credential_may_be_refused_in_unknown_words(run: Run, server: Server) -> None:
    server.token = answers(GOOD, UNKNOWN)
    assert of(run(), "credential.enforced")["client_secret"].outcome is Outcome.PASS


@pytest.mark.parametrize("refusal", [UNKNOWN, (403, {"error": "new"}), BARE, (403, b"")])
def test_a_permission_refused_in_unknown_words_is_not_a_missing_permission(
    run: Run, server: Server, refusal: Answer
) -> None:
    server.answers["/api/read"] = refusal
    check = red(run())
    assert check.id == "permission"
    assert_accuses_nothing(check)


@pytest.mark.parametrize("refusal", [UNKNOWN, (403, b"")])
def test_a_date_that_may_not_be_looked_up_is_not_a_failure(run: Run, server: Server, refusal: Answer) -> None:
    server.answers["/api/secrets"] = refusal
    assert of(run(), "credential.expiry")["client_secret"].outcome is Outcome.SKIPPED


@pytest.mark.parametrize(
    "answer",
    [
        (404, {}),
        (404, {"error": "no such path"}),
        (410, {}),
        (405, {}),
        (403, b""),
        (403, b"<html><title>403 Forbidden</title></html>"),
        (401, {"error": "who are you"}),
        (404, b"<html>not here</html>"),
    ],
)
@pytest.mark.parametrize("host", ["/login/ping", "/api/ping"])
def test_a_ping_that_is_missing_or_blocked_is_a_warning(run: Run, server: Server, answer: Answer, host: str) -> None:
    server.answers[host] = answer
    report = run()
    check = of(report, "provider.ping")[host.split("/")[1]]
    assert (check.outcome, check.cause) == (Outcome.WARN, CauseId.PROVIDER_PING_UNAVAILABLE)
    assert str(answer[0]) in check.message
    assert {one.outcome for one in of(report, "credential.accepted").values()} == {Outcome.PASS}
    assert {one.outcome for one in of(report, "permission").values()} == {Outcome.PASS}


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ((500, {}), CauseId.PROVIDER_OUTAGE),
        ((429, {}), CauseId.PROVIDER_RATE_LIMITED),
        ((403, {"error": "no_application"}), CauseId.ACCOUNT_RESOURCE_MISSING),
    ],
)
def test_a_ping_that_says_something_definite_decides(run: Run, server: Server, answer: Answer, cause: CauseId) -> None:
    server.answers["/login/ping"] = answer
    check = red(run())
    assert (check.id, check.cause) == ("provider.ping", cause)


@pytest.mark.parametrize("page", [b"<html>nginx</html>", b"<!doctype html><title>Access denied | acme</title>"])
def test_a_page_that_refuses_every_request_is_a_filter_before_another_host(
    run: Run, server: Server, page: bytes
) -> None:
    """A web filter, or protection in front of the provider; the correct URL was once blamed."""
    server.answers["/login/ping"] = (403, page)
    server.token = lambda body: (403, page)
    check = red(run())
    assert (check.id, check.cause) == ("credential.accepted", CauseId.CONTRACT_NOT_JSON)
    assert check.location is None
    assert "/login/ping" in str(check.evidence)
    assert "do not change the credential" in str(check.next_step).lower()


@pytest.mark.parametrize("answer", [(404, {}), (404, b"<html>not here</html>"), (401, b"<html>who</html>")])
def test_a_host_that_knows_neither_ping_nor_credential_is_wrong(run: Run, server: Server, answer: Answer) -> None:
    server.answers["/login/ping"] = answer
    server.token = lambda body: answer
    check = red(run())
    assert (check.id, check.cause) == ("credential.accepted", CauseId.CONFIG_MALFORMED_URL)
    assert "Fake's API" in check.message
    assert check.location is not None


def test_a_known_refusal_decides_behind_a_missing_ping(run: Run, server: Server) -> None:
    server.answers["/login/ping"] = (404, {})
    server.token = lambda body: (401, {"error": "bad_secret"})
    assert red(run()).cause is CauseId.CREDENTIAL_REJECTED


def test_an_unanswered_ping_does_not_exonerate_the_provider(run: Run, server: Server) -> None:
    server.answers["/login/ping"] = server.answers["/api/ping"] = (404, {})
    server.token = lambda body: (401, {"error": "bad_secret"})
    assert "provider" not in run().exonerated
