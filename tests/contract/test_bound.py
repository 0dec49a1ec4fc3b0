"""Places of an answer that must match the request."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.contract import ContractError, Interaction, StateValueError, load
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Headers, Response

BODY = {"sid": "VE1", "factors": [{"id": 7}]}


@pytest.fixture
def interaction(tmp_path: Path) -> Interaction:
    return load(written(tmp_path, {"$.sid": "verification_sid", "$.factors[0].id": "factor"})).interactions[0]


def written(folder: Path, bound: Any, claims: Any = None) -> Path:
    rule = {"combine": "AND", "matchers": [{"match": "type"}]}
    response = {
        "status": 200,
        "body": {"content": BODY, "contentType": "application/json"},
        "matchingRules": {"body": {"$.sid": rule, "$.factors[0].id": rule}},
    }
    about = {"description": "check", "type": "Synchronous/HTTP", "request": {"path": "/"}, "response": response}
    pact = {
        "consumer": {"name": "us"},
        "provider": {"name": "twilio"},
        "interactions": [{**about, "comments": {"mfagate": {"bound": bound, "claims": claims or {}}}}],
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }
    path = folder / "pact.json"
    path.write_text(json.dumps(pact))
    return path


def answer(sid: Any, number: Any) -> Response:
    body = {"sid": sid, "factors": [{"id": number}]}
    return Response(200, headers=Headers((("Content-Type", "application/json"),)), body=json.dumps(body).encode())


def test_a_recording_is_matched_without_values(interaction: Interaction) -> None:
    assert interaction.match(answer("VE2", 8)) == []


def test_an_answer_about_another_object_is_an_unexpected_value(interaction: Interaction) -> None:
    values = {"verification_sid": "VE5", "factor": "9"}
    assert interaction.match(answer("VE5", 9), values=values) == []
    (broken,) = interaction.match(answer("VE6", 9), values=values)
    assert (broken.cause, broken.path) == (CauseId.CONTRACT_VALUE_UNEXPECTED, "$.sid")
    assert broken.message == '$.sid is "VE6", which is not the verification_sid that the request was about.'
    assert [each.path for each in interaction.match(answer("VE6", 8), values=values)] == ["$.sid", "$.factors[0].id"]


def test_a_broken_rule_is_reported_first(interaction: Interaction) -> None:
    (broken,) = interaction.match(answer(5, 9), values={"verification_sid": "VE5", "factor": "9"})
    assert broken.cause is CauseId.CONTRACT_TYPE_CHANGED


def test_a_value_may_be_hidden(interaction: Interaction) -> None:
    values = {"verification_sid": "VE5", "factor": "9"}
    (broken,) = interaction.match(answer("VE6", 9), lambda document: {**document, "sid": "…"}, values)
    assert "VE6" not in str(broken)


def test_a_state_that_gives_no_value_is_named(interaction: Interaction) -> None:
    with pytest.raises(StateValueError, match=r"'factor' is not given by the state, and \$\.factors\[0\]\.id must"):
        interaction.match(answer("VE5", 9), values={"verification_sid": "VE5"})


def test_the_example_is_about_itself(interaction: Interaction) -> None:
    assert interaction.example_values() == {"verification_sid": "VE1", "factor": "7"}
    assert interaction.match(answer("VE1", 7), values=interaction.example_values()) == []


@given(st.text(), st.text())
def test_only_the_same_text_is_the_same(tmp_path_factory: pytest.TempPathFactory, asked: str, answered: str) -> None:
    folder = tmp_path_factory.mktemp("pact")
    (interaction,) = load(written(folder, {"$.sid": "verification_sid"})).interactions
    response = answer(answered, 7)
    if interaction.match(response) == []:
        same = interaction.match(response, values={"verification_sid": asked}) == []
        assert same is (asked == answered)


@pytest.mark.parametrize(
    ("bound", "problem"),
    [
        ({"$.sid": 5}, "must be a string"),
        ({"$.nothing": "x"}, "names $.nothing: the example answer has no text or number there"),
        ({"$.factors": "x"}, "names $.factors"),
        ({"$.factors[*].id": "x"}, "names $.factors[*].id"),
        (["$.sid"], "must be an object"),
    ],
)
def test_a_place_that_cannot_be_compared_is_an_error(tmp_path: Path, bound: Any, problem: str) -> None:
    with pytest.raises(ContractError) as error:
        load(written(tmp_path, bound))
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("claims", "problem"),
    [
        ({"$.id_token": {"email": 5}}, "must be a string"),
        ({"$.id_token": {"email": ""}}, "is empty: write the name of a value"),
        ({"$.id_token": {}}, "names $.id_token without a claim"),
        ({"$.id_token": "email"}, "must be an object"),
        ({"id_token": {"email": "username"}}, "names id_token: write the path of a single value"),
        ({"$": {"email": "username"}}, "names $: write the path of a single value"),
        ({"$.id_token ": {"email": "username"}, "$.factors[*].token": {}}, "names $.factors[*].token: write the path"),
        ({"$.sid": {"email": "username"}}, "names $.sid: the example answer has something other"),
        ({"$.factors": {"email": "username"}}, "names $.factors: the example answer has something other"),
        (["$.id_token"], "must be an object"),
    ],
)
def test_claims_that_cannot_be_compared_are_an_error(tmp_path: Path, claims: Any, problem: str) -> None:
    with pytest.raises(ContractError) as error:
        load(written(tmp_path, {}, claims))
    assert problem in str(error.value)


def test_claims_of_an_answer_that_is_not_json_are_an_error(tmp_path: Path) -> None:
    pact = json.loads(written(tmp_path, {}, {"$.id_token": {"email": "username"}}).read_text())
    pact["interactions"][0]["response"] = {"body": {"content": "OK", "contentType": "text/plain"}}
    (tmp_path / "pact.json").write_text(json.dumps(pact))
    with pytest.raises(ContractError, match="the example answer is not JSON"):
        load(tmp_path / "pact.json")


def test_a_state_that_gives_no_value_for_a_claim_is_named(tmp_path: Path) -> None:
    interaction = load(written(tmp_path, {}, {"$.id_token": {"email": "user"}})).interactions[0]
    with pytest.raises(StateValueError, match=r"'user' is not given by the state, and \$\.id_token email must"):
        interaction.match(answer("VE1", 7), values={"username": "alice@example.com"})
    assert interaction.match(answer("VE1", 7), values=interaction.example_values()) == []


def test_a_bound_place_that_the_answer_does_not_have_is_missing(tmp_path: Path) -> None:
    pact = json.loads(written(tmp_path, {"$.factors[0].id": "factor"}).read_text())
    rules = pact["interactions"][0]["response"]["matchingRules"]["body"]
    rules["$.factors"] = {"combine": "AND", "matchers": [{"match": "type", "min": 0}]}
    (tmp_path / "pact.json").write_text(json.dumps(pact))
    (interaction,) = load(tmp_path / "pact.json").interactions
    body = json.dumps({"sid": "VE1", "factors": []}).encode()
    response = Response(200, headers=Headers((("Content-Type", "application/json"),)), body=body)
    assert interaction.match(response) == []
    (broken,) = interaction.match(response, values={"factor": "7"})
    assert (broken.cause, broken.path) == (CauseId.CONTRACT_FIELD_MISSING, "$.factors[0].id")


def token(**claims: str) -> str:
    return ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b"{}", json.dumps(claims).encode(), b"x")
    )


@pytest.mark.parametrize(
    ("id_token", "paths"),
    [
        (None, []),
        (token(email="alice@example.com"), []),
        (token(email="Alice@Example.com"), []),
        (token(sub="auth0|1"), []),
        (token(email="mallory@example.com"), ["$.id_token email"]),
        (token(), ["$.id_token"]),
        ("nonsense", ["$.id_token"]),
        ("", ["$.id_token"]),
        (5, ["$.id_token"]),
        ([], ["$.id_token"]),
    ],
)
def test_a_token_of_another_user_is_an_unexpected_value(tmp_path: Path, id_token: Any, paths: list[str]) -> None:
    interaction = load(written(tmp_path, {}, {"$.id_token": {"email": "username"}})).interactions[0]
    body = {**BODY, "id_token": id_token}
    response = Response(200, headers=Headers((("Content-Type", "application/json"),)), body=json.dumps(body).encode())
    found = interaction.match(response, values={"username": "alice@example.com"})
    assert [each.path for each in found] == paths
    assert not found or str(id_token) in ("", "5", "[]") or str(id_token) not in str(found)
    assert interaction.match(answer("VE1", 7), values={"username": "alice@example.com"}) == []
