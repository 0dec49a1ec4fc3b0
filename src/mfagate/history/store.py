"""Write runs to the history, and read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from mfagate.history.past import LastPass, PriorRuns
from mfagate.history.place import HistoryLocation
from mfagate.history.record import IntegrationState, PhaseSample, RecordedProblem, StoredRun

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, RowMapping


@dataclass(frozen=True, slots=True)
class Selection:
    """Which states of integrations are wanted, newest first. ``since`` is included, ``until`` is not.

    With ``environments``, ``duo`` selects ``duo/production`` as well. ``duo/production`` always selects what ``duo``
    was in production, before it had a table for each environment.
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
    """Whether only states are wanted in which nothing was wrong, except with the documentation."""


class History:
    """An open history. Use it as a context; every method may raise :class:`HistoryError`."""

    def __init__(self, engine: Engine, place: HistoryLocation) -> None:
        self._engine = engine
        self.place = place

    @classmethod
    def open(cls, place: HistoryLocation, *, create: bool = True) -> Self:
        """Open the history, make it if there is none, and bring an older one to this version.

        Without ``create`` it is only read from, and must exist.

        Raises:
            HistoryError: It cannot be used, or a newer mfagate has made it.
        """
        if not create and place.path is not None and not place.path.exists():
            raise HistoryError(f"there is no history {place.shown}: mfagate nightly begins one")
        history = cls(engine_of(place, create=create), place)
        try:
            history._check_version(create=create)
        except BaseException:
            history.close()
            raise
        return history

    def _check_version(self, *, create: bool) -> None:
        from mfagate.history.versions import NEWEST, NewerVersion, upgrade, version_of

        try:
            with transaction(self._engine, self.place, writes=False) as connection:
                found = version_of(connection)
            if found == NEWEST:
                return
            if found == 0 and not create:
                raise HistoryError(f"the history {self.place.shown} is empty: mfagate nightly begins one")
            with transaction(self._engine, self.place, writes=True) as connection:
                upgrade(connection)
        except NewerVersion as error:
            raise HistoryError(
                f"the history {self.place.shown} has version {error.found}, and this mfagate knows up to {NEWEST}: "
                "update mfagate, or name another place with --history"
            ) from None

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with transaction(self._engine, self.place, writes=False) as connection:
            yield connection

    def record(
        self, run: StoredRun, *, shapes: Mapping[str, Mapping[str, Any]] | None = None, keep_days: int | None = None
    ) -> None:
        """Store a run, and delete what is older than ``keep_days`` before it: one transaction.

        ``shapes`` are, by integration, those of the answers as they are known now.
        """
        from mfagate.history.tables import FINGERPRINTS, PROBLEMS, RUNS, SAMPLES, SHAPES, STATES

        with transaction(self._engine, self.place, writes=True) as connection:
            number = connection.execute(RUNS.insert().returning(RUNS.c.number), _run_row(run)).scalar_one()
            for state in run.integrations:
                parent = connection.execute(
                    STATES.insert().returning(STATES.c.number), {"run": number, **_state_row(state)}
                ).scalar_one()
                if problems := [_problem_row(parent, problem) for problem in state.problems]:
                    connection.execute(PROBLEMS.insert(), problems)
                if samples := [_sample_row(parent, sample) for sample in state.samples]:
                    connection.execute(SAMPLES.insert(), samples)
                if prints := [*_fingerprint_rows(parent, state)]:
                    connection.execute(FINGERPRINTS.insert(), prints)
            for name, answers in (shapes or {}).items():
                connection.execute(SHAPES.delete().where(SHAPES.c.name == name))
                connection.execute(SHAPES.insert(), {"name": name, "seen": run.started, "answers": answers})
            if keep_days is not None:
                connection.execute(RUNS.delete().where(RUNS.c.started < run.started - timedelta(days=keep_days)))

    def runs(self, selection: Selection | None = None) -> list[StoredRun]:
        """Return the selected states in their runs, newest run first."""
        from sqlalchemy import select

        from mfagate.history.tables import RUNS, STATES

        selection = selection or Selection()
        query = select(RUNS, *_prefixed(STATES)).join(STATES, STATES.c.run == RUNS.c.number)
        query = _filtered(query, selection).order_by(RUNS.c.number.desc(), STATES.c.number)
        if selection.limit is not None:
            query = query.limit(selection.limit)
        with self._reading() as connection:
            rows = connection.execute(query).mappings().all()
            states = _states(connection, rows)
            by_run = (list(rows) for _, rows in groupby(rows, lambda row: row["number"]))
            return [_run(group[0], [states[row["state_number"]] for row in group]) for group in by_run]

    def run(self, beginning: str) -> StoredRun:
        """Return the run whose id begins with this text, with all of its integrations.

        Raises:
            HistoryError: There is none, or there are several.
        """
        from sqlalchemy import select

        from mfagate.history.tables import RUNS

        wanted = RUNS.c.id.startswith(beginning, autoescape=True)
        with self._reading() as connection:
            found = connection.execute(select(RUNS.c.id).where(wanted).limit(2)).scalars().all()
        if len(found) != 1:
            how_many = "no run" if not found else "several runs"
            raise HistoryError(f"the history {self.place.shown} has {how_many} whose id begins with {beginning!r}")
        return self._whole(found[0])

    def _whole(self, run_id: str) -> StoredRun:
        from sqlalchemy import select

        from mfagate.history.tables import RUNS, STATES

        query = select(RUNS, *_prefixed(STATES)).outerjoin(STATES, STATES.c.run == RUNS.c.number)
        with self._reading() as connection:
            query = query.where(RUNS.c.id == run_id).order_by(STATES.c.number)
            rows = connection.execute(query).mappings().all()
            if not rows:
                raise HistoryError(f"the history {self.place.shown} has no run {run_id}")
            own = [row for row in rows if row["state_number"] is not None]
            states = _states(connection, own)
            return _run(rows[0], [states[row["state_number"]] for row in own])

    def past(self, name: str, stage: str, since: datetime) -> PriorRuns:
        """Return what the earlier runs of a stage found about an integration."""
        from sqlalchemy import select

        from mfagate.history.tables import SHAPES

        runs = self.runs(Selection((name,), stage=stage, since=since))
        nights = [(run.started, state) for run in reversed(runs) for state in run.integrations]
        with self._reading() as connection:
            query = select(SHAPES.c.answers).where(SHAPES.c.name == (nights[-1][1].name if nights else name))
            found = connection.execute(query).scalar_one_or_none()
            shapes = _SHAPES.validate_python({} if found is None else found)
            for answer in shapes.values():
                from_json(answer)  # What nobody has written is found here, and not by the rung that needs it.
        return PriorRuns(None, nights, shapes)

    def last_pass(self, name: str) -> LastPass | None:
        """Return the last run of any stage in which an integration passed; None if there is none."""
        for run in self.runs(Selection((name,), accepted=True, limit=1)):
            (state,) = run.integrations
            undocumented = state.verdict is not Verdict.PASS
            key, prints = run.fingerprint_key, state.fingerprints
            return LastPass(None, run.started, run.commit, key, prints, undocumented=undocumented)
        return None

    def notified(self) -> Mapping[str, Any]:
        """Return what notifications remember of each problem, by its key."""
        from mfagate.history.tables import NOTIFIED

        with self._reading() as connection:
            return {row.problem: row.status for row in connection.execute(NOTIFIED.select())}

    def remember_notified(self, statuses: Mapping[str, Any]) -> None:
        """Replace what notifications remember of these problems."""
        from mfagate.history.tables import NOTIFIED

        with transaction(self._engine, self.place, writes=True) as connection:
            for problem, status in statuses.items():
                connection.execute(NOTIFIED.delete().where(NOTIFIED.c.problem == _text(problem)))
                connection.execute(NOTIFIED.insert(), {"problem": _text(problem), "status": _plain(status)})

    def fingerprint_key(self) -> str | None:
        """Return the identifier of the key that the last run with fingerprints used."""
        from sqlalchemy import select

        from mfagate.history.tables import RUNS

        used = RUNS.c.fingerprint_key
        query = select(used).where(used.is_not(None)).order_by(RUNS.c.number.desc()).limit(1)
        with self._reading() as connection:
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
"""Of one statement; SQLite takes no more than some thousands."""


