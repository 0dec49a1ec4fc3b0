from __future__ import annotations

import pytest

from ..support.programs import require_library


@pytest.fixture(scope="session")
def library() -> str:
    """Return the path of libfaketime."""
    return require_library("libfaketime", "faketime", "*/faketime/libfaketime.so.1")
