"""Contracts that are blind, too strict, or right, each with a client that shows it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from pact import Pact, match

from mfagate.contract import load
from mfagate.contract.consumer import including, positive, text
from mfagate.contract_strength import CannotProve, ChangeOperator, StrengthProof, WeakContract, Weakness, prove
from mfagate.core.exchange import Response
from mfagate.fail_closed import LoopbackUrl

from ..contract.pacts import write

Client = Callable[[LoopbackUrl], Any]


class Refused(Exception):
    """The client's own error."""


def contract(folder: Path, body: Any, *more: tuple[str, str, Any], status: int = 200) -> Path:
    """A pact of one interaction, ``GET /answer``, and ``more`` ones: description, path and body."""

    def describe(pact: Pact) -> None:
        for description, path, content in (("answer", "/answer", body), *more):
            asked = pact.upon_receiving(description).with_request("GET", path)
            asked.will_respond_with(status).with_body(content, "application/json")

    return write(folder, describe)


def ask(endpoint: LoopbackUrl, path: str = "/answer") -> Any:
    """The JSON of a good answer."""
    response = requests.get(endpoint + path, timeout=5, allow_redirects=False)
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if response.status_code != 200 or media_type != "application/json":
        raise Refused
    try:
        return response.json()
    except ValueError:
        raise Refused from None


def field(name: str, kind: type, reads: Callable[[Any], Any] = lambda value: value) -> Client:
    """A client that reads one field of a type, and raises for everything else."""

    def call(endpoint: LoopbackUrl) -> Any:
        body = ask(endpoint)
        value = body.get(name) if isinstance(body, dict) else None
        if type(value) is not kind:
            raise Refused
        return reads(value)

    return call


def found(proof: StrengthProof, weakness: Weakness) -> set[str]:
    return {each.name for each in proof.findings if each.weakness is weakness and each.reason is None}


def blind(proof: StrengthProof) -> set[str]:
    return found(proof, Weakness.BLIND)


def strict(proof: StrengthProof) -> set[str]:
    return found(proof, Weakness.STRICT)


def word(value: str) -> bool:
    """Decide by a word."""
    if value not in ("allow", "deny"):
        raise Refused
    return value == "allow"


def test_a_word_that_decides_needs_more_than_a_type(tmp_path: Path) -> None:
    proof = prove(field("result", str, word), contract=contract(tmp_path, {"result": match.str("allow")}),
                  interaction="answer", expect=True)  # fmt: skip
    assert blind(proof) == {"$.result empty-text", "$.result other-value"}
    with pytest.raises(WeakContract, match=r"contract_strength\.blind: \$\.result other-value"):
        proof.require()


def test_an_exact_word_is_strong(tmp_path: Path) -> None:
    proof = prove(field("result", str, word), contract=contract(tmp_path, {"result": "allow"}), interaction="answer")
    assert proof.findings == ()
    assert proof.tried["changes"] >= 50
    assert 0 < proof.tried["break a reader"] <= proof.tried["rejected"]
    proof.require()


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        (text("allow", "^(allow|bypass)$"), set()),
        (text("allow", "^(allow|deny)$"), {"$.result other-value"}),
        (match.regex("allow", regex="^(allow|bypass)$"), set()),
    ],
)
def test_another_allowed_word_is_blind_only_if_the_reader_decides_differently(
    tmp_path: Path, matcher: Any, expected: set[str]
) -> None:
    path = contract(tmp_path, {"result": matcher}, ("other", "/answer", {"result": "deny"}))
    let_in = field("result", str, lambda value: word("allow" if value == "bypass" else value))
    assert blind(prove(let_in, contract=path, interaction="answer", expect=True)) == expected


def test_every_word_that_a_pattern_lists_is_tried(tmp_path: Path) -> None:
    """Whether or not an example shows it."""
    path = contract(tmp_path, {"result": text("allow", "^(allow|bypass|maybe)$"), "code": match.int(1)})
    client = field("result", str, lambda value: word("allow" if value == "bypass" else value))
    proof = prove(client, contract=path, interaction="answer", expect=True)
    assert [each.changes for each in proof.blind] == [('$.result is "maybe" instead of "allow"',)]


def list_of(*, min_items: int | None) -> Any:
    return match.each_like({"kind": "push", "id": match.str("a1")}, min=min_items)


def has_push(body: Any) -> bool:
    """Whether one of the factors is a push; other items are skipped."""
    factors = body if isinstance(body, list) else []
    if not any(isinstance(each, dict) and each.get("kind") == "push" for each in factors):
        raise Refused
    return True


def test_an_empty_list_and_a_renamed_word_are_found(tmp_path: Path) -> None:
    """A list of ``each_like`` without ``min`` checks only types, at any depth."""
    path = contract(tmp_path, {"factors": list_of(min_items=None)})
    proof = prove(field("factors", list, has_push), contract=path, interaction="answer", expect=True)
    assert {"$.factors empty", "$.factors[0].kind other-value", "$.factors[0].kind empty-text"} <= blind(proof)


