"""The report as one HTML page: no script, nothing fetched, readable in any browser.

Its Content-Security-Policy allows nothing but the page's own style sheet, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from mfagate.core.result import Report
from mfagate.report.html.history import HistoryEntry, HistoryView, Runout
from mfagate.report.html.page import Page

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["HistoryEntry", "HistoryView", "Runout", "render"]


def render(report: Report, history: HistoryView | None = None) -> str:
    """One HTML document; with earlier runs it has their outcomes and latencies as well."""
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
    environment.filters["our_style"] = Markup  # of the package itself, and no text of others
    return environment.get_template("page.html.j2")
