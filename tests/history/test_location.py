"""Where a history is, and what is not said of it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.history import HistoryError
from mfagate.history.location import HistoryLocation
from mfagate.history.store import History


def test_the_default_is_beside_the_file(tmp_path: Path) -> None:
    assert HistoryLocation.of(None, tmp_path).path == tmp_path / ".mfagate" / "history.db"


def test_an_absolute_path(tmp_path: Path) -> None:
    assert HistoryLocation.of("/var/lib/mfagate.db", tmp_path).path == Path("/var/lib/mfagate.db")


def test_a_reference_is_shown_as_one(tmp_path: Path) -> None:
    place = HistoryLocation.of("env:HISTORY", tmp_path, {"HISTORY": "postgres://me:hunter22@db/mfa\n"})
    assert (place.shown, place.url) == ("env:HISTORY", "postgresql+psycopg://me:hunter22@db/mfa")
    assert "hunter22" not in repr(place)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("env:NOWHERE", "the history env:NOWHERE cannot be read"),
        ("mysql://me:hunter22@db/mfa", "mysql://… is neither a path nor a postgresql:// URL"),
        ("env:MYSQL", "the history env:MYSQL is neither"),
        # A slip in what was meant as a database makes no file, whose name would show the password.
        ("postgresql:/me:hunter22@db/mfa", "the history that was given is neither"),
        ("postgresql:me:hunter22@db/mfa", "the history that was given is neither"),
        ("pg sql://me:hunter22@db/mfa", "the history that was given is neither"),
        ("host=db user=me password=hunter22", "the history that was given is neither"),
        ("below\0/history.db", "the history that was given is neither"),
    ],
)
def test_what_names_no_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(HistoryError, match=message) as raised:
        HistoryLocation.of(text, tmp_path, {"MYSQL": "mysql://me:hunter22@db/mfa"})
    assert "hunter22" not in str(raised.value)


@pytest.mark.parametrize("text", ["POSTGRESQL://me:hunter22@db/mfa", " postgresql://me:hunter22@db/mfa\n"])
def test_a_url_written_otherwise_is_one(tmp_path: Path, text: str) -> None:
    place = HistoryLocation.of(text, tmp_path)
    assert (place.path, place.url) == (None, "postgresql+psycopg://me:hunter22@db/mfa")
    assert "hunter22" not in place.shown


def test_a_parameter_in_capitals_is_hidden_too() -> None:
    assert (
        HistoryLocation.of("postgresql://db/mfa?PASSWORD=hunter22", Path()).shown == "postgresql://db/mfa?PASSWORD=***"
    )


@pytest.mark.parametrize("text", ["me:hunter22", "me:hunter22/mfa", "me:22hunter22/mfa?sslmode=require", ":hunter22"])
def test_a_host_that_was_forgotten(text: str) -> None:
    place = HistoryLocation.of(f"postgresql://{text}", Path())
    with pytest.raises(HistoryError, match=r"postgresql://(me)?:\*\*\* is not a PostgreSQL URL") as raised:
        History.open(place)
    assert "hunter22" not in str(raised.value) + repr(place)


@pytest.mark.parametrize("text", ["db:5432", "db:5432/mfa", "db1:5432,db2:5433/mfa", "[::1]:5432/mfa", "db?x=y:z"])
def test_a_host_without_a_password(text: str) -> None:
    assert HistoryLocation.of(f"postgresql://{text}", Path()).shown == f"postgresql://{text}"


PASSWORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=6, max_size=30)


@given(PASSWORDS, st.booleans(), st.booleans())
def test_a_password_is_never_shown(password: str, as_parameter: bool, escaped: bool) -> None:
    password = f"{password}-canary"
    written = quote(password, safe="") if escaped or as_parameter else password
    url = f"postgresql://me@db/mfa?password={written}" if as_parameter else f"postgresql://me:{written}@db/mfa"
    place = HistoryLocation.of(url, Path())
    for text in (place.shown, repr(place), place.hide(f'FATAL: no "{password}" at {url}')):
        assert password not in text
        assert written not in text


def test_no_url_at_all() -> None:
    with pytest.raises(HistoryError, match="write postgresql://USER@HOST/NAME"):
        History.open(HistoryLocation.of("postgresql://me:hunter22@db:port/x", Path()))
