"""A healthy integration with a provider's sandbox, and the changes that a suite makes to its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mfagate.core.causes import CauseId
from mfagate.providers import registry
from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.testing.project import Project

if TYPE_CHECKING:
    from mfagate.testing.suite_base import SuiteBase


@dataclass(frozen=True, slots=True)
class SettingChange:
    """Changed settings (or keys of ``expect``, written ``expect.KEY``), and the cause that the gate must report.

    A value is a literal, or ``sandbox:NAME`` for a value of the sandbox; None removes the setting.
    The report must name ``setting``, by default the first of the changed settings.
    """

    values: Mapping[str, str | None]
    cause: CauseId
    setting: str | None = None


class ProviderProject(Project):
    """One healthy integration with a provider's running sandbox."""

    def __init__(self, folder: Path, suite: SuiteBase, running: Running) -> None:
        provider = registry.get(suite.provider)
        names = sandboxes.get(suite.provider).settings
        self.values: dict[str, str] = {name: running.values[name] for name in names}
        self.expect = {key: _value(value, running) for key, value in suite.expect.items()}
        self.test_data = {name: running.values[name] for name in provider.test_data if name in running.values}
        self.secret = provider.settings.secrets() | provider.test_secrets
        self.environment = "staging"
        self.endpoint = running.endpoint
        self.timeout_seconds = 5.0
        self._suite = suite
        self._ca_bundle = running.ca_bundle
        secrets = {**self.values, **self.test_data}
        super().__init__(folder, {_variable(name): secrets[name] for name in secrets if name in self.secret})

    def text(self) -> str:
        """Return the current configuration; secrets are in the environment."""
        lines = [
            "[integrations.mfa]",
            f'provider = "{self._suite.provider}"',
            f'environment = "{self.environment}"',
            f'endpoint = "{self.endpoint}"',
            f"timeout_seconds = {self.timeout_seconds}",
            f'contract = "{self._suite.contract}"',
            f'cassettes = "{self._suite.cassettes}"',
            *([f'ca_bundle = "{self._ca_bundle}"'] if self._ca_bundle else []),
        ]
        for table, values in (("settings", self.values), ("expect", self.expect), ("test_data", self.test_data)):
            lines.append(f"[integrations.mfa.{table}]")
            lines += [f"{name} = {self._written(name, value)}" for name, value in values.items()]
        return "\n".join(lines) + "\n"

    def _written(self, name: str, value: str) -> str:
        if name in self.secret:
            self.env[_variable(name)] = value
            return f'"env:{_variable(name)}"'
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    def change(self, values: Mapping[str, str | None], running: Running) -> None:
        """Change settings, as :class:`SettingChange` describes."""
        for key, value in values.items():
            table = self.expect if key.startswith("expect.") else self.values
            name = key.removeprefix("expect.")
            if value is None:
                table.pop(name, None)
            else:
                table[name] = _value(value, running)


def _value(value: str, running: Running) -> str:
    return running.values[value.removeprefix("sandbox:")] if value.startswith("sandbox:") else value


def _variable(name: str) -> str:
    return f"MFAGATE_TEST_{name.upper()}"