def _states(connection: Connection, rows: Sequence[RowMapping]) -> dict[int, IntegrationState]:
    numbers = [row["state_number"] for row in rows]
    problems: dict[int, list[RowMapping]] = {number: [] for number in numbers}
    samples: dict[int, list[RowMapping]] = {number: [] for number in numbers}
    prints: dict[int, dict[str, str]] = {number: {} for number in numbers}
    from mfagate.history.tables import FINGERPRINTS, PROBLEMS, SAMPLES

    for start in range(0, len(numbers), _MOST_PARAMETERS):
        some = numbers[start : start + _MOST_PARAMETERS]
        query = PROBLEMS.select().where(PROBLEMS.c.integration.in_(some)).order_by(PROBLEMS.c.number)
        for row in connection.execute(query).mappings():
            problems[row["integration"]].append(row)
        for row in connection.execute(SAMPLES.select().where(SAMPLES.c.integration.in_(some))).mappings():
            samples[row["integration"]].append(row)
        for row in connection.execute(FINGERPRINTS.select().where(FINGERPRINTS.c.integration.in_(some))).mappings():
            prints[row["integration"]][row["setting"]] = row["fingerprint"]
    return {
        number: _state(row, problems[number], samples[number], prints[number])
        for number, row in zip(numbers, rows, strict=True)
    }


