"""Only things that a run made have a mark as their name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.leftovers.marks import Mark, short_run

MARKS = st.builds(
    Mark,
    st.integers(0, 2**32 - 1).map("{:08x}".format),
    st.integers(0, 9_999_999_999).map(int),
    st.integers(0, 2**16 - 1).map("{:04x}".format),
)


@given(MARKS)
def test_a_name_is_read_again(mark: Mark) -> None:
    assert Mark.read(mark.name) == mark
    # The shortest field of a provider: 40 characters of a privacyIDEA serial, 64 of a Twilio identity.
    assert len(mark.name) == 38


@given(MARKS.filter(lambda mark: mark.when < 4_000_000_000))
def test_a_note_fits_into_every_field(mark: Mark) -> None:
    # A description of privacyIDEA is cut after 80 characters.
    assert len(mark.note) <= 80


@given(MARKS, st.integers(0, 37), st.sampled_from("0123456789abcdefghijklmnopqrstuvwxyz-_ ABCDEFäß٣"))
def test_a_name_with_one_changed_character_is_not_a_mark(mark: Mark, place: int, character: str) -> None:
    other = mark.name[:place] + character + mark.name[place + 1 :]
    assert other == mark.name or Mark.read(other) is None


@given(st.text() | st.from_regex(r"mfagate-[0-9]{10}-[0-9a-f]{8}-[0-9a-f]{10}", fullmatch=True))
def test_whatever_is_read_is_exactly_a_name(text: str) -> None:
    mark = Mark.read(text)
    assert mark is None or mark.name == text


@pytest.mark.parametrize(
    "similar",
    ["", "mfagate", "mfagate-", "mfagate-accepts", "mfagate-no-such-user", "mfagate-1764525120-1a2b3c4d-5e6f7a8b9c"],
)
def test_a_similar_name_is_not_a_mark(similar: str) -> None:
    assert Mark.read(similar) is None
    assert Mark.read(f"{similar}\n") is None


def test_an_hour_has_to_pass() -> None:
    mark = Mark("1a2b3c4d", 1_700_000_000)
    assert not mark.is_abandoned(1_700_000_000 + 3600)
    assert mark.is_abandoned(1_700_000_000 + 3601)
    # Made by a machine whose clock is ahead.
    assert not mark.is_abandoned(1_600_000_000)


@given(st.text())
def test_every_id_has_a_short_form(run: str) -> None:
    assert Mark(short_run(run)).run == short_run(run)
