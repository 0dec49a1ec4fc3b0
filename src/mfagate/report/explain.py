"""``mfagate explain``: the catalogue's pages for a person."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown

from mfagate.causes import Cause, CauseId, load
from mfagate.config.nearest import nearest_to


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


def show(name: str) -> None:
    """Print one page: rendered on a terminal, as Markdown elsewhere."""
    cause = find(name)
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(Markdown(to_markdown(cause)))
    else:
        print(to_markdown(cause), end="")


def to_markdown(cause: Cause) -> str:
    """The page as one Markdown document."""
    return (
        f"# {cause.id}\n\n{cause.title}. Outcome: {_outcomes(cause)}. Severity: {cause.severity}.\n\n"
        f"Next step: {cause.next_step}\n\n{cause.text}"
    )


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
