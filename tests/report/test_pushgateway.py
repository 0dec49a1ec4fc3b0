"""Push metrics to the real Pushgateway if it is installed, and to an imitation."""

from __future__ import annotations

import base64
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from mfagate.report.pushgateway import Gateway

from ..support.programs import require_program
from .conftest import CANARY, Offline


class Taken(ThreadingHTTPServer):
    """Responds with a given status, and records each push: path, credentials, names of the metrics."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.pushed: list[tuple[str, str | None, set[str]]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Taken

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        names = {family.name for family in text_string_to_metric_families(body)}
        self.server.pushed.append((self.path, self.headers["Authorization"], names))
        self.send_response(self.server.status, "\x1b[31mno")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *ignored: object) -> None:
        """Do not log."""


@contextmanager
def taking(status: int = 200) -> Iterator[Taken]:
    with Taken(status) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_each_integration_is_a_group(offline: Offline) -> None:
    offline.write()
    with taking() as server:
        address = f"127.0.0.1:{server.server_port}/prefix/"
        done = offline.execute("check", "--push-gateway", f"http://prometheus:{CANARY}@{address}")
    assert (done.exit_code, done.stderr) == (1, "")
    assert [path for path, _, _ in server.pushed] == [
        "/prefix/metrics/job/mfagate/stage/check",
        "/prefix/metrics/job/mfagate/integration/duo-us/stage/check",
        "/prefix/metrics/job/mfagate/integration/duo-eu/stage/check",
    ]
    expected = "Basic " + base64.b64encode(f"prometheus:{CANARY}".encode()).decode()
    assert {credentials for _, credentials, _ in server.pushed} == {expected}
    assert "mfagate_run_verdict" in server.pushed[0][2]
    assert "mfagate_integration_verdict" in server.pushed[1][2]


def test_the_variable_sets_the_gateway(offline: Offline) -> None:
    offline.write()
    with taking() as server:
        offline.execute("check", MFAGATE_PUSH_GATEWAY=f"http://127.0.0.1:{server.server_port}")
    assert len(server.pushed) == 3


@pytest.mark.parametrize("status", [401, 500])
def test_a_refusal_is_a_warning_and_changes_no_verdict(offline: Offline, status: int) -> None:
    offline.write()
    with taking(status) as server:
        url = f"http://u:{CANARY}@127.0.0.1:{server.server_port}"
        done = offline.execute("check", "--integration", "duo-eu", "--push-gateway", url)
    assert (done.exit_code, len(server.pushed)) == (0, 1)
    assert f"the metrics were not pushed to http://127.0.0.1:{server.server_port}: it answered {status}" in done.stderr


def test_an_unreachable_gateway_is_a_warning_and_changes_no_verdict(offline: Offline) -> None:
    offline.write()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://u:{CANARY}@127.0.0.1:{unused.getsockname()[1]}"
        done = offline.execute("check", "--integration", "duo-eu", "--push-gateway", url)
    assert (done.exit_code, "refused" in done.stderr, "Traceback" in done.stderr) == (0, True, False)


@pytest.mark.parametrize(
    "url", ["ftp://u:{}@h", "u:{}@h:9091", "http://", "http://u:{}@h:port", "http://u:{}@[x", "http://h/?q={}", ""]
)
def test_an_invalid_url_is_a_usage_error_that_does_not_quote_it(offline: Offline, url: str) -> None:
    offline.write()
    done = offline.execute("check", "--push-gateway", url.format(CANARY))
    assert (done.exit_code, "Traceback" in done.stderr) == (2, False)


def test_a_url_is_parsed() -> None:
    gateway = Gateway.parse("https://a%40b:c%3Ad@[::1]:9091/x/")
    assert (gateway.url, gateway.username, gateway.password) == ("https://[::1]:9091/x", "a@b", "c:d")
    assert "c:d" not in repr(gateway)


@contextmanager
def real_gateway(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    program = require_program("prometheus-pushgateway", "pushgateway", package="prometheus-pushgateway")
    command = [program, f"--web.listen-address={address}", "--log.level=error"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_ready(f"http://{address}/-/ready")
            yield f"http://{address}"
        finally:
            process.terminate()


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.ConnectionError:
            assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_real_gateway_accepts_a_group_and_keeps_the_others(offline: Offline, tmp_path: Path) -> None:
    offline.write()
    with real_gateway(tmp_path) as url:
        assert offline.execute("check", "--push-gateway", url).stderr == ""
        assert offline.execute("check", "--integration", "duo-eu", "--push-gateway", url).stderr == ""
        text = requests.get(f"{url}/metrics", timeout=5).text
    problems = [line for line in text.splitlines() if line.startswith("mfagate_integration_problem{")]
    assert [('integration="duo-us"' in line, line.endswith(" 1")) for line in problems] == [(True, True)] * 2
    assert 'job="mfagate"' in problems[0]
