"""The fixture and the decorator, in a separate pytest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

CONSUMER = """
    import requests
    from pact import match
    from mfagate.contract.consumer import JSON, text

    PROVIDER, CONSUMER = "elsewhere", "our-login"
    STRICT = {STRICT}

    class Refused(Exception):
        pass

    def decide(url):
        answer = requests.post(url + "/check", json={"user": "alice"}, timeout=5)
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if answer.status_code != 200 or kind != JSON:
            raise Refused
        try:
            result = answer.json()["result"]
        except (ValueError, LookupError, TypeError):
            raise Refused
        if result not in ("allow", "deny"):
            raise Refused
        return result == "allow"

    def test_accepted(pact, contract_strength):
        interaction = pact.interaction("accepted").with_request("POST", "/check").with_body({"user": "alice"}, JSON)
        interaction.will_respond_with(200).with_body({"result": RESULT, "note": match.str("x")}, JSON)
        contract_strength(decide, expect=True)
"""
DECORATED = """
    import requests
    from mfagate.contract_strength import contract_strength

    @contract_strength(contract="our.json", interaction="accepted", expect=200)
    def test_our_client(endpoint):
        return requests.post(endpoint + "/check", json={"user": "alice"}, timeout=5).status_code
"""
REVIEWED = '{"accepted: $.note *": "documented"}'


def consumer(pytester: pytest.Pytester, result: str, strict: str = REVIEWED) -> None:
    pytester.makepyfile(test_contract=CONSUMER.replace("RESULT", result, 1).replace("{STRICT}", strict))


def test_a_consumer_test_writes_and_proves_its_interaction(pytester: pytest.Pytester) -> None:
    consumer(pytester, '"allow"')
    result = pytester.runpytest_subprocess("--mfagate-update-pacts", "--mfagate-strength-report=proofs.jsonl", "-rP")
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(
        ["accepted: the contract is strong (*", "*exception: *strict $.note removed: documented"]
    )
    pact = json.loads((pytester.path / "our-login-elsewhere.json").read_text())
    assert [each["description"] for each in pact["interactions"]] == ["accepted"]
    (proof,) = map(json.loads, (pytester.path / "proofs.jsonl").read_text().splitlines())
    assert (proof["provider"], proof["interaction"], proof["readers"]) == ("elsewhere", "accepted", ["client"])


def test_a_blind_contract_fails_and_is_not_written(pytester: pytest.Pytester) -> None:
    consumer(pytester, 'match.str("allow")')
    result = pytester.runpytest_subprocess("--mfagate-update-pacts")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["contract_strength.blind: $.result other-value: *", "*change: $.result is *"])
    assert not (pytester.path / "our-login-elsewhere.json").exists()


def test_another_request_of_the_client_is_reported_first(pytester: pytest.Pytester) -> None:
    consumer(pytester, '"allow"')
    path = pytester.path / "test_contract.py"
    path.write_text(path.read_text().replace('json={"user": "alice"}', 'json={"user": "bob"}'))
    result = pytester.runpytest_subprocess("--mfagate-update-pacts")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*the client sent another request, or none*"])


def test_a_reviewed_finding_that_is_gone_fails(pytester: pytest.Pytester) -> None:
    consumer(pytester, '"allow"', '{"accepted: $.note *": "so", "accepted: $.gone *": "was so"}')
    result = pytester.runpytest_subprocess("--mfagate-update-pacts")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*STRICT contains findings that do not exist; remove them: accepted: $.gone **"])


def test_the_decorator_proves_a_contract_that_is_there(pytester: pytest.Pytester) -> None:
    consumer(pytester, '"allow"')
    pytester.runpytest_subprocess("--mfagate-update-pacts")
    Path(pytester.path / "our-login-elsewhere.json").rename(pytester.path / "our.json")
    pytester.makepyfile(test_decorated=DECORATED)
    result = pytester.runpytest_subprocess("test_decorated.py", "-rP")
    assert result.ret == 0, result.stdout.str()
    result.stdout.fnmatch_lines(["contract_strength.strict: $.result removed: *"])


def test_without_a_contract_it_says_what_is_missing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_ours(contract_strength): contract_strength(lambda endpoint: True)")
    result = pytester.runpytest_subprocess()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*give a contract and an interaction, or use the fixture pact*"])
