"""The output of mfagate history is safe for terminals and spreadsheets."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from mfagate.core.causes import CauseId, Outcome
from mfagate.history import StoredRun, listing

from .runs import integration, problem, report

HOSTILE = "\x1b]0;owned\x07 \u202eback"


@pytest.fixture
def run() -> StoredRun:
    check = problem(CauseId.PROVIDER_OUTAGE, "provider.ping", outcome=Outcome.FAIL, said=HOSTILE)
    return StoredRun.of(report(integration("duo", [check.model_copy(update={"message": HOSTILE})])))


@pytest.mark.parametrize(("form", "whole"), [("console", False), ("console", True), ("csv", False)])
def test_foreign_text_does_not_control_the_terminal(run: StoredRun, form: str, whole: bool) -> None:
    shown = listing.render([run], form, whole=whole)
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert ("\\x1b]0;owned" in shown) is (whole or form == "csv")


def test_brackets_are_not_markup(run: StoredRun) -> None:
    odd = replace(run, id="[/x]-run", stage="[/y]", integrations=(replace(run.integrations[0], cause="[/z]"),))
    for whole in (False, True):
        assert "[/x]" in listing.render([odd], "console", whole=whole)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "plain"])
def test_no_cell_of_the_csv_is_a_formula(run: StoredRun, text: str) -> None:
    odd = replace(run, integrations=(replace(run.integrations[0], headline=text),))
    (row,) = csv.DictReader(listing.as_csv([odd]).splitlines())
    assert row["headline"] == (text if text == "plain" else f"'{text}")
