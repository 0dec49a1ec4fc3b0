"""``mfagate scan``: what stands in recordings that scrubbing would have taken out, whatever its value is.

No secret has to be known for it: a field or header that holds credentials must not be in a recording at all,
or must hold the word that scrubbing puts there. So it works without any configuration, in a pre-commit hook.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from mfagate.cassette import CassetteError, load
from mfagate.exchange import Exchange, Headers
from mfagate.foreign import quoted, shown_path
from mfagate.foreign.parsing import raw
from mfagate.providers import registry
from mfagate.scrub import SCRUBBED, Scrubber, Scrubbing

SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "api-key", "x-api-key", "x-auth-token",
     "pi-authorization"}
)  # fmt: skip
"""Request and response headers that hold credentials or sessions; a recording of mfagate has none of them."""

_LONGEST_NAME = 80

_ADDRESS_HEADERS = frozenset({"location", "referer"})


@dataclass(frozen=True, slots=True)
class Leak:
    """A place in a recording; interactions count from 1. What stands there is not told."""

    path: Path
    interaction: int
    place: str

    def __str__(self) -> str:
        return f"{shown_path(self.path)}: interaction {self.interaction}: {self.place}"


def recordings(paths: Iterable[Path]) -> list[Path]:
    """The files, and of a folder the YAML files below it."""
    found = [path.rglob("*.y*ml") if path.is_dir() else [path] for path in paths]
    return sorted({path for several in found for path in several if not path.is_dir()})


def search(path: Path) -> list[Leak]:
    """Everything in a recording that should have been scrubbed.

    Raises:
        CassetteError: The file is no recording, or holds what cannot be searched.
    """
    try:
        exchanges = load(path).exchanges
    except FileNotFoundError:
        raise CassetteError(f"{shown_path(path)} is not there") from None
    try:
        return [
            Leak(path, number, place)
            for number, exchange in enumerate(exchanges, 1)
            for place in dict.fromkeys(_places(exchange))
        ]
    except (ValueError, RecursionError):
        raise CassetteError(
            f"{shown_path(path)} holds an address that is none, or JSON nested too deeply to be searched"
        ) from None


def _places(exchange: Exchange) -> Iterator[str]:
    assert exchange.response is not None, "cassettes hold answers"
    host = urlsplit(exchange.request.url).hostname or ""
    rules = _rules(host)
    scrubber = Scrubber(rules, host)
    request, response = scrubber.scrub(exchange)
    yield from _in_address(exchange.request.url, scrubber, "the address")
    for part, before, after in (("request", exchange.request, request), ("answer", exchange.response, response)):
        for name, value in before.headers.items_in_order:
            if name.lower() in SECRET_HEADERS and value not in ("", SCRUBBED):
                yield f"the header {quoted(name, _LONGEST_NAME)} of the {part}"
            if name.lower() in _ADDRESS_HEADERS:
                yield from _in_address(value, scrubber, f"the header {quoted(name, _LONGEST_NAME)} of the {part}")
        if "content-encoding" in before.headers and before.body:
            yield f"the {part} is compressed and cannot be searched: record it decoded (decode_compressed_response)"
        for name in _blanked(_fields(before.body, before.headers), _fields(after.body, before.headers)):
            if name not in rules.volatile_fields:
                yield f"the field {quoted(name, _LONGEST_NAME)} of the {part}"


def _in_address(url: str, scrubber: Scrubber, where: str) -> Iterator[str]:
    """Credentials before the host, and parameters: those behind a ``#`` are written in the same way."""
    parts = urlsplit(url)
    if {parts.username, parts.password} - {None, "", SCRUBBED}:
        yield f"the user name or password in {where}"
    query = urlunsplit(("https", scrubber.host, "", "&".join(filter(None, (parts.query, parts.fragment))), ""))
    for name in _blanked(_query(query), _query(scrubber.url(query))):
        yield f"the query parameter {quoted(name, _LONGEST_NAME)} of {where}"


def _rules(host: str) -> Scrubbing:
    """Those of the provider that a recording of mfagate names by its host; of another, those of all together."""
    names = registry.names()
    name = host.removesuffix(".invalid")
    if host.endswith(".invalid") and name in names:
        return registry.get(name).scrubbing
    return Scrubbing(frozenset().union(*(registry.get(one).scrubbing.secret_fields for one in names)))


def _fields(body: bytes, headers: Headers) -> Any:
    if "form-urlencoded" in (raw(headers.get("content-type")) or "").lower():
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    try:
        return json.loads(body)
    except ValueError:
        return None


def _query(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


def _blanked(before: Any, after: Any, name: str = "") -> Iterator[str]:
    """Names of values that scrubbing has blanked: it keeps the structure, so both are walked side by side."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from _blanked(value, after.get(key), key)
    elif isinstance(before, list) and isinstance(after, list):
        for one, other in zip(before, after, strict=False):
            yield from _blanked(one, other, name)
    elif isinstance(before, tuple) and isinstance(after, tuple):
        yield from _blanked(before[1], after[1], before[0])
    elif before != after and (after == SCRUBBED or after == 0):
        yield name
