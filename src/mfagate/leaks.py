"""``mfagate scan``: what stands in recordings that scrubbing would have taken out, whatever its value is.

No secret has to be known for it: a field or header that holds credentials must not be in a recording at all,
or must hold the word that scrubbing puts there. So it works without any configuration, in a pre-commit hook.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from mfagate.cassette import CassetteError, load
from mfagate.exchange import Exchange, Request, Response
from mfagate.foreign import quoted, shown_path
from mfagate.foreign.parsing import raw
from mfagate.providers import registry
from mfagate.scrub import SCRUBBED, Scrubber, Scrubbing, names_secret
from mfagate.secrets.shapes import COMMON, SecretShape

_SECRET_HEADERS = ("cookie", "apikey")
"""Endings of request and response headers that hold credentials or sessions, beside those of fields."""

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
            f"{shown_path(path)} contains an invalid URL, or JSON nested too deeply to be searched"
        ) from None


def _places(exchange: Exchange) -> Iterator[str]:
    assert exchange.response is not None, "cassettes hold answers"
    host = urlsplit(exchange.request.url).hostname or ""
    yield from _in_address(exchange.request.url, host, "the address")
    parts: tuple[tuple[str, Request | Response], ...] = (("request", exchange.request), ("answer", exchange.response))
    for part, message in parts:
        for name, value in message.headers.items_in_order:
            yield from _in_header(name, value, host, f"the header {quoted(name, _LONGEST_NAME)} of the {part}")
        if "content-encoding" in message.headers and message.body:
            yield f"the {part} is compressed and cannot be searched: record it decoded (decode_compressed_response)"
        search = _Search(host)
        search.scrubber.body(message.body, raw(message.headers.get("content-type")) or "")
        yield from search.places("the field {}", f"the {part}")


def _in_header(name: str, value: str, host: str, where: str) -> Iterator[str]:
    if names_secret(name) or name.lower().replace("-", "").endswith(_SECRET_HEADERS):
        if value not in ("", SCRUBBED):
            yield where
    elif name.lower() in _ADDRESS_HEADERS:
        yield from _in_address(value, host, where)
    else:
        search = _Search(host)
        search.scrubber.text(value)
        yield from search.places("", where)


def _in_address(url: str, host: str, where: str) -> Iterator[str]:
    """Credentials before the host, and parameters: those behind a ``#`` are written in the same way."""
    parts = urlsplit(url)
    if {parts.username, parts.password} - {None, "", SCRUBBED}:
        yield f"the user name or password in {where}"
    search = _Search(host)
    search.scrubber.url(
        urlunsplit(("https", "", parts.path, "&".join(filter(None, (parts.query, parts.fragment))), ""))
    )
    yield from search.places("the query parameter {}", where)


class _Search:
    """A scrubber whose work is thrown away: what counts is what it takes out."""

    def __init__(self, host: str) -> None:
        self._taken: list[tuple[str | None, str]] = []
        rules, shapes = _known_of(host)
        self.scrubber = Scrubber(rules, host, shapes, lambda name, what: self._taken.append((name, what)))

    def places(self, field: str, where: str) -> Iterator[str]:
        """Yield in words what was taken out; ``field`` is how a field is named."""
        for name, what in self._taken:
            yield (
                f"{field.format(quoted(name, _LONGEST_NAME))} of {where}" if name is not None else f"{what} in {where}"
            )


@lru_cache(maxsize=64)
def _known_of(host: str) -> tuple[Scrubbing, tuple[SecretShape, ...]]:
    """What is known of the provider that a recording of mfagate names by its host; of another, of all together."""
    names = registry.names()
    name = host.removesuffix(".invalid")
    if host.endswith(".invalid") and name in names:
        provider = registry.get(name)
        return provider.scrubbing, (*COMMON, *provider.settings.secret_shapes(own=True))
    providers = [registry.get(one) for one in names]
    fields = frozenset().union(*(one.scrubbing.secret_fields for one in providers))
    shapes = [shape for one in providers for shape in one.settings.secret_shapes(own=False)]
    return Scrubbing(fields), (*COMMON, *shapes)
