"""From the user's configuration to the copy: the same layout of references, the sandbox's values."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from mfagate.config.model import Configuration, Integration
from mfagate.config.settings import ProviderSettings, SettingField
from mfagate.core.finding import Location
from mfagate.mutation.copy import CONFIGURATION, Copy, SourceValue, quoted
from mfagate.mutation.flat import flat
from mfagate.mutation.model import EditTarget
from mfagate.providers import registry
from mfagate.providers.provider import InstalledProvider
from mfagate.sandbox import Running
from mfagate.secrets.reference import SCHEMES, Reference, Unresolved
from mfagate.secrets.stores import StoreContext, Stores
from mfagate.secrets.stores.path import MalformedPath, ValuePath


class NotMutable(Exception):
    """The configuration cannot be moved to a sandbox; the message says why."""


@dataclass(frozen=True, slots=True)
class MutatedProject:
    """What is mutated: the unedited copy, its places, and the sandboxes that its values are of.

    ``running`` is by integration. ``integrations`` are the user's own, as loaded.
    """

    original: Copy = field(repr=False)
    places: Sequence[EditTarget]
    running: Mapping[str, Running]
    integrations: Mapping[str, Integration]


def shared_sandboxes(integrations: Sequence[Integration]) -> Mapping[str, str]:
    """For each integration, the one whose sandbox it uses: its own, unless both read the same source.

    Two integrations of one provider get sandboxes with different keys, so that
    mixing them up is a mistake that can be seen.
    """
    owner: dict[str, str] = {}
    for number, one in enumerate(integrations):
        joined = [
            owner[other.name]
            for other in integrations[:number]
            if other.provider == one.provider and _sources(other) & _sources(one)
        ]
        # It may read what two of those before it read, which had nothing in common until now.
        owner.update({name: joined[0] for name, theirs in owner.items() if theirs in joined})
        owner[one.name] = joined[0] if joined else one.name
    return owner


def _sources(integration: Integration) -> set[Reference]:
    references = (Reference.parse(raw) for raw in integration.settings.values())
    return {reference for reference in references if reference is not None and reference.scheme != "sandbox"}


def project_of(
    configuration: Configuration, integrations: Sequence[Integration], running: Mapping[str, Running]
) -> MutatedProject:
    """Return the unedited copy.

    Raises:
        NotMutable: A setting has no counterpart in the sandbox, or a reference cannot be followed.
    """
    builder = _Builder(flat(configuration.text))
    named = {one.name: one for one in integrations}
    for one in configuration.integrations.values():
        if one.name not in named:
            builder.empty(one)
    builder.without_history()
    for one in integrations:
        builder.add(one, running[one.name].values)
    return MutatedProject(builder.copy, builder.places, running, named)


class _Builder:
    def __init__(self, toml: str) -> None:
        self.copy = Copy(toml, {})
        self.places: list[EditTarget] = []
        self._paths: dict[str, str] = {}

    def empty(self, integration: Integration) -> None:
        """Keep an unselected integration, so that the file stays readable, without the user's values."""
        for table in ("settings", "control", "test_data", "expect"):
            for name in getattr(integration, table):
                self.copy = self.copy.without_toml_key(("integrations", integration.name, table, name))

    def without_history(self) -> None:
        """Remove the history: its address may hold a password, and the copy's runs are not recorded."""
        if self.copy.has(("history", "url")):
            self.copy = self.copy.without_toml_key(("history", "url"))

    def add(self, integration: Integration, values: Mapping[str, str]) -> None:
        self._endpoint(integration)
        for table in ("test_data", "expect", "control"):
            self._borrow(integration, table, values)
        for name, raw in integration.client:
            if isinstance(raw, str) and Reference.parse(raw) is not None:
                # What stands there is the user's; nothing of it is needed to be valid.
                self.copy = self.copy.without_toml_key(("integrations", integration.name, "client", name))
        provider = registry.get(integration.provider)
        fields = {field.name: field for field in provider.settings.fields()}
        for name, raw in integration.settings.items():
            if name not in fields:
                raise NotMutable(f"{integration.name}.settings.{name} is not a setting of {integration.provider}")
            self.places.append(self._place(integration, fields[name], raw, values))
        mine = [place for place in self.places if place.integration == integration.name]
        where = _Addresses(provider, {place.field.name: place.value for place in mine})
        others = [place for place in self.places if place.integration != integration.name]
        self.places = others + [replace(place, address=where.decided_by(place)) for place in mine]

    def _endpoint(self, integration: Integration) -> None:
        keys = ("integrations", integration.name)
        if integration.endpoint is None:
            self.copy = self.copy.with_toml_sibling((*keys, "provider"), "endpoint", '"sandbox"')
        else:
            self.copy = self.copy.with_toml_value((*keys, "endpoint"), '"sandbox"')

    def _borrow(self, integration: Integration, table: str, values: Mapping[str, str]) -> None:
        """Test data and expectations of the sandbox in place of the user's; what it does not have is left out."""
        for name, raw in getattr(integration, table).items():
            keys = ("integrations", integration.name, table, name)
            if integration.uses_sandbox and table != "control" and not _is_foreign(raw):
                continue
            if name in values:
                self.copy = self.copy.with_toml_value(keys, quoted(f"sandbox:{name}"))
            else:
                self.copy = self.copy.without_toml_key(keys)

    def _place(self, integration: Integration, field: SettingField, raw: str, values: Mapping[str, str]) -> EditTarget:
        keys = ("integrations", integration.name, "settings", field.name)
        key_location = integration.locate("settings", field.name)
        reference = Reference.parse(raw)
        if reference is None:
            if field.secret and field.name not in values:
                raise NotMutable(f"the sandbox has no value for {integration.name}.settings.{field.name}")
            value = values.get(field.name, raw)
            self.copy = self.copy.with_toml_value(keys, quoted(value))
            return EditTarget(integration.name, field, value, key_location)
        source = reference.locator if reference.scheme == "sandbox" else field.name
        if source not in values:
            raise NotMutable(f"the sandbox has no value for {integration.name}.settings.{field.name} ({reference})")
        value = values[source]
        if reference.scheme == "sandbox" and not field.secret:
            self.copy = self.copy.with_toml_value(keys, quoted(value))
            return EditTarget(integration.name, field, value, key_location)
        location = key_location if reference.scheme == "sandbox" else _location(integration, reference) or key_location
        moved = self._moved(integration, field, reference)
        clashing = next((other for other in self.copy.entries if _clash(moved, other)), None)
        if clashing is not None:
            raise NotMutable(
                f"the copy cannot hold both {moved} ({integration.name}.settings.{field.name}) and {clashing}"
            )
        self.copy = self.copy.with_toml_value(keys, quoted(str(moved)))
        self.copy = self.copy.with_entry(moved, SourceValue(value))
        return EditTarget(integration.name, field, value, location, moved)

    def _moved(self, integration: Integration, field: SettingField, reference: Reference) -> Reference:
        """Return the reference as the copy has it: below its folder, and a file of its own for the sandbox's values."""
        if reference.scheme == "sandbox":
            return Reference("dotenv", f"sandbox/{integration.name}.env#{field.name.upper()}")
        if reference.scheme not in SCHEMES:
            raise NotMutable(f"there is no secret store {reference.scheme!r}")
        if reference.scheme == "env":
            return reference
        path, mark, fragment = reference.locator.partition("#")
        if reference.scheme == "file":
            path, mark, fragment = reference.locator, "", ""
        elif reference.scheme not in ("dotenv", "k8s-secret"):
            _require_path(reference, fragment)
        return Reference(reference.scheme, f"{self._below(path)}{mark}{fragment}")

    def _below(self, path: str) -> str:
        plain = Path(path)
        is_below = not plain.is_absolute() and ".." not in plain.parts and not path.startswith("~")
        if is_below and plain != Path(CONFIGURATION):
            return str(plain)
        return self._paths.setdefault(str(plain), f"elsewhere/{len(self._paths)}-{plain.name}")


