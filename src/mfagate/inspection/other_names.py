"""Recognise settings by the names that a vendor's other products, SDKs and tools use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mfagate.config.settings import OtherNames, ProviderSettings
from mfagate.secrets.reference import Reference

Exists = Callable[[Reference], bool]
"""Return whether a reference can be resolved."""


@dataclass(frozen=True, slots=True)
class Meant:
    """The setting that another name means."""

    field: str
    source: OtherNames

    @property
    def note(self) -> str:
        """The note of the source, after a space."""
        return f" {self.source.note}" if self.source.note else ""


def meant_by(name: str, declared: type[ProviderSettings]) -> Meant | None:
    """Return the setting that another name means, or None."""
    plain = _plain(name)
    prefixes = ("", *(_plain(prefix) for prefix in sorted(declared.prefixes, key=len, reverse=True)))
    for bare in (plain.removeprefix(prefix) for prefix in prefixes if plain.startswith(prefix)):
        for source in declared.other_names:
            for other, field in source.names.items():
                if bare == _plain(other) and field in declared.model_fields:
                    return Meant(field, source)
    return _with_prefix(plain, prefixes, declared)


def _with_prefix(plain: str, prefixes: tuple[str, ...], declared: type[ProviderSettings]) -> Meant | None:
    """Return the setting whose name was written with a prefix or in another style."""
    for field in declared.model_fields:
        if any(plain == prefix + _plain(field) for prefix in prefixes):
            return Meant(field, OtherNames("an environment or another file", {}))
    return None


def elsewhere(field: str, reference: Reference, declared: type[ProviderSettings], exists: Exists) -> Reference | None:
    """Return a reference to the same place under another name of the setting that can be resolved."""
    separators = {"env": "", "dotenv": "#", "json": ".", "yaml": ".", "toml": ".", "ini": "."}
    if reference.scheme not in separators:
        return None
    around, last = _split(reference, separators[reference.scheme])
    for name in _names(field, declared):
        for written in dict.fromkeys(_written(name, declared)):
            candidate = Reference(reference.scheme, f"{around}{written}")
            if written != last and exists(candidate):
                return candidate
    return None


def _split(reference: Reference, separator: str) -> tuple[str, str]:
    locator = reference.locator
    if not separator:
        return "", locator
    path, mark, fragment = locator.partition("#")
    table, dot, last = fragment.rpartition(".") if separator == "." else ("", "", fragment)
    return f"{path}{mark}{table}{dot}", last


def _names(field: str, declared: type[ProviderSettings]) -> Iterator[str]:
    yield field
    for source in declared.other_names:
        yield from (other for other, meant in source.names.items() if meant == field)


def _written(name: str, declared: type[ProviderSettings]) -> Iterator[str]:
    """Yield the ways to write a name. Without the vendor's prefix, a short word could mean anything."""
    for prefix in declared.prefixes:
        yield f"{prefix}_{name.upper()}"
        yield f"{prefix.lower()}_{name}"
    if "_" in name or name in ("ikey", "skey"):
        yield name.upper()
        yield name
        words = name.split("_")
        yield words[0] + "".join(map(str.title, words[1:]))
        yield "".join(map(str.title, words))
        yield name.replace("_", "-")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
