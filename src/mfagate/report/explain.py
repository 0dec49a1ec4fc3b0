"""``mfagate explain``: the catalogue's pages for a person."""

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
    """The configuration has no such integration, or cannot be read."""


class UnknownCause(Exception):
    """There is no such id; the message names the nearest."""


def find(name: str) -> Cause:
    """The cause of that id.

    Raises:
        UnknownCause: There is none.
    """
    try:
        return load(CauseId(name))
    except ValueError:
        ids = [cause.value for cause in CauseId]
        message = f"there is no cause {name!r}{nearest_to(name, ids)}; `mfagate explain` lists all"
        raise UnknownCause(message) from None


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a page is for.

    Args:
        providers: The providers that they use; empty for all.
        integration: The integration that they asked for, if it is a single one.
    """

    providers: frozenset[str] = frozenset()
    integration: str | None = None


EVERYBODY = Audience()
"""Who gets the whole page."""


def reader_of(config: Path, integration: str | None = None) -> Audience:
    """Return the reader that a configuration file shows, of one integration or of all; everybody without a file.

    The file is read as far as it goes: a page must also be found if the file is broken.

    Raises:
        UnknownIntegration: The file cannot be read, or has no such integration.
    """
    try:
        tables = tomllib.loads(read_text(config, _LONGEST_FILE)).get("integrations")
    except (Unreadable, ValueError) as error:
        if integration is None:
            return EVERYBODY
        raise UnknownIntegration(f"{config} cannot be read, so {integration} is not known: {error}") from None
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
    return f"{excerpt}\nShown is what concerns {names}. All of the page: `mfagate explain {cause.id} --provider all`\n"


def show_all() -> None:
    """Print every id with its outcome and title."""
    for cause in map(load, CauseId):
        print(f"{cause.id:<36}{cause.outcome:<14}{cause.title}")


def show_every_page() -> None:
    """Print the whole catalogue as one Markdown document: the runbook."""
    print(runbook(), end="")


def runbook() -> str:
    """Every cause, with a table in front."""
    causes = [load(cause_id) for cause_id in CauseId]
    rows = [f"| [{cause.id}](#{anchor(cause)}) | {_outcomes(cause)} | {cause.title} |" for cause in causes]
    head = ["# Causes", "", _INTRODUCTION, "", "| id | outcome | title |", "|---|---|---|", *rows, ""]
    # One level down: the document has a title of its own.
    pages = [to_markdown(cause).replace("\n## ", "\n### ").replace("# ", "## ", 1) for cause in causes]
    return "\n".join([*head, *pages])


_INTRODUCTION = """\
A *cause* is the named reason why a check did not pass. Its id is stable: it stands in every report,
and `mfagate explain ID` shows its section of this page, which `mfagate explain --all` prints.
Outcomes: **fail**: do not deploy; **inconclusive**: it could not be known now; **warn**: deploy, but
act; **info**."""


def anchor(cause: Cause) -> str:
    """The fragment of its section in the runbook, as GitHub makes anchors of headings."""
    return cause.id.replace(".", "")


def _outcomes(cause: Cause) -> str:
    return " or ".join([cause.outcome.value, *(other.value for other in cause.other_outcomes)])
