"""``dotenv:PATH#NAME``: one variable of a .env file, parsed and expanded as python-dotenv does.

``${NAME}`` and ``${NAME:-default}`` are replaced from the lines above and from the environment, in this order, as by
``dotenv_values`` (https://github.com/theskumar/python-dotenv#variable-expansion). If a variable is not set, the
reference is unresolved; python-dotenv would insert an empty text. :mod:`mfagate.secrets.stores.env_files` covers what
other programs read.
"""

from __future__ import annotations

import io
import re
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mfagate.core.finding import Location, some
from mfagate.core.foreign import quoted
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import MAX_FILE_BYTES, Resolved, StoreContext, full_path, is_xml, read_file, xml_instead
from mfagate.secrets.stores.env_files import misread
from mfagate.secrets.stores.ini import section_of
from mfagate.secrets.stores.path import ValuePath, to_write

if TYPE_CHECKING:
    from dotenv.parser import Binding


def resolve(context: StoreContext, reference: Reference) -> Resolved:
    """Return the last definition of the variable, with its line."""
    path, name = reference.path_and_fragment("dotenv:.env#DUO_SKEY")
    full = full_path(context.base, path, reference)
    file = context.once("dotenv", full, lambda: _parse(read_file(full, reference), context.environ))
    java = path.endswith(".properties")
    if name not in file.defined:
        raise _not_defined(reference, full, file)
    found = file.defined[name]
    location = Location(full, found.line)
    if len(sections := file.sections(name)) > 1:
        raise _in_sections(reference, sections, location)
    if found.value is None:
        raise Unresolved(f"{reference}: {path} names {name} without a value ({location})", location=location)
    if java and "\\" in found.value:
        message = f"{reference}: the value has escapes of a Java properties file, which a .env file does not have"
        raise Unresolved(message, next_step=_as_properties(reference, path, name), location=location)
    if found.too_long:
        raise Unresolved(f"{reference}: with its variables expanded it is longer than 1 MiB", location=location)
    if found.unset:
        raise _not_set(reference, found, file, location)
    return Resolved(found.value, location, () if java else found.misread)


def _parse(text: str, environ: Mapping[str, str]) -> _EnvFile:
    from dotenv.parser import parse_stream

    bindings = [(_line(binding), binding) for binding in parse_stream(io.StringIO(text))]
    by_section = {section: _expanded(inside, environ) for section, inside in _by_section(bindings).items()}
    defined = _expanded(bindings, environ)
    if by_section.keys() - {""}:  # No program reads a file with sections as an environment.
        defined = {name: replace(variable, misread=()) for name, variable in defined.items()}
    unreadable = [line for line, found in bindings if found.error and section_of(found.original.string.strip()) is None]
    return _EnvFile(defined, unreadable, by_section)


def _not_defined(reference: Reference, full: Path, file: _EnvFile) -> Unresolved:
    path, name = reference.path_and_fragment("dotenv:.env#DUO_SKEY")
    text = read_file(full, reference)
    if is_xml(text):
        return xml_instead(reference, path, Location(full, 1))
    message = f"{reference}: {path} does not define {name}"
    if path.endswith(".properties") and file.unreadable:
        return Unresolved(f"{message} as a .env file does", next_step=_as_properties(reference, path, name))
    if (other := _other_syntax(text, name)) is not None:
        line, what, instead = other
        return Unresolved(f"{message}, but line {line} {what}", next_step=instead, location=Location(full, line))
    return Unresolved(f"{message}{_hint(name, file)}")


_OTHER_LINES = (
    (
        re.compile(r"\s{0,20}#\s{0,20}(?:export )?([\w.-]{1,100})\s{0,20}="),
        "has it in a comment",
        "Remove the # and write the value there, or correct the name.",
    ),
    (
        re.compile(r"\s{0,20}\$env:([\w.-]{1,100})\s{0,20}="),
        "sets it as PowerShell does",
        "Run the script in this job, and write env:{}.",
    ),
    (
        re.compile(r"\s{0,20}setx?\s\"?([\w.-]{1,100})[=\s]"),
        "sets it as a batch file of Windows does",
        "Run the script in this job, and write env:{}.",
    ),
    (
        re.compile(r"\s{0,20}(?:ENV|ARG)\s([\w.-]{1,100})[=\s]"),
        "sets it as a Dockerfile does",
        "Set it in this job as the image does, and write env:{}.",
    ),
    (
        re.compile(r"\s{0,20}([\w.-]{1,100})\s{0,20}:\s"),
        "has a colon instead of =",
        "Write {}=VALUE there. If all lines are like this, the file is YAML: write yaml:FILE#{}.",
    ),
    (
        re.compile(r"[\u200b-\u200f\u2060\ufeff\u00a0]{1,20}([\w.-]{1,100})\s{0,20}="),
        "has an invisible character before the name",
        "Retype the name: programs read a different name there.",
    ),
)
"""Lines that set a variable in another syntax than that of a .env file, and what to do."""


