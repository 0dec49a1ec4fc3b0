"""Environments of one integration share a table."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate import schemas
from mfagate.config.environments import Environment, expanded, merged
from mfagate.config.load import ConfigError, load
from mfagate.config.model import Configuration
from mfagate.mutation.flat import flat
from mfagate.providers import registry

from .conftest import Load

SHARED = """\
[integrations.duo]
provider = "duo"
share_of_users = 0.3

[integrations.duo.settings]
host = "api-1a2b3c4d.duosecurity.com"
integration_key = "env:DUO_INTEGRATION_KEY"
secret_key = "env:DUO_SECRET_KEY"

[integrations.duo.documentation]
owner = "identity"

[integrations.duo.environments.production]

[integrations.duo.environments.staging]
share_of_users = 0.1
settings.secret_key = "env:DUO_STAGING_SECRET_KEY"
"""


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    """Load a text with all providers."""

    def loaded(content: str | bytes) -> Configuration:
        path = tmp_path / "integrations.toml"
        path.write_text(str(content))
        return load(path, registry.names())

    return loaded


def refused(load_text: Load, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_text(text)
    return str(caught.value)


def line_of(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start))


def test_each_environment_is_an_integration_that_overrides_single_keys(load_text: Load) -> None:
    production, staging = load_text(SHARED).integrations.values()
    assert (production.name, staging.name) == ("duo/production", "duo/staging")
    assert (production.environment, staging.environment) == (Environment.PRODUCTION, Environment.STAGING)
    assert (production.share_of_users, staging.share_of_users) == (0.3, 0.1)
    assert production.documentation.owner == staging.documentation.owner == "identity"
    assert staging.settings == {**production.settings, "secret_key": "env:DUO_STAGING_SECRET_KEY"}


@pytest.mark.parametrize(
    ("keys", "production", "staging"),
    [
        ((), "[integrations.duo.environments.production]", "[integrations.duo.environments.staging]"),
        (("environment",), "[integrations.duo.environments.production]", "[integrations.duo.environments.staging]"),
        (("settings", "host"), "host", "host"),
        (("settings", "secret_key"), "secret_key", "settings.secret_key"),
        (("share_of_users",), "share_of_users = 0.3", "share_of_users = 0.1"),
        (("documentation", "owner"), "owner", "owner"),
        (("client", "retries"), "[integrations.duo]", "[integrations.duo]"),
    ],
)
def test_a_location_is_the_line_that_holds_the_value(
    load_text: Load, keys: tuple[str, ...], production: str, staging: str
) -> None:
    found = [one.locate(*keys).line for one in load_text(SHARED).integrations.values()]
    assert found == [line_of(SHARED, production), line_of(SHARED, staging)]


def test_an_environment_may_hold_everything(load_text: Load) -> None:
    """Without a shared table the provider is set in each of them."""
    text = '[integrations.duo.environments.staging]\nprovider = "duo"\nsettings.host = "h"\n'
    (one,) = load_text(text).integrations.values()
    assert (one.name, one.provider, one.locate("provider").line) == ("duo/staging", "duo", 2)


ENVIRONMENT = "[integrations.duo.environments.production]\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f'[integrations.duo]\nprovider = "duo"\nenvironment = "staging"\n{ENVIRONMENT}',
            ":3: integrations.duo.environment: cannot be set beside [integrations.duo.environments]",
        ),
        (
            f'[integrations.duo]\nprovider = "duo"\n{ENVIRONMENT}provider = "okta"\n',
            ":4: integrations.duo.environments.production.provider: is set in [integrations.duo] already",
        ),
        (
            f'[integrations.duo]\nprovider = "duo"\nwaivers = []\n{ENVIRONMENT}waivers = []\n',
            ":5: integrations.duo.environments.production.waivers: are set in [integrations.duo] already",
        ),
        (
            f'[integrations.duo]\nprovider = "duo"\n{ENVIRONMENT}environment = "production"\n',
            ":4: integrations.duo.environments.production.environment: is not allowed here",
        ),
        (
            f'[integrations.duo]\nprovider = "duo"\n{ENVIRONMENT}environments.staging.timeout_seconds = 1\n',
            ":4: integrations.duo.environments.production.environments: is not allowed here",
        ),
        (
            '[integrations.duo]\nprovider = "duo"\n[integrations.duo.environments.prod]\n',
            ":3: integrations.duo.environments.prod: no environment has this name (did you mean 'production'?)",
        ),
        (
            '[integrations.duo]\nprovider = "duo"\n[integrations.duo.environments.qa]\n',
            "known: production, staging, sandbox, development",
        ),
        (
            '[integrations.duo]\nprovider = "duo"\nenvironments = ["production"]\n',
            ":3: integrations.duo.environments: must hold tables: write [integrations.duo.environments.production]",
        ),
        (
            '[integrations.duo]\nprovider = "duo"\n[[integrations.duo.environments]]\nname = "production"\n',
            "integrations.duo.environments: must hold tables",
        ),
        (
            '[integrations.duo]\nprovider = "duo"\n[integrations.duo.environments]\n',
            ":3: integrations.duo.environments: has no environment",
        ),
        (
            '[integrations.duo]\nprovider = "duo"\n[integrations.duo.environments]\nproduction = "yes"\n',
            ":4: integrations.duo.environments.production: must be a table",
        ),
        (
            '[integrations.duo]\nprovider = "duo"\n[integrations.duo.environment.production]\n',
            ":3: integrations.duo.environment: must be a word in quotes; tables are written [integrations.duo.environm",
        ),
        (
            '[integrations."duo/production"]\nprovider = "duo"\nenvironment = "production"\n',
            ":1: integrations.duo/production: a name must not contain '/': write an environment as [integrations.duo.",
        ),
        (
            ENVIRONMENT,
            ':1: integrations.duo.provider: is missing: add provider = "NAME" below [integrations.duo], such as',
        ),
        (
            f'[integrations.duo]\nprovider = "duo"\n{ENVIRONMENT}[[integrations.duo.waivers]]\ncause = "clock.skew"\n',
            "integrations.duo.waivers.0.owner: is missing: add it below [[integrations.duo.waivers]]",
        ),
        (
            f'[integrations.{"d" * 60}]\nprovider = "duo"\n[integrations.{"d" * 60}.environments.production]\n',
            "/production is longer than 64 characters: shorten ddd",
        ),
        (
            '[integrations.duo]\nprovider = "duo"\nenviroments = 3\nshare_of_users = 3\n',
            ":3: integrations.duo.enviroments: unknown key (did you mean 'environments'?)",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(load_text: Load, text: str, words: str) -> None:
    assert words in refused(load_text, text)


def test_what_environments_share_is_reported_once_and_under_its_name_in_the_file(load_text: Load) -> None:
    text = SHARED.replace("share_of_users = 0.3", "timeout_seconds = 99").replace("share_of_users = 0.1", "retry = 1")
    message = refused(load_text, text)
    assert message.count("integrations.duo.timeout_seconds: should be less than or equal to 60") == 1
    assert message.count(":16: integrations.duo.environments.staging.retry: unknown key") == 1
    assert len(message.splitlines()) == 2


def test_a_name_selects_all_its_environments(load_text: Load) -> None:
    configuration = load_text(SHARED)

    def selected(*names: str, environments: tuple[str, ...] = ()) -> list[str]:
        return [one.name for one in configuration.select(names, environments)]

    assert selected("duo") == selected() == ["duo/production", "duo/staging"]
    assert selected("duo/staging") == selected(environments=("staging",)) == ["duo/staging"]
    assert selected("duo", environments=("production",)) == ["duo/production"]
    with pytest.raises(KeyError, match=r"no integration 'duo/prod' \(did you mean 'duo/production'\?\)"):
        selected("duo/prod")


def test_a_missing_value_can_be_set_in_two_tables(load_text: Load) -> None:
    production = load_text(SHARED).integrations["duo/production"]
    assert production.heads("settings") == (
        "[integrations.duo.environments.production.settings], or for all environments in [integrations.duo.settings]"
    )
    dotted = load_text('[integrations."du.o"]\nprovider = "duo"\nenvironment = "staging"\n').integrations["du.o"]
    assert dotted.heads("settings") == '[integrations."du.o".settings]'


def test_the_head_of_the_table_that_holds_a_key(load_text: Load) -> None:
    text = SHARED.replace(
        "[integrations.duo.documentation]", "[integrations.duo.expect]\nname = 'x'\n\n[integrations.duo.documentation]"
    )
    production, staging = load_text(text + "expect.name = 'y'\n").integrations.values()
    assert production.written_head("expect", "name") == "[integrations.duo.expect]"
    assert staging.written_head("expect", "name") == "[integrations.duo.environments.staging.expect]"
    assert (production.has_own("expect"), staging.has_own("expect")) == (False, True)


LEAVES = st.one_of(st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2))
TREES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(LEAVES, lambda below: st.dictionaries(st.sampled_from("abc"), below), max_leaves=6),
)


@given(TREES, TREES)
def test_tables_are_merged_key_by_key(shared: dict[str, Any], own: dict[str, Any]) -> None:
    before = json.dumps([shared, own])
    result = merged(shared, own)
    assert json.dumps([shared, own]) == before
    assert result.keys() == shared.keys() | own.keys()
    for key, value in result.items():
        if key not in own:
            assert value == shared[key]
        elif isinstance(own[key], dict) and isinstance(shared.get(key), dict):
            assert value == merged(shared[key], own[key])
        else:
            assert value == own[key]
    assert merged(result, own) == result


@given(TREES, TREES, TREES)
def test_the_flat_file_means_the_same(shared: dict[str, Any], own: dict[str, Any], other: dict[str, Any]) -> None:
    document = {"integrations": {"x": {**shared, "environments": {"production": own, "staging": other}}}}
    text = "integrations = " + _inline(document["integrations"])
    again = tomllib.loads(flat(text))
    assert again == expanded(document).document
    assert expanded(again, flat=True).document == again


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_inline(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


VALIDATOR = jsonschema.Draft202012Validator(schemas.config())


def test_the_schema_describes_them() -> None:
    assert VALIDATOR.is_valid(tomllib.loads(SHARED))
    assert VALIDATOR.is_valid(tomllib.loads('[integrations.x.environments.staging]\nprovider = "duo"\n'))


@pytest.mark.parametrize(
    "more",
    [
        "[integrations.duo.environments.prod]\n",
        'provider = "duo"\n',
        'environment = "staging"\n',
        'settings.secret_kye = "env:X"\n',
        "settings.host = 3\n",
        "timeout = 3\n",
        '[integrations."okta/staging"]\nprovider = "okta"\n',
    ],
)
def test_the_schema_refuses_what_mfagate_refuses(more: str) -> None:
    assert not VALIDATOR.is_valid(tomllib.loads(SHARED + more))


def test_the_schema_refuses_an_environment_beside_environments() -> None:
    text = SHARED.replace("share_of_users = 0.3", 'environment = "production"')
    assert not VALIDATOR.is_valid(tomllib.loads(text))


def test_a_file_without_environments_is_copied_as_it_is(tmp_path: Path) -> None:
    text = '# mine\n[integrations.duo]\nprovider = "duo"\n'
    assert flat(text) is text
