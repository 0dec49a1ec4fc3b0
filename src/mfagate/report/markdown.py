"""Render the report as Markdown, for a comment on a pull request or the summary of a pipeline.

The text stays below the 65 536 characters that a GitHub comment may have. Foreign text is fenced or escaped, so that it
cannot format, link to, mention or close anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mfagate.core.causes import Outcome
from mfagate.core.foreign import quoted
from mfagate.core.result import Report, Verdict
from mfagate.report.findings import ReportedFinding, findings
from mfagate.report.words import (
    context,
    emulators,
    footer,
    indented,
    kind,
    notes,
    paragraphs,
    table_cells,
    verdict,
)

MARKER = "<!-- mfagate -->"
"""The first line, by which a pipeline finds its earlier comment."""

_URGENT = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARN)
_LIMIT = 60_000
_ROWS = 100
_LONGEST_LINE = 600
_LONGEST_BLOCK = 4_000


def render(report: Report) -> str:
    """Return the verdict, the table, the first problem in full and the others folded."""
    problems = [found for found in findings(report) if found.integration is not None or found.decides]
    parts = [MARKER, f"## {_escape(verdict(report))}", *(f"**{_escape(note.text)}**" for note in notes(report))]
    if report.integrations:
        parts.append(_table(report))
    if emulated := emulators(report):
        parts.append(_escape(emulated))
    lead = 1 if problems and problems[0].check.outcome in _URGENT else 0
    parts += map(_problem, problems[:lead])
    last = f"<sub>{_escape(footer(report))}</sub>"
    room = _LIMIT - len("\n\n".join([*parts, last]))
    if problems[lead:]:
        parts.append(_folded(problems[lead:], room, "more" if lead else "to note"))
    return "\n\n".join([*parts, last]) + "\n"


def _table(report: Report) -> str:
    # If there are too many rows, those with a problem come first.
    ordered = sorted(report.integrations, key=lambda integration: integration.verdict is Verdict.PASS)
    shown = report.integrations if len(ordered) <= _ROWS else ordered[:_ROWS]
    rows = ["| integration | provider | environment | verdict | cause | checks |", "|---|---|---|---|---|---|"]
    for integration in shown:
        marked = integration.verdict.value if integration.verdict is Verdict.PASS else f"**{integration.verdict}**"
        name, provider, environment, cause, checks = (_escape(cell, 100) for cell in table_cells(integration))
        rows.append(f"| {name} | {provider} | {environment} | {marked} | {cause} | {checks} |")
    if more := len(ordered) - len(shown):
        rows.append(f"\nand {more} more integrations")
    return "\n".join(rows)


def _problem(found: ReportedFinding) -> str:
    check = found.check
    parts = [f"### {_escape(f'{kind(check)} {found.headline}')}"]
    if check.next_step:
        parts.append(f"**Next step:** {_escape(check.next_step)}")
    parts.append(_fenced("\n".join(_facts(found))))
    return "\n\n".join(parts)


def _facts(found: ReportedFinding) -> Iterator[str]:
    for label, text in paragraphs(found.check):
        if label != "next step":
            yield f"{label}: {indented(text)}"
    if found.integration is not None:
        yield from (f"{label}: {text}" for label, text in context(found.check, found.integration))


def _folded(problems: list[ReportedFinding], room: int, name: str) -> str:
    head = f"<details>\n<summary>{len(problems)} {name}</summary>"
    shown: list[str] = []
    room -= len(head) + 200
    for found in problems:
        text = _problem(found)
        room -= len(text) + 2
        if room < 0:
            shown.append(f"and {len(problems) - len(shown)} more; `--output json` lists all")
            break
        shown.append(text)
    return "\n\n".join([head, *shown, "</details>"])


_SIGNIFICANT = re.compile(
    r"""(?:
    [&<>*`~|\\\[\]"^]          # HTML, emphasis, code, tables, links
    | (?<!\w)_ | _(?!\w)       # inside a word it is only an underscore
    | :(?!\s)                  # addresses and emoji
    | (?<=\bwww)\.             # addresses without a scheme
    | @ | [#!$%](?=\w)         # mentions, issues, merge requests, formulas, milestones
)""",
    re.VERBOSE,
)
_REFERENCES = re.compile(r"@|[#!$%~&]\w")
"""What GitHub and GitLab look for after they have decoded the entities."""


def _escape(text: str, longest: int = _LONGEST_LINE) -> str:
    """Escape foreign text for one line: it is shown literally, and has no effect."""
    line = quoted(text, longest)

    def escaped(match: re.Match[str]) -> str:
        # A zero-width space separates the sign from the name that it would refer to.
        refers = _REFERENCES.match(line, match.start())
        return f"&#{ord(match[0])};" + ("&#8203;" if refers else "")

    return _SIGNIFICANT.sub(escaped, line)


def _fenced(text: str) -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{_clipped(text)}\n{fence}"


def _clipped(text: str) -> str:
    """Keep as many whole lines as there is room for."""
    lines: list[str] = []
    room = _LONGEST_BLOCK
    for line in text.split("\n"):
        room -= len(line) + 1
        if room < 0:
            return "\n".join([*lines, quoted(line, max(room + len(line), 1))])
        lines.append(line)
    return text
