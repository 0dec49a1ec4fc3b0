"""Compare and detect media types as Pact does.

https://github.com/pact-foundation/pact-reference/blob/master/rust/pact_models/src/content_types.rs
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

_TOKEN = r"[\w!#$&^.+*-]+"
_MEDIA_TYPE = re.compile(rf"\s*({_TOKEN})/({_TOKEN})\s*(?:;(.*))?$", re.ASCII)

# In the order in which Pact tries them. A text that matches none is plain text.
_LOOKS_LIKE = (
    (re.compile(r"\A\s*<\?xml\s*version"), "application/xml"),
    (re.compile(r"\A(?:\s*<!DOCTYPE|<HTML>)", re.IGNORECASE), "text/html"),
    (re.compile(r"\A\s*<\w+"), "application/xml"),
    (re.compile(r'\A\s*(?:true|false|null|[0-9]+|"\w*|\{\s*(?:\}|"\w+)|\[)'), "application/json"),
)


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type: ``application/problem+json`` is main ``application``, sub ``problem``, suffix ``json``."""

    main: str
    sub: str
    suffix: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the type in Pact's notation."""
        suffix = f"+{self.suffix}" if self.suffix else ""
        parameters = "".join(f";{name}={value}" for name, value in sorted(self.parameters.items()))
        return f"{self.main}/{self.sub}{suffix}{parameters}"

    @property
    def is_json(self) -> bool:
        """Whether Pact reads a body of this type as JSON."""
        return self.main == "application" and (
            self.sub.startswith("json") or self.suffix == "json" or self.sub == "graphql"
        )

    @property
    def is_form(self) -> bool:
        """Whether this is the type of HTML forms."""
        return (self.main, self.sub) == ("application", "x-www-form-urlencoded")

    @property
    def is_unknown(self) -> bool:
        """Whether this contains a wildcard such as ``*/*``, which Pact compares with anything."""
        return self.main == "*" or self.sub == "*"

    def accepts(self, actual: MediaType) -> bool:
        """Return whether Pact compares a body of type ``actual`` with an expected body of this type.

        Parameters are compared only if the expected type has any, and ``application/problem+json`` is accepted for
        ``application/json``.
        """
        if self.is_unknown or actual.is_unknown:
            return True
        base = MediaType(actual.main, actual.suffix or actual.sub)
        return self._is_equivalent_to(actual) or self._is_equivalent_to(base)

    def _is_equivalent_to(self, other: MediaType) -> bool:
        if self._is_xml and other._is_xml:
            return not self.parameters or self.parameters == other.parameters
        if self.parameters:
            return self == other
        # Pact, too, leaves out the suffix here.
        return (self.main, self.sub) == (other.main, other.sub)

    @property
    def _is_xml(self) -> bool:
        return self.main in ("application", "text") and self.sub == "xml"


@lru_cache(maxsize=256)
def parse(text: str) -> MediaType | None:
    """Return the media type of a ``Content-Type`` value; None if it is not valid."""
    found = _MEDIA_TYPE.match(text)
    if found is None:
        return None
    sub, _, suffix = found[2].lower().rpartition("+")
    parameters = {}
    for part in filter(None, map(str.strip, (found[3] or "").split(";"))):
        name, equals, value = part.partition("=")
        if not equals:
            return None
        value = value.strip('"')
        parameters[name.lower()] = value.lower() if name.lower() == "charset" else value
    main = found[1].lower()
    return MediaType(main, sub, suffix, parameters) if sub else MediaType(main, suffix, "", parameters)


def detect(body: str) -> MediaType:
    """Return the media type that Pact detects from the beginning of a body."""
    name = next((name for pattern, name in _LOOKS_LIKE if pattern.match(body)), "text/plain")
    main, _, sub = name.partition("/")
    return MediaType(main, sub)
