"""JSON with comments and trailing commas, as .NET reads ``appsettings.json`` and editors read their settings.

Nothing else is allowed, because the program that reads the file would refuse it
(https://learn.microsoft.com/dotnet/api/system.text.json.jsoncommenthandling). JSON5 allows far more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*+"?', re.DOTALL)
_COMMENT = re.compile(r'"|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?')
_COMMA = re.compile(r'"|,(?=\s*[}\]])')


def without_comments(text: str) -> str:
    """Replace comments and trailing commas by spaces, so that all other characters keep their positions."""
    for unwanted in (_COMMENT, _COMMA):
        text = "".join(_blanked(text, unwanted))
    return text


def _blanked(text: str, unwanted: re.Pattern[str]) -> Iterator[str]:
    """Yield the parts of the text, with spaces for each match outside strings."""
    at = 0
    while found := unwanted.search(text, at):
        if found[0] == '"':
            end = (_STRING.match(text, found.start()) or found).end()
            yield text[at:end]
        else:
            end = found.end()
            yield text[at : found.start()] + re.sub(r"[^\n]", " ", found[0])
        at = end
    yield text[at:]