def _run_row(run: StoredRun) -> dict[str, Any]:
    names = ("id", "stage", "started", "finished", "version", "override", "commit", "fingerprint_key")
    return {name: _text(getattr(run, name)) for name in names} | {"verdict": run.verdict.value}


def _run(row: RowMapping, states: Sequence[IntegrationState]) -> StoredRun:
    return _RUN.validate_python({**row, "integrations": states})


def _state_row(state: IntegrationState) -> dict[str, Any]:
    names = ("name", "provider", "environment", "target", "cause", "headline", "questions", "unanswered")
    return {name: _text(getattr(state, name)) for name in names} | {
        "verdict": state.verdict.value,
        "ran": " ".join(sorted(state.ran)),
    }


_PREFIX = "state_"

# Columns have the names of the fields. Whatever the rows of another program hold, a run holds what its types say.
_RUN, _STATE = TypeAdapter(StoredRun), TypeAdapter(IntegrationState)
_SHAPES = TypeAdapter(dict[str, Any])


def _state(
    row: RowMapping, problems: list[RowMapping], samples: list[RowMapping], prints: Mapping[str, str]
) -> IntegrationState:
    own = {name.removeprefix(_PREFIX): value for name, value in row.items() if name.startswith(_PREFIX)}
    state = _STATE.validate_python(
        {
            **own,
            "ran": own["ran"].split(),
            "problems": [*map(dict, problems)],
            "samples": [*map(dict, samples)],
            "fingerprints": prints,
        }
    )
    order = list(Phase)
    return replace(state, samples=tuple(sorted(state.samples, key=lambda sample: order.index(sample.phase))))


def _problem_row(parent: int, problem: RecordedProblem) -> dict[str, Any]:
    names = ("check", "subject", "cause", "message", "next_step")
    row = {name: _text(getattr(problem, name)) for name in names}
    return row | {"integration": parent, "outcome": problem.outcome.value, "evidence": _plain(problem.evidence)}


def _text(value: Any) -> Any:
    """Remove what databases do not store in a text: NUL, and halves of surrogate pairs."""
    return value.replace("\0", "").encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """Evidence as JSON, in the form that the JSON report gives it."""
    if isinstance(value, Mapping):
        return {_text(str(name)): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return _text(value if isinstance(value, bool | int | float | None) else str(value))


def _fingerprint_rows(parent: int, state: IntegrationState) -> Iterator[dict[str, Any]]:
    for setting, fingerprint in state.fingerprints.items():
        yield {"integration": parent, "setting": _text(setting), "fingerprint": fingerprint}


def _sample_row(parent: int, sample: PhaseSample) -> dict[str, Any]:
    return {
        "integration": parent,
        "phase": sample.phase.value,
        "requests": sample.requests,
        "median": round(sample.median, 6),
        "lowest": round(sample.lowest, 6),
        "highest": round(sample.highest, 6),
    }
