"""Make foreign text harmless for people, terminals and logs: one line in which every character is visible.

Characters that are invisible, control a terminal, change the direction of text or end a line are
spelt out, such as ``\\x1b``. Text that a pipeline would treat as a command is broken up.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator

_SPACES = re.compile(r"[\s\x1c-\x1f\x85\u2028\u2029]+")
"""Every kind of line break and white space, also line breaks that only ``str.splitlines`` knows."""

_COMMAND = re.compile(
    r"""
      (?P<hash>\#)\#(?=\w*\[)    # Azure Pipelines ##vso[ and ##[, GitHub ##[, TeamCity ##teamcity[
    | (?P<colon>:):(?=(?:       # GitHub ::error file=…::
        add-mask | add-matcher | add-path | debug | echo | endgroup | error | group | internal | notice
        | remove-matcher | save-state | set-env | set-output | stop-commands | warning
      )\b)
    | (?P<line>section)_(?=(?:start|end):)  # GitLab section_start:…
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Commands of pipelines. GitHub looks for ``##[`` anywhere in a line, and for ``::`` after spaces:
https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs (``TryParse`` and ``TryParseV2``).
Azure Pipelines makes ``##vso`` harmless in foreign text, anywhere in a line and in upper or lower case:
https://github.com/microsoft/azure-pipelines-agent/blob/master/src/Agent.Sdk/Util/StringUtil.cs
(``DeactivateVsoCommands``)."""

_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0",
)
"""Letters, marks and symbols without a visible form: fillers, joiners, an empty Braille cell."""

_JOINERS = "\u200c\u200d"
_MOST_MARKS = 4
"""The most marks above and below one letter. Vietnamese needs two, pointed Hebrew four."""


def harmless(text: str) -> str:
    """Return the text on one line, with every character that is invisible or has an effect spelt out.

    A harmless text is not changed.
    """
    text = _COMMAND.sub(_broken, text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(_SPACES.sub(_space, text)))


def harmless_lines(text: str) -> str:
    """Make each line of a text of our own harmless; any line may quote foreign text."""
    return "\n".join(map(harmless, text.split("\n")))


_UNSEEN = re.compile(r"[^\n -~]")


def harmless_json(document: str) -> str:
    """Return a JSON document with invisible characters as ``\\uXXXX``. Programs read the same document."""
    return _UNSEEN.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], document)


_ESCAPES = {"hash": r"\x23", "colon": r"\x3a", "line": r"\x5f"}


def _broken(found: re.Match[str]) -> str:
    return next(sign + escape for name, escape in _ESCAPES.items() if (sign := found[name]))


def _space(found: re.Match[str]) -> str:
    # Plain spaces stay. White space that contains a tab or a line break becomes one space.
    return found[0] if set(found[0]) == {" "} else " "


def _shown(text: str) -> Iterator[str]:
    before, marks = " ", 0
    for place, character in enumerate(text):
        marks = marks + 1 if _is_mark(character) else 0
        if marks > _MOST_MARKS or (marks and before == " ") or not _may_stand(text, place, character, before):
            character = character.encode("unicode_escape").decode("ascii")
        before = character[-1]
        yield character


def _may_stand(text: str, place: int, character: str, before: str) -> bool:
    if character in _JOINERS:
        # Persian, Indian scripts and some emoji need them between two of their own characters.
        return _may_join(before) and _may_join(text[place + 1 : place + 2])
    return character.isprintable() and not _is_invisible(character)


def _may_join(character: str) -> bool:
    return not character.isascii() and character.isprintable() and not _is_invisible(character)


def _is_invisible(character: str) -> bool:
    return character in _INVISIBLE or "\U000e0100" <= character <= "\U000e01ef"


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me")