def test_one_element_of_a_list_can_be_demanded(tmp_path: Path) -> None:
    path = contract(tmp_path, {"factors": match.array_containing([{"kind": "push"}])})
    proof = prove(field("factors", list, has_push), contract=path, interaction="answer", expect=True)
    assert proof.findings == ()


def kinds(body: Any) -> set[str]:
    """Read every factor."""
    if not all(isinstance(each, dict) and isinstance(each.get("kind"), str) and each["kind"] for each in body):
        raise Refused
    return {each["kind"] for each in body}


def test_a_client_that_reads_each_element_needs_the_shape_of_all(tmp_path: Path) -> None:
    loose = contract(tmp_path / "loose", {"factors": match.array_containing([{"kind": "push"}])})
    client = field("factors", list, kinds)
    assert blind(prove(client, contract=loose, interaction="answer", expect={"push"})) == {
        "$.factors other-kind",
        "$.factors more",
    }
    right = contract(tmp_path / "right", {"factors": including({"kind": "push"})})
    assert blind(prove(client, contract=right, interaction="answer")) == set()


def test_values_that_nobody_reads_are_strict(tmp_path: Path) -> None:
    path = contract(tmp_path, {"result": "allow", "message": match.str("welcome")})
    proof = prove(field("result", str, word), contract=path, interaction="answer")
    assert blind(proof) == set()
    assert strict(proof) == {"$.message removed", "$.message null", "$.message retyped"}
    assert proof.passed
    assert len(proof.strict) == 3


def test_a_value_that_is_handed_on_is_understood(tmp_path: Path) -> None:
    path = contract(tmp_path, {"id": match.str("a1b2"), "seconds": match.int(30)})

    def begin(endpoint: LoopbackUrl) -> Any:
        body = ask(endpoint)
        if not isinstance(body, dict) or type(body.get("id")) is not str or type(body.get("seconds")) is not int:
            raise Refused
        requests.post(f"{endpoint}/next/{body['id']}", json={"id": body["id"]}, timeout=5)
        return {"transaction": f"login {body['id']}", "seconds": float(body["seconds"])}

    proof = prove(begin, contract=path, interaction="answer")
    # An empty id cannot be passed on.
    assert blind(proof) == {"$.id empty-text"}


@pytest.mark.parametrize("reads", [str.upper, len, lambda value: value[:2], lambda value: value == "a1b2"])
def test_a_value_that_is_worked_on_is_not_handed_on(tmp_path: Path, reads: Callable[[str], Any]) -> None:
    path = contract(tmp_path, {"id": match.str("a1b2")})
    assert "$.id other-value" in blind(prove(field("id", str, reads), contract=path, interaction="answer"))


def test_the_type_of_what_is_handed_on_counts(tmp_path: Path) -> None:
    path = contract(tmp_path, {"id": match.regex("12", regex="^[0-9]+$")})

    def call(endpoint: LoopbackUrl) -> Any:
        body = ask(endpoint)
        return body.get("id") if isinstance(body, dict) else None

    assert "$.id retyped" in blind(prove(call, contract=path, interaction="answer", expect="12"))
    right = contract(tmp_path / "text", {"id": text("12", "^[0-9]+$")})
    assert blind(prove(call, contract=right, interaction="answer")) == set()


def test_a_pattern_of_numbers_without_meaning(tmp_path: Path) -> None:
    def some(value: int) -> int:
        if value < 1:
            raise Refused
        return value

    loose, right = ({"count": match.int(1)}, {"count": positive(1)})
    proof = prove(field("count", int, some), contract=contract(tmp_path / "loose", loose), interaction="answer")
    assert blind(proof) == {"$.count other-value"}
    proof = prove(field("count", int, some), contract=contract(tmp_path / "right", right), interaction="answer")
    assert proof.findings == ()


def test_the_type_of_an_error_counts_and_its_message_does_not(tmp_path: Path) -> None:
    def refused(endpoint: LoopbackUrl) -> Any:
        code = field("code", int)(endpoint)
        raise (ValueError if code == 40101 else KeyError)(f"code {code}, {secrets.token_hex(4)}")

    exact = contract(tmp_path / "exact", {"code": 40101})
    assert prove(refused, contract=exact, interaction="answer", expect=ValueError).findings == ()
    loose = contract(tmp_path / "loose", {"code": match.int(40101)})
    assert blind(prove(refused, contract=loose, interaction="answer")) == {"$.code other-value"}


def test_the_next_request_counts(tmp_path: Path) -> None:
    path = contract(tmp_path, {"next": match.str("poll")})

    def call(endpoint: LoopbackUrl) -> bool:
        requests.get(f"{endpoint}/{'poll' if field('next', str)(endpoint) == 'poll' else 'stop'}", timeout=5)
        return True

    assert blind(prove(call, contract=path, interaction="answer")) == {"$.next empty-text", "$.next other-value"}


def test_what_differs_from_call_to_call_anyway_is_no_difference(tmp_path: Path) -> None:
    path = contract(tmp_path, {"result": "allow"})

    def call(endpoint: LoopbackUrl) -> Any:
        requests.post(f"{endpoint}/log", data={"nonce": secrets.token_hex(8), "user": "alice"}, timeout=5)
        return {"allowed": field("result", str, word)(endpoint), "trace": secrets.token_hex(8)}

    assert prove(call, contract=path, interaction="answer").findings == ()


