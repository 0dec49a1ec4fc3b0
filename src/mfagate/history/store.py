"""Write runs to the history, and read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Self

from pydantic import TypeAdapter

from mfagate.core.causes import Outcome
from mfagate.core.exchange import Phase
from mfagate.core.result import Verdict
from mfagate.drift import from_json
from mfagate.history.engine import engine_of, transaction
from mfagate.history.errors import HistoryError
from mfagate.history.location import HistoryLocation
from mfagate.history.prior_runs import LastPass, PriorRuns
from mfagate.history.record import IntegrationState, PhaseSample, RecordedProblem, StoredRun

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, RowMapping, Select, Table


@dataclass(frozen=True, slots=True)
class Selection:
    """Selects results of integrations.

    ``duo/production`` also selects the runs of ``duo`` in production before it had a table for each environment.

    Args:
        since: The first moment (UTC).
        until: The moment after the last one.
        limit: How many results at most, newest first.
        environments: Whether ``duo`` also selects ``duo/production``.
        accepted: Whether to select only results without problems, except missing documentation.
    """

    integrations: Sequence[str] = ()
    cause: str | None = None
    verdict: Verdict | None = None
    stage: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None
    environments: bool = False
    accepted: bool = False


class History:
    """An open history, for a ``with`` statement. Every method may raise :class:`HistoryError`."""

    def __init__(self, engine: Engine, location: HistoryLocation) -> None:
        self._engine = engine
        self.location = location

    @classmethod
    def open(cls, location: HistoryLocation, *, create: bool = True) -> Self:
        """Open a history, and upgrade it if it is older than this version.

        Args:
            location: Where it is.
            create: Whether to create it if it does not exist.

        Raises:
            HistoryError: It does not exist or cannot be used, or a newer version of mfagate has created it.
        """
        if not create and location.path is not None and not location.path.exists():
            raise HistoryError(f"there is no history {location.shown}: `mfagate nightly` creates it")
        history = cls(engine_of(location, create=create), location)
        try:
            history._check_version(create=create)
        except BaseException:
            history.close()
            raise
        return history

    def _check_version(self, *, create: bool) -> None:
        from mfagate.history.versions import NEWEST, NewerVersion, upgrade, version_of

        try:
            with self._transaction() as connection:
                found = version_of(connection)
            if found == NEWEST:
                return
            if found == 0 and not create:
                raise HistoryError(f"the history {self.location.shown} is empty: `mfagate nightly` creates it")
            with self._transaction(writes=True) as connection:
                upgrade(connection)
        except NewerVersion as error:
            raise HistoryError(
                f"the history {self.location.shown} has version {error.found}, but this mfagate supports only versions "
                f"up to {NEWEST}: update mfagate, or name another location with --history"
            ) from None

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _transaction(self, *, writes: bool = False) -> AbstractContextManager[Connection]:
        return transaction(self._engine, self.location, writes=writes)

    def record(
        self, run: StoredRun, *, shapes: Mapping[str, Mapping[str, Any]] | None = None, keep_days: int | None = None
    ) -> None:
        """Store a run, and delete old runs, in one transaction.

        Args:
            run: The run.
            shapes: The current shapes of the responses, by integration.
            keep_days: Delete runs that are older than this run by more days.
        """
        from mfagate.history.tables import FINGERPRINTS, PROBLEMS, RUNS, SAMPLES, SHAPES, STATES

        with self._transaction(writes=True) as connection:
            number = connection.execute(RUNS.insert().returning(RUNS.c.number), _run_row(run)).scalar_one()
            for state in run.integrations:
                parent = connection.execute(
                    STATES.insert().returning(STATES.c.number), {"run": number, **_state_row(state)}
                ).scalar_one()
                for table, rows in (
                    (PROBLEMS, [_problem_row(problem) for problem in state.problems]),
                    (SAMPLES, [_sample_row(sample) for sample in state.samples]),
                    (FINGERPRINTS, [{"setting": _text(k), "fingerprint": v} for k, v in state.fingerprints.items()]),
                ):
                    if rows:
                        connection.execute(table.insert(), [{"integration": parent, **row} for row in rows])
            for name, answers in (shapes or {}).items():
                connection.execute(SHAPES.delete().where(SHAPES.c.name == name))
                connection.execute(SHAPES.insert(), {"name": name, "seen": run.started, "answers": answers})
            if keep_days is not None:
                connection.execute(RUNS.delete().where(RUNS.c.started < run.started - timedelta(days=keep_days)))

    def runs(self, selection: Selection | None = None) -> list[StoredRun]:
        """Return the runs with the selected results, newest run first."""
        from sqlalchemy import select

        from mfagate.history.tables import RUNS, STATES

        selection = selection or Selection()
        query = select(RUNS, *_prefixed(STATES)).join(STATES, STATES.c.run == RUNS.c.number)
        query = _filtered(query, selection).order_by(RUNS.c.number.desc(), STATES.c.number)
        if selection.limit is not None:
            query = query.limit(selection.limit)
        return self._load(query)

    def run(self, beginning: str) -> StoredRun:
        """Return the run whose id begins with a text, with all of its integrations.

        Raises:
            HistoryError: No run has such an id, or several runs have one.
        """
        from sqlalchemy import select

        from mfagate.history.tables import RUNS, STATES

        found = select(RUNS.c.number).where(RUNS.c.id.startswith(beginning, autoescape=True)).limit(2)
        query = select(RUNS, *_prefixed(STATES)).outerjoin(STATES, STATES.c.run == RUNS.c.number)
        runs = self._load(query.where(RUNS.c.number.in_(found)).order_by(RUNS.c.number, STATES.c.number))
        if len(runs) != 1:
            how_many = "several runs" if runs else "no run"
            raise HistoryError(f"the history {self.location.shown} has {how_many} whose id begins with {beginning!r}")
        return runs[0]

    def _load(self, query: Select[Any]) -> list[StoredRun]:
        with self._transaction() as connection:
            rows = connection.execute(query).mappings().all()
            states = _states(connection, [row for row in rows if row["state_number"] is not None])
            by_run = (list(rows) for _, rows in groupby(rows, lambda row: row["number"]))
            return [
                _run(group[0], [states[row["state_number"]] for row in group if row["state_number"] is not None])
                for group in by_run
            ]

    def prior_runs(self, name: str, stage: str, since: datetime) -> PriorRuns:
        """Return what the earlier runs of a stage found about an integration."""
        from sqlalchemy import select

        from mfagate.history.tables import SHAPES

        runs = self.runs(Selection((name,), stage=stage, since=since))
        states = [(run.started, state) for run in reversed(runs) for state in run.integrations]
        with self._transaction() as connection:
            query = select(SHAPES.c.answers).where(SHAPES.c.name == (states[-1][1].name if states else name))
            found = connection.execute(query).scalar_one_or_none()
            shapes = _SHAPES.validate_python({} if found is None else found)
            for answer in shapes.values():
                from_json(answer)  # An invalid shape must fail here, and not in the check that needs it.
        return PriorRuns(None, states, shapes)

    def last_pass(self, name: str) -> LastPass | None:
        """Return the last run of any stage in which an integration passed; None without such a run."""
        for run in self.runs(Selection((name,), accepted=True, limit=1)):
            (state,) = run.integrations
            undocumented = state.verdict is not Verdict.PASS
            key, prints = run.fingerprint_key, state.fingerprints
            return LastPass(None, run.started, run.commit, key, prints, undocumented=undocumented)
        return None

    def notified(self) -> Mapping[str, Any]:
        """Return what notifications remember of each problem, by the key of the problem."""
        from mfagate.history.tables import NOTIFIED

        with self._transaction() as connection:
            return {row.problem: row.status for row in connection.execute(NOTIFIED.select())}

    def remember_notified(self, statuses: Mapping[str, Any]) -> None:
        """Replace what notifications remember of these problems."""
        from mfagate.history.tables import NOTIFIED

        with self._transaction(writes=True) as connection:
            for problem, status in statuses.items():
                connection.execute(NOTIFIED.delete().where(NOTIFIED.c.problem == _text(problem)))
                connection.execute(NOTIFIED.insert(), {"problem": _text(problem), "status": _plain(status)})

    def fingerprint_key(self) -> str | None:
        """Return the identifier of the key in the last run with fingerprints."""
        from sqlalchemy import select

        from mfagate.history.tables import RUNS

        used = RUNS.c.fingerprint_key
        query = select(used).where(used.is_not(None)).order_by(RUNS.c.number.desc()).limit(1)
        with self._transaction() as connection:
            found: str | None = connection.execute(query).scalar_one_or_none()
            return found


def _prefixed(table: Any) -> list[Any]:
    return [column.label(f"{_PREFIX}{column.name}") for column in table.columns]


def _filtered(query: Any, selection: Selection) -> Any:
    from sqlalchemy import or_

    from mfagate.history.tables import PROBLEMS, RUNS, STATES

    conditions: Mapping[str, Callable[[Any], Any]] = {
        "stage": lambda value: RUNS.c.stage == value,
        "since": lambda value: RUNS.c.started >= value,
        "until": lambda value: RUNS.c.started < value,
        "verdict": lambda value: STATES.c.verdict == value,
        "cause": lambda value: STATES.c.number.in_(
            PROBLEMS.select().with_only_columns(PROBLEMS.c.integration).where(PROBLEMS.c.cause == value)
        ),
    }
    for name, condition in conditions.items():
        value = getattr(selection, name)
        if value is not None:
            query = query.where(condition(value))
    if selection.accepted:
        red = PROBLEMS.c.outcome.in_([outcome.value for outcome in Outcome if outcome.is_red])
        wrong = red & PROBLEMS.c.cause.not_like("documentation.%")
        query = query.where(
            STATES.c.number.not_in(PROBLEMS.select().with_only_columns(PROBLEMS.c.integration).where(wrong))
        )
    if not selection.integrations:
        return query
    below = [STATES.c.name.startswith(f"{name}/", autoescape=True) for name in selection.integrations]
    earlier = [
        (STATES.c.name == name) & (STATES.c.environment == environment)
        for name, _, environment in (name.partition("/") for name in selection.integrations)
        if environment
    ]
    named = or_(STATES.c.name.in_(selection.integrations), *earlier)
    return query.where(or_(named, *below) if selection.environments else named)


_MOST_PARAMETERS = 500
"""The limit for one statement; SQLite supports some thousands."""


def _states(connection: Connection, rows: Sequence[RowMapping]) -> dict[int, IntegrationState]:
    from mfagate.history.tables import FINGERPRINTS, PROBLEMS, SAMPLES

    numbers = [row["state_number"] for row in rows]
    problems, samples, prints = (_children(connection, table, numbers) for table in (PROBLEMS, SAMPLES, FINGERPRINTS))
    return {
        number: _state(row, problems[number], samples[number], prints[number])
        for number, row in zip(numbers, rows, strict=True)
    }


def _children(connection: Connection, table: Table, numbers: Sequence[int]) -> dict[int, list[RowMapping]]:
    """Return the rows of a table by the number of their integration."""
    found: dict[int, list[RowMapping]] = {number: [] for number in numbers}
    for start in range(0, len(numbers), _MOST_PARAMETERS):
        wanted = table.c.integration.in_(numbers[start : start + _MOST_PARAMETERS])
        query = table.select().where(wanted).order_by(*table.primary_key)
        for row in connection.execute(query).mappings():
            found[row["integration"]].append(row)
    return found


def _run_row(run: StoredRun) -> dict[str, Any]:
    row = _columns(run, "id", "stage", "started", "finished", "version", "override", "commit", "fingerprint_key")
    return row | {"verdict": run.verdict.value}


def _run(row: RowMapping, states: Sequence[IntegrationState]) -> StoredRun:
    return _RUN.validate_python({**row, "integrations": states})


def _state_row(state: IntegrationState) -> dict[str, Any]:
    row = _columns(state, "name", "provider", "environment", "target", "cause", "headline", "questions", "unanswered")
    return row | {"verdict": state.verdict.value, "ran": " ".join(sorted(state.ran))}


_PREFIX = "state_"

# Columns are named like the fields. Validation rejects rows that another program has written.
_RUN, _STATE = TypeAdapter(StoredRun), TypeAdapter(IntegrationState)
_SHAPES = TypeAdapter(dict[str, Any])


def _state(
    row: RowMapping, problems: list[RowMapping], samples: list[RowMapping], prints: list[RowMapping]
) -> IntegrationState:
    own = {name.removeprefix(_PREFIX): value for name, value in row.items() if name.startswith(_PREFIX)}
    state = _STATE.validate_python(
        {
            **own,
            "ran": own["ran"].split(),
            "problems": [*map(dict, problems)],
            "samples": [*map(dict, samples)],
            "fingerprints": {row["setting"]: row["fingerprint"] for row in prints},
        }
    )
    order = list(Phase)
    return replace(state, samples=tuple(sorted(state.samples, key=lambda sample: order.index(sample.phase))))


def _problem_row(problem: RecordedProblem) -> dict[str, Any]:
    row = _columns(problem, "check", "subject", "cause", "message", "next_step")
    return row | {"outcome": problem.outcome.value, "evidence": _plain(problem.evidence)}


def _columns(source: object, *names: str) -> dict[str, Any]:
    return {name: _text(getattr(source, name)) for name in names}


def _text(value: Any) -> Any:
    """Remove what databases cannot store in a text: NUL and unpaired surrogates."""
    return value.replace("\0", "").encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """Convert evidence to JSON, as in the JSON report."""
    if isinstance(value, Mapping):
        return {_text(str(name)): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return _text(value if isinstance(value, bool | int | float | None) else str(value))


def _sample_row(sample: PhaseSample) -> dict[str, Any]:
    seconds = {name: round(getattr(sample, name), 6) for name in ("median", "lowest", "highest")}
    return {"phase": sample.phase.value, "requests": sample.requests, **seconds}
