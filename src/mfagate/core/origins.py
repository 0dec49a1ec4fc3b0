"""Restrict where a request may go: origins of URLs, and paths that cannot lead away from them.

Programs parse unusual URLs differently: some take the host of ``https://a\\@b`` to be a, others b
(https://url.spec.whatwg.org/#url-parsing and RFC 3986 section 3.2). So this module does not
interpret unusual URLs. It reads an origin only from a URL that every parser reads alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Self
from urllib.parse import quote, unquote_to_bytes

_DEFAULT_PORTS = {"http": 80, "https": 443}

_URL = re.compile(r"(https?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(?:[/?][!-\[\]-~]*)?\Z")
"""Printable ASCII without a backslash; no user name, and no escapes in the host."""

_LONGEST_PATH = 8000
"""Characters. RFC 9110 section 4.1 asks servers to support URIs of at least 8,000."""


class UnsafeRequest(ValueError):
    """A request that could leave its target, or cannot be written. The message quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a URL (RFC 6454); the host is in lower case."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Read the origin of a URL that is about to be sent.

        Raises:
            UnsafeRequest: Parsers could read the URL differently.
        """
        found = _URL.match(url)
        if found is None:
            raise UnsafeRequest("its URL has a form that programs interpret differently")
        scheme, host, port = found.groups()
        return cls(scheme, host.lower(), int(port) if port else _DEFAULT_PORTS[scheme])

    def __str__(self) -> str:
        """Include the default port, so that two origins that differ look different."""
        return f"{self.scheme}://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins of one target. Requests to ``public`` ones are sent without a credential."""

    own: frozenset[Origin] = frozenset()
    public: frozenset[Origin] = frozenset()

    @classmethod
    def of(cls, own: Iterable[str], public: Iterable[str] = ()) -> Self:
        """Read the origins of URLs of the settings, whose hosts may be in any script."""
        return cls(_origins(tuple(own)), _origins(tuple(public)))

    def allows_credential(self, url: str) -> bool:
        """Return whether a request to this URL gets a credential; one to a public origin gets none.

        Raises:
            UnsafeRequest: The URL is at none of these origins.
        """
        origin = Origin.of(url)
        if origin in self.own:
            return True
        if origin in self.public:
            return False
        allowed = ", ".join(sorted(map(str, self.own))) or "nowhere"
        raise UnsafeRequest(f"it leads to another scheme, host or port than the target's ({allowed})")


@lru_cache(maxsize=256)
def _origins(urls: tuple[str, ...]) -> frozenset[Origin]:
    return frozenset(origin for url in urls if (origin := _configured(url)) is not None)


def _configured(url: str) -> Origin | None:
    """Return the origin of a configured URL, its host encoded as requests encodes it; None if it has none."""
    import requests

    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(url, None)
        return Origin.of(prepared.url or "")
    except (requests.RequestException, ValueError):
        return None


def segment(text: str) -> str:
    """Quote any text as one segment of a path.

    No text makes this fail. Half of a surrogate pair, which UTF-8 cannot write, becomes escapes
    that ``path_fault`` refuses; so does a segment of dots alone, which no escape protects.
    """
    return quote(text, safe="", errors="surrogatepass")


def path_fault(path: str) -> str | None:
    """Return why a path is not an absolute path in normal form; None if it is.

    A path in normal form cannot change the origin of a URL that it is appended to, and no server
    or proxy changes it to another path.
    """
    if len(path) > _LONGEST_PATH:
        return f"is longer than {_LONGEST_PATH} characters"
    if not path.startswith("/"):
        return 'does not begin with "/"'
    if (fault := _fault_of_characters(path)) is not None:
        return fault
    if "?" in path or "#" in path:
        return 'contains "?" or "#", which end a path'
    if "//" in path:
        return 'contains "//", which begins the name of a host'
    return _fault_of_meaning(path)


def _fault_of_characters(text: str) -> str | None:
    for character in text:
        category = unicodedata.category(character)
        if category.startswith("C"):
            return "contains a control character or an invisible character"
        if category.startswith("Z"):
            return "contains white space"
    return 'contains "\\", which some programs treat as "/"' if "\\" in text else None


def _fault_of_meaning(path: str) -> str | None:
    """Find what programs make of a path that decode escapes or replace characters that look alike."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", path):
        return 'contains "%" without two hexadecimal digits'
    read, before = path, None
    # Decode as often as any program could. The loop ends: each pass shortens the text or leaves it as it is.
    while read != before:
        before = read
        try:
            # Some programs convert look-alikes such as U+FF0F to ASCII before they split a path.
            read = unicodedata.normalize("NFKC", unquote_to_bytes(read).decode())
        except UnicodeDecodeError:
            return "contains escapes that are not UTF-8 text"
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in read):
        return "contains an escaped control character"
    if "\\" in read:
        return 'contains an escaped "\\", which some programs treat as "/"'
    # Some servers first remove everything from a ";" on.
    if any(segment.partition(";")[0] in (".", "..") for segment in read.split("/")):
        return 'contains a "." or ".." segment, which leads to another path'
    return None
