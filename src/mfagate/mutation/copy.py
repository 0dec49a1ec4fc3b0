"""The copy that is mutated: an ``integrations.toml`` and the sources that it reads, all in memory.

Only the locations of the values are the user's: file names, keys and schemes of the references. The values are the
sandbox's, so the copy never contains a secret of the user.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from mfagate.core.toml_lines import KeyPath, Span, TomlLines
from mfagate.secrets.reference import Reference
from mfagate.secrets.stores.path import ValuePath

CONFIGURATION = "integrations.toml"


@dataclass(frozen=True, slots=True)
class SourceValue:
    """One value in a source.

    ``written``, if set, is written to the file unchanged; by default the value is written in the format's own notation.
    ``section`` is that of a Kubernetes Secret.
    """

    value: str = field(repr=False)
    written: str | None = field(default=None, repr=False)
    section: str = "data"


@dataclass(frozen=True, slots=True)
class Copy:
    """Everything that the gate reads. Edits return another copy."""

    toml: str = field(repr=False)
    entries: Mapping[Reference, SourceValue] = field(repr=False)

    def has(self, keys: KeyPath) -> bool:
        """Return whether ``integrations.toml`` has a value for the key."""
        return keys in spans(self.toml)

    def with_value(self, keys: KeyPath, reference: Reference | None, value: str) -> Copy:
        """Replace a value in the source that the setting is read from."""
        if reference is None:
            return self.with_toml_value(keys, quoted(value))
        return self.with_entry(reference, replace(self.entries[reference], value=value, written=None))

    def with_entry(self, reference: Reference, entry: SourceValue) -> Copy:
        """Replace or add an entry in a source."""
        return replace(self, entries={**self.entries, reference: entry})

    def without_entry(self, reference: Reference) -> Copy:
        """Remove the key from its source."""
        return replace(self, entries={ref: entry for ref, entry in self.entries.items() if ref != reference})

    def with_toml_value(self, keys: KeyPath, text: str) -> Copy:
        """Replace the value of a key of ``integrations.toml`` with ``text``."""
        span = spans(self.toml)[keys]
        return self._spliced(span.value, span.value_end, text)

    def with_toml_key(self, keys: KeyPath, text: str) -> Copy:
        """Replace the last part of a key of ``integrations.toml``."""
        span = spans(self.toml)[keys]
        key = self.toml.encode()[span.key : span.key_end].decode()
        return self._spliced(span.key, span.key_end, key[: _last_part(key)] + text)

    def with_toml_sibling(self, keys: KeyPath, name: str, text: str) -> Copy:
        """Add a key to the table of ``keys``."""
        span = spans(self.toml)[keys]
        data = self.toml.encode()
        key = data[span.key : span.key_end].decode()
        inline = data[: span.key].rpartition(b"\n")[2].strip() != b""
        pair = f"{key[: _last_part(key)]}{name} = {text}"
        if inline:
            return self._spliced(span.value_end, span.value_end, f", {pair}")
        return self._spliced(span.key, span.key, f"{pair}\n")

    def without_toml_key(self, keys: KeyPath) -> Copy:
        """Remove a key of ``integrations.toml`` with its value."""
        span = spans(self.toml)[keys]
        data = self.toml.encode()
        start, end = span.key, span.value_end
        if data[:start].rpartition(b"\n")[2].strip():  # Inside an inline table.
            rest = data[end:]
            comma = re.match(rb"\s*,", rest)
            end += comma.end() if comma else 0
            start = start if comma else len(data[:start].rstrip().removesuffix(b","))
        return self._spliced(start, end, "")

    def _spliced(self, start: int, end: int, text: str) -> Copy:
        data = self.toml.encode()
        return replace(self, toml=(data[:start] + text.encode("utf-8", "surrogatepass") + data[end:]).decode())

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables of ``env:`` references."""
        return {ref.locator: entry.value for ref, entry in self.entries.items() if ref.scheme == "env"}

    def files(self) -> Mapping[str, str]:
        """Every file by its path, relative to the folder of the configuration."""
        found: dict[str, dict[Reference, SourceValue]] = {}
        for reference, entry in self.entries.items():
            if reference.scheme != "env":
                found.setdefault(_path(reference), {})[reference] = entry
        rendered = {path: _RENDER[next(iter(entries)).scheme](entries) for path, entries in found.items()}
        return {**rendered, CONFIGURATION: self.toml}

    def write(self, folder: Path) -> Path:
        """Write every file below a folder, and return the path of the configuration."""
        for path, text in self.files().items():
            full = folder / path
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_bytes(text.encode("utf-8", "surrogatepass"))
        return folder / CONFIGURATION


