"""Measure the time that mfagate.monitor adds to a call of a login service.

    python benchmarks/monitor.py [--calls 3000]

Bare and watched calls alternate in the same run. "no network" responds in the process, so that the difference is the
monitor alone. "loopback" uses an open connection to a server on 127.0.0.1, the fastest possible provider. A refusal is
diagnosed from its body.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import requests
from prometheus_client import CollectorRegistry
from requests.adapters import HTTPAdapter

from mfagate.monitor import Answer, monitor

OK = json.dumps({"stat": "OK", "response": {"result": "allow", "status": "allow", "status_msg": "Success"}}).encode()
REFUSED = json.dumps({"stat": "FAIL", "code": 40103, "message": "Invalid signature in request credentials"}).encode()
TARGET_MICROSECONDS = 50
HOSTILE_MICROSECONDS = 1000


class Canned(HTTPAdapter):
    """Responds without a network."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__()
        self._status, self._body = status, body

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Return a prepared response."""
        response = requests.Response()
        response.status_code, response.request, response.url = self._status, request, str(request.url)
        response.headers["Content-Type"] = "application/json"
        response.elapsed = timedelta()
        response.raw = io.BytesIO(self._body)
        return response


@contextlib.contextmanager
def server(body: bytes) -> Iterator[str]:
    """Start a server that does as little as possible for each request."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while connection.recv(65536):
                connection.sendall(head + body)

    def accept(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/auth/v2/auth"


def session(adapter: HTTPAdapter | None = None) -> requests.Session:
    """Return a session that ignores the environment, which would take longer than everything else."""
    created = requests.Session()
    created.trust_env = False
    if adapter is not None:
        created.mount("http://", adapter)
    return created


def compare(label: str, make: Callable[[], Any], request: Any, calls: int) -> float:
    """Print both medians, and return the difference in microseconds."""
    watching = monitor("duo", registry=CollectorRegistry())
    seconds: dict[str, list[float]] = {"bare": [], "watched": []}
    # Both use one client, so that they share a connection and the scheduling of its server.
    with make() as client:
        for number in range(2 * calls + 200):
            name = "watched" if number % 2 else "bare"
            remove = watching.install(client) if name == "watched" else None
            began = time.perf_counter()
            client.send(request)
            spent = time.perf_counter() - began
            if remove is not None:
                remove()
            if number >= 200:
                seconds[name].append(spent)
    bare_us, watched_us = (statistics.median(seconds[name]) * 1e6 for name in ("bare", "watched"))
    added = watched_us - bare_us
    print(f"{label:24} {bare_us:8.1f} {watched_us:8.1f} {added:+8.1f} {watched_us / bare_us:8.2f}")
    return added


PARTS = {
    "titles": b"<title" * 43_000,
    "spaces": b" " * 262_144,
    "brackets": b"[" * 262_144,
    "deep": b'{"a":' * 43_000 + b"1" + b"}" * 43_000,
    "digits": b'{"code": ' + b"9" * 5_000 + b"}",
    "long": b'{"code": 40103, "message": "' + b"a" * 262_144 + b'"}',
    "quotes": b'{"message": "' + b'\\"' * 8_000 + b'"}',
    "escapes": b'{"message": "' + b"\\u0000" * 2_500 + b'"}',
    "keys": b"{" + b",".join(b'"%d":%d' % (n, n) for n in range(1_500)) + b"}",
    "numbers": b"[" + b"1e308," * 2_700 + b"1]",
    "infinite": b'{"code": 1e999, "stat": NaN, "error_codes": [' + b"1," * 8_000 + b"2]}",
    "causes": b'{"errorCode": "E0000001", "errorCauses": [' + b'{"errorSummary": "x"},' * 700 + b"{}]}",
    "aadsts": b'{"error": "x", "error_description": "' + b"AADSTS1: " * 1_800 + b'"}',
    "scopes": b'{"error": "x", "message": "' + b"expected any of: " * 950 + b'"}',
    "realms": b'{"result": {"error": {"code": 904, "message": "' + b"User <" * 2_600 + b'"}}}',
    "times": b'{"error": "x", "error_description": "' + b"Current time: , " * 1_000 + b'"}',
    "utf8": b"\xff" * 262_144,
}
"""Bodies that are designed to slow down a parser."""

JSON_TYPE = {"content-type": "application/json"}
HOSTILE_HEADERS = {
    "plain": JSON_TYPE,
    "page": {"content-type": "text/html"},
    "challenge": {**JSON_TYPE, "www-authenticate": "a" * 65_000},
    "challenges": {**JSON_TYPE, "www-authenticate": 'a="' * 20_000},
    "wait": {**JSON_TYPE, "retry-after": "9" * 60_000},
    "location": {**JSON_TYPE, "location": "/../" * 16_000},
    "many": {**JSON_TYPE, **{f"x-{number}": "v" * 65_000 for number in range(100)}},
    "type": {"content-type": "a/b;" + ";" * 60_000},
    "date": {**JSON_TYPE, "date": "Mon, " * 13_000},
}
STATUSES = (200, 302, 400, 401, 403, 404, 429, 500, 503)
PROVIDERS = ("auth0", "duo", "entra", "okta", "privacyidea", "twilio")


def hostile() -> Iterator[tuple[str, Answer]]:
    """Yield named responses that are designed to slow down a login service."""
    for status in STATUSES:
        for body_name, body in PARTS.items():
            yield f"{status}, {body_name}", Answer(status, JSON_TYPE, body)
            yield f"{status}, page of {body_name}", Answer(status, {"content-type": "text/html"}, body)
        for header_name, headers in HOSTILE_HEADERS.items():
            yield f"{status}, header {header_name}", Answer(status, headers, REFUSED)


def added_by_hostile(repeats: int) -> tuple[float, str]:
    """Return the highest thread CPU time of a hostile response, in microseconds, and the name of the response."""
    request = requests.Request("GET", "https://api.example/auth/v2/auth").prepare()
    worst = (0.0, "none")
    for provider in PROVIDERS:
        watching = monitor(provider, registry=CollectorRegistry())
        for name, answer in hostile():
            spent = []
            for _ in range(repeats):
                began = time.thread_time()
                watching.observe(request, answer, 0.1)
                spent.append(time.thread_time() - began)
            worst = max(worst, (statistics.median(spent) * 1e6, f"{provider}: {name}"))
    return worst


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=3000)
    calls = parser.parse_args().calls
    logging.disable()  # The log record is not part of a call: it is written once for each cause.
    print(f"{'µs a call (median)':24} {'bare':>8} {'watched':>8} {'added':>8} {'ratio':>8}")
    with server(OK) as url:
        request = requests.Request("GET", url).prepare()
        added = compare("no network, accepted", lambda: session(Canned(200, OK)), request, calls)
        compare("no network, refused", lambda: session(Canned(401, REFUSED)), request, calls)
        compare("loopback, accepted", session, request, calls)
        compare("loopback, httpx", lambda: httpx.Client(trust_env=False), httpx.Request("GET", url), calls)
    print(f"added to a successful call: {added:.0f} µs (target: under {TARGET_MICROSECONDS})")
    worst, name = added_by_hostile(repeats=15)
    print(f"CPU time of a hostile response, at most: {worst:.0f} µs (target: under {HOSTILE_MICROSECONDS}); {name}")


if __name__ == "__main__":
    main()
