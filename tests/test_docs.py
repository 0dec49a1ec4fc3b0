"""The documentation matches the program."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic import BaseModel

from mfagate.config.model import Configuration, Integration
from mfagate.core.causes import CauseId
from mfagate.report.explain import runbook
from mfagate.testing.project import Project

from .support.project import REPOSITORY, link_shipped

DOCS = REPOSITORY / "docs"
PAGES = sorted([*REPOSITORY.glob("*.md"), *DOCS.glob("**/*.md")])
MANUAL = sorted(DOCS.glob("**/*.md"))
KINDS = {"tutorial": "Tutorial", "how-to": "How-to guide", "reference": "Reference", "explanation": "Explanation"}
GENERATE = runpy.run_path(str(DOCS / "generate.py"))


def name_of(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def prose_of(page: Path) -> str:
    """Return the text of a page without its examples."""
    return re.sub(r"(?ms)^ *(```|~~~).*?^ *\1 *$", "", page.read_text())


@cache
def anchors_of(page: Path) -> set[str]:
    """Return the anchors that GitHub and the static site make of the headings of a page."""
    headings = re.findall(r"(?m)^#+ (.*)$", prose_of(page))
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in plain}


def test_the_whole_catalogue_has_every_cause() -> None:
    text = runbook()
    assert [cause for cause in CauseId if f"\n## {cause}\n" not in text] == []


def test_the_generated_pages_are_up_to_date() -> None:
    """If this test fails, run: python docs/generate.py."""
    made = GENERATE["pages"]()
    assert {name_of(path): path.read_text() == text for path, text in made.items() if path.read_text() != text} == {}
    assert {*(DOCS / "reference/causes").glob("*.md")} <= {*made}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_a_file_and_a_heading(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path) if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors_of(linked.resolve()), target


@pytest.mark.parametrize("page", MANUAL, ids=name_of)
def test_a_page_names_its_kind_under_its_title(page: Path) -> None:
    folder = page.relative_to(DOCS).parts[0]
    if folder == "index.md":
        return
    title, empty, kind = page.read_text().split("\n")[:3]
    assert (title[:2], empty, kind) == ("# ", "", f"*{KINDS[folder]}*")


def test_the_index_names_every_page() -> None:
    """The pages of a folder with its own index are listed there."""
    indexes = [DOCS / "index.md", *DOCS.glob("reference/*/index.md")]
    named = {
        (index.parent / target.partition("#")[0]).resolve()
        for index in indexes
        for target in re.findall(r"\]\(([^)\s]+)\)", index.read_text())
    }
    assert [name_of(page) for page in MANUAL if page != DOCS / "index.md" and page not in named] == []


@pytest.mark.parametrize("page", MANUAL, ids=name_of)
def test_the_examples_import_names_that_exist(page: Path) -> None:
    for module, names in re.findall(r"(?m)^from (mfagate[\w.]*) import (.+)$", page.read_text()):
        for name in names.split(", "):
            assert hasattr(import_module(module), name) or find_spec(f"{module}.{name}"), (module, name)


def keys_of(model: type[BaseModel]) -> Iterator[str]:
    """Yield every key of a table, and of the tables in it."""
    for name, field in model.model_fields.items():
        yield field.alias or name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys_of(field.annotation)


def test_every_key_of_the_configuration_is_on_the_page_of_keys() -> None:
    page = (DOCS / "reference/configuration-keys.md").read_text()
    keys = {*keys_of(Configuration), *keys_of(Integration)} - {"integrations", "gate", "history", "notify"}
    assert len(keys) > 30
    assert [key for key in sorted(keys) if not re.search(rf"(?m)^\| `{key}` \|", page)] == []


class Example(Project):
    """A project with the configuration of a page."""

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
    example = Example(tmp_path, "how-to/waivers.md", "waivers]]")
    days = (datetime.now(UTC).date() + timedelta(days=60), datetime.now(UTC).date() - timedelta(days=1))
    ahead, past = (re.sub(r"(?m)^until = .*", f"until = {day}", example.configuration) for day in days)
    example.configuration = ahead
    result = example.run("gate")
    assert (result.exit_code, result.report["summary"]["waived"]) == (0, 1), result.stdout
    example.configuration = past
    result = example.run("gate")
    assert (result.exit_code, result.checks("waiver")[0]["cause"]) == (1, "waiver.expired")


def test_the_control_credential_of_the_page_works(tmp_path: Path) -> None:
    example = Example(tmp_path, "explanation/evidence.md", ".control]")
    result = example.run("gate")
    assert (result.exit_code, result.first["cause"]) == (1, "credential.rejected"), result.stdout
    assert result.first_red["evidence"]["control credential"] == "accepted in the same minute"
    deployed = 'secret_key = "dotenv:deploy/duo-eu.env#DUO_SECRET_KEY"'
    example.configuration = example.configuration.replace('secret_key = "sandbox:secret_key"', deployed)
    result = example.run("gate")
    assert (result.exit_code, result.first["cause"]) == (3, "provider.auth-outage"), result.stdout


def blocks_of(page: Path, language: str) -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", page.read_text())


def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    page = DOCS / "tutorial/first-gate.md"
    commands = [
        line.removeprefix("$ mfagate ").split()
        for block in blocks_of(page, "console")
        for line in block.splitlines()
        if line.startswith("$ mfagate ") and "--version" not in line
    ]
    init, offline, gate, drill, explain = commands
    project = Project(tmp_path, {})
    assert project.execute(*init).exit_code == 0
    assert project.execute(*offline).exit_code == 0
    (practice,) = blocks_of(page, "toml")
    with (tmp_path / "integrations.toml").open("a") as file:
        file.write(f"\n{practice}")
    passed, failed = project.execute(*gate), project.execute(*drill)
    assert (passed.exit_code, failed.exit_code) == (0, 1), (passed.stdout, failed.stdout)
    shown = page.read_text()
    for result, words in ((passed, "PASS: deploy"), (failed, "change here")):
        line = next(line for line in result.stdout.splitlines() if words in line)
        assert line.strip() in shown, line
    assert "Duo" in project.execute(*explain).stdout