@lru_cache(maxsize=8)
def spans(toml: str) -> Mapping[KeyPath, Span]:
    """Return the position of each key with a value. Cached, because the unedited text is needed very often."""
    return TomlLines(toml).spans()


def quoted(value: str) -> str:
    """Return a string in a notation that JSON, TOML and YAML all read.

    A character beyond U+FFFF is not escaped: only JSON reads the two surrogates of an escape as one character. TOML
    refuses them (https://toml.io/en/v1.0.0#string), and YAML reads two characters.
    """
    escaped = _PLANE_ZERO.sub(lambda found: json.dumps(found[0])[1:-1], value)
    return '"' + escaped.replace("\x7f", "\\u007f") + '"'


_PLANE_ZERO = re.compile("[\0-\uffff]+")


def _last_part(key: str) -> int:
    """Return the index at which the last part of a dotted key starts."""
    quote = key[-1:]
    if quote in ('"', "'"):
        return max(key.rfind(quote, 0, -1), 0)
    return len(key) - len(key[key.rfind(".") + 1 :].lstrip())


def _path(reference: Reference) -> str:
    return reference.locator if reference.scheme == "file" else reference.locator.partition("#")[0]


def _fragment(reference: Reference) -> str:
    return reference.locator.partition("#")[2]


def _dotenv(entries: Mapping[Reference, SourceValue]) -> str:
    return "".join(f"{_fragment(ref)}={_dotenv_value(entry)}\n" for ref, entry in entries.items())


def _dotenv_value(entry: SourceValue) -> str:
    if entry.written is not None:
        return entry.written
    if re.fullmatch(r"[\w.:/+=@-]+", entry.value, re.ASCII):
        return entry.value
    # python-dotenv knows two escapes between single quotes, and expands variables there too: ${:-$} is a dollar.
    escaped = entry.value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "${:-$}{")
    return f"'{escaped}'"


def _nested(entries: Mapping[Reference, SourceValue]) -> dict[str, Any]:
    """Return nested tables by the dotted paths; the leaves are the texts of the values."""
    root: dict[str, Any] = {}
    for reference, entry in entries.items():
        *around, last = ValuePath.parse(_fragment(reference)).steps
        table = root
        for step in around:
            table = table.setdefault(step, {})
        table[last] = quoted(entry.value) if entry.written is None else entry.written
    return root


def _json(entries: Mapping[Reference, SourceValue]) -> str:
    def shown(node: Any, indent: str) -> str:
        if isinstance(node, str):
            return node
        deeper = indent + "  "
        if _is_list(node):
            return "[\n" + ",\n".join(deeper + shown(item, deeper) for item in _items(node)) + f"\n{indent}]"
        pairs = (f"{deeper}{quoted(key)}: {shown(value, deeper)}" for key, value in node.items())
        return "{\n" + ",\n".join(pairs) + f"\n{indent}}}"

    return shown(_nested(entries), "") + "\n"


def _yaml(entries: Mapping[Reference, SourceValue]) -> str:
    def lines(node: Any, indent: str) -> list[str]:
        found = []
        pairs = (
            [("-", item) for item in _items(node)]
            if _is_list(node)
            else [(f"{quoted(key)}:" if not key.isidentifier() else f"{key}:", value) for key, value in node.items()]
        )
        for mark, value in pairs:
            if isinstance(value, str):
                found.append(f"{indent}{mark} {value}")
            else:
                found += [f"{indent}{mark}", *lines(value, indent + "  ")]
        return found

    documents = [[*_head(chosen), *lines(_nested(some), "")] or ["{}"] for chosen, some in _by_document(entries)]
    return "---\n".join("\n".join(document) + "\n" for document in documents)


def _by_document(
    entries: Mapping[Reference, SourceValue],
) -> Sequence[tuple[str | None, Mapping[Reference, SourceValue]]]:
    """Return the entries of each document that references select; those selected by number are at their index."""
    chosen: dict[str | None, dict[Reference, SourceValue]] = {}
    for reference, entry in entries.items():
        chosen.setdefault(ValuePath.parse(_fragment(reference)).document, {})[reference] = entry
    numbers = [int(name) for name in chosen if name is not None and name.isdecimal() and len(name) < 4]
    placed: list[tuple[str | None, Mapping[Reference, SourceValue]]] = [
        (str(number), chosen.get(str(number), {})) for number in range(max(numbers, default=-1) + 1)
    ]
    return placed + [(name, some) for name, some in chosen.items() if name not in dict(placed)]


