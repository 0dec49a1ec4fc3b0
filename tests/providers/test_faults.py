"""Whose fault is it: faults of the providers, with a control credential beside the one that is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mfagate.providers import registry
from mfagate.sandbox import Running
from mfagate.sandbox import registry as sandboxes
from mfagate.testing.project import Project

CONTROLS: Mapping[str, Mapping[str, str]] = {
    "duo": {"integration_key": "control_integration_key", "secret_key": "control_secret_key"},
    "twilio": {"api_key_sid": "control_api_key_sid", "api_key_secret": "control_api_key_secret"},
    "okta": {"api_token": "modest_api_token"},
    "auth0": {"client_id": "web_client_id", "client_secret": "web_client_secret"},
    "entra": {"client_id": "least_client_id", "client_secret": "least_client_secret"},
}
"""Which other credential of the sandbox is known to be good."""


class Controlled(Project):
    """A healthy integration with a control credential."""

    def __init__(self, folder: Path, name: str, running: Running) -> None:
        self._provider = registry.get(name)
        self._running = running
        self._secret = self._provider.settings.secrets()
        self._names = list(sandboxes.get(name).settings)
        self._control = {key: CONTROLS[name].get(key, key) for key in self._names if key != "token_id"}
        handed_out = {*self._names, *self._control.values()}
        super().__init__(
            folder,
            {
                each.upper(): running.values[each]
                for each in handed_out
                if each.endswith(("secret", "token", "secret_key"))
            },
        )

    def text(self) -> str:
        tables = {"settings": {key: key for key in self._names}, "control": self._control}
        lines = [
            "[integrations.mfa]",
            f'provider = "{self._provider.name}"',
            'environment = "staging"',
            f'endpoint = "{self._running.endpoint}"',
            f'ca_bundle = "{self._running.ca_bundle}"',
        ]
        for table, keys in tables.items():
            lines.append(f"[integrations.mfa.{table}]")
            lines += [f'{key} = "{self._reference(key, value)}"' for key, value in keys.items()]
        return "\n".join(lines) + "\n"

    def _reference(self, key: str, value: str) -> str:
        return f"env:{value.upper()}" if key in self._secret else self._running.values[value]


@pytest.fixture(scope="module", params=sorted(CONTROLS))
def drill(request: pytest.FixtureRequest) -> Iterator[tuple[str, Running]]:
    """A sandbox that can be broken, and whose it is."""
    sandbox = sandboxes.get(request.param)
    with sandbox.start(faults=[]) as running:
        yield request.param, running


@pytest.mark.parametrize("fault", ["auth-down", "rotated", "credential-revoked", "credential-demoted"])
def test_a_control_tells_their_fault_from_ours(tmp_path: Path, drill: tuple[str, Running], fault: str) -> None:
    name, running = drill
    sandbox = sandboxes.get(name)
    kind = next((kind for kind in sandbox.faults if kind.name == fault), None)
    if kind is None:
        # An application of Duo's Auth API has one permission, which is all; the other faults are known everywhere.
        assert (name, fault) == ("duo", "credential-demoted")
        return
    running.change_faults([fault])
    result = Controlled(tmp_path, name, running).run("gate")
    right = kind.controlled or kind.causes
    assert result.first["cause"] in right, result.stdout
    assert (result.first["cause"] == "provider.auth-outage") == (fault == "auth-down")
    assert result.exit_code == (3 if fault == "auth-down" else 1)
