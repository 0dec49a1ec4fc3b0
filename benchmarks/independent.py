"""Measure 500 interactions that do not need each other at 50 ms, compared with a bare script of as many threads.

    python -m benchmarks.independent [--runs 3] [--stepci]

Both send the same signed requests to the same server over the same line, 32 at a time, on kept connections. The script
is Python's requests with a session for each thread. The time of the gate includes that of the interpreter.

``--stepci`` also measures stepci, a test runner for APIs from npm. It is installed in a temporary folder, and gets
headers that were signed before it starts, because it cannot sign for Duo.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NUMBER, CONCURRENCY, MILLISECONDS = 500, 32, 50
TARGET = 1.3
STEPCI = "stepci@2.8.2"

SCRIPT = """
import sys, threading, time
from concurrent.futures import ThreadPoolExecutor
import requests
from mfagate.providers.duo.auth import DuoAuth
endpoint, bundle, host, key, secret = sys.argv[1:]
local = threading.local()
def ask(number):
    if not hasattr(local, "session"):
        local.session = requests.Session()
        local.session.trust_env = False
    request = requests.Request("GET", f"https://{host}/auth/v2/check", auth=DuoAuth(host, key, secret)).prepare()
    request.url = request.url.replace(f"https://{host}", endpoint)
    return local.session.send(request, verify=bundle).status_code
with ThreadPoolExecutor(%d) as pool:
    answers = list(pool.map(ask, range(%d)))
assert answers == [200] * len(answers), answers
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A command that passed: elapsed seconds, and processor seconds of the command and what it started."""

    seconds: float
    processor: float


@dataclass(frozen=True, slots=True)
class Independent:
    """A project whose interactions do not need each other, and the server that it asks."""

    folder: Path
    endpoint: str
    ca_bundle: str
    values: Mapping[str, str]

    def gate(self, number: int) -> Run:
        """Run the gate on a contract of ``number`` interactions."""
        self._write(number)
        return run(
            self.folder, [sys.executable, "-m", "mfagate", "gate", "--concurrency", str(CONCURRENCY)], self._environment
        )

    def script(self, number: int) -> Run:
        """Send ``number`` requests with the bare script."""
        names = ("host", "integration_key", "secret_key")
        given = [self.endpoint, self.ca_bundle, *(self.values[name] for name in names)]
        return run(self.folder, [sys.executable, "-c", SCRIPT % (CONCURRENCY, number), *given], self._environment)

    def stepci(self, program: Path, number: int) -> Run:
        """Run stepci on a workflow of ``number`` tests of one request."""
        headers = self._signed()
        request = {
            "url": f"{self.endpoint}/auth/v2/check",
            "method": "GET",
            "headers": headers,
            "check": {"status": 200},
        }
        workflow = {
            "version": "1.1",
            "config": {"concurrency": CONCURRENCY, "http": {"rejectUnauthorized": False}},
            "tests": {f"check{one}": {"steps": [{"name": "check", "http": request}]} for one in range(number)},
        }
        file = self.folder / "workflow.yml"
        file.write_text(json.dumps(workflow), encoding="utf-8")  # JSON is YAML.
        offline = {"STEPCI_DISABLE_ANALYTICS": "1"}
        return run(self.folder, [str(program), "run", file.name], self._environment | offline)

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "DUO_SECRET_KEY": self.values["secret_key"]}

    def _signed(self) -> dict[str, str]:
        import requests

        from mfagate.providers.duo.auth import DuoAuth

        host = self.values["host"]
        auth = DuoAuth(host, self.values["integration_key"], self.values["secret_key"])
        return dict(requests.Request("GET", f"https://{host}/auth/v2/check", auth=auth).prepare().headers)

    def _write(self, number: int) -> None:
        pact = {
            "consumer": {"name": "auth-service"},
            "provider": {"name": "duo"},
            "interactions": [_interaction(one) for one in range(number)],
            "metadata": {"pactSpecification": {"version": "4.0"}},
        }
        (self.folder / "pact.json").write_text(json.dumps(pact), encoding="utf-8")
        (self.folder / "integrations.toml").write_text(
            f"""
[integrations.duo]
provider = "duo"
environment = "staging"
endpoint = "{self.endpoint}"
ca_bundle = "{self.ca_bundle}"
contract = "pact.json"

[integrations.duo.settings]
host = "{self.values["host"]}"
integration_key = "{self.values["integration_key"]}"
secret_key = "env:DUO_SECRET_KEY"
""",
            encoding="utf-8",
        )


def _interaction(number: int) -> dict[str, object]:
    return {
        "type": "Synchronous/HTTP",
        "description": f"the credential is checked, {number}",
        "providerStates": [{"name": "the credential is accepted"}],
        "request": {"method": "GET", "path": "/auth/v2/check"},
        "response": {"status": 200, "body": {"content": {"stat": "OK"}, "contentType": "application/json"}},
    }


def run(folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> Run:
    """Run a command that must pass.

    Raises:
        RuntimeError: It did not pass, so the measurement is useless.
    """
    before, began = _processor(), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    seconds, processor = time.perf_counter() - began, _processor() - before
    if done.returncode != 0:
        name = " ".join(command[:3])[:60]
        raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return Run(seconds, processor)


def _processor() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def independent(folder: Path, milliseconds: float) -> Iterator[Independent]:
    """Run Duo's sandbox behind a line while the context lasts."""
    from benchmarks.line import Line

    line = Line("duo")
    try:
        line.change(milliseconds)
        yield Independent(folder, line.endpoint, line.ca_bundle, line.values)
    finally:
        line.close()


def install_stepci(folder: Path) -> Path:
    """Install stepci from npm in a folder, and return its program."""
    command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", STEPCI]
    run(folder, command, os.environ)
    return folder / "node_modules" / ".bin" / "stepci"


def measure(folder: Path, runs: int, *, stepci: bool = False) -> None:
    """Measure and print."""
    program = install_stepci(folder) if stepci else None
    with independent(folder, MILLISECONDS) as project:
        pairs = [(project.script(NUMBER), project.gate(NUMBER)) for _ in range(runs)]
        others = [project.stepci(program, NUMBER).seconds for _ in range(runs)] if program is not None else []
    bare, gated = min(pair[0].seconds for pair in pairs), min(pair[1].seconds for pair in pairs)
    print(f"{NUMBER} interactions at {MILLISECONDS} ms, {CONCURRENCY} at once: script {bare:.2f} s, gate {gated:.2f} s")
    print(f"gate to script: {gated / bare:.2f} (target: {TARGET})")
    if others:
        print(f"stepci: {min(others):.2f} s, {min(others) / bare:.2f} x the script")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="Runs of each program, in turns; the fastest counts.")
    parser.add_argument("--stepci", action="store_true", help=f"Also install {STEPCI} from npm, and measure it.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mfagate-benchmark-") as name:
        measure(Path(name), asked.runs, stepci=asked.stepci)


if __name__ == "__main__":
    main()
