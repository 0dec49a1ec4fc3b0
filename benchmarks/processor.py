"""Measure what an interaction costs the processor without a line, and what ``mfagate check`` costs when it starts cold.

    python -m benchmarks.processor [--parts interaction check] [--runs 5]

An interaction costs the difference between a contract of 500 and one of a single interaction, divided by 499. The
reference is the bare script of benchmarks/independent.py, which sends the same requests with Python's requests. The
sandbox runs in another process, whose time does not count.

``mfagate check`` on the shipped project is compared with ``python -c "import requests"``, which nearly every tool of
this kind needs. Both run in turns, each in a new process, and the ratio is that of each pair: a machine that becomes
busy delays both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.independent import NUMBER, Run, independent, run

REPOSITORY = Path(__file__).resolve().parents[1]


def marginal(measured: Callable[[int], Run], runs: int) -> float:
    """Return the processor seconds of one more request."""
    one, many = (statistics.median(measured(number).processor for _ in range(runs)) for number in (1, NUMBER))
    return (many - one) / (NUMBER - 1)


def measure_interaction(runs: int) -> None:
    """Print the processor time of an interaction, compared with that of a bare request."""
    with tempfile.TemporaryDirectory(prefix="mfagate-benchmark-") as name, independent(Path(name), 0) as project:
        bare, gated = (marginal(measured, runs) for measured in (project.script, project.gate))
    print(f"processor time of an interaction: gate {gated * 1000:.2f} ms, script {bare * 1000:.2f} ms")
    print(f"gate to script: {gated / bare:.2f}")


def compiled(folder: Path) -> Mapping[str, str]:
    """Return an environment in which modules have their bytecode, as in an installed package."""
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def measure_check(runs: int) -> None:
    """Print the time of ``mfagate check`` in pairs with an import of requests."""
    reference = [sys.executable, "-c", "import requests"]
    check = [sys.executable, "-m", "mfagate", "check"]
    with tempfile.TemporaryDirectory(prefix="mfagate-benchmark-") as name:
        environment = compiled(Path(name))
        pairs = [[run(REPOSITORY, command, environment) for command in (reference, check)] for _ in range(runs + 1)]
    warm = pairs[1:]  # The first pair compiles bytecode.
    ratios = sorted(pair[1].seconds / pair[0].seconds for pair in warm)
    importing, checking = (statistics.median(pair[position].seconds for pair in warm) for position in (0, 1))
    print(f"import requests {importing:.2f} s, mfagate check {checking:.2f} s, {len(warm)} pairs")
    print(f"check to import requests: {statistics.median(ratios):.2f} (from {ratios[0]:.2f} to {ratios[-1]:.2f})")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ("interaction", "check")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts, help="What to measure.")
    parser.add_argument("--runs", type=int, default=5, help="Runs of each command; the median counts.")
    asked = parser.parse_args()
    if "interaction" in asked.parts:
        measure_interaction(asked.runs)
    if "check" in asked.parts:
        measure_check(asked.runs)


if __name__ == "__main__":
    main()
