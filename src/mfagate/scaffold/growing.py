"""Add tables to an existing ``integrations.toml`` without changing its other lines.

Text is only inserted, so comments, order and line endings are kept. Before it is written, the result is parsed and
compared with the intended configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mfagate.config.environments import KEY, merged
from mfagate.core.toml_lines import KeyPath, TomlError, TomlLines, dotted, parse
from mfagate.scaffold import ScaffoldRefused


@dataclass(frozen=True, slots=True)
class Grown:
    """A text with additions. ``moved`` describes what has moved to another table, for the user."""

    text: str
    moved: tuple[str, ...] = ()

    def with_integration(self, name: str, block: str) -> Grown:
        """Add the table of an integration at the end.

        Raises:
            ScaffoldRefused: The syntax of the file does not allow an addition.
        """
        text = self.text.rstrip("\r\n")
        text = f"{text}{self._newline * 2}{self._lines(block)}" if text else self._lines(block)
        return self._checked(text, {"integrations": {name: parse(block)["integrations"][name]}})

    def with_environment(self, name: str, environment: str, block: str) -> Grown:
        """Add the table of an environment after the tables of its integration.

        Raises:
            ScaffoldRefused: The syntax of the file does not allow an addition.
        """
        before = self._one_environment_moved(name)
        path = ("integrations", name)
        if environment in before._table(name).get(KEY, {}):
            raise ScaffoldRefused(f"{name} has the environment {environment} already")
        lines = before.text.splitlines(keepends=True)
        at = before._end_of(path, lines)
        head = f"[{dotted((*path, KEY, environment))}]\n{block}"
        above = "".join(lines[:at]).rstrip("\r\n")
        below = "".join(lines[at:])
        text = above + self._newline * 2 + self._lines(head) + (self._newline + below if below else "")
        return before._checked(text, {"integrations": {name: {KEY: {environment: parse(block)}}}})

    def _one_environment_moved(self, name: str) -> Grown:
        """Move the only environment of an integration into a table of environments."""
        table, path = self._table(name), ("integrations", name)
        environment = table.get("environment")
        if not isinstance(environment, str):
            return self
        if "waivers" in table:
            raise ScaffoldRefused(
                f"{name} has waivers, which would apply to every environment: move them to a table "
                f"[integrations.{name}.{KEY}.{environment}] by hand first (docs/how-to/environments.md)"
            )
        line = TomlLines(self.text).line((*path, "environment"))
        bare = {key: value for key, value in table.items() if key != "environment"}
        document = parse(self.text)
        document["integrations"] = {**document["integrations"], name: bare}
        without = self._without((*path, "environment"))
        if without is None or parse(without.text) != document:
            raise ScaffoldRefused(
                f"line {line} has more than the environment of {name}: first give {name} a table [integrations.{name}] "
                "with a line for each key, or write the tables of environments by hand (docs/how-to/environments.md)"
            )
        moved = f'line {line}, environment = "{environment}", is now the table [{dotted((*path, KEY, environment))}]'
        grown = without.with_environment(name, environment, "")
        return Grown(grown.text, (*self.moved, f"{moved}; the integration is called {name}/{environment}"))

    def _without(self, keys: KeyPath) -> Grown | None:
        """Remove a line that has only a key with its value, and keep its comment; None if it has more."""
        data = self.text.encode()
        span = TomlLines(self.text).spans()[keys]
        before, behind = data[: span.key], data[span.value_end :]
        start, end = before.rfind(b"\n") + 1, behind.find(b"\n") + 1 or len(behind)
        comment = behind[:end].strip()
        if before[start:].strip() or (comment and not comment.startswith(b"#")):
            return None
        kept = comment + self._newline.encode() if comment else b""
        return Grown((before[:start] + kept + behind[end:]).decode(), self.moved)

    def _table(self, name: str) -> Mapping[str, Any]:
        table = parse(self.text).get("integrations", {}).get(name, {})
        return table if isinstance(table, dict) else {}

    def _end_of(self, path: KeyPath, lines: list[str]) -> int:
        """Return the number of lines up to the end of the last table below a path."""
        written = TomlLines(self.text).written()
        last = max(line for keys, line in written.items() if keys[: len(path)] == path)
        behind = [line for keys, line in written.items() if line > last]
        at = min(behind) - 1 if behind else len(lines)
        while at > last and behind and lines[at - 1].lstrip().startswith("#"):
            at -= 1  # A comment directly above a table belongs to it.
        return at

    def _checked(self, text: str, more: Mapping[str, Any]) -> Grown:
        """Refuse a new text whose meaning is not the old one plus the addition."""
        try:
            same = parse(text) == merged(parse(self.text), more)
        except TomlError:
            same = False
        if not same:
            raise ScaffoldRefused(
                "integrations.toml has its tables in braces or dotted keys, to which nothing can be added: write them "
                "as [integrations.NAME], or add the table by hand"
            )
        return Grown(text, self.moved)

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def _lines(self, block: str) -> str:
        return "".join(f"{line}{self._newline}" for line in block.splitlines())


def environment_block(settings: Mapping[str, str]) -> str:
    """Return the lines of the table of an environment: the settings that differ in it."""
    return "".join(f'settings.{name} = "{value}"\n' for name, value in settings.items())
