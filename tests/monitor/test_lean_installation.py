"""A login service installs mfagate without the extra ``gate``, and gets the monitor and nothing of a run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import mfagate
from mfagate.core.extras import MODULES

from .conftest import Provider


def _closure(*names: str) -> Iterator[Distribution]:
    """Yield distributions and what they require, without any extra."""
    waiting, seen = list(names), set[str]()
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        yield (found := distribution(name))
        wanted = map(Requirement, found.requires or ())
        waiting += [one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]


@pytest.fixture(scope="session")
def lean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of links to what pip installs for ``mfagate requests httpx pytest``, and to nothing else."""
    folder = tmp_path_factory.mktemp("lean")
    for found in _closure("mfagate", "requests", "httpx", "pytest"):
        tops = {path.parts[0] for path in found.files or () if path.parts[0] not in ("..", "__pycache__")}
        # An editable installation of mfagate has a folder for its data alone.
        for top in tops - {"_editable_impl_mfagate.pth", "mfagate", "mfagate_sandbox"}:
            (folder / top).symlink_to(found.locate_file(top))  # type: ignore[arg-type]
    for package in ("mfagate", "mfagate_sandbox"):
        (folder / package).symlink_to(Path(mfagate.__path__[0]).parent / package)
    return folder


def python(lean: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python without its own site-packages."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(lean), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-S", *arguments]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=120)


WATCH = """
import asyncio, json, logging, ssl, sys
import httpx, requests
from mfagate.monitor import Answer, CallResult, monitor
from prometheus_client import CollectorRegistry
theirs = set(sys.modules)
logging.disable(logging.CRITICAL)
url, registry = sys.argv[1], CollectorRegistry()
settings = {
    "entra": {"tenant_id": "8a3f", "client_id": "5b7e", "private_key": "x", "certificate_thumbprint": "AB"},
    "okta": {"org_url": "https://acme.okta.com", "client_id": "0oa1", "private_key": "x"},
}
watching = {name: monitor(name, settings.get(name), registry=registry) for name in sys.argv[2].split()}
refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
refused.verify_code, refused.verify_message = 20, "unable to get local issuer certificate"
duo = watching["duo"]
session, client = duo.wrap(requests.Session()), duo.wrap(httpx.Client())
for get in (session.get, client.get):
    get(url + "/ok"), get(url + "/refused")
    for gone in ("http://127.0.0.1:1/", "http://no-such-host.invalid/"):
        try:
            get(gone)
        except (requests.RequestException, httpx.HTTPError):
            pass
async def login():
    async with duo.wrap(httpx.AsyncClient()) as client:
        await client.get(url + "/refused")
asyncio.run(login())
logging.disable(logging.NOTSET)
for one in watching.values():
    for status in (400, 401, 403, 404, 429, 500, 503):
        body = b'{"stat":"FAIL","code":40103,"errorCode":"E0000011","error":{"code":"x"}}'
        result = one.observe(None, Answer(status, {"content-type": "application/json"}, body), 0.1)
        assert result not in (None, CallResult.OK), (one.provider, status, result)
    assert one.observe(None, refused, 0.1) is CallResult.PROBLEM
failed = sum(s.value for m in registry.collect() for s in m.samples if s.name == "mfagate_client_monitor_errors_total")
assert failed == 0
print(json.dumps([duo.causes, sorted(set(sys.modules) - theirs | {m for m in sys.modules if m.startswith("mfagate")})]))
"""

OF_A_RUN = (
    *("checks", "app", "contract", "contract_strength", "inspection", "sandbox", "history", "report", "config.load"),
    *("cli", "mutation", "scaffold", "scan", "doctor", "notify", "leftovers", "testing", "schemas"),
    *("pytest_plugin", "pytest"),
)


def test_the_monitor_works_without_the_gate(lean: Path, provider: Provider) -> None:
    """It watches requests and httpx, and explains answers of every provider."""
    names = "auth0 duo entra okta privacyidea twilio"
    done = python(lean, "-c", WATCH, provider.url, names)
    assert done.returncode == 0, done.stderr
    causes, loaded = json.loads(done.stdout)
    expected = {"credential.rejected", "network.connection-refused", "network.dns-failure", "network.tls-untrusted"}
    assert expected <= set(causes)
    ours = [name for name in loaded if any(f"{name}.".startswith(f"mfagate.{room}.") for room in OF_A_RUN)]
    assert ours == []
    assert [name for name in loaded if name.startswith("mfagate_sandbox")] == []
    gate = {name for modules in MODULES.values() for name in modules} - {"requests", "pytest"}
    assert {name.partition(".")[0] for name in loaded} & gate == set()


def test_the_command_says_what_to_install(lean: Path) -> None:
    done = python(lean, "-m", "mfagate", "check")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"Error: the command mfagate needs .*click.*: pip install .*\[gate\].*\n", done.stderr)


def test_pytest_works_beside_it(lean: Path, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n")
    done = python(lean, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pytest_says_what_its_options_need(lean: Path, tmp_path: Path) -> None:
    (tmp_path / "integrations.toml").write_text("")
    done = python(lean, "-m", "pytest", "-p", "no:cacheprovider", "--mfagate", "check", cwd=tmp_path)
    assert done.returncode == 4
    assert re.search(r"ERROR: --mfagate needs .*: pip install .*\[gate\]", done.stderr)
