"""The copy: the real loaders read the values that were written."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mfagate.core.toml_lines import parse
from mfagate.mutation.copy import Copy, SourceValue, holds, quoted
from mfagate.secrets.reference import Reference
from mfagate.secrets.stores import StoreContext, Stores

REFERENCES = [
    "dotenv:deploy/a.env#KEY",
    "json:a.json#mfa.list.1.key",
    "yaml:a.yaml#mfa.list.1.key",
    "toml:a.toml#mfa.list.1.key",
    'json:a.json#mfa."b.c".key',
    'yaml:a.yaml#"b.c".key',
    "yaml:a.yaml#[ConfigMap/login].data.key",
    "yaml:a.yaml#[2].mfa.key",
    "tfvars:a.tfvars#mfa.list.1.key",
    'tfvars:a.tfvars#mfa."b.c"',
    'ini:a.properties#"mfa.key"',
    "ini:a.cfg#radius_server_auto.key",
    "k8s-secret:secret.yaml#mfa/key",
    "k8s-secret:secret.yaml#production/mfa/key",
    "file:secrets/key",
    "env:KEY",
]

NOT_ASCII = st.text(
    st.characters(exclude_categories=["Cs"], min_codepoint=1) | st.sampled_from("\\\U0001f600\U0010ffff")
)


@given(NOT_ASCII)
def test_a_quoted_text_is_the_same_in_each_language(text: str) -> None:
    written = quoted(text)
    assert json.loads(written) == text
    assert tomllib.loads(f"key = {written}") == {"key": text}
    assert yaml.safe_load(f"key: {written}") == {"key": text}


def test_a_character_of_a_higher_plane_is_written_as_one() -> None:
    """A copy by hand or by a program holds the character: an escape of two surrogates is not TOML."""
    assert quoted("a\U0001f600\\ud83d") == '"a\U0001f600\\\\ud83d"'


@pytest.mark.parametrize("text", REFERENCES)
def test_a_source_holds_a_character_of_a_higher_plane(tmp_path: Path, text: str) -> None:
    reference = Reference.parse(text)
    assert reference is not None
    value = "a\U0001f600b\U0010ffff"
    copy = Copy("", {reference: SourceValue(value)})
    copy.write(tmp_path)
    assert Stores(StoreContext(tmp_path, copy.environ)).resolve(reference).value == value


# Texts that people and programs write to files, without NUL.
VALUES = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFFFD, exclude_categories=["Cs"], exclude_characters="\x7f")
    | st.sampled_from("\n\r\t'\"\\#$ \ufeff\u200b"),
    max_size=40,
)

quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.mark.parametrize("text", REFERENCES)
@quick
@given(value=VALUES)
def test_every_store_reads_the_value_that_was_put_in(tmp_path: Path, text: str, value: str) -> None:
    reference = Reference.parse(text)
    assert reference is not None
    assume(holds(reference, value))
    copy = Copy("", {reference: SourceValue("before")}).with_value((), reference, value)
    copy.write(tmp_path)
    assert Stores(StoreContext(tmp_path, copy.environ)).resolve(reference).value == value


@pytest.mark.parametrize("value", ["${KEY}", "a${B:-c}d$", "$${X}", "%{if}"])
@pytest.mark.parametrize("text", REFERENCES)
def test_every_store_reads_a_variable_that_is_meant_as_text(tmp_path: Path, text: str, value: str) -> None:
    reference = Reference.parse(text)
    assert reference is not None
    copy = Copy("", {reference: SourceValue(value)})
    copy.write(tmp_path)
    assert Stores(StoreContext(tmp_path, copy.environ)).resolve(reference).value == value


TOML = """\
[integrations.a] # first
provider = "duo"
settings = { host = "h", "secret_key" = "env:A" } # inline
[integrations."b.c".settings]
host   =  'é'
integrations.d.settings.host = "x"
"""


@quick
@given(value=VALUES)
def test_an_edited_toml_value_is_read_back_and_nothing_else_changes(value: str) -> None:
    keys = ("integrations", "b.c", "settings", "host")
    before = parse(TOML)
    after = parse(Copy(TOML, {}).with_toml_value(keys, quoted(value)).toml)
    assert after["integrations"]["b.c"]["settings"].pop("host") == value
    assert before["integrations"]["b.c"]["settings"].pop("host") == "é"
    assert after == before


def test_keys_are_taken_out_of_tables_and_inline_tables() -> None:
    copy = Copy(TOML, {})
    inline = ("integrations", "a", "settings")
    for gone, left in (("host", "secret_key"), ("secret_key", "host")):
        document = parse(copy.without_toml_key((*inline, gone)).toml)
        assert list(document["integrations"]["a"]["settings"]) == [left]
    document = parse(copy.without_toml_key(("integrations", "b.c", "settings", "host")).toml)
    assert "host" not in document["integrations"]["b.c"]["settings"]


def test_siblings_and_renamed_keys() -> None:
    copy = Copy(TOML, {}).with_toml_sibling(("integrations", "a", "provider"), "endpoint", '"sandbox"')
    copy = copy.with_toml_sibling(("integrations", "a", "settings", "host"), "port", "1")
    copy = copy.with_toml_key(("integrations", "a", "settings", "secret_key"), "secretkey")
    table = parse(copy.toml)["integrations"]["a"]
    assert table["endpoint"] == "sandbox"
    assert table["settings"] == {"host": "h", "port": 1, "secretkey": "env:A"}
