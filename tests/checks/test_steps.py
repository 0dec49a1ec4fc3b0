"""How the checks use a provider's declarations: several hosts, expiry dates, settings to change, refined causes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from mfagate.core.causes import CauseId, Outcome
from mfagate.providers.probes import Expiry
from mfagate.sandbox.faulty_proxy import faulty_proxy
from tests.checks.fake import Fake, Run, Server, of, red


def test_each_host_is_checked(run: Run) -> None:
    report = run()
    for check_id in ("network.resolve", "network.connect", "provider.ping"):
        assert {name: check.outcome for name, check in of(report, check_id).items()} == {
            "login": Outcome.PASS,
            "api": Outcome.PASS,
        }


def test_one_of_two_hosts_does_not_answer(run: Run, provider: Fake) -> None:
    with faulty_proxy("http://127.0.0.1:9") as closed:
        provider.api.api = closed.url
    report = run()
    assert report.cause is CauseId.NETWORK_CONNECTION_REFUSED
    assert {name: check.outcome for name, check in of(report, "network.connect").items()} == {
        "login": Outcome.PASS,
        "api": Outcome.INCONCLUSIVE,
    }


def test_the_token_is_fetched_once_and_used(run: Run, server: Server) -> None:
    report = run()
    assert {check.outcome for check in report.checks if check.id in ("permission", "credential.expiry")} == {
        Outcome.PASS,
        Outcome.SKIPPED,
    }
    # The probe, the negative control, and one for all requests that need a token.
    assert len(server.bodies["/login/token"]) == 3


def test_a_refused_token_is_explained_like_any_answer(run: Run, server: Server) -> None:
    """The probe was answered, but the request for the next token is not."""
    first = iter([(200, {}), *[(401, {"error": "bad_secret"})]])
    server.token = lambda body: next(first, (401, {"error": "no_tenant"}))
    report = run()
    assert (red(report).id, red(report).cause) == ("permission", CauseId.CREDENTIAL_UNKNOWN_KEY)


def test_a_finding_names_the_setting_that_it_is_about(run: Run, server: Server) -> None:
    server.token = lambda body: (400, {"error": "no_tenant"})
    check = red(run())
    assert (check.subject, check.cause) == ("client_secret", CauseId.CREDENTIAL_UNKNOWN_KEY)
    assert check.message.startswith("tenant: there is no such tenant")
    assert check.evidence["setting"] == "x.settings.tenant"
    assert check.evidence["value"] == "acme"
    assert check.location is not None
    assert check.location.line == 5
    assert "in the console, on top" in (check.next_step or "")
    assert check.evidence["provider reference"] == "request-4711"


def test_a_missing_right_names_the_setting_too(run: Run, server: Server) -> None:
    server.answers["/api/read"] = (404, {"error": "no_tenant"})
    check = red(run())
    assert (check.id, check.subject, check.cause) == ("permission", "read", CauseId.CREDENTIAL_UNKNOWN_KEY)
    assert check.evidence["setting"] == "x.settings.tenant"
    assert check.location is not None
    assert check.location.line == 5


@pytest.mark.parametrize("error", ["bad_secret", "no_application"])
def test_a_refusal_is_refined(run: Run, server: Server, provider: Fake, error: str) -> None:
    provider.probes.refined = CauseId.ACCOUNT_SUSPENDED
    server.token = lambda body: (401, {"error": error})
    assert red(run()).cause is CauseId.ACCOUNT_SUSPENDED


@pytest.mark.parametrize(
    ("days", "window", "outcome", "cause"),
    [
        (40, None, Outcome.PASS, None),
        (29, None, Outcome.WARN, CauseId.CREDENTIAL_EXPIRING_SOON),
        (-1, None, Outcome.FAIL, CauseId.CREDENTIAL_EXPIRED),
        # With daily use, its end is never further away than its window.
        (29, 30, Outcome.PASS, None),
        (9, 30, Outcome.WARN, CauseId.CREDENTIAL_EXPIRING_SOON),
        (29, 900, Outcome.WARN, CauseId.CREDENTIAL_EXPIRING_SOON),
    ],
)
def test_expiry(
    run: Run, provider: Fake, days: int, window: int | None, outcome: Outcome, cause: CauseId | None
) -> None:
    when = datetime.now(UTC) + timedelta(days=days, minutes=1)
    slides = timedelta(days=window) if window else None
    provider.probes.expiring = [Expiry("client_secret", when, "the secret 'ci'", slides)]
    check = of(run(), "credential.expiry")["client_secret"]
    assert (check.outcome, check.cause) == (outcome, cause)
    assert f"{when:%Y-%m-%d}" in check.message
    assert check.expires == when
    if cause is not None:
        assert check.evidence["read from"] == "env:SECRET"


def test_an_expiry_that_may_not_be_looked_up_is_not_a_failure(run: Run, server: Server) -> None:
    server.answers["/api/secrets"] = (403, {"error": "no_right"})
    report = run()
    check = of(report, "credential.expiry")["client_secret"]
    assert check.outcome is Outcome.SKIPPED
    assert "grant the right to list secrets" in check.message


def test_a_failed_look_up_of_an_expiry_is_reported(run: Run, server: Server) -> None:
    server.answers["/api/secrets"] = (500, {})
    assert red(run()).cause is CauseId.PROVIDER_OUTAGE


@pytest.mark.parametrize(("ahead", "cause"), [(0, None), (3600, CauseId.CLOCK_SKEW)])
def test_the_time_in_an_answer_is_compared_too(run: Run, server: Server, ahead: float, cause: CauseId | None) -> None:
    server.answers["/login/ping"] = (200, {"time": time.time() + ahead})
    (check,) = of(run(), "clock").values()
    assert check.cause is cause
    if cause is not None:
        assert check.evidence["measured against"] == "the time in the ping's answer"
