"""What can be said wrongly to a proof, and the ways to ask for one."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.auth import HTTPBasicAuth

from mfagate.contract import load
from mfagate.core import strict_json
from mfagate.fail_closed import WAITS, CannotProve, LoopbackUrl, MutationKind, NotFailClosed, Violation, prove
from mfagate.providers.second_factor import ContractViolation, Decision, SecondFactorError

from ..support.project import REPOSITORY

OKTA = REPOSITORY / "contracts/okta/auth-service-okta.json"
VERIFY = "/api/v1/users/00uabcdefg1234567890/factors/ostabcdefg1234567890/verify"
TEST = """
    import requests
    from mfagate.fail_closed import LoopbackUrl, fail_closed

    @fail_closed(contract="okta.json", interaction="code accepted", errors=Exception, tolerate=TOLERATE)
    def test_our_client(endpoint):
        response = requests.post(endpoint + PATH, json={"passCode": "000000"}, timeout=1, allow_redirects=False)
        return response.status_code == 200 and response.json()["factorResult"] == "SUCCESS"
"""


def verify(endpoint: LoopbackUrl) -> bool:
    """Strict enough for what is tolerated here."""
    verifying: Any = endpoint.ca_bundle and str(endpoint.ca_bundle)
    try:
        response = requests.post(endpoint + VERIFY, timeout=5, allow_redirects=False, verify=verifying or True)
        body = strict_json.loads(response.content)
        return response.status_code == 200 and isinstance(body, dict) and body.get("factorResult") == "SUCCESS"
    except (requests.RequestException, ValueError) as error:
        raise ContractViolation(type(error).__name__) from None


LENIENT = {"tolerate": [*WAITS, MutationKind.CONTENT_TYPE, "encoding"], "examples": 20}


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ({"interaction": "code acepted"}, "has no interaction 'code acepted'"),
        ({"interaction": "code accepted", "given": ["no such"]}, "has no interaction 'no such'"),
        ({"interaction": "code accepted", "bound": {"$.user": ()}}, "has no place \\$.user"),
        ({"interaction": "code accepted", "unread": ["$.user"]}, "has a place \\$.user"),
        ({"interaction": "code accepted", "expect": Decision.DENY}, "must give deny; it returned True"),
        ({"interaction": "wrong code"}, "must give allow; it returned False"),
    ],
)
def test_what_cannot_be_proved_says_why(claim: dict[str, Any], message: str) -> None:
    with pytest.raises(CannotProve, match=message):
        prove(verify, contract=OKTA, **claim)


def test_a_call_that_asks_nobody_proves_nothing() -> None:
    with pytest.raises(CannotProve, match="returned True without a request to the server"):
        prove(lambda endpoint: True, contract=OKTA, interaction="code accepted")


def test_an_empty_value_names_no_login(tmp_path: Path) -> None:
    pact = tmp_path / "okta.json"
    pact.write_text(OKTA.read_text().replace('"factorResult": "SUCCESS"', '"factorResult": "SUCCESS", "user": ""'))
    with pytest.raises(CannotProve, match=r"no values similar to that of \$\.user can be made up"):
        prove(verify, contract=pact, interaction="code accepted", bound={"$.user": ()}, **LENIENT)


def test_what_was_not_tried_is_not_claimed() -> None:
    contract = load(OKTA)
    accepted = next(each for each in contract.interactions if each.description == "code accepted")
    rule = {"$.factorResult": {"combine": "AND", "matchers": [{"match": "type"}]}}
    response = replace(accepted.response, body='{"factorResult": "ERROR"}', body_rules=rule)
    anything = replace(accepted, description="anything", response=response)
    contract = replace(contract, interactions=(*contract.interactions, anything))
    proof = prove(verify, contract=contract, interaction="code accepted", **LENIENT)
    assert "inside" not in proof.tried
    assert proof.unprovable[0].endswith("were tried")


def test_a_client_that_stops_asking_proves_nothing() -> None:
    """A circuit breaker that outlives the call: behind it nobody sees what the client would believe."""
    failures: list[Exception] = []

    def call(endpoint: LoopbackUrl) -> bool:
        if len(failures) > 2:
            raise ContractViolation("not asked")
        try:
            return verify(endpoint)
        except ContractViolation as error:
            failures.append(error)
            raise

    with pytest.raises(CannotProve, match="raised ContractViolation without a request"):
        prove(call, contract=OKTA, interaction="code accepted", **LENIENT)


def test_what_is_returned_is_not_shown() -> None:
    def call(endpoint: LoopbackUrl) -> Any:
        return verify(endpoint) or "denied to c4n4ry"

    proof = prove(call, contract=OKTA, interaction="code accepted", secrets=["c4n4ry"], **LENIENT)
    assert "returned a str" in str(proof)
    assert "c4n4ry" not in str(proof)

    def always(endpoint: LoopbackUrl) -> Any:
        return f"asked {requests.get(endpoint, timeout=5)} for c4n4ry"

    with pytest.raises(CannotProve, match=r"it returned a str$"):
        prove(always, contract=OKTA, interaction="code accepted")


def test_only_what_was_asked_is_counted() -> None:
    asked: list[LoopbackUrl] = []

    def call(endpoint: LoopbackUrl) -> bool:
        asked.append(endpoint)
        return verify(endpoint)

    proof = prove(call, contract=OKTA, interaction="code accepted", **LENIENT)
    assert proof.passed
    assert sum(proof.tried.values()) == len(asked) - 1  # the first is the example


def test_over_tls() -> None:
    seen = set()

    def call(endpoint: LoopbackUrl) -> bool:
        seen.add((endpoint.partition("://")[0], endpoint.host, endpoint.ca_bundle is not None, endpoint.port > 0))
        return verify(endpoint)

    prove(call, contract=OKTA, interaction="code accepted", tls=True, **LENIENT).require()
    assert seen == {("https", "localhost", True, True)}


def test_logs_are_read_and_go_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    def call(endpoint: LoopbackUrl) -> bool:
        logging.getLogger("ours").debug("asking with %s", "c4n4ry")
        return verify(endpoint)

    proof = prove(call, contract=OKTA, interaction="code accepted", secrets=["c4n4ry"], **LENIENT)
    assert {each.violation for each in proof.counterexamples} == {Violation.LEAK}
    assert "the log" in str(proof)
    assert "c4n4ry" not in str(proof) + caplog.text
    logging.getLogger("ours").warning("as before")
    assert "as before" in caplog.text


def test_a_secret_is_known_in_every_form() -> None:
    basic = HTTPBasicAuth("alice", "c4n4ry-c4n4ry")(requests.Request("GET", str(OKTA))).headers["Authorization"]

    def call(endpoint: LoopbackUrl) -> bool:
        try:
            return verify(endpoint)
        except SecondFactorError:
            raise ContractViolation(f"sent {basic}") from None

    proof = prove(call, contract=OKTA, interaction="code accepted", secrets=["c4n4ry-c4n4ry"], **LENIENT)
    assert {each.violation for each in proof.counterexamples} == {Violation.LEAK}


def test_a_faulty_call_of_a_logger_changes_nothing() -> None:
    def call(endpoint: LoopbackUrl) -> bool:
        logging.getLogger("ours").warning("asking with %s and %s", "c4n4ry")
        return verify(endpoint)

    prove(call, contract=OKTA, interaction="code accepted", **LENIENT).require()
    proof = prove(call, contract=OKTA, interaction="code accepted", secrets=["c4n4ry"], **LENIENT)
    assert "the log" in str(proof)


def test_an_error_of_ctrl_c_is_no_finding() -> None:
    def call(endpoint: LoopbackUrl) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prove(call, contract=OKTA, interaction="code accepted")


def test_what_is_no_decision_is_caught() -> None:
    def call(endpoint: LoopbackUrl) -> Any:
        return verify(endpoint) or "denied"

    proof = prove(call, contract=OKTA, interaction="code accepted", **LENIENT)
    with pytest.raises(NotFailClosed, match=r"fail_closed\.no_decision"):
        proof.require()


def test_an_expected_error_has_to_come() -> None:
    def call(endpoint: LoopbackUrl) -> bool:
        if requests.post(endpoint + VERIFY, timeout=5).status_code == 404:
            raise SecondFactorError("nobody")
        return False

    claim: dict[str, Any] = {"expect": SecondFactorError, "errors": Exception, "examples": 10}
    prove(call, contract=OKTA, interaction="unknown factor", tolerate=WAITS, **claim).require()


def lay(pytester: pytest.Pytester, tolerate: str) -> Path:
    (pytester.path / "okta.json").write_bytes(OKTA.read_bytes())
    return pytester.makepyfile(f"PATH = {VERIFY!r}\nTOLERATE = {tolerate}" + TEST.replace("\n    ", "\n"))


def test_the_decorator_makes_a_test(pytester: pytest.Pytester) -> None:
    lay(pytester, "['waiting', 'dripping', 'content type', 'encoding', 'syntax', 'field']")
    result = pytester.runpytest_subprocess("-rP")
    assert result.parseoutcomes() == {"passed": 1}
    result.stdout.fnmatch_lines(["*code accepted: fails closed (*", "*tolerated: content type, dripping, encoding, *"])


def test_the_decorated_test_fails_in_words(pytester: pytest.Pytester) -> None:
    lay(pytester, "['waiting', 'dripping']")
    result = pytester.runpytest_subprocess()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*fail_closed.let_in: The client let the user in*",
            "*  change: the content type is text/html*",
            "*  contract: *",
            '*  answer: 200, text/html: {"factorResult":*"SUCCESS"}*',
            "*  next step: *",
        ]
    )


def test_the_fixture_and_other_fixtures(pytester: pytest.Pytester) -> None:
    lay(pytester, "()")
    pytester.makepyfile(
        test_more=f"""
        import pytest, requests
        from mfagate.fail_closed import fail_closed as decorated
        CLAIM = {{"contract": "okta.json", "interaction": "code accepted", "errors": Exception, "examples": 15,
                  "tolerate": ["waiting", "dripping", "content type", "encoding", "syntax", "field"]}}

        def call(endpoint):
            response = requests.post(endpoint + {VERIFY!r}, timeout=1, allow_redirects=False)
            return response.status_code == 200 and response.json()["factorResult"] == "SUCCESS"

        def test_with_the_fixture(fail_closed, request):
            proof = fail_closed(call, **CLAIM)
            assert proof.tried["inside"] > (15 if request.config.getoption("--mfagate-explore") else 0)

        @pytest.fixture
        def path():
            return {VERIFY!r}

        @decorated(**CLAIM)
        def test_with_a_fixture_of_ours(endpoint, path):
            assert path
            return call(endpoint)
        """
    )
    assert pytester.runpytest_subprocess("test_more.py").parseoutcomes() == {"passed": 2}
    assert pytester.runpytest_subprocess("test_more.py", "--mfagate-explore").parseoutcomes() == {"passed": 2}
