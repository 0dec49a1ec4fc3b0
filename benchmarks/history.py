"""Measure the size and speed of a history with a year of nightly runs of 50 integrations.

    python benchmarks/history.py [--integrations 50] [--nights 365] [--url postgresql://…]

Each run is realistic: forty requests, one or two problems, the shapes of twenty responses. The results are in
docs/how-to/history.md.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.exchange import Phase
from mfagate.core.result import Verdict
from mfagate.history import HistoryLocation, IntegrationState, PhaseSample, RecordedProblem, StoredRun
from mfagate.history.store import History, Selection

RAN = frozenset(
    f"{group}.{check}" for group in ("network", "credential", "contract", "provider") for check in ("a", "b", "c", "d")
)
FIELD = {"kinds": ["string"], "values": ["allow", "deny"]}
PRINTS = dict.fromkeys(("host", "integration_key", "secret_key", "expect.account"), "0123456789")
SHAPES = {f"interaction {number}": {f"$.response.field{n}": FIELD for n in range(25)} for number in range(20)}


def problem(cause: CauseId, outcome: Outcome) -> RecordedProblem:
    """Return a problem with typical evidence."""
    evidence = {
        "request": "GET https://api-1a2b3c4d.duosecurity.com/auth/v2/check",
        "status": 503,
        "attempts": "3 of 4 failed: 3 × provider.outage (503)",
        "in this run": "38 of 40 requests were answered, 2 of them only when repeated",
    }
    return RecordedProblem(
        "provider.steady", None, outcome, cause, "2 of 40 requests were answered only when asked again", evidence
    )


def state(draw: random.Random, number: int) -> IntegrationState:
    """Return the result of one integration in one run."""
    problems = [problem(CauseId.CASSETTE_EMULATED, Outcome.INFO)]
    if draw.random() < 0.1:
        problems.append(problem(CauseId.PROVIDER_DEGRADED, Outcome.WARN))
    failed = draw.random() < 0.01
    samples = tuple(PhaseSample(phase, 40, draw.random(), draw.random(), draw.random()) for phase in Phase)
    return IntegrationState(
        f"integration-{number}", "duo", "production", "provider", Verdict.FAIL if failed else Verdict.PASS,
        CauseId.CREDENTIAL_REJECTED if failed else None, "40 checks passed", RAN, tuple(problems), samples, 40, 0,
        PRINTS,
    )  # fmt: skip


def fill(history: History, integrations: int, nights: int) -> list[float]:
    """Record the year, and return the seconds that each run took."""
    draw = random.Random(1)
    began = datetime.now(UTC) - timedelta(days=nights)
    shapes = {f"integration-{number}": SHAPES for number in range(integrations)}
    seconds = []
    for night in range(nights):
        at = began + timedelta(days=night)
        states = tuple(state(draw, number) for number in range(integrations))
        run = StoredRun(
            str(uuid.uuid4()), "nightly", at, at + timedelta(seconds=20), "0.1.0", Verdict.PASS, None, states
        )  # fmt: skip
        start = time.perf_counter()
        history.record(run, shapes=shapes, keep_days=400)
        seconds.append(time.perf_counter() - start)
    return seconds


def timed(question: Callable[[], object], times: int = 5) -> float:
    """Return the median duration in seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        question()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Build, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--integrations", type=int, default=50)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--url")
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="mfagate-history-") as folder:
        place = HistoryLocation.of(asked.url or "history.db", Path(folder))
        with History.open(place) as history:
            taken = fill(history, asked.integrations, asked.nights)
            since = datetime.now(UTC) - timedelta(days=180)
            questions = {
                "the newest 50 rows": lambda: history.runs(Selection(limit=50)),
                "one integration, a year": lambda: history.runs(Selection(("integration-7",))),
                "one cause, newest 50 rows": lambda: history.runs(Selection(cause="provider.degraded", limit=50)),
                "prior runs of one integration": lambda: history.prior_runs("integration-7", "nightly", since),
                "all rows of the year": lambda: history.runs(),
            }
            database = "SQLite" if place.path is not None else "PostgreSQL"
            print(f"{asked.nights} runs of {asked.integrations} integrations in {database}")
            if place.path is not None:
                size = sum(path.stat().st_size for path in Path(folder).iterdir())
                print(f"size                                              {size / 1e6:7.1f} MB")
            print(f"recording a run, median                           {statistics.median(taken) * 1000:7.1f} ms")
            print(f"recording a run, worst                            {max(taken) * 1000:7.1f} ms")
            for name, question in questions.items():
                print(f"{name:<50}{timed(question, 1 if name.startswith('all') else 5) * 1000:7.1f} ms")


if __name__ == "__main__":
    main()
