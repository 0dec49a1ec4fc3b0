"""Placeholders and stray characters: every kind is named, and no real value is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfagate.inspection.characters import stray_characters
from mfagate.inspection.placeholders import placeholder

PLACEHOLDERS = {
    "angle brackets": ["<skey>", "<your key>", " '<skey>' "],
    "variable": ["${KEY}", "$KEY", "$(cat key)", "%KEY%", "https://${HOST}/", "{{ host }}.net"],
    "template": ["{% key %}", "@KEY@", "@@KEY@@", "__KEY__"],
    "asks to be replaced": ["changeme", "Change-Me!", "REPLACE_THIS", "fill in", "set me later"],
    "placeholder word": ["TODO", "tbd", "xxx", "placeholder", "None", "null", "n/a", "test", "foo"],
    "note to do something": ["TODO: ask the ops", "fixme later"],
    "asks for the value": ["your-api-key", "my_secret", "YOUR TOKEN HERE", "enter_key_1", "the host"],
    "says how to make a value": ["use [openssl rand -hex 32] to generate a 32 bytes value", "generate with openssl"],
    "name of a secret": ["secret", "Password", "api_key", "skey", "token"],
    "one repeated character": ["aaaa", "0000000000", "....", "xxx-xxx", "****", "…………"],
    "masked": ["[redacted]", "[redacted validate_key]", "[MASKED]", "scrubbed"],
}


@pytest.mark.parametrize(
    ("reason", "value"), [(reason, value) for reason in PLACEHOLDERS for value in PLACEHOLDERS[reason]]
)
def test_the_kind_of_a_placeholder_is_recognised(reason: str, value: str) -> None:
    assert reason in (placeholder(value) or "")


@pytest.mark.parametrize(
    "value",
    ["test", "sample", "secret", "my-video-company.okta.com", "the_provider", "my-valid-realm", "fooled",
     "some.monkey", "https://mfa.example.com", "todos", "testing", "aaa", "my-" + "key" * 100_000 + "\nx"],
)  # fmt: skip
def test_a_name_may_be_an_ordinary_word(value: str) -> None:
    assert placeholder(value, secret=False) is None


@given(st.binary(min_size=12, max_size=64))
def test_random_keys_are_no_placeholders(key: bytes) -> None:
    if len(set(key)) > 6:
        assert placeholder(key.hex()) is None


KEY = "s3cr3t-k3y"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (KEY + "\n", "ends with a newline (U+000A)"),
        (KEY + "\r\n", "ends with a newline"),
        (KEY + "\r", "ends with a carriage return (Windows line ending) (U+000D)"),
        ("\t" + KEY, "starts with a tab"),
        (KEY + "\u00a0", "ends with a non-breaking space (U+00A0)"),
        (KEY + "\u2060", "ends with word joiner (U+2060)"),
        ("\ufeff" + KEY, "starts with a byte order mark"),
        (KEY + "\x00", "ends with a control character (U+0000)"),
        (f'"{KEY}"', 'is in quotes ("…")'),
        (f"«{KEY}»", "is in quotes («…»)"),
        (f"'{KEY}", "has a quote at one end"),
        (f"{KEY}”", "has a quote at one end"),
        ("`", "has a quote at one end"),
        (f"bearer {KEY}", "starts with 'Bearer', which belongs to the header"),
        (f"BEARER {KEY}", "starts with 'Bearer'"),
        (KEY + "\\r\\n", "contains the two characters \\n"),
        (f"{KEY}\u00ad{KEY}", "contains a soft hyphen"),
        (f"{KEY}\n{KEY}", "contains a newline"),
    ],
)
def test_a_stray_character_is_named_and_placed(value: str, said: str) -> None:
    found = stray_characters(value, prefixes=("Bearer ",))
    assert found is not None
    assert found.startswith(said)
    assert KEY not in found


PEM = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize("value", [PEM, PEM + "\n", (PEM + "\n").replace("\n", "\r\n")])
def test_line_breaks_belong_to_a_key_of_several_lines(value: str) -> None:
    assert stray_characters(value, multiline=True) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (PEM.replace("\n", "\\n"), "contains the two characters \\n"),
        (f'"{PEM}"', "is in quotes"),
        (PEM + " ", "ends with a space"),
        (PEM.replace("MII", "M\tI"), "contains a tab"),
    ],
)
def test_other_characters_do_not(value: str, said: str) -> None:
    assert (stray_characters(value, multiline=True) or "").startswith(said)


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1),
    st.sampled_from(["", "+/=", " word", "-._~"]),
)
def test_printable_values_are_clean(value: str, more: str) -> None:
    assert stray_characters(value + more, prefixes=("Bearer ",)) is None
