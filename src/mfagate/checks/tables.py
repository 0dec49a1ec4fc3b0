"""The tables of one integration with every reference resolved, and its typed settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from mfagate.config.resolved import Value
from mfagate.config.settings import ProviderSettings
from mfagate.inspection.identity import client_identity
from mfagate.inspection.settings import InspectedSettings

if TYPE_CHECKING:
    from mfagate.transport.identity import ClientIdentity


@dataclass(frozen=True, slots=True)
class TypedSettings:
    """The settings of an integration as the provider uses them.

    Args:
        settings: Those of the login service.
        control: The same with the known-good control credential; None if there is none.
        identity: The client certificate; None if there is none.
    """

    settings: ProviderSettings
    control: ProviderSettings | None = None
    identity: ClientIdentity | None = None


@dataclass(frozen=True)
class ResolvedTables:
    """The values of each table of an integration."""

    settings: InspectedSettings
    control: InspectedSettings | None = None
    client: Mapping[str, Value] = field(default_factory=dict)
    expect: Mapping[str, Value] = field(default_factory=dict)
    test_data: Mapping[str, Value] = field(default_factory=dict)
    client_certificate: Mapping[str, Value] = field(default_factory=dict)

    @property
    def deferred(self) -> int:
        """The number of settings that only a live run can read, such as those of a sandbox."""
        return sum(value.deferred for value in self.settings.values.values())

    @property
    def renewed(self) -> Iterator[Value]:
        """The settings that their source replaces regularly."""
        values = self.settings.values
        names = (field.name for field in self.settings.declared.fields() if field.setting.renewed)
        return (values[name] for name in names if name in values)

    @property
    def test_values(self) -> dict[str, str]:
        """The test data as text."""
        return {name: str(value.value) for name, value in self.test_data.items()}

    @cached_property
    def typed(self) -> TypedSettings | None:
        """The typed settings; None while some values are deferred.

        Raises:
            ValidationError: A value has the wrong type.
        """
        if self.deferred:
            return None
        plain = {name: value.value for name, value in self.settings.values.items()}
        settings = self.settings.declared.model_validate(plain)
        settings.read_again({value.name: value.again for value in self.renewed})
        control = None
        if self.control is not None and self.control.values:
            overrides = {name: value.value for name, value in self.control.values.items()}
            control = self.settings.declared.model_validate({**plain, **overrides})
        return TypedSettings(settings, control, client_identity(self.client_certificate))
