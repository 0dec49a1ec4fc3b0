"""Read cassettes: recordings of a provider, one plain vcrpy file for each interaction.

vcrpy can load the files (https://vcrpy.readthedocs.io/en/latest/usage.html). It ignores the additional top-level key
``mfagate``, which states when, from what and with which version they were recorded. This module reads them without
vcrpy, whose import takes longer than checking a thousand cassettes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.core.files import OutOfResources, Unreadable, open_regular, read_text
from mfagate.core.foreign import ForeignText, quoted, shown_path
from mfagate.core.yaml_text import YamlError, documents

MAX_BYTES = 8 << 20

MAX_EXCHANGES = 1000
"""With YAML aliases, a small file can contain millions."""


class CassetteError(ValueError):
    """A cassette cannot be used; the message names the file and the next step."""


class CassetteOrigin(StrEnum):
    """What was recorded."""

    PROVIDER = "provider"
    EMULATOR = "emulator"


@dataclass(frozen=True, slots=True)
class Cassette:
    """One recording; ``recorded_at`` is a day in UTC, None in a file that mfagate has not written."""

    path: Path
    exchanges: tuple[Exchange, ...]
    recorded_at: date | None
    recorded_from: CassetteOrigin | None
    text: str

    def age_days(self, today: date) -> int | None:
        """Return the days since it was recorded; None if the date is unknown."""
        return (today - self.recorded_at).days if self.recorded_at else None


def path_for(folder: Path, description: str) -> Path:
    """Return the path of an interaction's recording."""
    slug = re.sub(r"[^a-z0-9]+", "-", description.lower()).strip("-")
    return folder / f"{slug}.yaml"


_ORIGIN = re.compile(r"\Amfagate:\n(?:  .*\n)*?  recorded_from: (\w+)\n")


def origin_of(path: Path) -> CassetteOrigin | None:
    """Return what was recorded, from only the first lines of the file; None if they do not state it."""
    try:
        with open_regular(path) as file:
            found = _ORIGIN.match(file.read(400).decode("utf-8", "ignore"))
        return CassetteOrigin(found[1]) if found else None
    except (OSError, ValueError):
        return None


def load(path: Path) -> Cassette:
    """Read one recording.

    Raises:
        FileNotFoundError: It does not exist.
        CassetteError: It is not YAML, or not a cassette.
    """
    try:
        content = read_text(path, MAX_BYTES)
    except OutOfResources:
        raise
    except Unreadable as error:
        if error.missing:
            raise FileNotFoundError(path) from None
        raise CassetteError(f"{shown_path(path)} {error}: record it again") from None
    document = _parse(path, content)
    try:
        about = document.get("mfagate") or {}
        return Cassette(
            path,
            tuple(_exchange(item) for item in _interactions(document)),
            _day(about.get("recorded_at")),
            CassetteOrigin(about["recorded_from"]) if "recorded_from" in about else None,
            content,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        reason = f"{shown_path(path)} is YAML, but not a recording of vcrpy: {_fault(error)}"
        raise CassetteError(f"{reason}: record it again") from None


def _fault(error: Exception) -> str:
    """Describe what is wrong with a recording."""
    if isinstance(error, KeyError):
        return f"it has no {quoted(error.args[0], _LONGEST_NAME)}"
    return str(error) if isinstance(error, _Malformed) else "a value has the wrong type"


_LONGEST_NAME = 80


class _Malformed(TypeError):
    """A recording is not valid; the message describes the fault."""


def _parse(path: Path, content: str) -> dict[str, Any]:
    try:
        found = documents(content)
    except YamlError as error:
        where = f" (line {error.line})" if error.line else ""
        raise CassetteError(f"{shown_path(path)} is not YAML{where}: record it again") from None
    if len(found) != 1 or not isinstance(found[0], dict):
        raise CassetteError(f"{shown_path(path)} is YAML, but not a cassette: record it again")
    return found[0]


def _interactions(document: dict[str, Any]) -> list[Any]:
    items = document["interactions"]
    if not isinstance(items, list) or len(items) > MAX_EXCHANGES:
        raise _Malformed(f"its interactions are not a list of at most {MAX_EXCHANGES} items")
    return items


def _exchange(item: dict[str, Any]) -> Exchange:
    request, response = item["request"], item["response"]
    return Exchange(
        request=Request(
            _text(request["method"]), _text(request["uri"]), _headers(request["headers"]), _body(request["body"])
        ),
        started=datetime.fromtimestamp(0, UTC),
        response=Response(
            status=int(response["status"]["code"]),
            reason=ForeignText(_text(response["status"].get("message") or "")),
            headers=_headers(response["headers"]),
            body=_body(response["body"].get("string")),
        ),
    )


def _headers(headers: dict[str, list[str] | str]) -> Headers:
    return Headers(
        tuple(
            (_text(name), _text(value))
            for name, values in (headers or {}).items()
            for value in (values if isinstance(values, list) else [values])
        )
    )


def _text(value: Any) -> str:
    # Refuse lists and mappings: with aliases, a short one can expand without end.
    if not isinstance(value, str | int | float):
        raise _Malformed("it has a list or an object in place of a text")
    return str(value)


def _body(body: str | bytes | None) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else body.encode("utf-8")


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(value) if isinstance(value, str) else None
