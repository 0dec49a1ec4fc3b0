"""Connect to a history, and explain why it cannot be reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfagate.core.extras import needs
from mfagate.core.files import require_regular
from mfagate.core.foreign import hiding, quoted
from mfagate.core.resources import out_of_descriptors, shortage_of
from mfagate.history.errors import HistoryError
from mfagate.history.location import DEFAULT, HistoryLocation

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_BUSY_SECONDS = 15.0
"""How long a writer waits for another one; writing a run takes a few milliseconds."""

_CONNECT_SECONDS = 5
_ADVISORY_LOCK = 7_366_172
"""An arbitrary number that other programs are unlikely to use: two first runs must not both create the tables."""


def engine_of(location: HistoryLocation, *, create: bool) -> Engine:
    """Create an engine without connecting. ``create`` creates the folder of the file.

    Raises:
        HistoryError: A package is missing, the URL is invalid, or the folder cannot be created.
    """
    try:
        import sqlalchemy
        from sqlalchemy.engine import make_url
    except ImportError:
        raise HistoryError(needs("a history", "history")) from None
    if location.path is not None:
        return _sqlite(location.path, location, create=create)
    assert location.url is not None, "one of the two is set"
    arguments = {"connect_timeout": _CONNECT_SECONDS, "application_name": "mfagate", "client_encoding": "utf8"}
    try:
        return sqlalchemy.create_engine(make_url(location.url), connect_args=arguments)
    except ImportError:
        raise HistoryError(needs("a history in PostgreSQL", "postgresql")) from None
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise HistoryError(
            f"the history {location.shown} is not a PostgreSQL URL: write postgresql://USER@HOST/NAME"
        ) from None


def _sqlite(path: Path, location: HistoryLocation, *, create: bool) -> Engine:
    import sqlalchemy
    from sqlalchemy import event

    if create:
        try:
            _make_folder(path)
        except (OSError, ValueError) as error:
            raise _unusable(location, "written", error, "name another location with --history") from None
    try:
        if path.exists():
            require_regular(path)
    except OSError as error:
        raise _unusable(location, "opened", error, _REMEDIES["unable to open"]) from None
    engine = sqlalchemy.create_engine(
        sqlalchemy.URL.create("sqlite", database=str(path)), connect_args={"timeout": _BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: object) -> None:
        # The driver would begin transactions too late: two that have read could not write then.
        connection.isolation_level = None
        for setting in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _unusable(location: HistoryLocation, doing: str, error: Exception, remedy: str) -> HistoryError:
    """Return the error to raise. If this machine ran out of a resource, nothing is wrong with the history."""
    if (shortage := shortage_of(error)) is not None:
        return HistoryError(f"the history {location.shown} cannot be {doing}: this machine ran out of {shortage}")
    reason = getattr(error, "strerror", None) or error
    return HistoryError(f"the history {location.shown} cannot be {doing}: {reason}; {remedy}")


def _make_folder(path: Path) -> None:
    folder, begins = path.parent, not path.exists()
    folder.mkdir(parents=True, exist_ok=True)
    ignoring = folder / ".gitignore"
    if begins and folder.name == DEFAULT.parent.name and not ignoring.exists():
        # Only our own folder: it is beside a committed file, and nobody should commit it by accident.
        ignoring.write_text("*\n", encoding="utf-8")


@contextmanager
def transaction(engine: Engine, location: HistoryLocation, *, writes: bool) -> Iterator[Connection]:
    """Run one transaction.

    Raises:
        HistoryError: The database failed. The message explains what to do.
    """
    import sqlalchemy

    doing = "written" if writes else "read"
    try:
        with engine.connect().execution_options(writes=writes) as connection, connection.begin():
            if writes and connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_BUSY_SECONDS}s'")
                connection.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            yield connection
    except (OSError, MemoryError) as error:
        raise _unusable(location, doing, error, _remedy("", location)) from None
    except sqlalchemy.exc.SQLAlchemyError as error:
        # SQLite does not say why it could not open a file.
        if (short := out_of_descriptors()) is not None:
            raise _unusable(location, doing, short, "") from None
        message = str(error.orig) if isinstance(error, sqlalchemy.exc.DBAPIError) else str(error)
        with hiding(location.hide):
            reason = quoted(message)
        raise HistoryError(
            f"the history {location.shown} cannot be {doing}: {reason}; {_remedy(reason, location)}"
        ) from None
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        # The file is damaged but readable, or another program has written rows.
        raise HistoryError(
            f"the history {location.shown} has content that mfagate did not write ({type(error).__name__}): "
            "move it away to begin a new history"
        ) from None


_REMEDIES = {
    "readonly": "make the file and its folder writable, or name another location with --history",
    "unable to open": "make the folder and the file accessible, or name another location with --history",
    "full": "make room on the disk",
    "disk i/o error": "check the disk: it may be full or broken",
    "not a database": "it is damaged, or another kind of file: move it away to begin a new history",
    "malformed": "it is damaged: move it away to begin a new history",
    "locked": "another program has locked it: end that program, or try again",
    "lock timeout": "another program has locked it: end that program, or try again",
    "password": "correct the user and the password",
    "connection": "check the host and the port, and that the server is running",
}


def _remedy(reason: str, location: HistoryLocation) -> str:
    lowered = reason.lower()
    for sign, remedy in _REMEDIES.items():
        if sign in lowered:
            return remedy
    return "check the file" if location.path is not None else "check the database"
