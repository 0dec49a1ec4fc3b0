"""The catalogue: one page an id, each whole, each outcome one of those it may have."""

from __future__ import annotations

from importlib.resources import files

import pytest

from mfagate.causes import CauseId, Outcome, load

HEADINGS = ["## What it means", "## Evidence", "## First steps", "## Who to talk to"]
CLEARED = {"configuration", "credential", "network", "provider", "clock", "database"}


def test_one_page_an_id() -> None:
    pages = {page.name.removesuffix(".md") for page in (files("mfagate.causes") / "pages").iterdir()}
    assert pages == {cause.value for cause in CauseId}


@pytest.mark.parametrize("cause_id", CauseId)
def test_a_page_is_whole(cause_id: CauseId) -> None:
    cause = load(cause_id)
    assert cause.id is cause_id
    assert [line for line in cause.text.splitlines() if line.startswith("## ")] == HEADINGS
    assert cause.title
    assert not cause.title.endswith(".")
    assert len(cause.next_step) > 20
    assert cause.contact
    assert cause.outcome is not Outcome.PASS
    assert set(cause.exonerates) <= CLEARED
    assert "1. " in cause.text


def test_the_names_of_ids_follow_their_values() -> None:
    assert {cause.name for cause in CauseId} == {cause.replace(".", "_").replace("-", "_").upper() for cause in CauseId}
