"""The sandboxes of the providers, one for each module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mfagate.providers import registry
from mfagate.sandbox import Running


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    """The sandbox of the provider that the module names as ``PROVIDER``."""
    sandbox = registry.get(request.module.PROVIDER).sandbox()
    assert sandbox is not None
    with sandbox.start() as running:
        yield running
