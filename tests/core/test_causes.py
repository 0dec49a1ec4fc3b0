"""The catalogue: one page an id, each whole, each outcome one of those it may have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files

import click
import pytest
from tests.support.project import REPOSITORY

from mfagate.cli import cli
from mfagate.core.causes import CauseId, Outcome, load

HEADINGS = ["## What it means", "## Evidence", "## First steps", "## Who to talk to"]
CLEARED = {"configuration", "credential", "network", "provider", "clock", "database"}


def test_one_page_an_id() -> None:
    pages = {page.name.removesuffix(".md") for page in (files("mfagate.core.causes") / "pages").iterdir()}
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


def _commands() -> Iterator[tuple[str, str]]:
    """Each command of mfagate that a page or a message of the program names."""
    for path in sorted([*REPOSITORY.glob("src/mfagate/**/*.md"), *REPOSITORY.glob("src/mfagate/**/*.py")]):
        text = re.sub(r'"\s+f?"', "", path.read_text())  # a message in several parts
        for command in re.findall(r"`mfagate ([a-z][^`]*)`", re.sub(r"\s+", " ", text)):
            yield f"{path.relative_to(REPOSITORY)}: mfagate {command}", command


@pytest.mark.parametrize("command", [pytest.param(command, id=name) for name, command in _commands()])
def test_a_command_that_people_are_to_run_exists(command: str) -> None:
    name, *arguments = command.split()
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    known = {option for parameter in found.params for option in parameter.opts}
    assert {one.partition("=")[0] for one in arguments if one.startswith("--")} <= known


def test_the_next_step_of_missing_documentation_is_the_command_that_looks_at_it() -> None:
    assert "mfagate nightly" in load(CauseId.DOCUMENTATION_INCOMPLETE).next_step
