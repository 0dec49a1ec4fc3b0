"""JSON schemas: of ``integrations.toml`` and of the JSON report.

They are made from the models and the installed providers; the files beside
this module are what ``mfagate schema`` printed, published with the package.
"""

from __future__ import annotations

from typing import Any

from mfagate.config.model import Configuration
from mfagate.providers.base import Provider
from mfagate.providers.registry import all_providers
from mfagate.result import Report


def report() -> dict[str, Any]:
    """The schema of ``--output json``, ``mfagate.report/1``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:mfagate:report:1",
        **Report.model_json_schema(by_alias=True, mode="serialization"),
        "title": "mfagate report",
    }


def config() -> dict[str, Any]:
    """The schema of ``integrations.toml``, with each provider's own settings."""
    document = Configuration.model_json_schema()
    integration = document["$defs"]["Integration"]
    providers = all_providers()
    integration["properties"]["provider"]["enum"] = sorted(providers)
    integration["allOf"] = [_for_provider(name, provider) for name, provider in sorted(providers.items())]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:mfagate:integrations:1",
        **document,
        "title": "integrations.toml of mfagate",
    }


def _for_provider(name: str, provider: Provider) -> dict[str, Any]:
    settings = {
        field.name: {
            "type": "string",
            "description": f"{field.setting.description} Where to find it: {field.setting.where}.",
            "examples": [field.setting.example],
        }
        for field in provider.settings.fields()
    }
    required = [field.name for field in provider.settings.fields() if field.required]
    return {
        "if": {"properties": {"provider": {"const": name}}, "required": ["provider"]},
        "then": {
            "properties": {
                "settings": {"properties": settings, "required": required, "additionalProperties": False},
                "control": {"properties": settings, "additionalProperties": False},
                "expect": _keys(provider.expectations),
                "test_data": _keys(provider.test_data),
            }
        },
    }


def _keys(described: Any) -> dict[str, Any]:
    properties = {key: {"type": "string", "description": text} for key, text in described.items()}
    return {"properties": properties, "additionalProperties": False}
