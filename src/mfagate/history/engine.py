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
from mfagate.history.place import DEFAULT, HistoryLocation

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_BUSY_SECONDS = 15.0
"""For which one writer waits for another; writing a run takes a few milliseconds."""

_CONNECT_SECONDS = 5
_ADVISORY_LOCK = 7_366_172
"""Any number that others are unlikely to use: two first runs must not make the tables both."""


def engine_of(place: HistoryLocation, *, create: bool) -> Engine:
    """Make an engine; nothing is opened yet. ``create`` makes the folder of the file.

    Raises:
        HistoryError: A package is missing, the URL is none, or the folder cannot be made.
    """
    try:
        import sqlalchemy
        from sqlalchemy.engine import make_url
    except ImportError:
        raise HistoryError(needs("a history", "history")) from None
    if place.path is not None:
        return _sqlite(place.path, place, create=create)
    assert place.url is not None, "one of the two is set"
    arguments = {"connect_timeout": _CONNECT_SECONDS, "application_name": "mfagate", "client_encoding": "utf8"}
    try:
        return sqlalchemy.create_engine(make_url(place.url), connect_args=arguments)
    except ImportError:
        raise HistoryError(needs("a history in PostgreSQL", "postgresql")) from None
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise HistoryError(
            f"the history {place.shown} is no URL of PostgreSQL: write postgresql://USER@HOST/NAME"
        ) from None


def _sqlite(path: Path, place: HistoryLocation, *, create: bool) -> Engine:
    import sqlalchemy
    from sqlalchemy import event

    if create:
        try:
            _make_folder(path)
        except (OSError, ValueError) as error:
            raise _unusable(place, "written", error, "name another place with --history") from None
    try:
        if path.exists():
            require_regular(path)
    except OSError as error:
        raise _unusable(place, "opened", error, _REMEDIES["unable to open"]) from None
    engine = sqlalchemy.create_engine(
        sqlalchemy.URL.create("sqlite", database=str(path)), connect_args={"timeout": _BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: object) -> None:
        # The driver would begin transactions late, and two that have read could then not write.
        connection.isolation_level = None
        for setting in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _unusable(place: HistoryLocation, doing: str, error: Exception, remedy: str) -> HistoryError:
    """Return the error to raise; nothing is wrong with the history where this machine ran out of something."""
    if (shortage := shortage_of(error)) is not None:
        return HistoryError(f"the history {place.shown} cannot be {doing}: this machine ran out of {shortage}")
    reason = getattr(error, "strerror", None) or error
    return HistoryError(f"the history {place.shown} cannot be {doing}: {reason}; {remedy}")


def _make_folder(path: Path) -> None:
    folder, begins = path.parent, not path.exists()
    folder.mkdir(parents=True, exist_ok=True)
    ignoring = folder / ".gitignore"
    if begins and folder.name == DEFAULT.parent.name and not ignoring.exists():
        # Ours alone, beside a file that is committed: nobody should commit this by accident.
        ignoring.write_text("*\n", encoding="utf-8")


@contextmanager
def transaction(engine: Engine, place: HistoryLocation, *, writes: bool) -> Iterator[Connection]:
    """Run one transaction: all of it, or nothing.

    Raises:
        HistoryError: Whatever the database says, in words that help.
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
        raise _unusable(place, doing, error, _remedy("", place)) from None
    except sqlalchemy.exc.SQLAlchemyError as error:
        # SQLite does not say why it could not open a file.
        if (short := out_of_descriptors()) is not None:
            raise _unusable(place, doing, short, "") from None
        message = str(error.orig) if isinstance(error, sqlalchemy.exc.DBAPIError) else str(error)
        with hiding(place.hide):
            reason = quoted(message)
        raise HistoryError(f"the history {place.shown} cannot be {doing}: {reason}; {_remedy(reason, place)}") from None
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        # A page that was overwritten with something that is still a page, or rows of somebody else's program.
        raise HistoryError(
            f"the history {place.shown} holds what no mfagate has written ({type(error).__name__}): "
            "move it away, and a new history begins"
        ) from None


_REMEDIES = {
    "readonly": "make the file and its folder writable, or name another place with --history",
    "unable to open": "make the folder and the file accessible, or name another place with --history",
    "full": "make room on the disk",
    "disk i/o error": "look at the disk: it may be full, or broken",
    "not a database": "it is damaged or another kind of file: move it away, and a new history begins",
    "malformed": "it is damaged: move it away, and a new history begins",
    "locked": "another program holds it: end that one, or try again",
    "lock timeout": "another program holds it: end that one, or try again",
    "password": "give the right user and password",
    "connection": "check host, port and that the server runs",
}


def _remedy(reason: str, place: HistoryLocation) -> str:
    lowered = reason.lower()
    for sign, remedy in _REMEDIES.items():
        if sign in lowered:
            return remedy
    return "check the file" if place.path is not None else "check the database"
