"""The matrix: the faults for each provider, and the right causes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mfagate.contract import Contract, load
from mfagate.core.exchange import Headers, Response
from mfagate.sandbox import registry as sandboxes
from mfagate.sandbox.faults import FAULTS, Layer
from mfagate.sandbox.faults.body import edited

from .gate_run import REPOSITORY

HEALTHY, HARMLESS = "healthy runs", "harmless edits"
"""Suites whose runs must pass."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run.

    Args:
        causes: The right causes; empty if the run must pass.
        needs: The settings to configure.
    """

    suite: str
    provider: str
    name: str
    faults: tuple[str, ...] = ()
    provider_faults: tuple[str, ...] = ()
    causes: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    seed: int = 0


def on_the_way(provider: str) -> Iterator[Case]:
    """Yield each fault between gate and provider: from the start, in mid-run, and for some requests only."""
    for kind in FAULTS.values():
        if kind.layer is Layer.BODY or not kind.causes:
            continue
        causes = frozenset(str(cause) for cause in kind.causes)
        case = Case("faults", provider, kind.name, (kind.name,), causes=causes)
        yield case
        if kind.layer is Layer.HTTP and kind.name != "clock":  # A clock does not fail in mid-run.
            yield replace(case, name=f"{kind.name}, in mid-run", faults=(f"{kind.name},after=12",))
    for name in ("slow-connect:9", "slow:9", "slow-body:9"):
        yield Case("faults", provider, name, (name,), causes=frozenset({"network.read-timeout"}))
    for name in ("status:500", "status:503", "hang-up", "reset-body"):
        causes = frozenset({"provider.degraded", *map(str, FAULTS[name.partition(":")[0]].causes)})
        yield Case("faults", provider, f"{name}, one request in three", (f"{name},rate=0.33",), causes=causes)


def of_the_provider(provider: str) -> Iterator[Case]:
    """Yield each fault of the provider's own sandbox."""
    started = sandboxes.get(provider)
    for kind in started.faults:
        causes = frozenset(str(cause) for cause in kind.causes)
        yield Case(
            "provider faults", provider, kind.name, provider_faults=(kind.name,), causes=causes, needs=kind.needs
        )


_CHANGES = ("removed", "renamed", "nulled", "retyped", "wrapped")


def of_fields(provider: str) -> Iterator[Case]:
    """Yield each change of a field in the contract that violates the contract."""
    contract = load(REPOSITORY / f"contracts/{provider}/auth-service-{provider}.json", provider=provider)
    for field in sorted(_fields(contract)):
        for change in _CHANGES:
            causes = _broken_by(contract, change, field)
            if causes:
                yield Case("fields", provider, f"{change} {field}", (f"{change}:{field}",), causes=causes)


def _fields(contract: Contract) -> set[str]:
    found: set[str] = set()

    def walk(node: object) -> None:
        if isinstance(node, dict):
            found.update(node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for item in node:
                walk(item)

    for interaction in contract.interactions:
        walk(_example(interaction.response.body))
    return {name for name in found if "." not in name and "=" not in name and "," not in name}


def _example(body: str | None) -> object:
    try:
        return json.loads(body or "")
    except ValueError:
        return None


def _broken_by(contract: Contract, change: str, field: str) -> frozenset[str]:
    """Return the causes that the matching of the contract finds for a change, in any interaction."""
    causes = set()
    for interaction in contract.interactions:
        expected = interaction.response
        fields = tuple((name, value) for name, values in expected.headers.items() for value in values)
        body = edited((expected.body or "").encode(), change, field)
        if body is None:
            continue
        answer = Response(expected.status, headers=Headers(fields), body=body)
        causes |= {str(mismatch.cause) for mismatch in interaction.match(answer)}
    return frozenset(causes)


NOISE = (
    "slow:0.3,rate=0.04",
    "slow:0.05,rate=0.3",
    "status:502,rate=0.006",
    "unavailable:1,rate=0.003",
    "hang-up,rate=0.004",
    "reset,rate=0.003",
    "too-many:1,rate=0.002",
    "added:mfagate_new,rate=0.2",
)
"""A healthy provider on a busy day: late responses, an error in sixty requests, additional fields."""


def healthy(provider: str, runs: int) -> Iterator[Case]:
    """Yield runs that must pass, each with its own noise."""
    for number in range(runs):
        yield Case(HEALTHY, provider, f"run {number + 1}", NOISE, seed=number)
