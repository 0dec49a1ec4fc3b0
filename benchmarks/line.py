"""Measure the gate over a line with a round-trip time, where users of hosted providers are.

    python -m benchmarks.line [--parts providers together independent] [--providers duo okta] [--runs 3] [--stepci]

Each provider's sandbox runs in a process of its own, behind the fault ``line``; its start is left out. Each gate is a
new process. Its time is that of the run; the start of the command, which no line changes, has a column of its own. The
target is ::

    1.5 x (chain x (round trip + the server's own time) + two handshakes) + waits

The chain is the longest sequence of requests that need each other's answers: see the page of each provider. The
server's own time is the median of its answers without a line, one request at a time. Waits are for the provider's
clock.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
ROUND_TRIPS = (1, 60, 150)
"""Milliseconds."""

FACTOR = 1.5
MOST_ROUND_TRIPS = 30


@dataclass(frozen=True, slots=True)
class Chain:
    """What a gate of a provider needs at least: requests that follow each other, and seconds of waiting."""

    requests: int
    waits: float = 0.0
    tls: bool = True
    pause: float = 0.0
    """Seconds before another gate, because the provider sends a message only so often. They are not measured."""

    def target(self, round_trip: float, server: float) -> float:
        """Return the seconds in which a gate must be done."""
        handshake = round_trip * (2 if self.tls else 1)
        return FACTOR * (self.requests * (round_trip + server) + 2 * handshake) + self.waits


CHAINS = {
    "auth0": Chain(20),
    "duo": Chain(17),
    "entra": Chain(6),
    "okta": Chain(13, pause=31),
    "privacyidea": Chain(21, tls=False),
    "twilio": Chain(17, waits=3.5),
}


def serve(provider: str, pipe: Connection) -> None:
    """Run a sandbox in this process. Send its values, and then change its line whenever a number is received."""
    from mfagate.sandbox import registry

    with registry.get(provider).start(["line:0"]) as running:
        pipe.send((running.endpoint, running.ca_bundle, dict(running.values)))
        while (milliseconds := pipe.recv()) is not None:
            running.change_faults([f"line:{milliseconds}"])
            pipe.send(None)


class Line:
    """A sandbox behind a line."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=serve, args=(provider, other), daemon=True)
        self._process.start()
        self.endpoint, self.ca_bundle, self.values = self._pipe.recv()

    def change(self, milliseconds: float) -> None:
        """Change the round-trip time."""
        self._pipe.send(milliseconds)
        self._pipe.recv()

    def close(self) -> None:
        """Stop the sandbox."""
        self._pipe.send(None)
        self._process.join()


@contextmanager
def lines(providers: Sequence[str]) -> Iterator[dict[str, Line]]:
    """Start the sandboxes of providers, and stop them at the end."""
    with ExitStack() as stack:
        started = {}
        for provider in providers:
            started[provider] = Line(provider)
            stack.callback(started[provider].close)
        yield started


def configure(folder: Path, lines: Sequence[Line]) -> dict[str, str]:
    """Write the shipped project with these servers, and return the environment with the values of the sandboxes."""
    for linked in ("contracts", "cassettes"):
        if not (folder / linked).exists():
            (folder / linked).symlink_to(REPOSITORY / linked)
    text = (REPOSITORY / "integrations.toml").read_text(encoding="utf-8")
    tables = re.split(r"(?m)^(?=\[integrations\.[a-z0-9]+\]$)", text)[1:]
    chosen: list[str] = []
    environment: dict[str, str] = {}
    for line in lines:
        table = next(table for table in tables if table.startswith(f"[integrations.{line.provider}]"))
        prefix = line.provider.upper()
        table = table.replace('environment = "sandbox"', 'environment = "staging"')
        bundle = f'\nca_bundle = "{line.ca_bundle}"' if line.ca_bundle else ""
        table = re.sub(r'endpoint = "sandbox".*', f'endpoint = "{line.endpoint}"{bundle}', table)
        for name in line.values:
            table = table.replace(f'"sandbox:{name}"', f'"env:{prefix}_{name.upper()}"')
        chosen.append(table)
        environment |= {f"{prefix}_{name.upper()}": value for name, value in line.values.items()}
    (folder / "integrations.toml").write_text("".join(chosen), encoding="utf-8")
    # As an installed package, which has its bytecode.
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    return {**os.environ, **environment, **compiled, "XDG_STATE_HOME": str(folder / "state")}


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate that passed: the seconds of its run, those of starting and ending the command, and its requests."""

    seconds: float
    start: float
    requests: list[dict[str, Any]]


def gate(folder: Path, environment: dict[str, str], *options: str) -> Gate:
    """Run a gate in a new process.

    Raises:
        RuntimeError: It did not pass, so the measurement is useless.
    """
    began = time.perf_counter()
    command = [sys.executable, "-m", "mfagate", "gate", "--output", "json=report.json", "--output", "console", *options]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise RuntimeError(f"the gate ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    first, last = (datetime.fromisoformat(report["run"][name]) for name in ("started", "finished"))
    running = (last - first).total_seconds()
    return Gate(running, seconds - running, [request for one in report["integrations"] for request in one["measured"]])


def server_seconds(requests: Sequence[dict[str, Any]]) -> float:
    """Return the median time of the server's own work."""
    times = [float(one["phases"]["processing"] + one["phases"].get("transfer", 0.0)) for one in requests]
    return statistics.median(times)


