"""Render the report as JSON, in the published schema ``mfagate.report/1``."""

from __future__ import annotations

from mfagate.core.foreign import harmless_json
from mfagate.core.result import Report


def render(report: Report) -> str:
    """Return one JSON document."""
    return harmless_json(report.model_dump_json(by_alias=True, indent=2)) + "\n"
