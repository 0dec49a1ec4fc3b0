"""Adding to a file that somebody wrote keeps every line of it, whatever it looks like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.config.environments import merged
from mfagate.core.toml_lines import parse
from mfagate.scaffold import ScaffoldRefused
from mfagate.scaffold.growing import Grown

LINES = st.lists(
    st.sampled_from(
        [
            "# a remark",
            "",
            "share_of_users = 0.3  # a third",
            'provider = "duo"',
            "timeout_seconds = 3",
            'settings.host = "env:HOST"',
            "[integrations.duo.settings]",
            "[integrations.duo.client]",
            "[integrations.duo.documentation]",
            "[[integrations.duo.more]]",
            "[gate]",
            "[history]",
            "[integrations.okta]",
            "[integrations.okta.settings]",
            'note = """\n[integrations.no]\n# no remark\n"""',
            'list = [\n  "a",  # first\n  "b",\n]',
            'inline = { a = 1, "b.c" = 2 }',
        ]
    ),
    max_size=12,
    unique=True,
)


@st.composite
def files(draw: st.DrawFn, environment: str = 'environment = "production"') -> str:
    """Return a text with an integration named duo; it may be no TOML."""
    head, tail = draw(LINES), draw(LINES)
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text = "\n".join([*head, "[integrations.duo]", environment, *tail]) + draw(st.sampled_from(["", "\n", "\n\n"]))
    return text.replace("\n", newline)


def is_toml(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def assert_kept(before: str, after: str) -> None:
    left = iter(lines_of(after))
    assert all(line in left for line in lines_of(before)), after
    if "\r\n" in before:
        assert after.count("\n") == after.count("\r\n")


BLOCK = '[integrations.new]\nprovider = "okta"\n\n[integrations.new.settings]\norg_url = "env:X"\n'


@given(files().filter(is_toml))
def test_an_integration_is_added(text: str) -> None:
    grown = Grown(text).with_integration("new", BLOCK)
    assert_kept(text, grown.text)
    assert parse(grown.text) == merged(parse(text), parse(BLOCK))


@given(files().filter(is_toml))
def test_an_environment_is_added(text: str) -> None:
    try:
        grown = Grown(text).with_environment("duo", "staging", 'settings.host = "env:STAGING"\n')
    except ScaffoldRefused as error:
        assert str(error)
        return
    assert_kept(text.replace('environment = "production"', ""), grown.text)
    before, after = parse(text), parse(grown.text)
    duo = after["integrations"].pop("duo")
    old = before["integrations"].pop("duo")
    assert before == after
    assert duo.pop("environments") == {"production": {}, "staging": {"settings": {"host": "env:STAGING"}}}
    assert duo == {key: value for key, value in old.items() if key != "environment"}
    again = grown.with_environment("duo", "sandbox", "")
    assert_kept(grown.text, again.text)
    with pytest.raises(ScaffoldRefused, match="has the environment staging already"):
        grown.with_environment("duo", "staging", "")


def test_a_comment_above_the_next_table_stays_there() -> None:
    text = '[integrations.duo]\nenvironment = "staging"\n\n# about the gate\n[gate]\n'
    grown = Grown(text).with_environment("duo", "production", "")
    assert grown.text.endswith("[integrations.duo.environments.production]\n\n# about the gate\n[gate]\n")
