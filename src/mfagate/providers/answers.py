"""Read the JSON of answers."""

from __future__ import annotations

from typing import Any

from mfagate.core.exchange import Response


def json_of(response: Response | None) -> Any:
    """Return the JSON of a response, or None if it has none."""
    try:
        return None if response is None else response.json()
    except ValueError:
        return None


def object_of(response: Response | None) -> dict[str, Any]:
    """Return the JSON object of a response; empty if the response has none."""
    body = json_of(response)
    return body if isinstance(body, dict) else {}
