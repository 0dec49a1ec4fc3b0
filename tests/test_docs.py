"""The documentation says what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mfagate.report.explain import runbook

from .support.project import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])


def test_the_runbook_is_the_catalogue() -> None:
    """Make it again with: mfagate explain --all > docs/causes.md."""
    assert (REPOSITORY / "docs/causes.md").read_text() == runbook()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target
