"""Answers inside a contract and outside it, and the server that gives them."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import replace
from typing import Any

import pytest
import requests
from hypothesis import find, given, settings
from hypothesis import strategies as st

from mfagate.contract import Interaction, load
from mfagate.contract.media_type import MediaType
from mfagate.contract.response import ExpectedResponse
from mfagate.fail_closed import conforming
from mfagate.fail_closed.answer import Ending, ProviderAnswer
from mfagate.fail_closed.login_binding import bound, foreign
from mfagate.fail_closed.loopback import LoopbackUrl, Script, serving
from mfagate.fail_closed.mutations import ELSEWHERE, MutationKind, mutations, of_impostors, waits
from mfagate.fail_closed.places import places, restored

from ..support.project import REPOSITORY

PACTS = sorted(REPOSITORY.glob("contracts/*/*.json"))
INTERACTIONS = [interaction for pact in PACTS for interaction in load(pact).interactions]
JSON = {"Content-Type": ["application/json"]}
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def expecting(example: Any, **matcher: Any) -> Interaction:
    """One field with one matcher."""
    return Interaction(
        "one",
        response=ExpectedResponse(
            headers=JSON,
            body=json.dumps({"a": example}),
            media_type=MediaType("application", "json"),
            body_rules={"$.a": {"combine": "AND", "matchers": [matcher]}},
        ),
    )


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=lambda interaction: interaction.description)
def test_every_shipped_contract_has_answers_inside_and_outside(interaction: Interaction) -> None:
    example = ProviderAnswer.example(interaction)
    assert example.conforms_to(interaction)
    generated: list[ProviderAnswer] = []

    @settings(max_examples=20, database=None)
    @given(conforming.answers(interaction))
    def generate(answer: ProviderAnswer) -> None:
        assert answer.conforms_to(interaction)
        generated.append(answer)

    generate()
    assert len({(answer.status, answer.body, answer.headers) for answer in generated}) > 1
    changed = list(mutations(example))
    outside = [each for each in changed if not each.answer.conforms_to(interaction)]
    assert {each.kind for each in outside} >= {MutationKind.STATUS, MutationKind.CONTENT_TYPE, MutationKind.CONNECTION}
    assert len({each.words for each in changed}) > 0.9 * len(changed)


@pytest.mark.parametrize(
    ("example", "matcher", "other"),
    [
        ("x", {"match": "type"}, lambda value: value not in ("x", "")),
        ("a sentence", {"match": "type"}, lambda value: not value.isascii()),
        (1, {"match": "integer"}, lambda value: value < -1000),
        (1.5, {"match": "decimal"}, lambda value: value != 1.5),
        (1, {"match": "number"}, lambda value: isinstance(value, float)),
        (True, {"match": "boolean"}, lambda value: value is False),
        ("ab1", {"match": "regex", "regex": "^[a-z]+\\d$"}, lambda value: len(value) > 4),
        ("a", {"match": "regex", "regex": "(?i)^(allow|a)$"}, lambda value: value == "ALLOW"),
        ("has x in it", {"match": "include", "value": "x"}, lambda value: len(value) == 2),
        ("1.2.3", {"match": "semver"}, lambda value: value == "0.0.0"),
        ("2026-01-01", {"match": "date", "format": "yyyy-MM-dd"}, lambda value: value.startswith("2000")),
        (
            "2026-01-01T00:00:00",
            {"match": "datetime", "format": "yyyy-MM-dd'T'HH:mm:ss"},
            lambda value: value.startswith("2000"),
        ),
        ([1], {"match": "type", "min": 1}, lambda value: len(value) == 3),
    ],
)
def test_what_a_matcher_allows_is_tried(example: Any, matcher: dict[str, Any], other: Any) -> None:
    interaction = expecting(example, **matcher)
    # An error if there is none.
    find(conforming.answers(interaction), lambda answer: bool(other(json.loads(answer.body)["a"])))


@pytest.mark.parametrize("matcher", [{"match": "regex", "regex": "^\\p{Lu}$"}, {"match": "equality"}])
def test_where_nothing_else_can_be_made_the_example_stays(matcher: dict[str, Any]) -> None:
    @settings(max_examples=10, database=None)
    @given(conforming.answers(expecting("A", **matcher)))
    def generate(answer: ProviderAnswer) -> None:
        assert json.loads(answer.body)["a"] == "A"

    generate()


def test_a_place_that_is_kept_keeps_its_example() -> None:
    @settings(max_examples=20, database=None)
    @given(conforming.answers(expecting("x", match="type"), keep=["$.a"]))
    def generate(answer: ProviderAnswer) -> None:
        assert json.loads(answer.body)["a"] == "x"

    generate()


@given(DOCUMENTS)
def test_places_put_back_what_stands_there(document: Any) -> None:
    for place in places(document):
        assert place.put(place.value) == document
        assert restored(document, place) == document
        assert restored(place.put("other"), place) == document
        if place.drop is not None:
            assert restored(place.drop(), place) == document


@given(DOCUMENTS, DOCUMENTS)
def test_restoring_in_another_document_is_harmless(document: Any, original: Any) -> None:
    before = json.dumps(document)
    for place in places(original):
        restored(document, place)
    assert json.dumps(document) == before


def test_what_binds_an_answer_to_its_login() -> None:
    named = {interaction.description: bound(interaction) for interaction in load(twilio()).interactions}
    assert named["code accepted"] == {"$.sid"}
    assert named["push accepted"] == {"$.sid", "$.identity"}
    okta = load(REPOSITORY / "contracts/okta/auth-service-okta.json").interactions
    assert not any(bound(each) for each in okta if each.description.endswith("accepted"))


@pytest.mark.parametrize("value", ["", "x", 7, -5, 1e16, 12.5, "a-long-id"])
def test_another_login_has_another_value(value: Any) -> None:
    (place,) = (each for each in places({"a": value}) if each.path == "$.a")
    changed = [each.answer.document()["a"] for each in foreign(ProviderAnswer(200), place)]
    assert (len(changed) > 0) is (value != "")
    assert all(type(each) is type(value) and each != value for each in changed)


def twilio() -> Any:
    return REPOSITORY / "contracts/twilio/auth-service-twilio.json"


def read(endpoint: LoopbackUrl) -> bytes:
    """Everything that comes, in whatever way it ends."""
    with socket.create_connection((endpoint.host, endpoint.port), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        try:
            while data := connection.recv(65536):
                received += data
        except ConnectionResetError:
            received += b"(reset)"
        return received


ANSWER = ProviderAnswer(200, (("Content-Type", "application/json"),), b'{"a": 1}')
HEAD = b"HTTP/1.1 200 \r\nContent-Type: application/json\r\nContent-Length: 8\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("ending", "received"),
    [
        (Ending.WHOLE, HEAD + b'{"a": 1}'),
        (Ending.CUT, HEAD + b'{"a"'),
        (Ending.CLOSED, b""),
        (Ending.SHORT, HEAD.replace(b": 8", b": 15") + b'{"a": 1}'),
        (Ending.UNENDED, HEAD.replace(b"Content-Length: 8", b"Transfer-Encoding: chunked") + b'8\r\n{"a": 1}\r\n'),
    ],
)
def test_how_an_answer_ends(ending: Ending, received: bytes) -> None:
    script = Script()
    with serving(script) as servers:
        script.begin(ProviderAnswer(ANSWER.status, ANSWER.headers, ANSWER.body, ending))
        assert read(servers.endpoint) == received
        assert script.served == 1


def test_nobody_listens_and_nobody_else_is_asked() -> None:
    """A client that keeps its first endpoint is given no good answer for another one's."""
    script = Script()
    with serving(script) as servers:
        script.begin(replace(ANSWER, ending=Ending.REFUSED))
        assert read(servers.endpoint) == b""
        with pytest.raises(ConnectionRefusedError):
            read(servers.of(replace(ANSWER, ending=Ending.REFUSED)))


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        (Ending.FOREIGN, "self-signed certificate|unable to get local issuer"),
        (Ending.MISNAMED, "Hostname mismatch"),
        (Ending.EXPIRED, "certificate has expired"),
    ],
)
def test_whoever_is_not_the_provider_gives_the_good_answer(ending: Ending, reason: str) -> None:
    """With a certificate that has that one fault."""
    script, answer = Script(), replace(ANSWER, ending=ending)
    with serving(script, tls=True) as servers:
        script.begin(answer)
        there, bundle = servers.of(answer), str(servers.endpoint.ca_bundle)
        with pytest.raises(requests.exceptions.SSLError, match=reason):
            requests.get(there, verify=bundle, timeout=30)
        assert requests.get(there, verify=False, timeout=30).json() == {"a": 1}
        with pytest.raises(requests.ConnectionError):
            requests.get(servers.endpoint, verify=bundle, timeout=30)


