"""Measure what interrupted gates leave behind at a provider.

The benchmark starts the sandbox of each provider, and interrupts gates at random moments with SIGKILL, SIGTERM and
SIGINT in turn. A gate must end within five seconds of SIGTERM or SIGINT, and must name what it leaves behind. After
every third interruption a complete gate runs and must pass. After that the provider must have nothing left with the
mark of any run.

    python benchmarks/interruptions.py [--kills 60] [--seed 1] [PROVIDER ...]

Sixty kills take about a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mfagate.providers import registry
from mfagate.sandbox import BETWEEN_MESSAGES, Running
from mfagate.sandbox import registry as sandboxes
from mfagate.testing.leftovers import things_left

ROOT = Path(__file__).resolve().parent.parent
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PROVIDERS = ("auth0", "duo", "okta", "privacyidea", "twilio")
MOST_SECONDS = 5.0


@dataclass
class Found:
    """The results for one provider."""

    kills: int = 0
    left_by: Counter[str] = field(default_factory=Counter)
    unnamed: int = 0
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)


@contextmanager
def project(name: str, folder: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Create a project for a running sandbox, and return its folder and the environment of its commands."""
    provider = registry.get(name)
    with sandboxes.get(provider.name).start() as running:
        env = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
        (folder / "integrations.toml").write_text(_configuration(name, running, env))
        yield folder, env


def _configuration(name: str, running: Running, env: dict[str, str]) -> str:
    provider = registry.get(name)
    tables = {
        "settings": sandboxes.get(provider.name).settings,
        "test_data": [key for key in provider.test_data if key in running.values],
    }
    lines = [
        f'[integrations.{name}]\nprovider = "{name}"\nenvironment = "staging"\nendpoint = "{running.endpoint}"',
        f'contract = "{ROOT}/contracts/{name}/auth-service-{name}.json"\ncassettes = "{ROOT}/cassettes/{name}"',
        *([f'ca_bundle = "{running.ca_bundle}"'] if running.ca_bundle else []),
    ]
    secret = provider.settings.secrets() | provider.test_secrets
    for table, keys in tables.items():
        lines.append(f"[integrations.{name}.{table}]")
        for key in keys:
            variable = f"SANDBOX_{key.upper()}"
            env[variable] = running.values[key]
            lines.append(f'{key} = "env:{variable}"' if key in secret else f'{key} = "{running.values[key]}"')
    return "\n".join(lines) + "\n"


def start(folder: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    """Start a gate."""
    command = [sys.executable, "-m", "mfagate", "gate", "--output", "json"]
    return subprocess.Popen(command, cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def kill(folder: Path, env: dict[str, str], after: float, number: signal.Signals) -> tuple[float, int, str]:
    """Interrupt a gate after some seconds; return how long it took to end, its exit code, and its stderr."""
    with start(folder, env) as running:
        time.sleep(after)
        began = time.monotonic()
        running.send_signal(number)
        _, err = running.communicate()
        return time.monotonic() - began, running.returncode, err


def interrupt(name: str, kills: int, chance: random.Random) -> Found:
    """Interrupt gates of one provider."""
    found = Found()
    with tempfile.TemporaryDirectory() as temporary, project(name, Path(temporary)) as (folder, env):
        began = time.monotonic()
        with start(folder, env) as first:
            first.communicate()
        usual = time.monotonic() - began
        for number in range(kills):
            _interrupt_one(found, folder, env, (chance.uniform(0.35, 1.0) * usual, SIGNALS[number % len(SIGNALS)]))
            if number % len(SIGNALS) == len(SIGNALS) - 1 or number == kills - 1:
                _next_run(found, folder, env)
    return found


def _interrupt_one(found: Found, folder: Path, env: dict[str, str], when: tuple[float, signal.Signals]) -> None:
    before = things_left(folder / "integrations.toml", env)
    seconds, _, err = kill(folder, env, *when)
    left = things_left(folder / "integrations.toml", env) - before
    found.kills += 1
    found.left_by[when[1].name] += len(left)
    if when[1] is not signal.SIGKILL:
        found.slowest = max(found.slowest, seconds)
        found.unnamed += sum(thing not in err for thing in left)
        if seconds > MOST_SECONDS:
            found.faults.append(f"{when[1].name} after {when[0]:.2f} s: took {seconds:.1f} s to end")


def _next_run(found: Found, folder: Path, env: dict[str, str]) -> None:
    with start(folder, env) as running:
        out, err = running.communicate()
    if running.returncode != 0:
        found.faults.append(f"the next run ended with {running.returncode}: {err[-300:]} {out[-2000:]}")
    if left := things_left(folder / "integrations.toml", env):
        found.faults.append(f"after the next run there are still {', '.join(left)}")
    if records := list((folder / "state").rglob("*.jsonl")):
        found.faults.append(f"after the next run there are still records: {[path.read_text() for path in records]}")


def main() -> int:
    """Print a line for each provider; return 1 if anything was left or failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60, help="total for all providers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("providers", nargs="*", default=PROVIDERS)
    arguments = parser.parse_args()
    # A background job of a script ignores SIGINT, and its children would inherit this.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ[BETWEEN_MESSAGES] = "1"
    began, is_bad = time.monotonic(), False
    share = -(-arguments.kills // len(arguments.providers))
    for name in arguments.providers:
        found = interrupt(name, share, random.Random(arguments.seed))
        left = ", ".join(f"{number} by {what}" for what, number in found.left_by.items())
        print(f"{name}: {found.kills} kills left {left} ({found.unnamed} unnamed); slowest end {found.slowest:.1f} s")
        for fault in found.faults:
            print(f"  {fault}")
        is_bad |= bool(found.faults) or found.unnamed > 0
    print(f"{time.monotonic() - began:.0f} s")
    return int(is_bad)


if __name__ == "__main__":
    sys.exit(main())
