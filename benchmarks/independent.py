"""Measure 500 interactions that do not need each other at 50 ms, compared with a bare script of as many threads.

    python -m benchmarks.independent [--runs 3]

Both send the same signed requests to the same server over the same line, 32 at a time, on kept connections. The script
is Python's requests with a session for each thread. The time of the gate includes that of the interpreter.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NUMBER, CONCURRENCY, MILLISECONDS = 500, 32, 50
TARGET = 1.3

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
with ThreadPoolExecutor(int(%d)) as pool:
    answers = list(pool.map(ask, range(%d)))
assert answers == [200] * len(answers), answers
"""


def write(folder: Path, endpoint: str, bundle: str, values: dict[str, str]) -> None:
    """Write a project with one integration and a contract of independent interactions."""
    interactions = [
        {
            "type": "Synchronous/HTTP",
            "description": f"the credential is checked, {number}",
            "providerStates": [{"name": "the credential is accepted"}],
            "request": {"method": "GET", "path": "/auth/v2/check"},
            "response": {"status": 200, "body": {"content": {"stat": "OK"}, "contentType": "application/json"}},
        }
        for number in range(NUMBER)
    ]
    pact = {
        "consumer": {"name": "auth-service"},
        "provider": {"name": "duo"},
        "interactions": interactions,
        "metadata": {"pactSpecification": {"version": "4.0"}},
    }
    (folder / "pact.json").write_text(json.dumps(pact), encoding="utf-8")
    (folder / "integrations.toml").write_text(
        f"""
[integrations.duo]
provider = "duo"
environment = "staging"
endpoint = "{endpoint}"
ca_bundle = "{bundle}"
contract = "pact.json"

[integrations.duo.settings]
host = "{values["host"]}"
integration_key = "{values["integration_key"]}"
secret_key = "env:DUO_SECRET_KEY"
""",
        encoding="utf-8",
    )


def seconds_of(folder: Path, arguments: list[str], environment: dict[str, str]) -> float:
    """Return the time of a command that must pass.

    Raises:
        RuntimeError: It did not pass.
    """
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise RuntimeError(f"{arguments[:3]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds


def measure(folder: Path, runs: int) -> None:
    """Measure and print."""
    from benchmarks.line import Line

    line = Line("duo")
    try:
        write(folder, line.endpoint, line.ca_bundle, line.values)
        environment = {**os.environ, "DUO_SECRET_KEY": line.values["secret_key"]}
        line.change(MILLISECONDS)
        names = ("host", "integration_key", "secret_key")
        script = ["-c", SCRIPT % (CONCURRENCY, NUMBER), line.endpoint, line.ca_bundle, *(line.values[n] for n in names)]
        gate = ["-m", "mfagate", "gate", "--concurrency", str(CONCURRENCY)]
        pairs = [(seconds_of(folder, script, environment), seconds_of(folder, gate, environment)) for _ in range(runs)]
    finally:
        line.close()
    bare, gated = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    print(f"{NUMBER} interactions at {MILLISECONDS} ms, {CONCURRENCY} at once: script {bare:.2f} s, gate {gated:.2f} s")
    print(f"gate to script: {gated / bare:.2f} (target: {TARGET})")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    with tempfile.TemporaryDirectory(prefix="mfagate-benchmark-") as name:
        measure(Path(name), parser.parse_args().runs)


if __name__ == "__main__":
    main()
