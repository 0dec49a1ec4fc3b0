"""The documentation says what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from mfagate.config.model import Configuration, Integration
from mfagate.report.explain import runbook
from mfagate.testing.project import Project

from .support.project import REPOSITORY, link_shipped

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


def keys_of(model: type[BaseModel]) -> Iterator[str]:
    """Every key of a table, and of the tables in it."""
    for name, field in model.model_fields.items():
        yield field.alias or name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys_of(field.annotation)


def test_every_key_of_the_configuration_is_told() -> None:
    pages = "".join((REPOSITORY / "docs" / f"{name}.md").read_text() for name in ("configuration", "notifications"))
    keys = {*keys_of(Configuration), *keys_of(Integration)} - {"integrations", "gate", "history", "notify"}
    assert len(keys) > 30
    assert [key for key in sorted(keys) if not re.search(rf"(?m)^\| `{key}` \||\b{key} = \d", pages)] == []


class Example(Project):
    """The configuration that stands in a page."""

    def __init__(self, folder: Path, page: str, word: str) -> None:
        super().__init__(folder, {})
        blocks = re.findall(r"```toml\n(.*?)```", (REPOSITORY / "docs" / page).read_text(), re.DOTALL)
        self.configuration: str = next(block for block in blocks if word in block and "[integrations.duo-eu]" in block)
        link_shipped(folder)
        (folder / "deploy").mkdir()
        wrong = (REPOSITORY / "examples/incident/deploy/duo-eu.env").read_text()
        (folder / "deploy/duo-eu.env").write_text(wrong)

    def text(self) -> str:
        return self.configuration


def test_the_waiver_of_the_page_works(tmp_path: Path) -> None:
    example = Example(tmp_path, "waivers.md", "waivers]]")
    days = (datetime.now(UTC).date() + timedelta(days=60), datetime.now(UTC).date() - timedelta(days=1))
    ahead, past = (re.sub(r"(?m)^until = .*", f"until = {day}", example.configuration) for day in days)
    example.configuration = ahead
    result = example.run("gate")
    assert (result.exit_code, result.report["summary"]["waived"]) == (0, 1), result.stdout
    example.configuration = past
    result = example.run("gate")
    assert (result.exit_code, result.checks("waiver")[0]["cause"]) == (1, "waiver.expired")


def test_the_control_credential_of_the_page_works(tmp_path: Path) -> None:
    example = Example(tmp_path, "gate.md", ".control]")
    result = example.run("gate")
    assert (result.exit_code, result.first["cause"]) == (1, "credential.rejected"), result.stdout
    assert result.first_red["evidence"]["control credential"] == "accepted in the same minute"
    deployed = 'secret_key = "dotenv:deploy/duo-eu.env#DUO_SECRET_KEY"'
    example.configuration = example.configuration.replace('secret_key = "sandbox:secret_key"', deployed)
    result = example.run("gate")
    assert (result.exit_code, result.first["cause"]) == (3, "provider.auth-outage"), result.stdout