class _Addresses:
    """Which settings decide where requests go, found out by changing them."""

    def __init__(self, provider: InstalledProvider, values: Mapping[str, str]) -> None:
        self._provider = provider
        try:
            self._settings: ProviderSettings | None = provider.settings.model_validate(dict(values))
        except ValidationError:
            self._settings = None  # told when the unedited copy is checked

    def decided_by(self, place: EditTarget) -> bool:
        match = re.fullmatch(r"((?:https?://)?)([\w-]+(?:\.[\w-]+)+(?:[:/].*)?)", place.value)
        if self._settings is None or match is None or place.field.secret:
            return False
        changed = self._settings.model_copy(update={place.field.name: f"{match[1]}other.{match[2]}"})
        return self._provider.api.base_url(changed) != self._provider.api.base_url(self._settings)


def _require_path(reference: Reference, fragment: str) -> None:
    try:
        ValuePath.parse(fragment)
    except MalformedPath:
        raise NotMutable(f"the quotes in {reference} are not in order") from None


def _clash(one: Reference, other: Reference) -> bool:
    """Whether what one reads is a part of what the other reads, or is in another format: no files can hold both."""
    if one == other or "env" in (one.scheme, other.scheme):
        return False
    (path, _, keys), (other_path, _, other_keys) = one.locator.partition("#"), other.locator.partition("#")
    if (one.scheme, path) == (other.scheme, other_path):
        return one.scheme in ("json", "yaml", "toml", "ini", "tfvars") and _is_within(_steps(keys), _steps(other_keys))
    return _is_within(Path(path).parts, Path(other_path).parts)


def _steps(fragment: str) -> Sequence[str]:
    path = ValuePath.parse(fragment)
    return [path.document or "", *path.steps]


def _is_within(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one path is the beginning of the other, whichever is longer."""
    return all(step == other_step for step, other_step in zip(one, other, strict=False))


def _is_foreign(raw: str) -> bool:
    reference = Reference.parse(raw)
    return reference is not None and reference.scheme != "sandbox"


def _location(integration: Integration, reference: Reference) -> Location | None:
    """Return the line in the user's own file, for the report; its value is not kept."""
    with suppress(Unresolved):
        return Stores(StoreContext(integration.base, os.environ)).resolve(reference).location
    return None


def places_in(places: Sequence[EditTarget], integration: str) -> Iterator[EditTarget]:
    """Return the places of one integration."""
    return (place for place in places if place.integration == integration)
