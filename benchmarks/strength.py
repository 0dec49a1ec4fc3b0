"""Measure how strong the shipped contracts are, and whether the gate stops every change that breaks a client.

    python -m benchmarks.strength [--provider NAME] [--write]
    python -m benchmarks.strength --gate [--provider NAME] [--count N]

The first command runs the consumer tests and lists the findings of their proofs; with --write the list replaces
docs/reference/contract-findings.md. With --gate the fault layer makes each change that breaks a client, in a gate run
of its own. The exit code is 1 if a finding has no reason, or if such a run passed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfagate.contract import load
from mfagate.core.files import write_atomically
from mfagate.sandbox.faults import Fault, faulty
from mfagate.testing.breaking import faults, spread
from mfagate.testing.consumer_tests import prove_contract

from .diagnosis.gate_run import REPOSITORY, providers, run, sandbox

PAGE = REPOSITORY / "docs/reference/contract-findings.md"
_SHARED = 6
"""Runs that share a sandbox: emulators count messages and wrong codes, as the providers do."""

Proofs = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Run:
    """One gate run with one fault."""

    provider: str
    fault: str
    verdict: str
    idle: bool

    @property
    def passed(self) -> bool:
        """Whether the gate passed although the fault changed a response."""
        return self.verdict == "pass" and not self.idle


def main() -> int:
    """Prove the contracts, or run the gate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", action="append", choices=providers(), help="only this provider; may be repeated")
    parser.add_argument("--write", action="store_true", help=f"replace {PAGE.relative_to(REPOSITORY)}")
    parser.add_argument("--gate", action="store_true", help="run the gate with each change that breaks a client")
    parser.add_argument("--count", type=int, help="limit the number of runs of each provider")
    asked = parser.parse_args()
    os.chdir(REPOSITORY)
    names = asked.provider or providers()
    proofs = {name: prove_contract(_contract(name)) for name in names}
    if asked.gate:
        return _gate(proofs, asked.count)
    page = as_markdown(proofs)
    print(page)
    if asked.write:
        write_atomically(PAGE, page)
    return 1 if any(finding["reason"] is None for _, finding in _findings(proofs)) else 0


def _contract(provider: str) -> Path:
    return REPOSITORY / f"contracts/{provider}/auth-service-{provider}.json"


def _findings(proofs: Mapping[str, Proofs]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for each in proofs.values():
        yield from ((proof["interaction"], finding) for proof in each for finding in proof["findings"])


def as_markdown(proofs: Mapping[str, Proofs]) -> str:
    """Return the page: the number of changes, and the blind and strict findings with their reasons."""
    lines = [
        "# Findings in the shipped contracts",
        "",
        "*Reference*",
        "",
        "What the [proof of a contract's strength](../explanation/contract-strength.md) found. Written by",
        "`python -m benchmarks.strength --write`.",
        "",
        "| provider | interactions | changes | rejected | break a reader | blind, with a reason | strict, reviewed |",
        "|---|---|---|---|---|---|---|",
    ]
    for provider, each in proofs.items():
        tried = [sum(proof["tried"][what] for proof in each) for what in ("changes", "rejected", "break a reader")]
        found = [sum(_is(finding, kind) for _, finding in _findings({provider: each})) for kind in ("blind", "strict")]
        lines.append("| " + " | ".join(map(str, (provider, len(each), *tried, *found))) + " |")
    lines += ["", "## Blind findings and their reasons", "", *_table(proofs, "blind")]
    lines += ["", "## Strict findings and their reasons", "", *_table(proofs, "strict")]
    return "\n".join(lines) + "\n"


def _table(proofs: Mapping[str, Proofs], kind: str) -> Iterator[str]:
    yield "| provider | interactions | change | reason |"
    yield "|---|---|---|---|"
    rows: dict[tuple[str, str, str], list[str]] = {}
    for provider, each in proofs.items():
        for interaction, finding in _findings({provider: each}):
            if _is(finding, kind):
                change = f"`{finding['place']}` {finding['operator']}"
                rows.setdefault((provider, change, finding["reason"] or "**none**"), []).append(interaction)
    for (provider, change, reason), interactions in rows.items():
        yield f"| {provider} | {', '.join(interactions)} | {change} | {reason} |"


def _is(finding: Mapping[str, Any], kind: str) -> bool:
    return str(finding["weakness"]).endswith(kind)


def _gate(proofs: Mapping[str, Proofs], count: int | None) -> int:
    chunks = []
    for provider, each in proofs.items():
        chosen = faults(load(_contract(provider)), each)
        chosen = chosen if count is None else spread(chosen, count)
        chunks += [(provider, chosen[start : start + _SHARED]) for start in range(0, len(chosen), _SHARED)]
    runs: list[Run] = []
    with ProcessPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for job in as_completed([pool.submit(_runs, *chunk) for chunk in chunks]):
            runs += job.result()
            print(f"\r{len(runs)} runs", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    passed = sorted((each.provider, each.fault) for each in runs if each.passed)
    for provider, fault in passed:
        print(f"PASSED: {provider}: {fault}")
    idle = sum(each.idle for each in runs)
    print(f"{len(runs)} runs, {idle} without anything to change, {len(passed)} that passed")
    return 1 if passed else 0


def _runs(provider: str, chosen: Sequence[str]) -> list[Run]:
    with sandbox(provider) as running:
        return [_run(provider, running, fault) for fault in chosen]


def _run(provider: str, running: Any, fault: str) -> Run:
    with faulty(running.endpoint, [Fault.parse(fault)]) as way:
        verdict = run(provider, running, way.url, way.ca_bundle).verdict
        return Run(provider, fault, verdict, bool(way.idle))


if __name__ == "__main__":
    sys.exit(main())
