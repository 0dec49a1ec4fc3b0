"""Provider states as readers: a contract that accepts what misleads them is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mfagate.contract import Contract, load
from mfagate.providers import registry
from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.testing.state_readers import NothingRead, blind_states

from ..support.project import REPOSITORY

ANY_TEXT = {"$.response.txid": {"combine": "AND", "matchers": [{"match": "type"}]}}
ANY_RESULT = {"$.response.result": {"combine": "AND", "matchers": [{"match": "type"}]}}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    sandbox = sandboxes.get("duo")
    with sandbox.start() as started:
        yield started


def blind(running: Running, contract: Contract) -> list[str]:
    provider = registry.get("duo")
    names = sandboxes.get("duo").settings
    settings = provider.settings.model_validate({name: running.values[name] for name in names})
    return blind_states(provider, settings, running, contract)


def loosened(description: str, rules: dict[str, object]) -> Contract:
    """Duo's contract, with other rules for the body of one answer."""
    contract = load(REPOSITORY / "contracts/duo/auth-service-duo.json")
    interactions = [
        replace(each, response=replace(each.response, body_rules=rules)) if each.description == description else each
        for each in contract.interactions
    ]
    return replace(contract, interactions=tuple(interactions))


@pytest.mark.parametrize(
    ("description", "rules", "change"),
    [
        ("push sent", ANY_TEXT, '$.response.txid is ""'),
        ("push accepted", ANY_RESULT | ANY_TEXT, '$.response.result is "mfagate-other"'),
    ],
)
def test_a_state_that_is_misled_is_found(
    running: Running, description: str, rules: dict[str, object], change: str
) -> None:
    found = blind(running, loosened(description, rules))
    assert any(line.startswith(f"{description}: {change}") for line in found), found


def test_states_that_read_no_answer_of_the_contract_prove_nothing(running: Running) -> None:
    contract = load(REPOSITORY / "contracts/duo/auth-service-duo.json")
    unread = tuple(each for each in contract.interactions if each.description == "key accepted")
    with pytest.raises(NothingRead, match=r"no provider state reads an answer of .*auth-service-duo\.json"):
        blind(running, replace(contract, interactions=unread))


def test_the_shipped_contract_misleads_none(running: Running) -> None:
    assert blind(running, load(REPOSITORY / "contracts/duo/auth-service-duo.json")) == []
