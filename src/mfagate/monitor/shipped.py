"""The alert rules for Prometheus and the dashboard for Grafana, as files of this package."""

from __future__ import annotations

from importlib.resources import files

_FILES = {"rules": "rules.yaml", "dashboard": "dashboard.json"}


def text(what: str) -> str:
    """Return the alert rules (``rules``, YAML for Prometheus) or the dashboard (``dashboard``, JSON for Grafana)."""
    return (files("mfagate.monitor") / "dashboards" / _FILES[what]).read_text(encoding="utf-8")
