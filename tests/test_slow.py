"""The list of slow tests names tests that exist."""

from __future__ import annotations

import re

import pytest

from .slow import REPOSITORY, slow_tests


@pytest.mark.parametrize("name", slow_tests())
def test_a_slow_test_exists(name: str) -> None:
    path, *classes, function = name.split("::")
    text = (REPOSITORY / path).read_text("utf-8")
    assert all(f"class {cls}(" in text for cls in classes)
    # A class of a provider's tests inherits them.
    inherited = (REPOSITORY / "src/mfagate/testing").glob("*.py") if classes else ()
    texts = [text, *(file.read_text("utf-8") for file in inherited)]
    assert any(re.search(rf"def {function}\(", text) for text in texts)
