"""The part of a reference after ``#``: the path to one value of a document.

Steps are separated by dots. A step in double or single quotes is one key, so that ``json:v.json#spring."okta.token"``
reaches a key that contains a dot. A prefix ``[…]`` selects one of several YAML documents, by its number from 0 or by
the kind and name of a Kubernetes manifest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_DOCUMENT = re.compile(r"\[([^\[\]]*)\]\.?")

_STEP = re.compile(
    r"""(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<plain>(?!["'])[^.]*))(?P<end>\.|$)""", re.DOTALL
)

_PLAIN = re.compile(r"""[^."'\[\]\s#][^."'\s]*""")


class MalformedPath(ValueError):
    """A quote in the path is not closed, or text follows it."""


@dataclass(frozen=True, slots=True)
class ValuePath:
    """The steps to a value, and the document that the reference selects, if any."""

    steps: Sequence[str]
    document: str | None = None

    @classmethod
    def parse(cls, fragment: str) -> ValuePath:
        """Read the path.

        Raises:
            MalformedPath: A quote is not closed, or text follows it.
        """
        chosen = _DOCUMENT.match(fragment)
        position = chosen.end() if chosen else 0
        steps = []
        while True:
            found = _STEP.match(fragment, position)
            if found is None:
                raise MalformedPath
            double = found["double"]
            plain = found["plain"] if found["single"] is None else found["single"]
            steps.append(plain if double is None else re.sub(r"\\(.)", r"\1", double, flags=re.DOTALL))
            position = found.end()
            if not found["end"]:
                return cls(steps, chosen[1] if chosen else None)

    def __str__(self) -> str:
        """Write the path as in a reference."""
        start = "" if self.document is None else f"[{self.document}]."
        return start + ".".join(map(_written, self.steps))


def _written(step: str) -> str:
    if _PLAIN.fullmatch(step):
        return step
    escaped = re.sub(r'(["\\])', r"\\\1", step)
    return f'"{escaped}"'


def to_write(scheme: str, file: str, path: ValuePath) -> str:
    """Return the reference as written in ``integrations.toml``, in single quotes if it contains double quotes."""
    text = f"{scheme}:{file}#{path}"
    return f"'{text}'" if '"' in text else text
