"""Generate the JSON schemas of ``integrations.toml`` and of the JSON report.

They are generated from the models and the installed providers. The files beside this module are the output of
``mfagate schema``, published with the package.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from mfagate.config.environments import KEY, SET_ONCE, Environment
from mfagate.config.model import MADE, Configuration
from mfagate.core.result import Report
from mfagate.providers.provider import InstalledProvider
from mfagate.providers.registry import all_providers


def report() -> dict[str, Any]:
    """Return the schema of ``--output json``, ``mfagate.report/1``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:mfagate:report:1",
        **Report.model_json_schema(by_alias=True, mode="serialization"),
        "title": "mfagate report",
    }


def config() -> dict[str, Any]:
    """Return the schema of ``integrations.toml``, with each provider's own settings."""
    # The published name of the definition.
    document = json.loads(json.dumps(Configuration.model_json_schema()).replace("LoginClient", "Client"))
    integration = document["$defs"]["Integration"]
    providers = all_providers()
    integration["properties"]["provider"]["enum"] = sorted(providers)
    document["$defs"]["IntegrationEnvironment"] = _environment(integration)
    integration["properties"][KEY] = {
        "type": "object",
        "description": "Environments that override single keys of this table, such as "
        "[integrations.NAME.environments.production]. Each is an integration NAME/ENVIRONMENT.",
        "propertyNames": {"enum": list(Environment)},
        "minProperties": 1,
        "additionalProperties": {"$ref": "#/$defs/IntegrationEnvironment"},
    }
    integration["if"] = {"required": [KEY]}
    integration["then"] = {"properties": {"environment": False}}
    integration["else"] = {"required": integration.pop("required")}
    document["$defs"] |= {_tables(name): _own_tables(provider) for name, provider in sorted(providers.items())}
    integration["allOf"] = [
        *(_set_once(key) for key in SET_ONCE),
        *(_for_provider(name, provider) for name, provider in sorted(providers.items())),
    ]
    document["properties"]["integrations"] = _without_slashes(document["properties"]["integrations"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:mfagate:integrations:1",
        **document,
        "title": "integrations.toml of mfagate",
    }


def _tables(provider: str) -> str:
    return f"Tables of {provider}"


def _own_tables(provider: InstalledProvider) -> dict[str, Any]:
    """Describe the tables with keys of the provider; no key is required."""
    settings = {
        field.name: {
            "type": "string",
            "description": f"{field.setting.description} Where to find it: {field.setting.where}.",
            "examples": [field.setting.example],
        }
        for field in provider.settings.fields()
    }
    return {
        "properties": {
            "settings": {"properties": settings, "additionalProperties": False},
            "control": {"properties": settings, "additionalProperties": False},
            "expect": _keys(provider.expectations),
            "test_data": _keys(provider.test_data),
        }
    }


def _for_provider(name: str, provider: InstalledProvider) -> dict[str, Any]:
    tables = {"$ref": f"#/$defs/{quote(_tables(name))}"}
    required = [field.name for field in provider.settings.fields() if field.required]
    return {
        "if": {"properties": {"provider": {"const": name}}, "required": ["provider"]},
        "then": {
            **tables,
            "properties": {KEY: {"additionalProperties": tables}},
            "if": {"not": {"required": [KEY]}},
            "then": {"properties": {"settings": {"required": required}}},
        },
    }


def _environment(integration: dict[str, Any]) -> dict[str, Any]:
    """Describe the table of an environment: the keys of an integration, none of them required."""
    return {
        "additionalProperties": False,
        "description": "Differences for one environment. Tables are merged key by key; other values are replaced.",
        "properties": {key: value for key, value in integration["properties"].items() if key != "environment"},
        "title": "IntegrationEnvironment",
        "type": "object",
    }


def _set_once(key: str) -> dict[str, Any]:
    """Forbid a key in the environments of an integration that has the key itself."""
    return {
        "if": {"required": [key]},
        "then": {"properties": {KEY: {"additionalProperties": {"properties": {key: False}}}}},
    }


def _without_slashes(integrations: dict[str, Any]) -> dict[str, Any]:
    """Allow only names without a slash: mfagate makes the names of environments, nobody writes them."""
    (pattern,) = integrations["patternProperties"]
    written = pattern.replace(MADE, "")
    return {
        **integrations,
        "patternProperties": {written: integrations["patternProperties"][pattern]},
        "additionalProperties": False,
    }


def _keys(described: Any) -> dict[str, Any]:
    properties = {key: {"type": "string", "description": text} for key, text in described.items()}
    return {"properties": properties, "additionalProperties": False}