def _other_syntax(text: str, name: str) -> tuple[int, str, str] | None:
    """Return the first line that sets a variable in another syntax, with that syntax and what to do."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, what, step in _OTHER_LINES:
            if (found := pattern.match(line)) is not None and found[1] == name:
                return number, what, step.replace("{}", quoted(name, 80))
    return None


@dataclass(frozen=True, slots=True)
class _Variable:
    """One definition. ``unset`` are its undefined variables; ``too_long`` is set if its expansion exceeds the limit."""

    value: str | None = field(repr=False)
    line: int
    unset: Sequence[str] = ()
    misread: Sequence[str] = ()
    too_long: bool = False


@dataclass(frozen=True, slots=True)
class _EnvFile:
    """Each variable with its last definition, its definitions in each section, and the lines that cannot be read."""

    defined: Mapping[str, _Variable] = field(repr=False)
    unreadable: Sequence[int]
    by_section: Mapping[str, Mapping[str, _Variable]] = field(repr=False)

    def sections(self, name: str) -> Sequence[str]:
        """Return the sections that define a name, unless they agree on its value."""
        found = {section: names[name].value for section, names in self.by_section.items() if name in names}
        return list(found) if len(set(found.values())) > 1 else ()


def _by_section(bindings: Iterable[tuple[int, Binding]]) -> Mapping[str, list[tuple[int, Binding]]]:
    """Return the definitions below each line such as ``[radius_server_auto]``."""
    found: dict[str, list[tuple[int, Binding]]] = {"": []}
    section = ""
    for line, binding in bindings:
        name = section_of(binding.original.string.strip())
        section = section if name is None else name
        found.setdefault(section, []).append((line, binding))
    return found


def _as_properties(reference: Reference, path: str, name: str) -> str:
    instead = quoted(to_write("ini", path, ValuePath([name])), 200)
    return f"Write {instead} instead of {reference}."


def _in_sections(reference: Reference, sections: Sequence[str], location: Location) -> Unresolved:
    path, name = reference.path_and_fragment("dotenv:.env#DUO_SKEY")
    steps = [[section, name] if section else [name] for section in sections]
    instead = [quoted(to_write("ini", path, ValuePath(one)), 200) for one in steps]
    return Unresolved(
        f"{reference}: {path} has sections, and {len(sections)} of them define {name} with different values",
        next_step=f"Write the one that the login service uses: {some(instead)}.",
        location=location,
    )


def _expanded(bindings: Iterable[tuple[int, Binding]], environ: Mapping[str, str]) -> Mapping[str, _Variable]:
    defined: dict[str, _Variable] = {}
    values: dict[str, str] = {}
    for line, binding in bindings:
        if binding.error or not binding.key:
            continue
        found = _Variable(None, line) if binding.value is None else _variable(line, binding, defined, (values, environ))
        defined[binding.key] = found
        if found.value is not None:
            values[binding.key] = found.value
    return defined


def _variable(
    line: int, binding: Binding, defined: Mapping[str, _Variable], known: tuple[dict[str, str], Mapping[str, str]]
) -> _Variable:
    """Expand one definition with the variables above it, then with the environment."""
    from dotenv.variables import parse_variables

    value, names = binding.value or "", ChainMap(known[0], cast("dict[str, str]", known[1]))
    atoms = list(parse_variables(value))
    used = [(name, getattr(atom, "default", None)) for atom in atoms if (name := getattr(atom, "name", None))]
    unset = [name for name, default in used if default is None and name not in names]
    unset += [deeper for name, _ in used if name in defined for deeper in defined[name].unset]
    parts = [atom.resolve(names) for atom in atoms]
    too_long = sum(map(len, parts)) > MAX_FILE_BYTES or any(
        name in defined and defined[name].too_long for name, _ in used
    )
    return _Variable(
        "" if too_long else "".join(parts),
        line,
        list(dict.fromkeys(unset)),
        misread(binding.original.string, value, [name for name, _ in used]),
        too_long,
    )


def _not_set(reference: Reference, found: _Variable, file: _EnvFile, location: Location) -> Unresolved:
    names = [quoted(name, 80) for name in found.unset]
    below = [(name, file.defined[name].line) for name in found.unset if name in file.defined]
    later = f"; {below[0][0]} is defined below, on line {below[0][1]}, but only lines above count" if below else ""
    are = "is" if len(names) == 1 else "are"
    return Unresolved(
        f"{reference}: {some(names)} {are} not set, neither above in the file nor in the environment{later}",
        next_step=f"Define {some(names)} in the file above line {location.line}, or set it in the environment of "
        "this job, as it is set where the login service runs.",
        location=location,
    )


def _hint(name: str, file: _EnvFile) -> str:
    if file.unreadable:
        return f"; line {file.unreadable[0]} cannot be read (an open quote?)"
    nearest = get_close_matches(name, file.defined, n=1)
    listed = f"; it has {some([quoted(known, 80) for known in file.defined])}" if file.defined else ""
    return f"; did you mean {quoted(nearest[0], 80)!r}?" if nearest else listed


def _line(binding: Binding) -> int:
    """Return the line of a definition; python-dotenv counts from the blank lines before it."""
    original = binding.original.string
    return binding.original.line + original[: len(original) - len(original.lstrip())].count("\n")
