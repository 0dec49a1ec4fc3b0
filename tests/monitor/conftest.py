"""A login service's server side: a provider on loopback that answers as a test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from mfagate.monitor import Monitor, monitor
from mfagate.sandbox.faulty_proxy import Handler, faulty_proxy

SECRET = "canary-secret-" + "x7Kq9" * 5

ALLOWED = {"stat": "OK", "response": {"result": "allow", "status": "allow", "status_msg": "Success"}}
BAD_SIGNATURE = {"code": 40103, "message": "Invalid signature in request credentials", "stat": "FAIL"}


@dataclass
class Provider:
    """What it answers to a path, and what it was asked."""

    url: str = ""
    answers: dict[str, Callable[[Handler], bool]] = field(default_factory=dict)

    def says(self, path: str, status: int, body: Any, content_type: str = "application/json", **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers[path] = lambda handler: handler.answer(status, content, content_type, **headers)

    def __call__(self, handler: Handler) -> bool:
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        return self.answers[handler.path.partition("?")[0]](handler)


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    made.says("/ok", 200, ALLOWED)
    made.says("/refused", 401, BAD_SIGNATURE)
    with faulty_proxy("http://127.0.0.1:9", made) as server:
        made.url = server.url
        yield made


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def watching(registry: CollectorRegistry) -> Monitor:
    return monitor("duo", integration="duo-eu", registry=registry)


def requests_by_result(registry: CollectorRegistry) -> dict[str, float]:
    """How many calls ended how; results that did not occur are left out."""
    return _counted(registry, "mfagate_client_requests_total", "result")


def problems_by_cause(registry: CollectorRegistry) -> dict[str, float]:
    return _counted(registry, "mfagate_client_problems_total", "cause")


def _counted(registry: CollectorRegistry, name: str, label: str) -> dict[str, float]:
    samples = [sample for metric in registry.collect() for sample in metric.samples if sample.name == name]
    return {sample.labels[label]: sample.value for sample in samples if sample.value}
