from __future__ import annotations

import pytest

from mfagate.secrets.reference import SCHEMES, Reference

from .conftest import Missed


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_known_scheme_is_a_reference(scheme: str) -> None:
    assert Reference.parse(f"{scheme}:a#b") == Reference(scheme, "a#b")
    assert str(Reference(scheme, "a#b")) == f"{scheme}:a#b"


@pytest.mark.parametrize(
    "text", ["", "secret", "https://env:file@host", "C:\\keys", "user:secret", "key:value", "10:30", "env", "env://x"]
)
def test_other_text_is_a_literal(text: str) -> None:
    assert Reference.parse(text) is None


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        ("evn", "env"),
        ("ENV", "env"),
        ("Env", "env"),
        ("yml", "yaml"),
        ("jsn", "json"),
        ("dot-env", "dotenv"),
        ("files", "file"),
        ("k8s_secret".replace("_", ""), "k8s-secret"),
        ("secret", "k8s-secret"),
    ],
)
def test_a_misspelt_scheme_names_the_nearest_and_hides_the_rest(missed: Missed, written: str, nearest: str) -> None:
    message = missed(f"{written}:c4n4ry")
    assert message.startswith(f"there is no secret store {written!r} (did you mean {nearest!r}?")
    assert all(scheme in message for scheme in SCHEMES)
    assert "c4n4ry" not in message
    assert str(Reference.parse(f"{written}:c4n4ry")) == f"{written}:…"
