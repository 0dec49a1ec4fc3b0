"""References to secrets: ``scheme:locator``. Resolved values are never shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Self

from mfagate.core.finding import Location

SCHEMES = ("env", "file", "dotenv", "json", "yaml", "toml", "ini", "tfvars", "k8s-secret", "sandbox")
"""The schemes of all stores."""

_REFERENCE = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9-]*):(?!//)(?P<locator>.*)", re.DOTALL)


class Unresolved(Exception):
    """A reference has no value.

    Args:
        message: Names the reference and never a value.
        next_step: What to do, if more is known than the catalogue of causes says.
        location: The line to change, if it is not the line of the reference.
    """

    def __init__(self, message: str, *, next_step: str | None = None, location: Location | None = None) -> None:
        super().__init__(message)
        self.next_step = next_step
        self.location = location


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed reference, for example ``yaml:deploy.yaml#mfa.key``. The store of the scheme reads the locator."""

    scheme: str
    locator: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the reference, or None for a literal.

        A text with a misspelt scheme (``evn:``) is a reference, because nobody writes such a literal on purpose.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None:
            return None
        scheme = match["scheme"]
        if scheme in SCHEMES or get_close_matches(scheme.lower(), SCHEMES, n=1, cutoff=0.65):
            return cls(scheme, match["locator"])
        return None

    def __str__(self) -> str:
        # After an unknown scheme there may be no locator: the text may be a secret that contains a colon.
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
