"""Pacts of specification 1 to 3 are read as Pact's own core reads them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.contract import Contract, ContractError, ProviderState, load, older
from mfagate.core.exchange import Headers, Response
from mfagate.core.foreign.parsing import raw

from . import mutations, older_pacts, referee

MOST = 24


def read(folder: Path, document: Any) -> Contract:
    path = folder / "pact.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return load(path)


_VERSION_2 = ("ruby 2", "jvm 2", "js 2", "go 2", "bodies", "version 1", "version named at the top")


@pytest.mark.parametrize("name", older_pacts.PACTS)
def test_pacts_verifier_and_mfagate_agree_on_older_pacts(name: str, tmp_path: Path) -> None:
    document = older_pacts.PACTS[name]
    contract = read(tmp_path, document)
    disagreements, verdicts = [], []
    version = "2.0.0" if name in _VERSION_2 else "3.0.0"
    newer = older.converted(document)["interactions"]
    for written, converted, interaction in zip(document["interactions"], newer, contract.interactions, strict=True):
        cases = mutations.cases(converted["response"], most=MOST)
        found = referee.verdicts(written, [case.answer for case in cases], version)
        again = referee.verdicts(converted, [case.answer for case in cases])
        verdicts += found
        for case, verdict, same in zip(cases, found, again, strict=True):
            accepted = not interaction.match(case.answer)
            if not verdict == same == accepted:
                disagreements.append((interaction.description, case.label, verdict, same, accepted))
    assert disagreements == []
    assert True in verdicts and False in verdicts


def one(**interaction: Any) -> dict[str, Any]:
    """A pact of version 2 with one interaction."""
    whole = {"description": "a", "request": {"method": "GET", "path": "/"}, "response": {"status": 200}, **interaction}
    return {
        "consumer": {"name": "login"},
        "provider": {"name": "idp"},
        "interactions": [whole],
        "metadata": {"pactSpecification": {"version": "2.0.0"}},
    }


@pytest.mark.parametrize(
    ("members", "states"),
    [
        ({"providerState": "alice exists"}, [ProviderState("alice exists")]),
        ({"provider_state": "alice exists"}, [ProviderState("alice exists")]),
        ({"providerState": None}, []),
        ({"providerState": ""}, []),
        ({"providerStates": [{"name": "a"}, {"name": "b", "params": {"n": 1}}]},
         [ProviderState("a"), ProviderState("b", {"n": 1})]),
        ({"providerState": "a", "providerStates": [{"name": "a", "params": {"n": 1}}]}, [ProviderState("a", {"n": 1})]),
    ],
)  # fmt: skip
def test_provider_states(tmp_path: Path, members: dict[str, Any], states: list[ProviderState]) -> None:
    (interaction,) = read(tmp_path, one(**members)).interactions
    assert list(interaction.states) == states


QUERIES = ["", "a=1&b=2&a=3", "q=a%20b+c&d=%E2%82%AC", "x=&y=a=b", {"a": ["1", "2"], "b": ["x y"]}, {"a": "1"}]


def test_the_requests_are_those_that_the_verifier_sends(tmp_path: Path) -> None:
    state = {"providerStates": [{"name": "values"}]}
    requests = [{"method": "get", "path": "/a", "query": query} for query in QUERIES]
    requests += [
        {"method": "POST", "path": "/a", "headers": {"Content-Type": "application/json"}, "body": {"id": 1, "n": None},
         "generators": {"path": {"type": "ProviderState", "expression": "/b/${id}"},
                        "body": {"$.id": {"type": "ProviderState", "expression": "id"}},
                        "query": {"q": {"type": "ProviderState", "expression": "${id}"}}}},
        {"method": "POST", "path": "/a", "headers": {"Content-Type": "application/x-www-form-urlencoded"},
         "body": "user=alice&pass=1"},
        {"method": "PUT", "path": "/a", "headers": {"Content-Type": "text/plain", "Accept": "a/b, c/d"}, "body": "hi"},
    ]  # fmt: skip
    items = [{"description": f"{number:02}", **state, "request": each, "response": {"status": 200}}
             for number, each in enumerate(requests)]  # fmt: skip
    document = {**one(), "interactions": items, "metadata": {"pactSpecification": {"version": "3.0.0"}}}
    contract = read(tmp_path, document)
    sent = referee.requests_sent(contract.path, {"id": 5})
    assert len(sent) == len(items)
    for interaction, theirs in zip(contract.interactions, sent, strict=True):
        ours = interaction.build_request({"id": "5"})
        assert (ours.method, ours.url) == (theirs.method, theirs.url)
        assert {name: raw(theirs.headers[name]) for name in ours.headers} == dict(ours.headers)
        assert (ours.data or b"").replace(b" ", b"") == theirs.body.replace(b" ", b"")


def test_one_description_with_several_states_is_several_interactions(tmp_path: Path) -> None:
    """As in every version of Pact, both identify an interaction."""
    document = one(providerState="alice exists")
    document["interactions"] += one(providerState="alice is locked")["interactions"] + one()["interactions"]
    names = ["a, given alice exists", "a, given alice is locked", "a"]
    assert [each.description for each in read(tmp_path, document).interactions] == names
    assert [each.description for each in read(tmp_path, older.converted(document)).interactions] == names


@pytest.mark.parametrize(
    "path", ["$.headers.Location", "$.header.Location", "$.headers['Location']", "$.header.$['Location']",
             "$.header.$.Location"],
)  # fmt: skip
def test_a_rule_for_a_header(tmp_path: Path, path: str) -> None:
    """Some versions of Pact's core wrote the last two, and it no longer reads all of them."""
    response = {"headers": {"Location": "/1"}, "matchingRules": {path: {"match": "regex", "regex": "/[0-9]+"}}}
    (interaction,) = read(tmp_path, one(response=response)).interactions
    found = [bool(interaction.match(Response(200, headers=Headers((("Location", to),))))) for to in ("/22", "/x")]
    assert found == [False, True]


