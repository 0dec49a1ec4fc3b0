"""One real privacyIDEA server for all tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mfagate.providers.privacyidea.sandbox import PrivacyIDEASandbox
from mfagate.sandbox import Running


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """The sandbox, running."""
    with PrivacyIDEASandbox().start() as running:
        yield running