def measure_providers(folder: Path, providers: Sequence[str], runs: int) -> dict[str, float]:
    """Print a line for each provider, and return the seconds of each at 60 ms."""
    titles = "".join(f"{milliseconds:>6} ms  target" for milliseconds in ROUND_TRIPS)
    print(f"provider      requests  connections  chain{titles}  round trips   start")
    at_sixty = {}
    for provider in providers:
        with lines([provider]) as started:
            line, chain = started[provider], CHAINS[provider]
            environment = configure(folder, [line])
            own = server_seconds(gate(folder, environment, "--concurrency", "1").requests)
            found = {}
            for milliseconds in ROUND_TRIPS:
                line.change(milliseconds)
                gates = []
                for _ in range(runs):
                    time.sleep(chain.pause)
                    gates.append(gate(folder, environment))
                found[milliseconds] = min(gates, key=lambda done: done.seconds)
            far = found[150]
            connections = sum(one["connection"] != "kept" for one in far.requests)
            targets = [chain.target(milliseconds / 1000, own) for milliseconds in ROUND_TRIPS]
            trips = (far.seconds - found[60].seconds) / 0.090
            at_sixty[provider] = found[60].seconds
            pairs = zip(ROUND_TRIPS, targets, strict=True)
            times = "".join(f"{found[milliseconds].seconds:>7.1f} s{to:>6.1f} s" for milliseconds, to in pairs)
            counts = f"{len(far.requests):>8}{connections:>13}{chain.requests:>7}"
            print(f"{provider:<14}{counts}{times}{trips:>11.0f}{far.start:>8.1f} s")
    print(f"round trips: target {MOST_ROUND_TRIPS}")
    return at_sixty


def measure_together(folder: Path, alone: dict[str, float]) -> None:
    """Print the time of all providers in one gate at 60 ms, compared with the slowest alone."""
    with lines(list(CHAINS)) as started:
        environment = configure(folder, list(started.values()))
        gate(folder, environment)
        for line in started.values():
            line.change(60)
        time.sleep(max(chain.pause for chain in CHAINS.values()))
        seconds = gate(folder, environment).seconds
    slowest = max(alone, key=lambda provider: alone[provider])
    print(
        f"all {len(started)} at 60 ms: {seconds:.1f} s, {seconds / alone[slowest]:.2f} x the slowest alone "
        f"({slowest}, target: {FACTOR})"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ("providers", "together", "independent")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts, help="What to measure.")
    parser.add_argument("--providers", nargs="+", choices=sorted(CHAINS), default=sorted(CHAINS), help="Whose gates.")
    parser.add_argument("--runs", type=int, default=3, help="Runs of each gate; the fastest counts.")
    parser.add_argument("--stepci", action="store_true", help="Also measure stepci from npm in the part independent.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mfagate-benchmark-") as name:
        folder = Path(name)
        alone = measure_providers(folder, asked.providers, asked.runs) if "providers" in asked.parts else {}
        if "together" in asked.parts and alone:
            measure_together(folder, alone)
        if "independent" in asked.parts:
            from benchmarks.independent import measure

            measure(folder, asked.runs, stepci=asked.stepci)


if __name__ == "__main__":
    main()
