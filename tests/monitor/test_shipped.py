"""Rules and dashboard, by the tools that they are made for."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client import CollectorRegistry, start_http_server

from mfagate.monitor import monitor
from mfagate.monitor.metrics import CAUSES
from mfagate.providers.duo.auth import DuoAuth
from mfagate.sandbox.certificates import Authority
from mfagate.sandbox.emulator.listen import Listener
from mfagate.testing.project import Project
from mfagate_sandbox.duo.emulator import DuoEmulator

from ..support.programs import require_module, require_program
from ..support.project import REPOSITORY


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, {})


@pytest.fixture
def rules(project: Project) -> Path:
    """As a person writes them."""
    done = project.execute("monitor", "rules", "--output", "rules.yaml")
    assert (done.exit_code, done.stdout) == (0, "wrote rules.yaml\n"), done.stderr
    return project.folder / "rules.yaml"


@pytest.fixture
def dashboard(project: Project) -> dict[str, Any]:
    done = project.execute("monitor", "dashboard")
    assert done.exit_code == 0, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


def promtool(*arguments: str | Path) -> str:
    program = require_program("promtool", package="prometheus")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_file_that_cannot_be_written(project: Project) -> None:
    done = project.execute("monitor", "rules", "--output", "missing/rules.yaml")
    assert (done.exit_code, done.stderr) == (
        2,
        "Error: missing/rules.yaml cannot be written: No such file or directory\n",
    )


def test_the_rules_are_rules(rules: Path) -> None:
    assert "12 rules found" in promtool("check", "rules", rules)


def test_the_rules_alert_on_what_they_are_for(rules: Path) -> None:
    cases = REPOSITORY / "tests/monitor/rules_test.yaml"
    shutil.copy(cases, rules.parent / cases.name)
    promtool("test", "rules", rules.parent / cases.name)
    tested = set(re.findall(r"Mfa\w+", cases.read_text()))
    assert {rule["alert"] for rule in yaml.safe_load(rules.read_text())["groups"][0]["rules"]} == tested


def test_rules_with_another_threshold_are_found_out(rules: Path) -> None:
    """The tests of the rules can fail."""
    rules.write_text(rules.read_text().replace("[2m])) > 0", "[2m])) > 1000"))
    cases = REPOSITORY / "tests/monitor/rules_test.yaml"
    shutil.copy(cases, rules.parent / cases.name)
    with pytest.raises(AssertionError, match="FAILED"):
        promtool("test", "rules", rules.parent / cases.name)


def test_each_cause_that_may_be_found_has_an_alert(rules: Path) -> None:
    expressions = " ".join(rule["expr"] for rule in yaml.safe_load(rules.read_text())["groups"][0]["rules"])
    patterns = [re.compile(found) for found in re.findall(r'cause=~?"([^"]+)"', expressions)]
    assert len(patterns) == 8
    assert [cause for cause in CAUSES if not any(pattern.fullmatch(cause) for pattern in patterns)] == []


def queries(dashboard: dict[str, Any]) -> dict[str, str]:
    """Each expression with what Grafana would put in, by the title of its panel."""
    found = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in dashboard["panels"]
        for target in panel["targets"]
    }
    found["alerts"] = dashboard["annotations"]["list"][0]["expr"]
    variables = {"$__rate_interval": "1m", "$integration": ".*"}
    for title, query in found.items():
        for name, value in variables.items():
            query = query.replace(name, value)
        assert "$" not in query
        found[title] = query
    return found


def test_each_query_of_the_dashboard_is_one(dashboard: dict[str, Any], tmp_path: Path) -> None:
    found = queries(dashboard)
    recording = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(found.values())]
    assert len(recording) == 13
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recording}]}))
    assert "13 rules found" in promtool("check", "rules", tmp_path / "panels.yaml")


def test_the_dashboard_has_the_shape_that_grafana_publishes(dashboard: dict[str, Any]) -> None:
    """Grafana's own models keep each of our keys; what they do not know, they would drop."""
    models = require_module("grafana_foundation_sdk.models.dashboard")
    from grafana_foundation_sdk.cog import plugins
    from grafana_foundation_sdk.cog.encoder import JSONEncoder

    plugins.register_default_plugins()
    kept = json.loads(JSONEncoder(sort_keys=True).encode(models.Dashboard.from_json(dashboard)))
    # Annotations have keys of their data source, which the common model leaves to it.
    assert sorted(lost(dashboard, kept)) == ["annotations.list.0.textFormat", "annotations.list.0.titleFormat"]
    spoilt = dashboard | {"panels": [dashboard["panels"][0] | {"gridPosition": {}}]}
    kept = json.loads(JSONEncoder(sort_keys=True).encode(models.Dashboard.from_json(spoilt)))
    assert "panels.0.gridPosition" in set(lost(spoilt, kept))


