"""JSON with comments and trailing commas, as .NET reads ``appsettings.json`` and editors read their settings.

Only these two are taken out, and nothing else is allowed, because the program that reads the file would refuse
it (https://learn.microsoft.com/dotnet/api/system.text.json.jsoncommenthandling). JSON5 allows far more.
"""

from __future__ import annotations

import re

_STRING = r'"(?:[^"\\\n]|\\.)*+"'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?", re.DOTALL)
_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])", re.DOTALL)


def without_comments(text: str) -> str:
    """Replace comments and trailing commas by spaces, so that every other character keeps its place."""
    return _COMMA.sub(_blank, _COMMENT.sub(_blank, text))


def _blank(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith('"') else re.sub(r"[^\n]", " ", found[0])
