"""Render the report as one HTML page that any browser can show: no scripts, no external resources.

Its Content-Security-Policy allows only the page's own style sheet, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from mfagate.core.result import Report
from mfagate.report.html.history import HistoryEntry, HistoryView
from mfagate.report.html.page import SIGNS, Page

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["HistoryEntry", "HistoryView", "render"]


def render(report: Report, history: HistoryView | None = None) -> str:
    """Return one HTML document. With a history it also shows the outcomes and latencies of earlier runs."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return _template().render(page=Page.of(report, history or HistoryView()), style=style, policy=policy)


@cache
def _style() -> str:
    return (files(__name__) / "templates" / "page.css").read_text(encoding="utf-8")


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader(__name__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sign"] = SIGNS.__getitem__
    environment.filters["our_style"] = Markup  # part of this package, never foreign text
    return environment.get_template("page.html.j2")
