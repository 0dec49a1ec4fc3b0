"""The tables in the newest version. :mod:`mfagate.history.versions` upgrades older histories."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """A time in UTC, to the second. SQLite stores no time zone; PostgreSQL returns that of the session."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert a time for the database."""
        if value is None:
            return None
        moment = value.astimezone(UTC).replace(microsecond=0)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Convert a time from the database."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


METADATA = MetaData()

VERSION = Table("mfagate_history", METADATA, Column("version", Integer, nullable=False))

RUNS = Table(
    "runs",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("stage", String(16), nullable=False),
    Column("started", Moment, nullable=False, index=True),
    Column("finished", Moment, nullable=False),
    Column("version", String(64), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("override", Text),
    Column("commit", String(80)),
    Column("fingerprint_key", String(16)),
)

STATES = Table(
    "integrations",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("run", ForeignKey("runs.number", ondelete="CASCADE"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("environment", String(16), nullable=False),
    Column("target", String(16), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("cause", String(64)),
    Column("headline", Text, nullable=False),
    Column("ran", Text, nullable=False),  # ids of checks, separated by spaces
    Column("questions", Integer, nullable=False),
    Column("unanswered", Integer, nullable=False),
    Index("integrations_by_run", "run"),
    Index("integrations_by_name", "name", "number"),
)

PROBLEMS = Table(
    "problems",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("integration", ForeignKey("integrations.number", ondelete="CASCADE"), nullable=False),
    Column("check", String(64), nullable=False),
    Column("subject", Text),
    Column("outcome", String(16), nullable=False),
    Column("cause", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("next_step", Text),
    Index("problems_by_integration", "integration"),
)

SHAPES = Table(
    "shapes",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("seen", Moment, nullable=False),
    Column("answers", JSON, nullable=False),
)
"""The shapes of the responses of each integration, as of its last run."""

NOTIFIED = Table(
    "notified",
    METADATA,
    Column("problem", Text, primary_key=True),
    Column("status", JSON, nullable=False),
)
"""What notifications remember of each problem: its cause, and what was sent."""

SAMPLES = Table(
    "samples",
    METADATA,
    Column("integration", ForeignKey("integrations.number", ondelete="CASCADE"), primary_key=True),
    Column("phase", String(16), primary_key=True),
    Column("requests", Integer, nullable=False),
    Column("median", Float, nullable=False),
    Column("lowest", Float, nullable=False),
    Column("highest", Float, nullable=False),
    sqlite_with_rowid=False,
)

FINGERPRINTS = Table(
    "fingerprints",
    METADATA,
    Column("integration", ForeignKey("integrations.number", ondelete="CASCADE"), primary_key=True),
    Column("setting", String(128), primary_key=True),
    Column("fingerprint", String(16), nullable=False),
    sqlite_with_rowid=False,
)
"""The fingerprint of each value that a run used. The database never contains the key."""
