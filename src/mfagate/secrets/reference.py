"""References to secrets: ``scheme:locator``, resolved late and never shown resolved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Self

from mfagate.core.finding import Location

SCHEMES = ("env", "file", "dotenv", "json", "yaml", "toml", "ini", "tfvars", "k8s-secret", "sandbox")
"""Schemes of the stores that ship with mfagate."""

_REFERENCE = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9-]*):(?!//)(?P<locator>.*)", re.DOTALL)


class Unresolved(Exception):
    """A reference that points at nothing.

    Args:
        message: Names the reference, and never a value.
        next_step: What to do, where that is known better than the catalogue knows it.
        location: The line to change, where it is not that of the reference.
    """

    def __init__(self, message: str, *, next_step: str | None = None, location: Location | None = None) -> None:
        super().__init__(message)
        self.next_step = next_step
        self.location = location


@dataclass(frozen=True, slots=True)
class Reference:
    """One parsed reference, for example ``yaml:deploy.yaml#mfa.key``.

    ``locator`` is what the store of that scheme understands.
    """

    scheme: str
    locator: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the reference that ``text`` is, or None for a literal.

        A scheme that is one slip away from a known one (``evn:``) is taken for
        a reference, because no one writes a literal like that on purpose.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None:
            return None
        scheme = match["scheme"]
        if scheme in SCHEMES or get_close_matches(scheme.lower(), SCHEMES, n=1, cutoff=0.65):
            return cls(scheme, match["locator"])
        return None

    def __str__(self) -> str:
        # What follows an unknown scheme may be no locator, but a secret with a colon in it.
        return f"{self.scheme}:{self.locator if self.scheme in SCHEMES else '…'}"

    def path_and_fragment(self, example: str) -> tuple[str, str]:
        """Split ``PATH#FRAGMENT``.

        Raises:
            Unresolved: One of the two is missing.
        """
        path, _, fragment = self.locator.partition("#")
        if not path or not fragment:
            raise Unresolved(f"{self} is incomplete: write it like {example}")
        return path, fragment