def _head(chosen: str | None) -> Sequence[str]:
    """Return the lines by which a reference finds a document: the kind and name of a manifest."""
    if chosen is None or "/" not in chosen:
        return []
    kind, _, name = chosen.partition("/")
    return [f"kind: {quoted(kind)}", "metadata:", f"  name: {quoted(name)}"]


def _ini(entries: Mapping[Reference, SourceValue]) -> str:
    """Write names without a section first, then the sections. Only a file without sections has Java's escapes."""
    tables: dict[str, list[str]] = {"": []}
    paths = {reference: ValuePath.parse(_fragment(reference)).steps for reference in entries}
    java = all(len(steps) == 1 for steps in paths.values())
    for reference, entry in entries.items():
        *around, name = paths[reference]
        text = "".join(map(_java, entry.value)) if java else entry.value
        pair = f"{''.join(map(_java, name))} = {text}\n" if java else f"{name} = {text}\n"
        tables.setdefault(".".join(around), []).append(pair)
    top = "".join(tables.pop(""))
    return top + "".join(f"[{section}]\n{''.join(pairs)}" for section, pairs in tables.items())


def _java(character: str) -> str:
    plain = character.isprintable() and character not in " \\=:#!["
    return character if plain or ord(character) > 0xFFFF else f"\\u{ord(character):04x}"


def holds(reference: Reference | None, value: str) -> bool:
    """Return whether the source of a reference can hold a value."""
    if reference is not None and reference.scheme == "env":
        return "\0" not in value
    if reference is not None and reference.scheme == "ini" and len(ValuePath.parse(_fragment(reference)).steps) > 1:
        return value == value.strip(" \t") and not re.search(r"[\n\r]", value)
    return True


def _tfvars(entries: Mapping[Reference, SourceValue]) -> str:
    def escaped(text: str) -> str:
        return re.sub(r"([$%])(?=\{)", r"\1\1", text)

    return "".join(f"{key} = {_inline(value, escaped)}\n" for key, value in _nested(entries).items())


def _toml(entries: Mapping[Reference, SourceValue]) -> str:
    return "".join(f"{quoted(key)} = {_inline(value)}\n" for key, value in _nested(entries).items())


def _inline(node: Any, written: Callable[[str], str] = str) -> str:
    """Write a value on one line, with ``written`` applied to each text."""
    if isinstance(node, str):
        return written(node)
    if _is_list(node):
        return "[" + ", ".join(_inline(item, written) for item in _items(node)) + "]"
    return "{ " + ", ".join(f"{quoted(key)} = {_inline(value, written)}" for key, value in node.items()) + " }"


def _is_list(node: dict[str, Any]) -> bool:
    return bool(node) and all(key.isdecimal() and len(key) < 4 for key in node)


def _items(node: dict[str, Any]) -> list[Any]:
    """Return the items of a list that references address by number; the others are empty texts."""
    return [node.get(str(number), '""') for number in range(max(map(int, node)) + 1)]


def _kubernetes(entries: Mapping[Reference, SourceValue]) -> str:
    secrets: dict[str, dict[str, dict[str, str]]] = {}
    for reference, entry in entries.items():
        name, _, key = _fragment(reference).rpartition("/")  # The name may include a namespace.
        plain = entry.value.encode("utf-8", "surrogatepass")
        text = quoted(entry.value) if entry.section == "stringData" else base64.b64encode(plain).decode() or quoted("")
        secrets.setdefault(name, {}).setdefault(entry.section, {})[key] = (
            text if entry.written is None else entry.written
        )
    documents = []
    for name, sections in secrets.items():
        namespace, _, own = name.rpartition("/")
        lines = ["apiVersion: v1", "kind: Secret", "metadata:", f"  name: {quoted(own)}", "type: Opaque"]
        if namespace:
            lines.insert(4, f"  namespace: {quoted(namespace)}")
        for section, values in sections.items():
            lines += [f"{section}:", *(f"  {quoted(key)}: {text}" for key, text in values.items())]
        documents.append("\n".join(lines) + "\n")
    return "---\n".join(documents)


def _file(entries: Mapping[Reference, SourceValue]) -> str:
    (entry,) = entries.values()
    return entry.value


_RENDER = {
    "dotenv": _dotenv,
    "json": _json,
    "yaml": _yaml,
    "toml": _toml,
    "ini": _ini,
    "tfvars": _tfvars,
    "k8s-secret": _kubernetes,
    "file": _file,
}
