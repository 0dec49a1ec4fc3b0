"""Locations of a history; their passwords are never shown."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.history import HistoryError
from mfagate.history.location import HistoryLocation
from mfagate.history.store import History


def test_the_default_is_beside_the_configuration(tmp_path: Path) -> None:
    assert HistoryLocation.of(None, tmp_path).path == tmp_path / ".mfagate" / "history.db"


def test_an_absolute_path(tmp_path: Path) -> None:
    assert HistoryLocation.of("/var/lib/mfagate.db", tmp_path).path == Path("/var/lib/mfagate.db")


def test_a_reference_is_shown_and_not_its_value(tmp_path: Path) -> None:
    location = HistoryLocation.of("env:HISTORY", tmp_path, {"HISTORY": "postgres://me:hunter22@db/mfa\n"})
    assert (location.shown, location.url) == ("env:HISTORY", "postgresql+psycopg://me:hunter22@db/mfa")
    assert "hunter22" not in repr(location)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("env:NOWHERE", "the history env:NOWHERE cannot be read"),
        ("mysql://me:hunter22@db/mfa", "mysql://… is neither a path nor a postgresql:// URL"),
        ("env:MYSQL", "the history env:MYSQL is neither"),
        # A mistyped URL must not become a file with the password in its name.
        ("postgresql:/me:hunter22@db/mfa", "the history that was given is neither"),
        ("postgresql:me:hunter22@db/mfa", "the history that was given is neither"),
        ("pg sql://me:hunter22@db/mfa", "the history that was given is neither"),
        ("host=db user=me password=hunter22", "the history that was given is neither"),
        ("below\0/history.db", "the history that was given is neither"),
    ],
)
def test_invalid_locations_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(HistoryError, match=message) as raised:
        HistoryLocation.of(text, tmp_path, {"MYSQL": "mysql://me:hunter22@db/mfa"})
    assert "hunter22" not in str(raised.value)


@pytest.mark.parametrize("text", ["POSTGRESQL://me:hunter22@db/mfa", " postgresql://me:hunter22@db/mfa\n"])
def test_other_spellings_of_a_url(tmp_path: Path, text: str) -> None:
    location = HistoryLocation.of(text, tmp_path)
    assert (location.path, location.url) == (None, "postgresql+psycopg://me:hunter22@db/mfa")
    assert "hunter22" not in location.shown


def test_a_password_parameter_in_capitals_is_hidden() -> None:
    assert (
        HistoryLocation.of("postgresql://db/mfa?PASSWORD=hunter22", Path()).shown == "postgresql://db/mfa?PASSWORD=***"
    )


@pytest.mark.parametrize("text", ["me:hunter22", "me:hunter22/mfa", "me:22hunter22/mfa?sslmode=require", ":hunter22"])
def test_a_password_in_a_url_without_a_host_is_hidden(text: str) -> None:
    location = HistoryLocation.of(f"postgresql://{text}", Path())
    with pytest.raises(HistoryError, match=r"postgresql://(me)?:\*\*\* is not a PostgreSQL URL") as raised:
        History.open(location)
    assert "hunter22" not in str(raised.value) + repr(location)


@pytest.mark.parametrize("text", ["db:5432", "db:5432/mfa", "db1:5432,db2:5433/mfa", "[::1]:5432/mfa", "db?x=y:z"])
def test_a_host_without_a_password(text: str) -> None:
    assert HistoryLocation.of(f"postgresql://{text}", Path()).shown == f"postgresql://{text}"


PASSWORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=6, max_size=30)


@given(PASSWORDS, st.booleans(), st.booleans())
def test_a_password_is_never_shown(password: str, as_parameter: bool, escaped: bool) -> None:
    password = f"{password}-canary"
    written = quote(password, safe="") if escaped or as_parameter else password
    url = f"postgresql://me@db/mfa?password={written}" if as_parameter else f"postgresql://me:{written}@db/mfa"
    location = HistoryLocation.of(url, Path())
    for text in (location.shown, repr(location), location.hide(f'FATAL: no "{password}" at {url}')):
        assert password not in text
        assert written not in text


def test_a_path_has_no_password() -> None:
    with pytest.raises(HistoryError, match="write postgresql://USER@HOST/NAME"):
        History.open(HistoryLocation.of("postgresql://me:hunter22@db:port/x", Path()))
