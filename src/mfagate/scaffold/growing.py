"""Adding to an ``integrations.toml`` that somebody wrote: every line of it stays, and new tables are put in.

Text is inserted, nothing is written anew: comments, order and line endings are the person's. What comes out is parsed
and compared with what was meant before it is written.
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
    """A text with more in it. ``moved`` says what stands at another place now, for the person."""

    text: str
    moved: tuple[str, ...] = ()

    def with_integration(self, name: str, block: str) -> Grown:
        """Add a table for an integration at the end.

        Raises:
            ScaffoldRefused: The file is written in a way that nothing can be added to.
        """
        text = self.text.rstrip("\r\n")
        text = f"{text}{self._newline * 2}{self._lines(block)}" if text else self._lines(block)
        return self._checked(text, {"integrations": {name: parse(block)["integrations"][name]}})

    def with_environment(self, name: str, environment: str, block: str) -> Grown:
        """Add a table for an environment behind the tables of its integration.

        Raises:
            ScaffoldRefused: The file is written in a way that nothing can be added to.
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
        """Give an integration of one environment a table of environments with this one."""
        table, path = self._table(name), ("integrations", name)
        environment = table.get("environment")
        if not isinstance(environment, str):
            return self
        if "waivers" in table:
            raise ScaffoldRefused(
                f"{name} has waivers, which would hold in every environment: move them to a table "
                f"[integrations.{name}.{KEY}.{environment}] by hand first (docs/how-to/environments.md)"
            )
        line = TomlLines(self.text).line((*path, "environment"))
        bare = {key: value for key, value in table.items() if key != "environment"}
        document = parse(self.text)
        document["integrations"] = {**document["integrations"], name: bare}
        without = self._without((*path, "environment"))
        if without is None or parse(without.text) != document:
            raise ScaffoldRefused(
                f"line {line} has more than the environment of {name} on it: give {name} a table [integrations.{name}] "
                "with a line for each key first, or write the tables of environments by hand (docs/how-to/environments.md)"
            )
        moved = f'line {line}, environment = "{environment}", is now the table [{dotted((*path, KEY, environment))}]'
        grown = without.with_environment(name, environment, "")
        return Grown(grown.text, (*self.moved, f"{moved}; the integration is called {name}/{environment}"))

    def _without(self, keys: KeyPath) -> Grown | None:
        """Take out a line that has nothing but a key with its value, and keep a comment on it."""
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
            at -= 1  # A comment right above a table belongs to it.
        return at

    def _checked(self, text: str, more: Mapping[str, Any]) -> Grown:
        """Make sure that the new text means the old one and what was added, and nothing else."""
        try:
            same = parse(text) == merged(parse(self.text), more)
        except TomlError:
            same = False
        if not same:
            raise ScaffoldRefused(
                "integrations.toml writes its tables in braces or in dotted keys, and nothing can be added to those: "
                "write them as [integrations.NAME], or add the table by hand"
            )
        return Grown(text, self.moved)

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def _lines(self, block: str) -> str:
        return "".join(f"{line}{self._newline}" for line in block.splitlines())


def environment_block(settings: Mapping[str, str]) -> str:
    """Return the lines of a table of an environment: what is different in it."""
    return "".join(f'settings.{name} = "{value}"\n' for name, value in settings.items())
