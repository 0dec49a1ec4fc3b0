"""What an exchange says of the time that it took."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from mfagate.core.exchange import Exchange, Phase, Request, Response


@pytest.mark.parametrize(
    ("phases", "stalled", "expected"),
    [
        ({}, 1.0, {}),
        ({Phase.CONNECT: 0.1, Phase.PROCESSING: 0.9}, 0.0, {Phase.CONNECT: 0.1, Phase.PROCESSING: 0.9}),
        ({Phase.CONNECT: 0.25, Phase.PROCESSING: 1.0}, 0.5, {Phase.CONNECT: 0.25, Phase.PROCESSING: 0.5}),
        ({Phase.CONNECT: 0.25, Phase.PROCESSING: 0.125}, 2.0, {Phase.CONNECT: 0.0, Phase.PROCESSING: 0.125}),
    ],
)
def test_stalls_are_taken_off_the_longest_phase(
    phases: Mapping[Phase, float], stalled: float, expected: Mapping[Phase, float]
) -> None:
    exchange = Exchange(
        Request("GET", "https://api.example/"), datetime.now(UTC), Response(200), phases=phases, stalled=stalled
    )
    assert exchange.phases_without_stalls == expected
