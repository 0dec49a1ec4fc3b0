"""Answers made to hold up a login service: the monitor looks at little of them, and has no defect."""

from __future__ import annotations

import importlib.util
import json
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from mfagate.monitor import Answer, CallResult, monitor
from mfagate.monitor.answer import LARGEST_BODY, answer_in, exchange_of

from ..support.project import REPOSITORY

REQUEST = SimpleNamespace(method="GET", url="https://api.example/auth/v2/auth")


def of_the_benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("monitor_benchmark", REPOSITORY / "benchmarks/monitor.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BENCHMARK = of_the_benchmark()


@pytest.mark.parametrize("provider", BENCHMARK.PROVIDERS)
def test_no_hostile_answer_is_a_defect_of_the_monitor(provider: str) -> None:
    registry = CollectorRegistry()
    watching = monitor(provider, registry=registry)
    for name, answer in BENCHMARK.hostile():
        assert watching.observe(REQUEST, answer, 0.1) is not None, name
    assert (
        registry.get_sample_value(
            "mfagate_client_monitor_errors_total", {"integration": provider, "provider": provider}
        )
        == 0
    )


@pytest.mark.parametrize("provider", BENCHMARK.PROVIDERS)
def test_no_more_than_16_kilobytes_of_an_answer_reach_the_provider(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = monitor(provider, registry=CollectorRegistry())
    seen: list[int] = []
    original = type(watching._classifier._provider.dialect).error_of

    def error_of(self: Any, response: Any) -> Any:
        seen.append(len(response.body))
        seen.append(sum(len(name) + len(value) for name, value in response.headers.items_in_order))
        return original(self, response)

    monkeypatch.setattr(type(watching._classifier._provider.dialect), "error_of", error_of)
    for _, answer in BENCHMARK.hostile():
        watching.observe(REQUEST, answer, 0.1)
    assert 0 < max(seen) <= LARGEST_BODY <= 16 * 1024


def test_a_refusal_that_is_longer_is_not_explained_and_a_long_page_still_is() -> None:
    watching = monitor("duo", registry=CollectorRegistry())
    refusal = {"code": 40103, "message": "x" * LARGEST_BODY, "stat": "FAIL"}
    long = Answer(401, {"content-type": "application/json"}, json.dumps(refusal).encode())
    assert watching.observe(REQUEST, long, 0.1) is CallResult.UNEXPLAINED
    page = Answer(403, {"content-type": "text/html"}, b"<html><title>Blocked</title>" + b"x" * LARGEST_BODY)
    assert watching.observe(REQUEST, page, 0.1) is CallResult.PROBLEM
    assert watching.causes == ("contract.not-json",)


class SdkError(Exception):
    def __init__(self, data: Any) -> None:
        self.status = 401
        self.data = data


@pytest.mark.parametrize(
    "data",
    [
        {"code": 40103, "message": "x" * 1_000_000},
        {"code": 40103, "list": [1] * 200_000},
        {"code": 40103, **{str(number): "x" * 100 for number in range(20_000)}},
        {"code": 10**5000},
        {"code": float("inf")},
        {"code": object()},
    ],
)
def test_what_an_sdk_has_parsed_is_taken_over_as_far_as_it_is_looked_at(data: Any) -> None:
    exchange, _, _ = exchange_of(None, answer_in(SdkError(data)))
    assert exchange.response is not None
    assert len(exchange.response.body) <= LARGEST_BODY
    result = monitor("duo", registry=CollectorRegistry()).observe(REQUEST, SdkError(data), 0.1)
    assert result in (CallResult.PROBLEM, CallResult.UNEXPLAINED)


def test_a_body_nested_by_itself_is_taken_over_to_a_depth() -> None:
    data: dict[str, Any] = {"code": 40103}
    for _ in range(5_000):
        data = {"code": 40103, "inner": data}
    answer = answer_in(SdkError(data))
    assert json.loads(answer.body)["code"] == 40103
