"""The error codes that a provider publishes, as data in the provider's folder.

``published.toml`` contains codes and HTTP statuses, no texts: each list with its address, date and number of codes, and
the codes that do not concern this use of the provider, with the reason. Emulators read their statuses from it. Tests
compare it with the provider's table of meanings.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = "published.toml"

UNPUBLISHED = "unpublished"
"""The key of the codes for which the provider publishes no HTTP status."""


@dataclass(frozen=True, slots=True)
class PublishedList:
    """One list of error codes.

    Attributes:
        name: What the list is about.
        url: The page of the provider.
        read_from: Where the copy was read.
        date: The date or release of the copy, in the provider's own words.
        count: How many codes the copy has.
        complete: Whether this is the provider's whole list or only a part.
        statuses: The HTTP statuses of each code; empty where the provider publishes none.
    """

    name: str
    url: str
    read_from: str
    date: str
    count: int
    complete: bool
    statuses: Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Published:
    """The lists of one provider, and the codes that do not concern this use of it."""

    lists: tuple[PublishedList, ...]
    not_about_us: Mapping[str, frozenset[str]]

    @property
    def codes(self) -> frozenset[str]:
        """The codes of all lists."""
        return frozenset(code for listed in self.lists for code in listed.statuses)

    @property
    def elsewhere(self) -> frozenset[str]:
        """The codes that do not concern this use of the provider."""
        return frozenset().union(*self.not_about_us.values())

    def statuses(self, code: str | int) -> frozenset[int]:
        """Return the HTTP statuses that the provider publishes for a code; none if it publishes none."""
        return frozenset().union(*(listed.statuses.get(str(code), frozenset()) for listed in self.lists))

    def status(self, code: str | int) -> int:
        """Return the only HTTP status of a code.

        Raises:
            LookupError: The provider publishes no status for it, or several.
        """
        statuses = self.statuses(code)
        if len(statuses) != 1:
            raise LookupError(f"{code} is published with {len(statuses)} statuses")
        return next(iter(statuses))


@cache
def published(folder: Path) -> Published:
    """Read the data file in a provider's folder."""
    document = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
    lists = tuple(_list(table) for table in document["list"])
    elsewhere = {table["reason"]: frozenset(table["codes"]) for table in document.get("not_about_us", [])}
    return Published(lists, elsewhere)


def _list(table: Mapping[str, Any]) -> PublishedList:
    statuses: dict[str, frozenset[int]] = {}
    for status, codes in table["codes"].items():
        found = frozenset() if status == UNPUBLISHED else frozenset({int(status)})
        for code in codes:
            statuses[code] = statuses.get(code, frozenset()) | found
    about = {name: table[name] for name in ("name", "url", "read_from", "date", "count", "complete")}
    return PublishedList(**about, statuses=statuses)
