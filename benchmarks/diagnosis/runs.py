"""Running the matrix: each process has its own sandbox and takes its share of a provider's cases."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from mfagate.sandbox import Running
from mfagate.sandbox.faults import Fault, faulty

from .cases import HEALTHY, Case
from .subject import Answer, run, sandbox

_CHUNK = 6
"""Cases on one sandbox: more would meet its limits on the rate."""


@dataclass(frozen=True, slots=True)
class Row:
    """A case and what the gate said."""

    case: Case
    answer: Answer

    @property
    def detected(self) -> bool:
        """Whether somebody who reads the report learns that something is wrong."""
        return self.answer.verdict != "pass" or bool({*self.answer.warnings} & self.case.causes)

    @property
    def right(self) -> bool:
        """Whether the first cause is a right one; of a run that passes, one of the warnings."""
        first = {self.answer.cause} if self.answer.cause else {*self.answer.warnings}
        return bool(first & self.case.causes)

    @property
    def false_alarm(self) -> bool:
        """Whether a healthy run was stopped."""
        return self.case.suite == HEALTHY and self.answer.verdict != "pass"


def all_rows(cases: Sequence[Case]) -> Iterator[Row]:
    """Run them, a few at a time, and say on stderr how far it is."""
    done = 0
    with ProcessPoolExecutor(max_workers=(os.cpu_count() or 1) + 1) as pool:
        jobs = [pool.submit(_rows, chunk) for chunk in _chunks(cases)]
        for job in as_completed(jobs):
            rows = job.result()
            done += len(rows)
            print(f"\r{done}/{len(cases)} runs", end="", file=sys.stderr, flush=True)
            yield from rows
    print(file=sys.stderr)


def _chunks(cases: Iterable[Case]) -> Iterator[list[Case]]:
    for _, group in groupby(cases, key=lambda case: (case.provider, case.provider_faults)):
        same = list(group)
        yield from (same[start : start + _CHUNK] for start in range(0, len(same), _CHUNK))


def _rows(cases: Sequence[Case]) -> list[Row]:
    with sandbox(cases[0].provider, cases[0].provider_faults) as running:
        return [Row(case, _answer(case, running)) for case in cases]


def _answer(case: Case, running: Running) -> Answer:
    with ExitStack() as stack:
        endpoint: str = running.endpoint
        bundle: Path | str | None = running.ca_bundle
        if case.faults:
            way = stack.enter_context(faulty(endpoint, [Fault.parse(one) for one in case.faults], seed=case.seed))
            endpoint, bundle = way.url, way.ca_bundle
        return run(case.provider, running, endpoint, bundle)
