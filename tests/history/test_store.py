"""Store and load runs, in SQLite and in PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.result import Check
from mfagate.history import HistoryError, StoredRun
from mfagate.history.location import HistoryLocation
from mfagate.history.store import History, Selection
from mfagate.history.versions import NEWEST

from ..support.resources import no_descriptor_left
from .runs import FIRST, answered, integration, passed, problem, report, unanswered

SLOW = problem(CauseId.PROVIDER_DEGRADED, "provider.steady", attempts=["a", 1, None, {"b": 2.5}])
DOWN = problem(CauseId.PROVIDER_OUTAGE, "provider.ping", outcome=Outcome.INCONCLUSIVE)


def a_run(day: int = 0, *checks: Check, name: str = "duo") -> StoredRun:
    found = checks or (passed(), SLOW)
    measured = [answered(0.01), answered(0.05), answered(0.02), unanswered(), unanswered(2)]
    return StoredRun.of(report(integration(name, found, measured), day=day))


def test_a_stored_run_is_loaded_unchanged(history: History) -> None:
    run = a_run()
    history.record(run)
    (state,) = run.integrations
    assert (state.questions, state.unanswered) == (4, 1)
    processing = next(sample for sample in state.samples if sample.phase == "processing")
    assert (processing.requests, processing.median, processing.lowest, processing.highest) == (3, 0.02, 0.01, 0.05)
    assert history.runs() == [run]
    assert history.run(run.id) == history.run(run.id[:13]) == run


def test_the_filters(history: History) -> None:
    runs = [a_run(0), a_run(1, passed()), a_run(2, DOWN), a_run(3, passed(), name="okta")]
    for run in runs:
        history.record(run)

    def days(**wanted: Any) -> list[int]:
        return [(run.started - FIRST).days for run in history.runs(Selection(**wanted))]

    assert days() == [3, 2, 1, 0]
    assert days(integrations=("okta",)) == [3]
    assert days(cause="provider.degraded") == [0]
    assert days(verdict="inconclusive") == [2]
    assert days(since=runs[1].started, until=runs[3].started) == [2, 1]
    assert days(stage="nightly") == []
    assert days(limit=2) == [3, 2]


def test_retention_deletes_all_rows_of_a_run(history: History) -> None:
    history.record(a_run(0))
    history.record(a_run(50))
    history.record(a_run(100), keep_days=60)
    assert [run.started - FIRST for run in history.runs()] == [timedelta(100), timedelta(50)]
    with history._transaction() as connection:
        from mfagate.history.tables import PROBLEMS, SAMPLES, STATES

        for table in (STATES, PROBLEMS, SAMPLES):
            owners = {getattr(row, "integration", None) or row.number for row in connection.execute(table.select())}
            assert len(owners) == 2


def test_statuses_of_notifications_are_replaced_one_by_one(history: History) -> None:
    assert history.notified() == {}
    history.remember_notified({"duo": {"cause": "provider.outage"}, "okta": {"cause": None}})
    history.remember_notified({"duo": {"cause": "credential.rejected", "recent": [True, False]}})
    assert history.notified() == {
        "duo": {"cause": "credential.rejected", "recent": [True, False]},
        "okta": {"cause": None},
    }


def test_an_environment_continues_the_history_from_before_its_table(history: History) -> None:
    """``mfagate init`` renames duo in production to duo/production when staging is added to it."""
    before = a_run(0, passed())
    history.record(before, shapes={"duo": {"user": {}}})
    past = history.prior_runs("duo/production", "gate", FIRST)
    assert [started for started, _ in past.runs] == [before.started]
    assert past.shapes == {"user": {}}
    last = history.last_pass("duo/production")
    assert last is not None
    assert last.started == before.started
    history.record(a_run(1, passed(), name="duo/production"), shapes={"duo/production": {}})
    assert len(history.prior_runs("duo/production", "gate", FIRST).runs) == 2
    assert len(history.runs(Selection(("duo/production",)))) == 2
    staging = history.prior_runs("duo/staging", "gate", FIRST)
    assert (staging.runs, staging.shapes, history.last_pass("duo/staging")) == ([], {}, None)


def test_characters_that_databases_cannot_store_are_removed(history: History) -> None:
    odd = problem(CauseId.PROVIDER_OUTAGE, "provider.ping", subject="a\0b", said="\ud800 \0 \N{SNOWMAN}")
    history.record(a_run(0, odd))
    (stored,) = history.runs()
    (found,) = stored.integrations[0].problems
    assert (found.subject, found.evidence["said"]) == ("ab", "?  \N{SNOWMAN}")


def test_a_run_is_stored_completely_or_not_at_all(history: History) -> None:
    run = a_run()
    history.record(run)
    with pytest.raises(HistoryError):
        history.record(replace(a_run(1), id=run.id))
    assert history.runs() == [run]


def test_many_writers_at_once(location: HistoryLocation) -> None:
    """The first writer also creates the tables."""
    runs = [a_run(day) for day in range(12)]
    errors: list[HistoryError] = []

    def write(run: StoredRun) -> None:
        try:
            with History.open(location) as history:
                history.record(run)
        except HistoryError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with History.open(location) as history:
        assert {run.id for run in history.runs()} == {run.id for run in runs}


def test_waiting_for_a_lock_has_a_limit(
    location: HistoryLocation, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mfagate.history import engine

    monkeypatch.setattr(engine, "_BUSY_SECONDS", 0.1)
    with (
        History.open(location) as other,
        engine.transaction(history._engine, location, writes=True),
        pytest.raises(HistoryError, match="another program has locked it"),
    ):
        other.record(a_run())
    history.record(a_run())


def test_a_newer_history_is_refused(location: HistoryLocation) -> None:
    from sqlalchemy import text

    with History.open(location) as history, history._engine.begin() as connection:
        connection.execute(text("UPDATE mfagate_history SET version = 99"))
    with pytest.raises(HistoryError, match=f"has version 99, .* only versions up to {NEWEST}: update"):
        History.open(location)


def test_an_older_history_is_upgraded(location: HistoryLocation) -> None:
    """It is created by the steps of the first version."""
    from sqlalchemy import text

    from mfagate.history import versions
    from mfagate.history.engine import engine_of, transaction
    from mfagate.history.tables import METADATA

    patched = pytest.MonkeyPatch()
    with patched.context() as patch:
        patch.setattr(versions, "STEPS", versions.STEPS[:1])
        patch.setattr(versions, "NEWEST", 1)
        engine = engine_of(location, create=True)
        with transaction(engine, location, writes=True) as connection:
            versions.upgrade(connection)
            moment = "2026-10-01 02:00:00"
            connection.execute(
                text(
                    "INSERT INTO runs (id, stage, started, finished, version, verdict) "
                    "VALUES ('old', 'gate', :m, :m, '0', 'pass')"
                ),
                {"m": moment},
            )  # fmt: skip
        engine.dispose()
    with History.open(location) as history:
        assert history.run("old").started.replace(tzinfo=None) == FIRST.replace(tzinfo=None)
        history.record(a_run())
        with history._transaction() as connection:
            assert versions.version_of(connection) == NEWEST
            made = {table: set(columns) for table, columns in _columns(connection).items()}
    assert made == {table.name: {column.name for column in table.columns} for table in METADATA.sorted_tables}


def _columns(connection: object) -> dict[str, list[str]]:
    from sqlalchemy import inspect

    inspector = inspect(connection)
    return {name: [column["name"] for column in inspector.get_columns(name)] for name in inspector.get_table_names()}


def test_a_missing_history_is_not_created_for_reading(location: HistoryLocation) -> None:
    with pytest.raises(HistoryError, match="`mfagate nightly` creates it"):
        History.open(location, create=False)


def test_an_unknown_or_ambiguous_run_is_refused(history: History) -> None:
    with pytest.raises(HistoryError, match="no run whose id begins with 'abc'"):
        history.run("abc")
    history.record(a_run())
    history.record(a_run(1))
    with pytest.raises(HistoryError, match="several runs"):
        history.run("")


@pytest.mark.parametrize("exists", [True, False])
def test_running_out_of_descriptors_is_not_reported_as_a_broken_history(tmp_path: Path, exists: bool) -> None:
    location = HistoryLocation.of("below/history.db", tmp_path)
    if exists:
        History.open(location).close()
    with no_descriptor_left(), pytest.raises(HistoryError) as raised:
        History.open(location)
    assert "this machine ran out of file descriptors" in str(raised.value)
    assert "accessible" not in str(raised.value)


def test_a_connection_without_a_descriptor_is_not_reported_as_a_broken_history(tmp_path: Path) -> None:
    with History.open(HistoryLocation.of("history.db", tmp_path)) as history:
        history.close()
        with no_descriptor_left(), pytest.raises(HistoryError, match="this machine ran out of file descriptors"):
            history.runs()
