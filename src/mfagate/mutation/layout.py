"""Make the copy of the user's configuration: the same layout of references, with the sandbox's values."""

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
    """The unedited copy, its edit targets, and the sandboxes that its values come from.

    ``running`` is by integration. ``integrations`` are the user's own.
    """

    original: Copy = field(repr=False)
    targets: Sequence[EditTarget]
    running: Mapping[str, Running]
    integrations: Mapping[str, Integration]


def shared_sandboxes(integrations: Sequence[Integration]) -> Mapping[str, str]:
    """Map each integration to the one whose sandbox it uses: its own, unless both read the same source.

    Two integrations of one provider get sandboxes with different keys, so that the gate can see if they are mixed up.
    """
    owner: dict[str, str] = {}
    for number, integration in enumerate(integrations):
        joined = [
            owner[other.name]
            for other in integrations[:number]
            if other.provider == integration.provider and _sources(other) & _sources(integration)
        ]
        # It may share sources with two earlier integrations that shared nothing until now.
        owner.update({name: joined[0] for name, theirs in owner.items() if theirs in joined})
        owner[integration.name] = joined[0] if joined else integration.name
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
    named = {integration.name: integration for integration in integrations}
    for integration in configuration.integrations.values():
        if integration.name not in named:
            builder.empty(integration)
    builder.without_history()
    for integration in integrations:
        builder.add(integration, running[integration.name].values)
    return MutatedProject(builder.copy, builder.targets, running, named)


class _Builder:
    def __init__(self, toml: str) -> None:
        self.copy = Copy(toml, {})
        self.targets: list[EditTarget] = []
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
                # The value is the user's, and the copy is valid without it.
                self.copy = self.copy.without_toml_key(("integrations", integration.name, "client", name))
        provider = registry.get(integration.provider)
        fields = {field.name: field for field in provider.settings.fields()}
        for name, raw in integration.settings.items():
            if name not in fields:
                raise NotMutable(f"{integration.name}.settings.{name} is not a setting of {integration.provider}")
            self.targets.append(self._target(integration, fields[name], raw, values))
        mine = [target for target in self.targets if target.integration == integration.name]
        where = _Addresses(provider, {target.field.name: target.value for target in mine})
        others = [target for target in self.targets if target.integration != integration.name]
        self.targets = others + [replace(target, address=where.decided_by(target)) for target in mine]

    def _endpoint(self, integration: Integration) -> None:
        keys = ("integrations", integration.name)
        if integration.endpoint is None:
            self.copy = self.copy.with_toml_sibling((*keys, "provider"), "endpoint", '"sandbox"')
        else:
            self.copy = self.copy.with_toml_value((*keys, "endpoint"), '"sandbox"')

    def _borrow(self, integration: Integration, table: str, values: Mapping[str, str]) -> None:
        """Use the sandbox's test data and expectations, and leave out those that it does not have."""
        for name, raw in getattr(integration, table).items():
            keys = ("integrations", integration.name, table, name)
            if integration.uses_sandbox and table != "control" and not _is_foreign(raw):
                continue
            if name in values:
                self.copy = self.copy.with_toml_value(keys, quoted(f"sandbox:{name}"))
            else:
                self.copy = self.copy.without_toml_key(keys)

    def _target(self, integration: Integration, field: SettingField, raw: str, values: Mapping[str, str]) -> EditTarget:
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
        for other in self.copy.entries:
            if _clash(moved, other):
                name = f"{integration.name}.settings.{field.name}"
                raise NotMutable(f"the copy cannot hold both {moved} ({name}) and {other}")
        self.copy = self.copy.with_toml_value(keys, quoted(str(moved)))
        self.copy = self.copy.with_entry(moved, SourceValue(value))
        return EditTarget(integration.name, field, value, location, moved)

    def _moved(self, integration: Integration, field: SettingField, reference: Reference) -> Reference:
        """Return the reference for the copy: a file below its folder, and a separate file for the sandbox's values."""
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
    """Find the settings that decide where requests go, by changing them."""

    def __init__(self, provider: InstalledProvider, values: Mapping[str, str]) -> None:
        self._provider = provider
        try:
            self._settings: ProviderSettings | None = provider.settings.model_validate(dict(values))
        except ValidationError:
            self._settings = None  # Reported when the unedited copy is checked.

    def decided_by(self, target: EditTarget) -> bool:
        match = re.fullmatch(r"((?:https?://)?)([\w-]+(?:\.[\w-]+)+(?:[:/].*)?)", target.value)
        if self._settings is None or match is None or target.field.secret:
            return False
        changed = self._settings.model_copy(update={target.field.name: f"{match[1]}other.{match[2]}"})
        return self._provider.api.base_url(changed) != self._provider.api.base_url(self._settings)


def _require_path(reference: Reference, fragment: str) -> None:
    try:
        ValuePath.parse(fragment)
    except MalformedPath:
        raise NotMutable(f"the quotes in {reference} are not balanced") from None


def _clash(one: Reference, other: Reference) -> bool:
    """Return whether no files can hold the values of both: one contains the other, or the formats differ."""
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
    """Return whether one path is the beginning of the other."""
    return all(step == other_step for step, other_step in zip(one, other, strict=False))


def _is_foreign(raw: str) -> bool:
    reference = Reference.parse(raw)
    return reference is not None and reference.scheme != "sandbox"


def _location(integration: Integration, reference: Reference) -> Location | None:
    """Return the line in the user's own file, for the report. Its value is not kept."""
    with suppress(Unresolved):
        return Stores(StoreContext(integration.base, os.environ)).resolve(reference).location
    return None


def targets_in(targets: Sequence[EditTarget], integration: str) -> Iterator[EditTarget]:
    """Return the edit targets of one integration."""
    return (target for target in targets if target.integration == integration)