REFUSED = {
    "the classes of pact-ruby": (
        one(response={"body": {"json_class": "Pact::SomethingLike", "contents": 1}}),
        'interactions[0] contains matchers as Ruby classes: write the pact again with `pact_specification_version "2',
    ),
    "a newer version": (
        {**one(), "metadata": {"pactSpecification": {"version": "5.0"}}},
        "is a pact of version 5.0: mfagate reads versions 1 to 4",
    ),
    "no version": ({**one(), "metadata": {"pactSpecification": {"version": ["2"]}}}, "does not state the version"),
    "messages": (
        {"consumer": {"name": "a"}, "provider": {"name": "b"}, "messages": [], "metadata": {}},
        "is not a pact of HTTP interactions",
    ),
    "a list, as the oldest pacts of Ruby are": ([{"description": "a"}], "is not a pact of HTTP interactions"),
    "an unknown matcher": (
        one(response={"body": 1, "matchingRules": {"$.body": {"match": "luhn"}}}),
        "is 'luhn', which is not a matcher that Pact knows",
    ),
    "a rule that says nothing": (
        one(response={"body": 1, "matchingRules": {"body": {"$": {"matchers": []}}}}),
        "matchers is empty",
    ),
}


@pytest.mark.parametrize(("document", "words"), REFUSED.values(), ids=REFUSED)
def test_an_unreadable_pact_is_refused_with_a_next_step(tmp_path: Path, document: Any, words: str) -> None:
    with pytest.raises(ContractError) as refused:
        read(tmp_path, document)
    assert words in str(refused.value)


def test_the_original_pact_is_not_changed() -> None:
    for document in older_pacts.PACTS.values():
        before = deepcopy(document)
        older.converted(document)
        assert document == before


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("$.body", "$.body.a", "$.headers.A", "$.header", "$.", "$", "$.query.a", "body", "header", "matchers")
RULES = st.dictionaries(
    st.sampled_from(KEYS), ANY_JSON | st.dictionaries(st.sampled_from(("match", "min", "regex")), ANY_JSON)
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "request": ANY_JSON | st.fixed_dictionaries({}, optional={"query": ANY_JSON, "headers": ANY_JSON}),
            "response": ANY_JSON
            | st.fixed_dictionaries({}, optional={"body": ANY_JSON, "headers": ANY_JSON, "matchingRules": RULES}),
            "providerState": ANY_JSON,
            "providerStates": ANY_JSON,
        },
    ),
    st.just({"pactSpecification": {"version": "3.0.0"}}) | ANY_JSON,
)
def test_no_value_in_any_place_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, members: dict[str, Any], metadata: Any
) -> None:
    try:
        read(tmp_path_factory.getbasetemp(), {**one(**members), "metadata": metadata})
    except ContractError as error:
        assert "pact.json" in str(error)


CONFIGURATION = """\
[integrations.app]
provider = "duo"
environment = "development"
contract = "pact.json"
cassettes = "cassettes"
[integrations.app.settings]
host = "api-1a2b3c4e.duosecurity.com"
integration_key = "DIABCDEFGH1234567890"
secret_key = "env:DUO_SKEY"
"""

RECORDING = """\
interactions:
- request: {method: GET, uri: 'https://duo.invalid/auth/v2/check', body: null, headers: {}}
  response:
    status: {code: 200, message: OK}
    headers: {Content-Type: [application/json]}
    body: {string: '{"stat":"OK","response":{"time":TIME}}'}
version: 1
"""


@pytest.mark.parametrize("version", ["2.0.0", "3.0.0"])
@pytest.mark.parametrize(("time", "code", "words"), [("1772", 0, "PASS"), ('"soon"', 1, "$.response.time is a string")])
def test_a_recording_is_held_against_an_older_pact(
    tmp_path: Path, version: str, time: str, code: int, words: str
) -> None:
    """The whole command, as a login service in JavaScript or Java would use it."""
    body = {"stat": "OK", "response": {"time": 1}}
    rules: dict[str, Any] = {"$.body.response.time": {"match": "type"}}
    if version == "3.0.0":
        rules = {"body": {"$.response.time": {"matchers": [{"match": "type"}]}}}
    response = {"status": 200, "headers": {"Content-Type": "application/json"}, "body": body, "matchingRules": rules}
    document = one(description="a check", request={"method": "GET", "path": "/auth/v2/check"}, response=response)
    document["metadata"]["pactSpecification"]["version"] = version
    document["provider"]["name"] = "duo"
    (tmp_path / "pact.json").write_text(json.dumps(document))
    (tmp_path / "integrations.toml").write_text(CONFIGURATION)
    (tmp_path / "cassettes").mkdir()
    (tmp_path / "cassettes/a-check.yaml").write_text(RECORDING.replace("TIME", time))
    done = subprocess.run(
        [sys.executable, "-m", "mfagate", "check"],
        cwd=tmp_path,
        env={**os.environ, "DUO_SKEY": "Zq7rTuW2xK9bN4mP6vC8sD1fG3hJ5kL0yQ2wE4rT"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, words in done.stdout) == (code, True), done.stdout
