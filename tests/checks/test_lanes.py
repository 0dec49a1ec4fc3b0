"""Interactions that share something are sent in order, and the others at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.checks.lanes import queues
from mfagate.contract import Interaction, ProviderState, load
from mfagate.providers.states import Lane
from tests.checks.contexts import write_pact

LANES: Mapping[str, Lane | None] = {
    "free": None,
    "anna": Lane("anna"),
    "bert": Lane("bert"),
    "made": Lane("made", most=2),
    "push": Lane("push", waits=True),
}


def lane_of(state: ProviderState) -> Lane | None:
    return LANES[state.name]


@pytest.fixture(scope="module")
def interactions(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Interaction]:
    """One interaction for each combination of states that a test uses."""
    folder = tmp_path_factory.mktemp("lanes")
    names = ["", *LANES, "anna bert"]
    write_pact(
        folder,
        *(
            {
                "description": name or "none",
                "providerStates": [{"name": state} for state in name.split()],
                "request": {"path": "/"},
                "response": {"status": 200},
            }
            for name in names
        ),
    )
    loaded = load(folder / "pact.json", provider="fake").interactions
    return {" ".join(state.name for state in one.states): one for one in loaded}


def lanes(interactions: Mapping[str, Interaction], *states: str) -> Sequence[Sequence[int]]:
    made = queues([interactions[name] for name in states], lane_of)
    return [[number for number, _ in queue.entries] for queue in made]


def test_interactions_without_a_shared_state_have_a_lane_each(interactions: Mapping[str, Interaction]) -> None:
    assert lanes(interactions, "", "free", "free") == [[0], [1], [2]]


def test_interactions_of_one_user_are_in_order(interactions: Mapping[str, Interaction]) -> None:
    assert lanes(interactions, "anna", "free", "anna", "bert", "anna") == [[0, 2, 4], [1], [3]]


def test_users_that_are_made_serve_some_interactions_each(interactions: Mapping[str, Interaction]) -> None:
    assert lanes(interactions, "made", "made", "made") == [[0, 1], [2]]


def test_lanes_that_wait_begin_first(interactions: Mapping[str, Interaction]) -> None:
    assert lanes(interactions, "anna", "anna", "push") == [[2], [0, 1]]


def test_an_interaction_that_needs_two_users_puts_all_in_order(interactions: Mapping[str, Interaction]) -> None:
    assert lanes(interactions, "free", "anna bert", "bert") == [[0, 1, 2]]


@given(st.lists(st.sampled_from(["", *LANES]), max_size=30))
def test_each_interaction_is_in_one_lane_and_no_lane_changes_the_order(
    interactions: Mapping[str, Interaction], states: list[str]
) -> None:
    made = lanes(interactions, *states)
    assert sorted(number for lane in made for number in lane) == list(range(len(states)))
    assert all(list(lane) == sorted(lane) for lane in made)
