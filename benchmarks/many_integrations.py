"""Measure the cost of one more integration, with hundreds of them in one file, each with its own key.

    python benchmarks/many_integrations.py [--numbers 300 1000] [--commands check gate] [--runs 3]

All integrations use one Duo emulator on 127.0.0.1, which knows as many applications. Each command runs in a new
process. The cost of an integration is the extra processor time compared with a run of a single integration, divided by
the number of the others. If it grows with the number, something is not linear. The elapsed time includes the emulator,
because it runs on the same machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mfagate.sandbox.certificates import Authority
from mfagate.sandbox.emulator.listen import Listener
from mfagate_sandbox.duo.emulator import DuoEmulator, KeyPair

REPOSITORY = Path(__file__).resolve().parents[1]
TARGET_RATIO = 1.1

INTEGRATION = """
[integrations.duo-{number:04d}]
provider = "duo"
environment = "staging"
endpoint = "{endpoint}"
ca_bundle = "ca.pem"

[integrations.duo-{number:04d}.settings]
host = "{host}"
integration_key = "{integration_key}"
secret_key = "dotenv:keys.env#KEY_{number:04d}"

[integrations.duo-{number:04d}.documentation]
owner = "login team"
runbook = "https://wiki.example/mfa"
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one run: processor and elapsed time in seconds, and peak memory in MiB."""

    processor: float
    elapsed: float
    memory: float


def keys(number: int) -> tuple[str, str]:
    """Return the integration key and secret key of one application, in the formats of Duo."""
    digest = hashlib.sha512(f"benchmark {number}".encode()).hexdigest()
    return f"DI{digest[:18].upper()}", digest[40:80]


@contextmanager
def emulator(folder: Path, most: int) -> Iterator[DuoEmulator]:
    """Start an emulator in this process with a number of applications; its endpoint is ``values["endpoint"]``."""
    duo = DuoEmulator()
    for number in range(most):
        integration_key, secret_key = keys(number)
        duo.applications[integration_key] = KeyPair("authapi", secret_key)
    authority = Authority(folder, duo.hosts)
    listener = Listener(duo, authority.context())
    (folder / "ca.pem").write_bytes(authority.bundle.read_bytes())
    duo.values = {**duo.values, "endpoint": f"https://127.0.0.1:{listener.port}"}
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    try:
        yield duo
    finally:
        listener.shutdown()


def write(folder: Path, duo: DuoEmulator, number: int) -> None:
    """Write a configuration with a number of integrations, and their secrets."""
    tables, secrets = [], []
    for one in range(number):
        integration_key, secret_key = keys(one)
        tables.append(
            INTEGRATION.format(
                number=one, endpoint=duo.values["endpoint"], host=duo.host, integration_key=integration_key
            )
        )
        secrets.append(f"KEY_{one:04d}={secret_key}\n")
    (folder / "integrations.toml").write_text("".join(tables), encoding="utf-8")
    (folder / "keys.env").write_text("".join(secrets), encoding="utf-8")


def run(folder: Path, command: str) -> Cost:
    """Run a command in a new process.

    Raises:
        RuntimeError: The command did not pass, so the measurement is useless.
    """
    log = folder / "log"
    arguments = [sys.executable, "-m", "mfagate", command, "--output", "json=report.json"]
    opened = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    began = time.perf_counter()
    child = os.posix_spawn(sys.executable, arguments, os.environ, file_actions=[opened, (os.POSIX_SPAWN_DUP2, 1, 2)])
    _, status, usage = os.wait4(child, 0)
    elapsed = time.perf_counter() - began
    if (code := os.waitstatus_to_exitcode(status)) != 0:
        raise RuntimeError(f"mfagate {command} ended with {code}: {_failure(folder)}")
    return Cost(usage.ru_utime + usage.ru_stime, elapsed, usage.ru_maxrss / 1024)


def _failure(folder: Path) -> str:
    report = folder / "report.json"
    if not report.exists():
        return (folder / "log").read_text(encoding="utf-8")[-2000:]
    document = json.loads(report.read_text(encoding="utf-8"))
    red = [one for one in document["integrations"] if one["verdict"] != "pass"]
    return f"{len(red)} not passed, first: " + "; ".join(f"{one['cause']}: {one['headline']}" for one in red[:3])


def measure(folder: Path, command: str, runs: int) -> Cost:
    """Return the run with the median processor time."""
    return sorted((run(folder, command) for _ in range(runs)), key=lambda cost: cost.processor)[runs // 2]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=int, nargs="+", default=[300, 1000])
    parser.add_argument("--commands", nargs="+", default=["check", "gate"])
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mfagate-benchmark-") as name:
        folder = Path(name)
        for linked in ("contracts", "cassettes"):
            (folder / linked).symlink_to(REPOSITORY / linked)
        with emulator(folder, max(asked.numbers)) as duo:
            os.chdir(folder)
            print(f"{'command':<10}{'number':>8}{'processor':>12}{'elapsed':>10}{'memory':>10}{'each':>12}")
            for command in asked.commands:
                compare(folder, duo, command, asked.numbers, asked.runs)


def compare(folder: Path, duo: DuoEmulator, command: str, numbers: list[int], runs: int) -> None:
    """Measure a command with each number of integrations, and print the cost of one."""
    write(folder, duo, 1)
    run(folder, command)  # A warm-up: compiles bytecode and fills caches.
    alone = measure(folder, command, runs)
    costs = []
    for number in numbers:
        write(folder, duo, number)
        cost = measure(folder, command, runs)
        each = (cost.processor - alone.processor) / max(number - 1, 1)
        costs.append(each)
        print(
            f"{command:<10}{number:>8}{cost.processor:>10.2f} s{cost.elapsed:>8.1f} s{cost.memory:>6.0f} MiB"
            f"{each * 1000:>9.1f} ms"
        )
    ratio = costs[-1] / statistics.fmean(costs[:1])
    print(f"{command}: an integration of {numbers[-1]} to one of {numbers[0]}: {ratio:.2f} (target: {TARGET_RATIO})")


if __name__ == "__main__":
    main()
