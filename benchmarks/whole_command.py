"""Measure how long the commands take, each in a new process, compared with a reference in the same run.

    python benchmarks/whole_command.py [--runs 5] [CONFIG]

``mfagate check`` is compared with ``python -c "import requests"``, which nearly every tool of this kind needs.
``mfagate gate`` on all integrations is compared with the slowest integration alone: the ratio of a concurrent gate is
near 1. Peak memory is that of the process itself, without sandboxes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
import tomllib
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[1]


class Measured(NamedTuple):
    """A command's median and worst seconds, and its peak memory in MiB."""

    label: str
    median: float
    worst: float
    memory: float


def measure(label: str, arguments: list[str], runs: int, expected: int = 0) -> Measured:
    """Run a command once to warm up, then ``runs`` times.

    Raises:
        RuntimeError: The exit code is not the expected one, so the measurement is useless.
    """
    quiet = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    seconds, memory = [], 0.0
    for run in range(runs + 1):
        began = time.perf_counter()
        child = os.posix_spawn(sys.executable, [sys.executable, *arguments], os.environ, file_actions=[quiet])
        _, status, usage = os.wait4(child, 0)
        if (code := os.waitstatus_to_exitcode(status)) != expected:
            raise RuntimeError(f"{label}: exit code {code}")
        if run:
            seconds.append(time.perf_counter() - began)
        memory = max(memory, usage.ru_maxrss / 1024)
    return Measured(label, statistics.median(seconds), max(seconds), memory)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", type=Path, default=REPOSITORY / "integrations.toml")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    os.chdir(asked.config.resolve().parent)
    names = list(tomllib.loads(asked.config.read_text(encoding="utf-8"))["integrations"])
    config = ["--config", asked.config.name]

    start = measure("import requests", ["-c", "import requests"], asked.runs)
    check = measure("mfagate check", ["-m", "mfagate", "check", *config], asked.runs)
    alone = [
        measure(f"mfagate gate, {name} alone", ["-m", "mfagate", "gate", *config, "--integration", name], asked.runs)
        for name in names
    ]
    together = measure(f"mfagate gate, all {len(names)}", ["-m", "mfagate", "gate", *config], asked.runs)
    slowest = max(alone, key=lambda measured: measured.median)

    print(f"{'command':<36}{'median':>9}{'worst':>9}{'memory':>10}")
    for one in (start, check, *alone, together):
        print(f"{one.label:<36}{one.median:>7.2f} s{one.worst:>7.2f} s{one.memory:>6.0f} MiB")
    print(f"check to {start.label}: {check.median / start.median:.1f}")
    print(f"all to {slowest.label}: {together.median / slowest.median:.1f}")


if __name__ == "__main__":
    main()
