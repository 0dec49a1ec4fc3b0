"""Run the tests on other days and in other time zones: ``python -m tests.clock``.

Under every clock it runs the shipped ``check`` and ``gate``, and the tests that need few servers. ``--whole NAME`` runs
every test under one clock, ``--whole all`` under each, which takes hours.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from .clocks import CLOCKS, Clock

REPOSITORY = Path(__file__).parents[2]
VONAGE = REPOSITORY / "examples/mfagate-vonage"

QUICK = (
    "app/gate/test_waivers.py", "baselines", "cassettes/test_reader.py", "checks/test_cassette_files.py",
    "checks/test_steps.py", "checks/test_waivers.py", "config", "drift", "examples", "history/test_comparison.py",
    "history/test_listing.py", "history/test_location.py", "inspection", "notify/test_deciding.py",
    "providers/okta/test_expiry.py", "providers/test_oauth.py", "providers/test_totp.py", "report", "test_docs.py",
    "test_schemas.py", "transport/test_clock.py", "transport/test_tls.py",
)  # fmt: skip
"""Paths below ``tests``: tests that deal with time, dates and formats, and start few servers."""

MFAGATE = [sys.executable, "-m", "mfagate"]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]

Commands = Iterator[tuple[list[str], Path]]


def of_the_example(whole: bool) -> Commands:
    """Yield the commands for the example package under a clock, each with its folder."""
    yield [*MFAGATE, "check"], VONAGE
    yield [*MFAGATE, "gate"], VONAGE
    if whole:
        yield PYTEST, VONAGE


def of_the_project(whole: bool, workers: str, arguments: Sequence[str]) -> Commands:
    """Yield the commands for the shipped project under a clock, each with its folder."""
    yield [*MFAGATE, "check"], REPOSITORY
    yield [*MFAGATE, "gate"], REPOSITORY
    tests = ["tests"] if whole else [f"tests/{name}" for name in QUICK]
    options = ["-n", workers, "--dist", "loadgroup"]
    # The linters of CI files have their own clocks, and the tests in tests/clock need the real clock.
    ignored = ["--ignore", "tests/ci", "--ignore", "tests/clock"]
    yield [*PYTEST, *options, *ignored, *tests, *arguments], REPOSITORY


def run(clock: Clock, library: str, commands: Commands) -> bool:
    """Run the commands under a clock; return whether all of them passed."""
    passed = True
    for command, folder in commands:
        # Use a separate folder: pytest removes old folders of other runs, and under this clock all look old.
        with tempfile.TemporaryDirectory(prefix="mfagate-clock-", ignore_cleanup_errors=True) as temporary:
            environment = clock.environment({**os.environ, "PYTEST_DEBUG_TEMPROOT": temporary}, library)
            print(f"--- {clock.name}: {' '.join(command[1:])} (in {folder})", flush=True)
            passed &= subprocess.run(command, cwd=folder, env=environment, check=False).returncode == 0
    return passed


def main() -> int:
    """Run the tests under the chosen clocks; return 0 if everything passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.clock", description=__doc__)
    parser.add_argument("--clock", action="append", choices=list(CLOCKS), help="run only this clock (repeatable)")
    parser.add_argument("--whole", choices=[*CLOCKS, "all", "none"], default="none", help="run every test under it")
    parser.add_argument("--example", action="store_true", help="run the example package, which must be installed")
    parser.add_argument("--workers", default="3", help="number of pytest processes")
    given, arguments = parser.parse_known_args()
    library = next((str(path) for path in sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
    if library is None:
        print("error: libfaketime is not installed; ./ci/programs installs it", file=sys.stderr)
        return 2
    failed: list[str] = []
    for name in given.clock or CLOCKS:
        began = time.monotonic()
        whole = given.whole in (name, "all")
        commands = of_the_example(whole) if given.example else of_the_project(whole, given.workers, arguments)
        if not run(CLOCKS[name], library, commands):
            failed.append(name)
        print(f"--- {name}: {'failed' if name in failed else 'passed'} in {time.monotonic() - began:.0f} s", flush=True)
    print(f"clocks that failed: {', '.join(failed)}" if failed else "every clock passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
