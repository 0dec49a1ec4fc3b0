"""Requests built from a pact and the values of its provider states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pact import Pact, generate, match

from mfagate.contract import Interaction, StateValueError, load


@pytest.fixture
def interaction(
    write_pact: Callable[[Callable[[Any], object]], Path],
) -> Callable[[Callable[[Any], object]], Interaction]:
    """Write and read a pact with one interaction, whose request a function describes."""

    def build(describe: Callable[[Any], object]) -> Interaction:
        def with_answer(pact: Pact) -> None:
            started = pact.upon_receiving("a request")
            describe(started)
            started.will_respond_with(200)

        return load(write_pact(with_answer)).interactions[0]

    return build


def state(expression: str, **more: str) -> dict[str, str]:
    return {"type": "ProviderState", "expression": expression, **more}


def test_examples_are_sent_as_they_stand(interaction: Any) -> None:
    request = interaction(
        lambda it: (
            it.with_request("POST", "/auth/v2")
            .with_query_parameter("tag", "a b")
            .with_query_parameter("tag", "b")
            .with_header("Accept", "application/json, text/plain")
            .with_body("factor=push&user=a%20b", "application/x-www-form-urlencoded")
        )
    ).build_request({})
    assert (request.method, request.url) == ("POST", "/auth/v2?tag=a+b&tag=b")
    assert request.headers == {
        "Accept": "application/json, text/plain",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    assert request.data == b"factor=push&user=a%20b"


def test_the_request_can_be_prepared_once_joined_with_a_base_url(interaction: Any) -> None:
    built = interaction(lambda it: it.with_request("GET", "/a").with_query_parameter("q", "ä"))
    request = built.build_request({})
    request.url = "https://api.test" + request.url
    assert request.prepare().url == "https://api.test/a?q=%C3%A4"


def test_state_values_fill_path_query_and_headers(interaction: Any) -> None:
    request = interaction(
        lambda it: (
            it.with_request("GET", match.regex("/tx/T1", regex="/tx/.+"))
            .with_query_parameter("id", "T1")
            .with_header("X-Transaction", "T1")
            .with_generators(
                {
                    "path": state("/tx/${txid}"),
                    "query": {"id": state("txid"), "by": state("${user}")},
                    "header": {"x-transaction": state("${txid}-${user}")},
                },
                part="Request",
            )
        )
    ).build_request({"txid": "a/b?c#d e", "user": "alice"})
    assert request.url == "/tx/a/b%3Fc%23d%20e?by=alice&id=a%2Fb%3Fc%23d+e"
    assert request.headers == {"X-Transaction": "a/b?c#d e-alice"}


def test_state_values_fill_json_bodies_in_the_type_of_the_example(interaction: Any) -> None:
    from_state = generate.provider_state
    request = interaction(
        lambda it: it.with_request("POST", "/").with_body(
            {
                "user": match.like("alice", generator=from_state("${user}")),
                "serial": match.like("x", generator=from_state("${serial}")),
                "count": match.like(1, generator=from_state("${count}")),
                "list": [{"serial": match.like("x", generator=from_state("${serial}"))}, {"serial": "kept"}],
                "kept": match.like("example", generator=generate.str(5)),
            },
            "application/json",
        )
    ).build_request({"user": 'bo"b', "serial": "7", "count": "3"})
    assert request.data == (
        b'{"count": 3, "kept": "example", "list": [{"serial": "7"}, {"serial": "kept"}],'
        b' "serial": "7", "user": "bo\\"b"}'
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    {
        "$.l[*].a": b'{"l": [{"a": "V", "b": "x"}, {"a": "V"}], "o d": {"a": "x"}}',
        "$['o d'].*": b'{"l": [{"a": "x", "b": "x"}, {"a": "x"}], "o d": {"a": "V"}}',
        "$.l[1]": b'{"l": [{"a": "x", "b": "x"}, "V"], "o d": {"a": "x"}}',
        "$.l[9].a": b'{"l": [{"a": "x", "b": "x"}, {"a": "x"}], "o d": {"a": "x"}}',
        "$['o d'].a.b": b'{"l": [{"a": "x", "b": "x"}, {"a": "x"}], "o d": {"a": "x"}}',
        "$": b'"V"',
    }.items(),
)
def test_body_paths(path: str, expected: bytes, interaction: Any) -> None:
    body = {"l": [{"a": "x", "b": "x"}, {"a": "x"}], "o d": {"a": "x"}}
    built = interaction(
        lambda it: (
            it.with_request("POST", "/")
            .with_body(body, "application/json")
            .with_generators({"body": {path: state("${v}")}}, part="Request")
        )
    )
    assert built.build_request({"v": "V"}).data == expected


def test_state_values_fill_forms_as_pact_does(interaction: Any) -> None:
    built = interaction(
        lambda it: (
            it.with_request("POST", "/")
            .with_body("user=a&tag=1&tag=2&empty=", "application/x-www-form-urlencoded")
            .with_generators(
                {
                    "body": {
                        "$.user": state("${user}"),
                        "$.tag[1]": state("${tag}"),
                        "$.none": state("${none}"),
                    }
                },
                part="Request",
            )
        )
    )
    data = built.build_request({"user": "al&ice", "tag": "é"}).data
    assert data == b"user=al%26ice&tag=1&tag=%C3%A9&empty="


@pytest.mark.parametrize("part", ["path", "query", "header", "body"])
def test_a_missing_value_is_named(part: str, interaction: Any) -> None:
    generators = {
        "path": state("/tx/${txid}"),
        "query": {"id": state("${txid}")},
        "header": {"X-Id": state("${txid}")},
        "body": {"$.id": state("${txid}")},
    }
    built = interaction(
        lambda it: (
            it.with_request("POST", "/tx")
            .with_query_parameter("id", "T1")
            .with_header("X-Id", "T1")
            .with_body({"id": "T1"}, "application/json")
            .with_generators({part: generators[part]}, part="Request")
        )
    )
    with pytest.raises(StateValueError, match="'txid' is missing") as raised:
        built.build_request({"other": "x"})
    assert raised.value.name == "txid"


@pytest.mark.parametrize(
    ("example", "more", "text", "value"),
    [
        (1, {}, "5", b"5"),
        (True, {}, "false", b"false"),
        (1.5, {}, "2", b"2"),
        ("1", {"dataType": "INTEGER"}, "5", b"5"),
        (1, {"dataType": "STRING"}, "5", b'"5"'),
        (1, {}, "five", b'"five"'),
        (1, {}, "true", b'"true"'),
        ("1", {"dataType": "INTEGER"}, "five", None),
        (1, {"dataType": "BOOLEAN"}, "0", None),
    ],
)
def test_values_take_the_type_that_the_contract_has(
    example: object, more: dict[str, str], text: str, value: bytes | None, interaction: Any
) -> None:
    built = interaction(
        lambda it: (
            it.with_request("POST", "/")
            .with_body({"n": example}, "application/json")
            .with_generators({"body": {"$.n": state("${n}", **more)}}, part="Request")
        )
    )
    if value is not None:
        assert built.build_request({"n": text}).data == b'{"n": ' + value + b"}"
    else:
        with pytest.raises(StateValueError) as raised:
            built.build_request({"n": text})
        assert text not in str(raised.value)
