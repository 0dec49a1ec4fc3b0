"""How an answer differs from the nearest interaction, or from the probe's own example."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mfagate.checks.expectation import difference, other_shape
from mfagate.contract import Contract, load
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Headers, Request, Response
from tests.support.project import REPOSITORY

JSON = Headers((("Content-Type", "application/json"),))


def as_it_is(document: Any) -> Any:
    return document


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load(REPOSITORY / "contracts/duo/auth-service-duo.json", provider="duo")


def answered(method: str, path: str, body: Any, status: int = 200) -> Exchange:
    response = Response(status, headers=JSON, body=json.dumps(body).encode())
    return Exchange(Request(method, f"https://api.example{path}"), datetime.now(UTC), response)


def causes(contract: Contract, exchange: Exchange, *, nearest_only: bool = False) -> list[CauseId]:
    return [mismatch.cause for mismatch in difference(contract, exchange, as_it_is, nearest_only=nearest_only)]


def test_the_nearest_interaction_shows_which_field_differs(contract: Contract) -> None:
    good: dict[str, Any] = {"stat": "OK", "response": {"time": 1_700_000_000}}
    assert causes(contract, answered("GET", "/auth/v2/check", good)) == []
    lacking = {"stat": "OK", "response": {}}
    assert causes(contract, answered("GET", "/auth/v2/check", lacking)) == [CauseId.CONTRACT_FIELD_MISSING]
    retyped = {"stat": "OK", "response": {"time": "1700000000"}}
    assert causes(contract, answered("GET", "/auth/v2/check", retyped)) == [CauseId.CONTRACT_TYPE_CHANGED]


def test_an_endpoint_or_status_without_an_interaction_is_not_compared(contract: Contract) -> None:
    assert causes(contract, answered("GET", "/auth/v2/nowhere", {})) == []
    assert causes(contract, answered("GET", "/auth/v2/check", {}, 418)) == []


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"code": 20003, "message": "no"}, 401, []),
        ({"message": "no"}, 401, [CauseId.CONTRACT_FIELD_MISSING]),
        ({"code": "20003", "message": "no"}, 401, [CauseId.CONTRACT_TYPE_CHANGED]),
        # Another application's refusal: it has nothing in common with ours.
        ({"detail": "Unauthorized"}, 401, []),
        ({}, 200, [CauseId.CONTRACT_FIELD_MISSING, CauseId.CONTRACT_FIELD_MISSING]),
        ([], 200, []),
    ],
)
def test_the_example_of_a_probe_counts_by_its_types(body: Any, status: int, expected: list[CauseId]) -> None:
    response = Response(status, headers=JSON, body=json.dumps(body).encode())
    found = other_shape({"code": 1, "message": ""}, response, as_it_is)
    assert [mismatch.cause for mismatch in found] == expected
    assert all("the contract" not in mismatch.message for mismatch in found)


def test_json_within_a_string_is_another_type() -> None:
    body = {"result": json.dumps({"status": "ready"})}
    response = Response(200, headers=JSON, body=json.dumps(body).encode())
    assert [one.cause for one in other_shape({"result": {"status": ""}}, response, as_it_is)] == [
        CauseId.CONTRACT_TYPE_CHANGED
    ]
