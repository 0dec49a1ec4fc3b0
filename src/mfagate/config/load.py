"""Read ``integrations.toml`` and report all errors at once, each with file, line, key and remedy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os.path import relpath
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from mfagate.config.environments import KEY, expanded
from mfagate.config.model import ConfigOrigin, Configuration, Integration
from mfagate.config.nearest import nearest_to
from mfagate.config.waivers import Waiver
from mfagate.core.files import Unreadable, read_text
from mfagate.core.finding import Location
from mfagate.core.toml_lines import TomlError, dotted
from mfagate.core.toml_lines import parse as parse_toml

MAX_BYTES = 1 << 20

KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One error in the file."""

    location: Location
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.location}: {self.key + ': ' if self.key else ''}{self.message}"


@dataclass(frozen=True, slots=True)
class _Unknown:
    """The value under an unknown key, and a hint at the right key."""

    value: Any = field(repr=False)
    hint: str

    def texts(self) -> Iterator[str]:
        """Yield every text of the value."""
        waiting = [self.value]
        while waiting:
            match waiting.pop():
                case str() as text:
                    yield text
                case list() as items:
                    waiting += items
                case dict() as table:
                    waiting += table.values()


class ConfigError(Exception):
    """The file cannot be used; ``problems`` lists all errors."""

    def __init__(self, problems: list[ConfigProblem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


def load(path: Path, providers: Collection[str], *, flat: bool = False) -> Configuration:
    """Read and validate the file.

    ``providers`` are the installed providers. With ``flat``, names may contain an environment, as in the
    copies of :mod:`mfagate.mutation`.
    Unknown keys inside an integration do not raise: they are kept in
    ``Integration.unknown_keys`` and become findings of that integration.

    Raises:
        ConfigError: It cannot be read, is not TOML, or a value has the wrong type.
    """
    return read(path, _read(path), providers, flat=flat)


def read(path: Path, text: str, providers: Collection[str], *, flat: bool = False) -> Configuration:
    """Validate a text as if it were the content of the file ``path``.

    Raises:
        ConfigError: As in :func:`load`.
    """
    whole = expanded(_parse(path, text), flat=flat)
    document = whole.document
    origin = ConfigOrigin(path, text, whole.tables)
    unknown = _remove_unknown_keys(document)
    problems = [_problem(origin, keys, message) for keys, message in whole.faults]
    problems += [
        _problem(origin, keys, f"unknown key{one.hint}")
        for keys, one in unknown.items()
        if not _inside_an_integration(keys)
    ]
    problems += _unknown_providers(document, providers, origin)
    try:
        configuration = Configuration.model_validate(document)
    except ValidationError as error:
        problems += _problems(error, origin)
        problems += [
            _problem(origin, keys, f"unknown key{one.hint}")
            for keys, one in unknown.items()
            if _inside_an_integration(keys)
        ]
        raise ConfigError(_in_file_order(problems)) from None
    for name, integration in configuration.integrations.items():
        integration._name = name
        integration._origin = origin
        own = {keys[2:]: one for keys, one in unknown.items() if keys[:2] == ("integrations", name)}
        integration._unknown_keys = tuple(own)
        integration._unknown_values = tuple((".".join(keys), text) for keys, one in own.items() for text in one.texts())
    problems += _too_long_waivers(configuration, origin)
    if problems:
        raise ConfigError(_in_file_order(problems))
    configuration._origin = origin
    return configuration


def _problem(origin: ConfigOrigin, keys: KeyPath, message: str) -> ConfigProblem:
    """Return the error of a key, under its name in the file."""
    return ConfigProblem(origin.locate(*keys), ".".join(origin.written(*keys)), message)


def _read(path: Path) -> str:
    try:
        return read_text(path, MAX_BYTES)
    except Unreadable as error:
        hint = _elsewhere(path) if error.missing else ""
        raise ConfigError([ConfigProblem(Location(path, error.line), "", f"{error}{hint}")]) from None


_START = "; name another one with --config PATH, or start one with `mfagate init`"


def _elsewhere(path: Path) -> str:
    """Suggest a file with a similar name, or one in a folder above within this repository."""
    try:
        folder, *above = path.absolute().parents
        if beside := nearest_to(path.name, [file.name for file in folder.glob("*.toml")]):
            return beside
        for inner, outer in zip([folder, *above], above, strict=False):
            if (inner / ".git").exists():
                break
            if (outer / path.name).is_file():
                found = relpath(outer / path.name)
                return f"; there is {found}: name it with --config, or run mfagate in its folder"
    except OSError:
        # The working directory may be gone.
        return _START
    return _START


def _parse(path: Path, text: str) -> dict[str, Any]:
    if text.startswith("\ufeff"):
        message = "starts with a byte order mark, which TOML does not allow: save it as UTF-8 without BOM"
        raise ConfigError([ConfigProblem(Location(path, 1), "", message)])
    try:
        return parse_toml(text)
    except TomlError as error:
        # The parser gives the same message for a word without quotes and most other slips.
        hint = '; text needs quotes, as in provider = "duo"' if str(error).endswith("invalid value") else ""
        raise ConfigError([ConfigProblem(Location(path, error.line), "", f"{error}{hint}")]) from None


def _unknown_providers(
    document: dict[str, Any], providers: Collection[str], origin: ConfigOrigin
) -> Iterator[ConfigProblem]:
    integrations = document.get("integrations")
    for name, table in integrations.items() if isinstance(integrations, dict) else ():
        provider = table.get("provider") if isinstance(table, dict) else None
        if isinstance(provider, str) and provider not in providers:
            keys = ("integrations", name, "provider")
            known = f"{nearest_to(provider, providers)}; installed: {', '.join(sorted(providers))}"
            yield _problem(origin, keys, f"no provider has this name{known}")


def _too_long_waivers(configuration: Configuration, origin: ConfigOrigin) -> Iterator[ConfigProblem]:
    """Refuse a waiver that lasts too long, because it would change the rules without a decision."""
    longest = configuration.gate.longest_waiver_days
    today = datetime.now(UTC).date()
    for name, integration in configuration.integrations.items():
        for number, waiver in enumerate(integration.waivers):
            left = waiver.days_left(today)
            if left > longest:
                keys = ("integrations", name, "waivers", str(number), "until")
                message = f"{waiver.until} is {left} days ahead; {longest} are allowed (gate.longest_waiver_days)"
                yield _problem(origin, keys, message)


def _inside_an_integration(keys: KeyPath) -> bool:
    return len(keys) > 2 and keys[0] == "integrations"


def _remove_unknown_keys(document: dict[str, Any]) -> dict[KeyPath, _Unknown]:
    """Remove the keys that no model knows from the document."""
    unknown: dict[KeyPath, _Unknown] = {}
    _prune(document, Configuration, (), unknown)
    integrations = document.get("integrations")
    for name, table in integrations.items() if isinstance(integrations, dict) else ():
        if isinstance(table, dict):
            _prune(table, Integration, ("integrations", name), unknown)
    return unknown


def _prune(table: dict[str, Any], model: type[BaseModel], path: KeyPath, unknown: dict[KeyPath, _Unknown]) -> None:
    known = [*model.model_fields, KEY] if model is Integration else [*model.model_fields]
    for key in [key for key in table if key not in model.model_fields]:
        unknown[(*path, key)] = _Unknown(table.pop(key), nearest_to(key, known))
    for key, value in table.items():
        annotation = model.model_fields[key].annotation
        if isinstance(value, dict) and isinstance(annotation, type) and issubclass(annotation, BaseModel):
            _prune(value, annotation, (*path, key), unknown)


_EXPECTATIONS = {
    "string_type": "must be a string in quotes",
    "float_type": "must be a number without quotes, such as 5 or 0.5",
    "int_type": "must be a whole number without quotes, such as 5",
    "int_from_float": "must be a whole number without quotes, such as 5",
    "float_parsing": "must be a number without quotes, such as 5 or 0.5",
    "int_parsing": "must be a whole number without quotes, such as 5",
    "bool_type": "must be true or false, without quotes",
    "bool_parsing": "must be true or false, without quotes",
    "tuple_type": 'must be a list, such as ["a", "b"]',
    "path_type": "must be a path in quotes",
    "date_type": "must be a date such as 2026-10-01",
    "date_from_datetime_parsing": "must be a date such as 2026-10-01",
    "date_from_datetime_inexact": "must be a date such as 2026-10-01, without a time",
    "string_pattern_mismatch": "an integration's name is at most 64 letters, digits, '.', '_' and '-', and begins "
    "with a letter or a digit",
}


def _problems(error: ValidationError, origin: ConfigOrigin) -> Iterable[ConfigProblem]:
    seen: set[KeyPath] = set()
    for item in error.errors(include_url=False, include_context=True, include_input=False):
        steps = tuple(str(step) for step in item["loc"] if step != "[key]")
        in_client = steps[2:3] == ("client",)
        # The client's values are unions: pydantic reports each member, with the member's name as the last step.
        keys = steps[:4] if in_client else steps
        if keys in seen:
            continue
        seen.add(keys)
        message = _expected(item, origin.written(*keys))
        if in_client and len(steps) > 4:
            message = "must be a number, or a reference in quotes"
        if steps[2:] == ("waivers",) and item["type"] == "tuple_type":
            message = "must be a list of tables: write its header in double brackets"
        if item["type"] == "extra_forbidden":
            # Only in a waiver, which a misspelt key would widen; unknown keys of tables were removed before.
            message = f"unknown key{nearest_to(steps[-1], Waiver.model_fields)}"
        yield _problem(origin, keys, message)


def _expected(item: Mapping[str, Any], keys: KeyPath) -> str:
    """Return what to write instead of a value of the wrong type."""
    match item["type"], keys:
        case ("missing", (*_, "environment")):
            return f'is missing: add environment = "production" (or {_OTHERS}) below {_head(keys[:-1])}'
        case ("missing", (*_, "provider")):
            return f'is missing: add provider = "NAME" below {_head(keys[:-1])}, such as "duo" or "okta"'
        case ("missing", _):
            return f"is missing: add it below {_head(keys[:-1])}"
        case ("dict_type" | "model_type", ("integrations",)):
            return "must be a table for each integration: begin one with a line such as [integrations.duo]"
        case ("dict_type" | "model_type", _):
            return f"must be a table: write its keys below a line {_head(keys)}"
        case ("less_than_equal", (*_, "share_of_users")):
            return "must be between 0 and 1, such as 0.3 for 30 %"
    return _EXPECTATIONS.get(item["type"]) or item["msg"].replace("Input should", "should")


def _head(keys: KeyPath) -> str:
    """Return the header of a table as written in the file; a number is a position in a list of tables."""
    return f"[[{dotted(keys[:-1])}]]" if keys[-1].isdecimal() else f"[{dotted(keys)}]"


_OTHERS = '"staging", "sandbox", "development"'


def _in_file_order(problems: list[ConfigProblem]) -> list[ConfigProblem]:
    """Sort by line, and report once what several environments share."""
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.location.line or 0)
