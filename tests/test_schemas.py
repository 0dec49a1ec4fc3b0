"""The JSON schemas match the models and the shipped files."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from mfagate import schemas

from .support.project import REPOSITORY

VALIDATOR = jsonschema.Draft202012Validator


@pytest.fixture
def shipped() -> dict[str, Any]:
    document = tomllib.loads((REPOSITORY / "integrations.toml").read_text())
    # JSON has no dates, so a validator gets them as text.
    loaded: dict[str, Any] = json.loads(json.dumps(document, default=str))
    return loaded


@pytest.mark.parametrize(("name", "schema"), [("integrations", schemas.config()), ("report", schemas.report())])
def test_the_published_file_is_what_the_command_prints(name: str, schema: dict[str, Any]) -> None:
    """Update the file with: mfagate schema config|report > src/mfagate/schemas/NAME.schema.json."""
    published = files("mfagate.schemas") / f"{name}.schema.json"
    assert json.loads(published.read_text()) == schema
    VALIDATOR.check_schema(schema)


def test_the_shipped_configuration_is_valid(shipped: dict[str, Any]) -> None:
    VALIDATOR(schemas.config()).validate(shipped)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["provider"], "privacyida"),
        (["environment"], "prod"),
        (["share_of_users"], 30),
        (["timeout_seconds"], "soon"),
        (["enviroment"], "production"),
        (["settings", "validat_key"], "env:X"),
        (["settings", "url"], 5),
        (["expect", "relm"], "lab"),
        (["test_data", "usr"], "alice"),
        (["documentation", "rotation_days"], 0),
        (["client", "retris"], 1),
        (["waivers"], [{"cause": "credential.rejected", "reason": "r", "owner": "o", "until": "2026-10-01"}]),
        (["waivers"], [{"cause": "cassette.stale", "reason": "r", "owner": "o"}]),
    ],
)
def test_a_typing_error_is_invalid(shipped: dict[str, Any], path: list[str], value: Any) -> None:
    table = shipped["integrations"]["privacyidea"]
    for step in path[:-1]:
        table = table[step]
    table[path[-1]] = value
    assert not VALIDATOR(schemas.config()).is_valid(shipped)
