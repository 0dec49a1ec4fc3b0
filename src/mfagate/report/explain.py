"""Show the pages of the cause catalogue: ``mfagate explain``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from mfagate.config.nearest import nearest_to
from mfagate.core.causes import Cause, CauseId, load
from mfagate.core.causes.excerpt import concerning, named
from mfagate.core.files import Unreadable, read_text


class UnknownIntegration(Exception):
    """The configuration does not have the integration, or cannot be read."""


class UnknownCause(Exception):
    """No cause has the id; the message suggests the nearest one."""


def find(name: str) -> Cause:
    """Return the cause with an id.

    Raises:
        UnknownCause: No cause has the id.
    """
    try:
        return load(CauseId(name))
    except ValueError:
        nearest = nearest_to(name, list(CauseId))
        raise UnknownCause(f"there is no cause {name!r}{nearest}; `mfagate explain` lists all") from None


@dataclass(frozen=True, slots=True)
class Audience:
    """The readers of a page.

    Args:
        providers: The providers that they use; empty for all.
        integration: The integration that they want to know about, if it is a single one.
    """

    providers: frozenset[str] = frozenset()
    integration: str | None = None


EVERYBODY = Audience()
"""The audience that gets the whole page."""


def reader_of(config: Path, integration: str | None = None) -> Audience:
    """Return the audience for the providers of a configuration file, or of one integration in it.

    Without a readable file it is everybody: a broken file must not hide a page.

    Raises:
        UnknownIntegration: The file cannot be read, or has no such integration.
    """
    try:
        tables = tomllib.loads(read_text(config, _LONGEST_FILE)).get("integrations")
    except (Unreadable, ValueError) as error:
        if integration is None:
            return EVERYBODY
        raise UnknownIntegration(f"cannot look up {integration}: {config} cannot be read: {error}") from None
    used = {
        str(name): str(table["provider"])
        for name, table in (tables.items() if isinstance(tables, dict) else ())
        if isinstance(table, dict) and "provider" in table
    }
    if integration is None:
        only = next(iter(used)) if len(used) == 1 else None
        return Audience(frozenset(used.values()), only)
    name = integration.partition("/")[0]
    if name not in used:
        raise UnknownIntegration(f"{config} has no integration {integration!r}{nearest_to(name, list(used))}")
    return Audience(frozenset({used[name]}), integration)


_LONGEST_FILE = 1 << 20


def show(name: str, reader: Audience = EVERYBODY) -> None:
    """Print what concerns the reader of one page: rendered on a terminal, as Markdown elsewhere."""
    text = to_markdown(find(name), reader)
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        print(text, end="")


def to_markdown(cause: Cause, reader: Audience = EVERYBODY) -> str:
    """Return what concerns the reader of the page, as one Markdown document."""
    page = (
        f"# {cause.id}\n\n{cause.title}. Outcome: {_outcomes(cause)}. Severity: {cause.severity}.\n\n"
        f"Next step: {cause.next_step}\n\n{cause.text}"
    )
    if not reader.providers:
        return page
    excerpt = concerning(page, reader.providers)
    if reader.integration is not None and len(reader.providers) == 1:
        excerpt = named(excerpt, reader.integration, *reader.providers)
    names = ", ".join(sorted(reader.providers))
    return f"{excerpt}\nThis is the part for {names}. The whole page: `mfagate explain {cause.id} --provider all`\n"


def show_all() -> None:
    """Print every id with its outcome and title."""
    for cause in map(load, CauseId):
        print(f"{cause.id:<36}{cause.outcome:<14}{cause.title}")


def runbook() -> str:
    """Return all pages, after a table of the causes."""
    causes = [load(cause_id) for cause_id in CauseId]
    # GitHub removes the dots from the anchors of headings.
    rows = [f"| [{cause.id}](#{cause.id.replace('.', '')}) | {_outcomes(cause)} | {cause.title} |" for cause in causes]
    head = ["# Causes", "", _INTRODUCTION, "", "| id | outcome | title |", "|---|---|---|", *rows, ""]
    # Headings move down one level below the title of the document.
    pages = [to_markdown(cause).replace("\n## ", "\n### ").replace("# ", "## ", 1) for cause in causes]
    return "\n".join([*head, *pages])


_INTRODUCTION = """\
A *cause* is the named reason why a check did not pass. Its id is stable and is in every report.
`mfagate explain ID` shows one section of this page, and `mfagate explain --all` prints the whole page.
Outcomes: **fail**: do not deploy; **inconclusive**: could not be determined; **warn**: deploy, but
act; **info**."""


def _outcomes(cause: Cause) -> str:
    return " or ".join([cause.outcome.value, *(other.value for other in cause.other_outcomes)])
