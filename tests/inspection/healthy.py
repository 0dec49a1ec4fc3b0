"""Healthy settings of each provider, as Hypothesis draws them from the provider's own formats."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from mfagate.config import load
from mfagate.config.resolved import resolve_table
from mfagate.inspection.settings import Subject, inspect_settings
from mfagate.providers import registry
from mfagate.result import Finding
from mfagate.secrets.stores import StoreContext, Stores


def text(regex: str) -> st.SearchStrategy[str]:
    return st.from_regex(f"(?a:{regex})", fullmatch=True)


def _part(content: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def jwt(**claims: Any) -> st.SearchStrategy[str]:
    head = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part({'exp': 4_102_444_800, **claims})}"
    return text("[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]").map(lambda signature: f"{head}.{signature}")


HEX = "[0-9a-f]"
GUID = f"{HEX}{{8}}-{HEX}{{4}}-4{HEX}{{3}}-[89ab]{HEX}{{3}}-{HEX}{{12}}"
NAME = "[a-z][a-z0-9]{2,15}"

SETTINGS: Mapping[str, Mapping[str, st.SearchStrategy[str]]] = {
    "duo": {
        "host": text(rf"api-{HEX}{{8}}\.(duosecurity|duofederal)\.com"),
        "integration_key": text("DI[A-Z0-9]{18}"),
        "secret_key": text("[A-Za-z0-9]{40}"),
    },
    "okta": {
        "org_url": text(rf"https://{NAME}\.(okta\.com|okta-emea\.com|okta-gov\.com)"),
        "api_token": text("00[A-Za-z0-9_-]{40}"),
        "token_id": text("00T[A-Za-z0-9]{17}"),
        "client_id": text("0oa[A-Za-z0-9]{17}"),
        "key_id": text("[A-Za-z0-9_-]{43}"),
        "scopes": st.just("okta.users.read okta.factors.read"),
    },
    "twilio": {
        "account_sid": text(f"AC{HEX}{{32}}"),
        "service_sid": text(f"VA{HEX}{{32}}"),
        "api_key_sid": text(f"SK{HEX}{{32}}"),
        "api_key_secret": text("[0-9A-Za-z]{31}[g-z]"),
        "auth_token": text(f"{HEX}{{32}}"),
        "region": st.just("us1"),
        "edge": st.sampled_from(["ashburn", "dublin", "sao-paulo"]),
    },
    "auth0": {
        "domain": text(rf"{NAME}\.(eu|us|au|ca|jp|uk)\.auth0\.com"),
        "client_id": text("[A-Za-z0-9]{32}"),
        "client_secret": text("[A-Za-z0-9_-]{64}"),
    },
    "entra": {
        "tenant_id": text(GUID),
        "client_id": text(GUID),
        "client_secret": text("[A-Za-z0-9_.~-]{3}[0-9]Q~[A-Za-z0-9_.~-]{34}")
        | text(r"[A-Za-z0-9+/]{43}=")
        | text(r"[A-Za-z0-9*+./:=?@\[\]_-]{32}")
        | text(r"[A-Za-z0-9!#$%&*+,./:;=?@^_~{}()-]{16,64}"),
    },
    "privacyidea": {
        "url": text(rf"https://{NAME}\.{NAME}\.(com|org|de)(:8443)?(/{NAME}(/[a-z_]{{3,9}})?)?"),
        "validate_key": jwt(role="validate", username="login", realm="", nonce="ab"),
        "admin_key": jwt(role="admin", username="login", realm="", nonce="ab"),
        "realm": text(r"[A-Za-z][A-Za-z0-9._-]{2,20}") | st.sampled_from(["realm1", "Mitarbeiter Süd", "test", "lab"]),
    },
}

EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "duo": {
        "host": "api-1a2b3c4e.duosecurity.com",
        "integration_key": "DIABCDEFGH1234567890",
        "secret_key": "Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7jKl0n",
    },
    "okta": {
        "org_url": "https://contoso.okta.com",
        "api_token": "00aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789_-AB",
        "token_id": "00TbCdEfGh1234567890",
    },
    "twilio": {
        "account_sid": "AC0123456789abcdef0123456789abcde0",
        "service_sid": "VA0123456789abcdef0123456789abcde1",
        "api_key_sid": "SK0123456789abcdef0123456789abcde2",
        "api_key_secret": "q3W5e7R9t1Y3u5I7o9P1a3S5d7F9g1Hj",
        "auth_token": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    },
    "auth0": {
        "domain": "contoso.eu.auth0.com",
        "client_id": "Kx3Vq0ZpT7mB1cWn9Yd5RhG2sLf8JuAe",
        "client_secret": "mZ3x_Q8rT1vN-5kLwP7dYc2HfB9sJgA4uEoXi6RtKqM0nVhCzWbSaDyGpFeUlO3J",
    },
    "entra": {
        "tenant_id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "client_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "client_secret": "aB38Q~Zx7wVu6tSr5qPo4nMl3kJi2hGf1eDc0bAz",
    },
    "privacyidea": {
        "url": "https://mfa.contoso.com",
        "validate_key": f"{_part({'alg': 'HS256'})}.{_part({'role': 'validate', 'exp': 4102444800})}.{'Ab-_' * 10}AbC",
        "admin_key": f"{_part({'alg': 'HS256'})}.{_part({'role': 'admin', 'exp': 4102444800})}.{'Cd-_' * 10}CdA",
        "realm": "employees",
    },
}
"""One healthy configuration of each provider, to be edited."""


def inspected(folder: Path, provider: str, values: Mapping[str, str], *, literal: str | None = None) -> list[Finding]:
    """Return the findings about settings, of which secrets come from a JSON file."""
    declared = registry.get(provider).settings
    stored = {name: value for name, value in values.items() if name != literal}
    (folder / "values.json").write_text(json.dumps(stored))
    lines = [f'{name} = "json:values.json#{name}"' for name in stored]
    lines += [f"{name} = {json.dumps(values[name])}" for name in values if name == literal]
    head = f'[integrations.a]\nprovider = "{provider}"\nenvironment = "production"\n[integrations.a.settings]\n'
    (folder / "integrations.toml").write_text(head + "\n".join(lines) + "\n")
    integration = load(folder / "integrations.toml", registry.names()).integrations["a"]
    stores = Stores(StoreContext(folder, os.environ))
    resolved = resolve_table(integration, "settings", stores, sandbox_running=True)
    return inspect_settings(Subject(integration, declared, resolved), horizon=timedelta(days=30))
