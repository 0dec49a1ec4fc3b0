"""Run the matrix: each process has its own sandbox and runs a part of the cases of a provider."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from mfagate.config.load import load
from mfagate.mutation import MutantResult, MutantStatus, Runner, mutants_of, opened
from mfagate.providers import registry
from mfagate.sandbox import Running
from mfagate.sandbox.faults import Fault, faulty

from .cases import HARMLESS, HEALTHY, Case
from .gate_run import REPOSITORY, Answer, run, sandbox

_SHARED = 6
"""Runs that share a sandbox; a real server takes seconds to start."""

_ALONE = ("okta", "twilio")
"""Their emulators limit text messages as the providers do, so each run has its own."""


@dataclass(frozen=True, slots=True)
class Row:
    """A case and the result of the gate."""

    case: Case
    answer: Answer

    @property
    def detected(self) -> bool:
        """Whether the report shows that something is wrong."""
        return self.answer.verdict != "pass" or bool({*self.answer.warnings} & self.case.causes)

    @property
    def right(self) -> bool:
        """Whether the first cause is right, or one of the warnings in a run that passes."""
        first = {self.answer.cause} if self.answer.cause else {*self.answer.warnings}
        return bool(first & self.case.causes)

    @property
    def false_alarm(self) -> bool:
        """Whether a healthy run did not pass."""
        return self.case.suite in (HEALTHY, HARMLESS) and self.answer.verdict != "pass"


def all_rows(cases: Sequence[Case]) -> Iterator[Row]:
    """Run the cases in parallel, and show the progress on stderr."""
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
        size = 1 if same[0].provider in _ALONE else _SHARED
        yield from (same[start : start + size] for start in range(0, len(same), size))


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
        return run(case.provider, running, endpoint, bundle, case.needs)


def mutated(provider: str) -> Iterator[Row]:
    """Yield the result of every edit of a shipped integration; see ``mfagate mutate``."""
    configuration = load(REPOSITORY / "integrations.toml", registry.names())
    chosen = [one for one in configuration.select() if one.provider == provider]
    with opened(configuration, chosen) as project:
        runner = Runner(project)
        runner.confirm()
        secrets = [running.values[name] for running in project.running.values() for name in running.secrets]
        for result in runner.run(list(mutants_of(project, seed=0))):
            if result.status is not MutantStatus.EQUIVALENT:
                yield _edit(provider, result, secrets)


def _edit(provider: str, result: MutantResult, secrets: Sequence[str]) -> Row:
    mutant, operator = result.mutant, result.mutant.operator
    suite = "edits" if operator.harmful else HARMLESS
    case = Case(suite, provider, f"{mutant.setting}, {operator.name}", causes=mutant.expected)
    stopped = result.status.is_caught or result.status is MutantStatus.REFUSED
    leaked = sum(len(secret) >= 8 and secret in result.message for secret in secrets)
    return Row(case, Answer("fail" if stopped else "pass", result.cause, (), result.seconds, leaked))
