"""The declaration of a provider's settings.

It is the only place where a field's meaning, shape and secrecy
are defined; offline checks, the JSON schema and the documentation read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, PrivateAttr, SecretStr

from mfagate.config.shapes import EnvironmentMark, Lookalike, Shape
from mfagate.secrets.shapes import SecretShape, of_provider


@dataclass(frozen=True, slots=True)
class Setting:
    """The facts about one setting. Use it as ``Annotated[str, Setting(...)]``.

    ``where`` says where to find the value. ``foreign_prefixes`` are
    authorization schemes that do not belong in the value. Line breaks are
    part of a ``multiline`` value, such as a PEM key. A ``renewed`` value is regularly replaced at its source,
    like a token that a platform mounts: its expiry is not reported, and it is read again for
    each use. ``recognised_by``, a regular expression for the whole value, finds a secret in
    all recordings.
    """

    description: str
    where: str
    example: str
    shape: Shape | None = None
    lookalikes: tuple[Lookalike, ...] = ()
    environments: tuple[EnvironmentMark, ...] = ()
    foreign_prefixes: tuple[str, ...] = ("Bearer ", "Basic ", "bearer ", "basic ")
    multiline: bool = False
    renewed: bool = False
    recognised_by: str | None = None


@dataclass(frozen=True, slots=True)
class SettingField:
    """A declared setting with its name and the facts of its type."""

    name: str
    setting: Setting
    secret: bool
    required: bool


@dataclass(frozen=True, slots=True)
class OtherNames:
    """Other names for the settings of a provider.

    Args:
        whose: The source of the names, as the subject of a sentence.
        names: Each name in lower case with underscores, and the setting that it means.
        note: A further hint for users of these names.
    """

    whose: str
    names: Mapping[str, str]
    note: str = ""


class ProviderSettings(BaseModel):
    """Base of a provider's settings. A field of type ``SecretStr`` is a secret.

    ``any_of`` names fields of which at least one must be set. ``other_names`` are other names of the
    settings; ``prefixes`` are their prefixes in environment variables, such as ``DUO``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    any_of: ClassVar[tuple[str, ...]] = ()

    other_names: ClassVar[tuple[OtherNames, ...]] = ()

    prefixes: ClassVar[tuple[str, ...]] = ()

    _sources: dict[str, tuple[Any, Callable[[], str]]] = PrivateAttr(default_factory=dict)

    @classmethod
    def fields(cls) -> list[SettingField]:
        """Return the declared settings, in the order of the class."""
        return [
            SettingField(name, setting, _mentions(info.annotation, SecretStr), info.is_required())
            for name, info in cls.model_fields.items()
            for setting in info.metadata
            if isinstance(setting, Setting)
        ]

    @classmethod
    def secrets(cls) -> frozenset[str]:
        """Return the names of the fields that are secrets."""
        return frozenset(field.name for field in cls.fields() if field.secret)

    @classmethod
    def secret_shapes(cls, *, own: bool) -> list[SecretShape]:
        """Return the shapes that recognise the secrets; more of them for the provider's ``own`` recordings."""
        found = []
        for field in cls.fields():
            regex = field.setting.recognised_by
            if own and regex is None:
                regex = getattr(field.setting.shape, "regex", None)
            if field.secret and regex is not None:
                found.append(of_provider(f"a value in the shape of {field.name}", regex, own=own))
        return found

    def read_again(self, sources: Mapping[str, Callable[[], str]]) -> None:
        """Store how to read values again, by setting."""
        self._sources = {name: (getattr(self, name), read) for name, read in sources.items()}

    def current(self, name: str) -> str | None:
        """Return the present plain value of a secret setting, or its replacement if there is one."""
        held, read = self._sources.get(name, (None, None))
        return read() if read is not None and held is getattr(self, name) else self.secret(name)

    def secret(self, name: str) -> str | None:
        """Return the plain value of a secret setting, for signing only."""
        value = getattr(self, name)
        return value.get_secret_value() if isinstance(value, SecretStr) else value


def _mentions(annotation: Any, wanted: type) -> bool:
    if get_origin(annotation) is Annotated:
        return _mentions(get_args(annotation)[0], wanted)
    return annotation is wanted or any(_mentions(part, wanted) for part in get_args(annotation))