def lost(ours: Any, kept: Any, path: str = "") -> Iterator[str]:
    """Where ``kept`` lacks or changes something of ours."""
    if isinstance(ours, dict | list):
        for key, value in ours.items() if isinstance(ours, dict) else enumerate(ours):
            try:
                yield from lost(value, kept[key], f"{path}.{key}")
            except (KeyError, IndexError, TypeError):
                yield f"{path}.{key}".removeprefix(".")
    elif ours != kept:
        yield path.removeprefix(".")


def test_panels_do_not_overlap(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


class Service:
    """A login service that asks Duo all the time, and is scraped."""

    def __init__(self, folder: Path) -> None:
        self.emulator = DuoEmulator()
        authority = Authority(folder, self.emulator.hosts)
        self.duo = Listener(self.emulator, authority.context())
        self.registry = CollectorRegistry()
        values = self.emulator.values
        self.session = monitor("duo", integration="duo-eu", registry=self.registry).wrap(requests.Session())
        self.session.trust_env = False
        self.session.verify = str(authority.bundle)
        self.session.auth = DuoAuth(values["host"], values["integration_key"], values["secret_key"])
        self.stopped = threading.Event()
        self.statuses: list[int] = []

    @contextmanager
    def running(self) -> Iterator[int]:
        """The port of its metrics."""
        exporter, thread = start_http_server(0, "127.0.0.1", self.registry)
        serving = threading.Thread(target=self.duo.serve_forever, daemon=True)
        logging_in = threading.Thread(target=self._log_in, daemon=True)
        serving.start()
        logging_in.start()
        try:
            yield exporter.server_port
        finally:
            self.stopped.set()
            logging_in.join()
            self.duo.shutdown()
            self.duo.server_close()
            serving.join()
            exporter.shutdown()
            exporter.server_close()
            thread.join()
            self.session.close()

    def _log_in(self) -> None:
        while not self.stopped.wait(0.05):
            answer = self.session.post(
                f"https://127.0.0.1:{self.duo.port}/auth/v2/preauth", json={"username": "mfagate-accepts"}, timeout=5
            )
            self.statuses.append(answer.status_code)

    def revoke(self) -> None:
        """Somebody resets the secret key in the Admin Panel."""
        self.emulator.applications[self.emulator.values["integration_key"]].secret_key = "reset" * 8


CONFIGURATION = """\
global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}
rule_files: [rules.yaml]
scrape_configs:
  - job_name: login-service
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@contextmanager
def prometheus(folder: Path, scraped: int) -> Iterator[str]:
    (folder / "prometheus.yml").write_text(CONFIGURATION.format(port=scraped))
    program = require_program("prometheus", package="prometheus")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def eventually(ask: Any, what: str) -> Any:
    """The first answer that says something; the deadline is for a machine that hangs."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            if answer := ask():
                return answer
        except requests.ConnectionError:
            pass
        time.sleep(0.25)
    raise AssertionError(f"{what} never came")


def test_a_revoked_credential_is_an_alert_in_a_real_prometheus(
    rules: Path, dashboard: dict[str, Any], tmp_path: Path
) -> None:
    service = Service(tmp_path)
    with service.running() as port, prometheus(tmp_path, port) as url, requests.Session() as http:
        http.trust_env = False

        def query(text: str) -> list[dict[str, Any]]:
            answer = http.get(f"{url}/api/v1/query", params={"query": text}, timeout=5)
            found: list[dict[str, Any]] = answer.json()["data"]["result"] if answer.ok else []
            return found

        def alerts() -> dict[str, dict[str, Any]]:
            found = http.get(f"{url}/api/v1/alerts", timeout=5).json()["data"]["alerts"]
            return {alert["labels"]["alertname"]: alert for alert in found}

        eventually(lambda: query('mfagate_client_requests_total{result="ok"} > 5'), "a scrape")
        assert alerts() == {}
        service.revoke()
        alert = eventually(lambda: alerts().get("MfaCredentialRejected"), "the alert")
        assert alert["state"] in ("pending", "firing")
        assert alert["labels"]["cause"] == "credential.rejected"
        assert alert["annotations"]["summary"] == "duo-eu: the provider refuses our credential (credential.rejected)"
        # Each panel has something to show, but for the one of our own defects and that of firing alerts.
        silent = {title for title, text in queries(dashboard).items() if not query(text)}
        assert silent == {"Errors of the monitor A", "alerts"}
    assert set(service.statuses) == {200, 401}