def test_a_reader_that_does_not_end_behaves_differently(tmp_path: Path) -> None:
    path = contract(tmp_path, {"result": match.str("allow")})

    def call(endpoint: LoopbackUrl) -> bool:
        while ask(endpoint)["result"] != "allow":
            pass
        return True

    proof = prove(call, contract=path, interaction="answer", deadline_seconds=0.5)
    assert "did not end" in str(proof)


def test_every_reader_counts(tmp_path: Path) -> None:
    path = contract(tmp_path, {"result": "allow", "code": match.int(1), "seen": text("x")})

    def read(response: Response) -> Any:
        return response.json().get("code") if response.json()["code"] > 0 else None

    proof = prove(
        field("result", str, word),
        contract=path,
        interaction="answer",
        judges={"probe": read},
        further={"second client": field("seen", str)},
    )
    assert proof.readers == ("client", "second client", "probe")
    assert blind(proof) == {"$.code other-value"}
    assert [each.readers[0].partition(":")[0] for each in proof.blind] == ["probe"]
    assert not {name for name in strict(proof) if name.startswith("$.seen")}


def test_answers_on_the_way_are_given(tmp_path: Path) -> None:
    path = contract(tmp_path, {"result": "allow"}, ("token", "/token", {"token": match.str("t")}))

    def call(endpoint: LoopbackUrl) -> bool:
        if ask(endpoint, "/token").get("token") is None:
            raise Refused
        return bool(field("result", str, word)(endpoint))

    proof = prove(call, contract=path, interaction="answer", given=["token"], expect=True)
    assert proof.findings == ()


def test_exceptions_name_findings_and_nothing_else(tmp_path: Path) -> None:
    path = contract(tmp_path, {"result": match.str("allow"), "note": match.str("x")})
    claim: dict[str, Any] = {"contract": path, "interaction": "answer", "expect": True}
    client = field("result", str, word)
    excepted = prove(client, blind={"$.result *": "the state decides"}, strict={"$.note *": "documented"}, **claim)
    assert (blind(excepted), strict(excepted), excepted.unused) == (set(), set(), ())
    assert "exception: contract_strength.blind $.result other-value: the state decides" in str(excepted)
    unused = prove(client, blind={"$.result *": "so", "$.note other-value": "no such finding"}, **claim)
    assert unused.unused == ("blind $.note other-value",)
    with pytest.raises(WeakContract, match="unused exception"):
        unused.require()
    reviewed = {"answer: $.note *": "documented", "other: $.note *": "of another interaction"}
    shared = prove(client, reviewed=reviewed, **claim)
    assert strict(shared) == set()
    assert shared.reviewed == {"answer: $.note *"}


def test_brackets_in_a_pattern_are_brackets(tmp_path: Path) -> None:
    path = contract(tmp_path, {"factors": match.each_like({"kind": match.str("push")}, min=1)})
    reason = {"$.factors[0].kind *": "exempt"}
    proof = prove(field("factors", list, has_push), contract=path, interaction="answer", blind=reason)
    assert (blind(proof), proof.unused) == (set(), ())


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ({"interaction": "anwser"}, "has no interaction 'anwser'"),
        ({"interaction": "answer", "given": ["token"]}, "has no interaction 'token'"),
        ({"interaction": "answer", "expect": False}, "the call must give False; it returned True"),
        ({"interaction": "answer", "expect": Refused}, "it returned True"),
    ],
)
def test_a_proof_that_is_impossible_names_the_reason(tmp_path: Path, claim: dict[str, Any], message: str) -> None:
    path = contract(tmp_path, {"result": "allow"})
    with pytest.raises(CannotProve, match=message):
        prove(field("result", str, word), contract=path, **claim)


def test_a_call_without_a_request_proves_nothing(tmp_path: Path) -> None:
    path = contract(tmp_path, {"result": "allow"})
    with pytest.raises(CannotProve, match="without a request to the server"):
        prove(lambda endpoint: True, contract=path, interaction="answer")
    with pytest.raises(CannotProve, match="nothing reads the answer"):
        prove(None, contract=path, interaction="answer")


def test_an_offline_reader_alone_needs_no_server(tmp_path: Path) -> None:
    path = contract(tmp_path, {"result": "allow"})
    proof = prove(None, contract=load(path), interaction="answer", judges={"probe": lambda response: response.status})
    assert "$.result removed" in strict(proof)
    assert ("status", ChangeOperator.STATUS, None) in proof.breaking


def test_the_proof_is_data(tmp_path: Path) -> None:
    path = contract(tmp_path, {"result": match.str("allow")})
    record = prove(field("result", str, word), contract=path, interaction="answer").record()
    assert record["interaction"] == "answer"
    assert {finding["place"] for finding in record["findings"]} == {"$.result"}
    assert ["$.result", "removed", None] in record["breaking"]
