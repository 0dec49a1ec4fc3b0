"""One slip, found in every store: the finding names the line that a person has to change."""

from __future__ import annotations

import base64
import os
from datetime import timedelta
from pathlib import Path

import pytest

from mfagate.config.load import load
from mfagate.config.resolved import resolve_table
from mfagate.core.finding import Finding
from mfagate.inspection.settings import InspectedSettings, inspect_settings
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings
from mfagate.secrets.redaction import Redactor
from mfagate.secrets.stores import StoreContext, Stores

KEY = "pl41n-b4d-k3y"
ENCODED = base64.b64encode(f"{KEY}\n".encode()).decode()

CONFIGURATION = """\
[integrations.a]
provider = "privacyidea"
environment = "production"
[integrations.a.settings]
url = "https://mfa.example.com"
validate_key = "{}"
"""


def inspected(folder: Path, reference: str) -> list[Finding]:
    (folder / "integrations.toml").write_text(CONFIGURATION.format(reference))
    integration = load(folder / "integrations.toml", ["privacyidea"]).integrations["a"]
    stores = Stores(StoreContext(folder, os.environ))
    values = resolve_table(integration, "settings", stores, sandbox_running=True)
    return inspect_settings(InspectedSettings(integration, PrivacyIDEASettings, values), horizon=timedelta(days=30))


@pytest.mark.parametrize(
    ("reference", "content", "place", "remedy"),
    [
        ("env:THE_KEY", "", "integrations.toml:6", "store the value without it"),
        ("file:secret", f"{KEY}\n", "secret:1", "write the file without it"),
        ("dotenv:.env#KEY", f"A=1\n\nKEY='{KEY}\n'\n", ".env:3", "store the value without it"),
        ("json:a.json#mfa.key", f'{{"mfa":\n\n{{"key": "{KEY}\\n"}}}}', "a.json:3", "store the value without it"),
        ("yaml:a.yaml#mfa.key", f"mfa:\n  key: |\n    {KEY}\n", "a.yaml:2", "|- instead of |"),
        ("toml:a.toml#mfa.key", f'[mfa]\n\nkey = "{KEY}\\n"\n', "a.toml:3", "store the value without it"),
        (
            "k8s-secret:s.yaml#mfa/key",
            f"kind: Secret\nmetadata: {{name: mfa}}\ndata:\n  key: {ENCODED}\n",
            "s.yaml:4",
            "encode again without it",
        ),
    ],
)
def test_a_trailing_newline_is_placed_where_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, content: str, place: str, remedy: str
) -> None:
    monkeypatch.setenv("THE_KEY", f"{KEY}\n")
    scheme, _, locator = reference.partition(":")
    if scheme != "env":
        (tmp_path / locator.partition("#")[0]).write_text(content)
    (finding,) = inspected(tmp_path, reference)
    assert finding.cause == "config.stray-characters"
    assert "ends with a newline" in finding.message
    assert str(finding.location) == str(tmp_path / place)
    assert remedy in (finding.next_step or "")
    assert Redactor({"key": KEY}).found_in(f"{finding.message}{dict(finding.evidence)}{finding.next_step}") == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [("12345", "a number"), ("1.5", "a number"), ("12:30", "a number"), ("yes", "true or false"),
     ("2026-10-01", "a date"), ("2026-10-01 10:00:00", "a date"), ("!!binary YWJj", "binary data")],
)  # fmt: skip
def test_a_value_that_yaml_does_not_read_as_text(tmp_path: Path, content: str, kind: str) -> None:
    (tmp_path / "a.yaml").write_text(f"mfa:\n  key: {content}\n")
    (finding,) = inspected(tmp_path, "yaml:a.yaml#mfa.key")
    assert finding.cause == "config.malformed-value"
    message = f"settings.validate_key is {kind} in yaml:a.yaml#mfa.key, not text: put it in quotes there"
    assert finding.message == message
    assert str(finding.location) == str(tmp_path / "a.yaml:2")


@pytest.mark.parametrize("shown", ["vault:kv/mfa#key", "user:pl41n-b4d-k3y", "files:pl41n-b4d-k3y"])
def test_an_unknown_scheme_shows_nothing_of_what_follows(tmp_path: Path, shown: str) -> None:
    (finding,) = inspected(tmp_path, shown)
    assert finding.cause in ("config.literal-secret", "config.reference-unresolved")
    assert shown.partition(":")[2] not in f"{finding.message}{dict(finding.evidence)}{finding.next_step}"
