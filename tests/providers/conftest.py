"""The sandboxes of the providers, one for each module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.testing import ProviderSuite


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of a provider's suite on one worker: they share its sandbox and the proofs of its contract."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        suite = getattr(item, "cls", None)
        if suite is not None and issubclass(suite, ProviderSuite):
            item.add_marker(pytest.mark.xdist_group(suite.provider))


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    """The sandbox of the provider that the module names as ``PROVIDER``."""
    sandbox = sandboxes.get(request.module.PROVIDER)
    with sandbox.start() as running:
        yield running
