"""Healthy settings of each provider, as Hypothesis draws them from the provider's own formats."""

from __future__ import annotations

import base64
import json
import os
import string
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import strategies as st

from mfagate.config.load import load
from mfagate.config.resolved import resolve_table
from mfagate.core.finding import Finding
from mfagate.inspection.settings import InspectedSettings, inspect_settings
from mfagate.providers import registry
from mfagate.secrets.stores import StoreContext, Stores


def text(regex: str) -> st.SearchStrategy[str]:
    return st.from_regex(f"(?a:{regex})", fullmatch=True)


def random(template: str, **alphabets: str) -> st.SearchStrategy[str]:
    """Draw what a provider's generator makes: a letter of the template stands for any sign of its alphabet."""

    def made(generator: Random) -> str:
        return "".join(generator.choice(alphabets.get(sign, sign)) for sign in template)

    return st.randoms(use_true_random=True).map(made)


def _part(content: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def jwt(**claims: Any) -> st.SearchStrategy[str]:
    head = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part({'exp': 4_102_444_800, **claims})}"
    return random("s" * 42 + "e", s=BASE64URL, e="AEIMQUYcgkosw048").map(lambda signature: f"{head}.{signature}")


LETTERS = string.ascii_letters + string.digits
BASE64URL = LETTERS + "-_"
HEX = "0123456789abcdef"
NAME = "[a-z][a-z0-9]{2,15}"


def sid(kind: str) -> st.SearchStrategy[str]:
    return random("h" * 32, h=HEX).map(lambda digits: kind + digits)


def guid() -> st.SearchStrategy[str]:
    return random("hhhhhhhh-hhhh-4hhh-8hhh-hhhhhhhhhhhh", h=HEX)


ENTRA_SECRETS = (
    random("sss8Q~" + "s" * 34, s=LETTERS + "_.~-"),
    random("s" * 43 + "=", s=LETTERS + "+/"),
    random("s" * 32, s=LETTERS + "*+./:=?@[]_-"),
    random("s" * 24, s=LETTERS + "!#$%&*+,./:;=?@^_~{}()<>|\\\"'`-"),
)
"""As the portal makes them today, as it made them before, and as people chose them in scripts."""

SETTINGS: Mapping[str, Mapping[str, st.SearchStrategy[str]]] = {
    "duo": {
        "host": random("hhhhhhhh", h=HEX).map(lambda digits: f"api-{digits}.duosecurity.com"),
        "integration_key": random("s" * 18, s=string.ascii_uppercase + string.digits).map("DI{}".format),
        "secret_key": random("s" * 40, s=LETTERS),
    },
    "okta": {
        "org_url": text(rf"https://{NAME}\.(okta\.com|okta-emea\.com|okta-gov\.com)"),
        "api_token": random("00" + "s" * 40, s=BASE64URL),
        "token_id": random("00T" + "s" * 17, s=LETTERS),
        "client_id": random("0oa" + "s" * 17, s=LETTERS.replace("0", "").replace("o", "").replace("a", "")),
        "key_id": random("s" * 43, s=BASE64URL),
        "scopes": st.just("okta.users.read okta.factors.read"),
    },
    "twilio": {
        "account_sid": sid("AC"),
        "service_sid": sid("VA"),
        "api_key_sid": sid("SK"),
        "api_key_secret": random("s" * 31, s=LETTERS).map("{}z".format),
        "auth_token": sid(""),
        "region": st.just("us1"),
        "edge": st.sampled_from(["ashburn", "dublin", "sao-paulo"]),
    },
    "auth0": {
        "domain": text(rf"{NAME}\.(eu|us|au|ca|jp|uk)\.auth0\.com"),
        "client_id": random("s" * 32, s=LETTERS),
        "client_secret": random("s" * 64, s=BASE64URL),
    },
    "entra": {"tenant_id": guid(), "client_id": guid(), "client_secret": st.one_of(*ENTRA_SECRETS)},
    "privacyidea": {
        "url": text(rf"https://{NAME}\.{NAME}\.(com|org|de)(:8443)?(/{NAME}(/[a-z_]{{3,9}})?)?"),
        "validate_key": jwt(role="validate", username="login", realm="", nonce="ab"),
        "admin_key": jwt(role="admin", username="login", realm="", nonce="ab"),
        "realm": st.sampled_from(
            ["realm1", "Mitarbeiter Süd", "test", "lab", "acme.corp", "2fa", "my-users", "DEFAULT"]
        ),
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
    return inspect_settings(InspectedSettings(integration, declared, resolved), horizon=timedelta(days=30))