def test_every_impostor_is_tried() -> None:
    with serving(Script(), tls=True) as servers:
        tried = {each.answer.ending for each in of_impostors(ANSWER)}
        assert tried == servers.others.keys() - {Ending.REFUSED, Ending.UNACCEPTED}


def test_a_connection_that_nobody_accepts_is_waited_for() -> None:
    answer = replace(ANSWER, ending=Ending.UNACCEPTED)
    with serving(Script()) as servers, pytest.raises(requests.ConnectTimeout):
        requests.get(servers.of(answer), timeout=0.3)


def test_a_redirect_leads_to_the_example() -> None:
    script = Script(elsewhere=ANSWER)
    with serving(script) as servers:
        script.begin(ProviderAnswer(302, (("Location", ELSEWHERE),)))
        assert requests.post(servers.endpoint, timeout=30).json() == {"a": 1}


@pytest.mark.parametrize("changes", [mutations, waits])
def test_an_answer_without_a_body_does_not_end_within_it(changes: Any) -> None:
    assert {each.answer.ending for each in changes(ProviderAnswer(204))} <= {
        Ending.WHOLE,
        Ending.CLOSED,
        Ending.REFUSED,
        Ending.SILENT,
        Ending.UNACCEPTED,
        Ending.DRIPPING_HEAD,
    }


def test_a_reset() -> None:
    script = Script()
    with serving(script) as servers:
        script.begin(ProviderAnswer(200, (), b"12", Ending.RESET))
        assert read(servers.endpoint).endswith(b"(reset)")


@pytest.mark.parametrize("ending", [Ending.SILENT, Ending.SILENT_MIDWAY, Ending.DRIPPING, Ending.DRIPPING_HEAD])
def test_what_never_ends_ends_when_the_call_is_given_up(ending: Ending) -> None:
    script = Script()
    with serving(script) as servers:
        script.begin(ProviderAnswer(200, (), b"12", ending))
        script.release()
        assert re.fullmatch(rb"(HTTP/1\.1 200 .*)?", read(servers.endpoint), re.DOTALL)
