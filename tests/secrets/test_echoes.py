"""A secret that somebody echoes is masked, however it is encoded, cut and surrounded."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mfagate.secrets.redaction import RUN, Redactor

from .encoders import ALL, CASES, Encoder

KEY = "Zq7/rT+uW2~xK9.bN4-mP6_vC8=sD1fG3hJ5kL0y"
MARK = re.compile(r"\[redacted skey\]")

FORMATS = st.sampled_from(
    [
        string.ascii_letters + string.digits,
        string.ascii_letters + string.digits + "-_",
        string.ascii_letters + string.digits + "+/=",
        string.ascii_letters + string.digits + "~._-",
        "0123456789abcdef",
        string.ascii_letters + string.digits + "<>&\"'",
        string.ascii_letters + "äöüß€é",
    ]
)
SECRETS = FORMATS.flatmap(lambda alphabet: st.text(alphabet, min_size=16, max_size=64)).filter(
    # A run of one character alone is no secret.
    lambda secret: len(set(secret)) >= len(secret) // 2
)
AROUND = st.sampled_from(["", "user:", "token=", '{"key": "', "Bearer ", "<td>", " ", "a", "x1"])
ENCODERS = st.sampled_from(sorted(ALL))


def left(secret: str, text: str) -> str:
    """What redaction leaves of a text that is in brackets."""
    redacted = Redactor({"skey": secret}).redact(f"({text})")
    assert (redacted[0], redacted[-1]) == ("(", ")")
    assert MARK.search(redacted), redacted
    return MARK.sub("", redacted)[1:-1]


@pytest.mark.parametrize("encode", [*ALL.values(), *CASES.values()], ids=[*ALL, *CASES])
def test_the_whole_value_in_one_encoding(encode: Encoder) -> None:
    kept = left(KEY, encode(KEY))
    assert len(kept) <= len(encode("")) + 4


@pytest.mark.parametrize("inner", [*ALL.values(), *CASES.values()], ids=[*ALL, *CASES])
@pytest.mark.parametrize("outer", ALL.values(), ids=ALL)
def test_fifteen_characters_in_two_encodings(inner: Encoder, outer: Encoder) -> None:
    """A provider cuts the value that it quotes."""
    text = outer(inner(f"invalid key {KEY[:15]}"))
    kept = left(KEY, text)
    assert len(kept) <= len(outer(inner("invalid key "))) + 10 * len(text) / (12 + 15)


@given(
    secret=SECRETS,
    inner=ENCODERS,
    outer=ENCODERS,
    cut=st.tuples(st.integers(0, 40), st.integers(RUN, 64)),
    before=AROUND,
    after=AROUND,
)
@example(secret="MA000000000001234567", inner="JSON", outer="base64", cut=(0, 12), before="", after="")
@example(secret=KEY, inner="base64", outer="quote", cut=(3, 12), before="a", after="")
def test_any_run_in_any_two_encodings(
    secret: str, inner: str, outer: str, cut: tuple[int, int], before: str, after: str
) -> None:
    assume(secret.isascii() or "base64 of PowerShell" not in (inner, outer))  # see docs/explanation/secrets.md

    def encode(text: str) -> str:
        return ALL[outer](ALL[inner](text))

    start = min(cut[0], len(secret) - RUN)
    run = secret[start : start + cut[1]]
    kept = left(secret, encode(before + run + after))
    # What is left has no room for twelve characters beside what surrounds them.
    size = len(encode(run)) / len(run)
    around = max(len(encode(before)) + len(encode(after)), len(encode(f"{before}\"'{after}")))
    assert len(kept) <= around + (RUN - 2) * size


@given(
    secret=SECRETS.filter(lambda secret: secret.isascii() and not {"'", '"'} & {*secret}), cut=st.integers(0, RUN - 1)
)
def test_fewer_than_twelve_characters_are_no_secret(secret: str, cut: int) -> None:
    text = f"({secret[:cut]})"
    assert Redactor({"skey": secret}).redact(text) == text


IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e\u180f\u200b\u200d\u200e\u202a\u202e\u2060\u2062\u2065\u206f\u3164"
    "\ufe00\ufe0f\ufeff\uffa0\ufff0\U0001bca0\U0001d173\U000e0000\U000e0041\U000e0100\U000e01ef\U000e0fff"
)
"""Default_Ignorable_Code_Point: https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt."""


COMMANDS = ["\x9b1m", "\x1b[1;31m", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\"]


@pytest.mark.parametrize("between", [*IGNORABLE, *COMMANDS, "\u2800", "\u0301", "\x85", "\x9f"], ids=ascii)
def test_what_is_not_seen_between_the_characters(between: str) -> None:
    assert left(KEY, between.join(KEY[:20])) in ("", between)


@pytest.mark.parametrize("between", [*IGNORABLE, *COMMANDS, "\u2800"], ids=ascii)
@pytest.mark.parametrize("encode", [ALL["base64"], ALL["hexadecimal"]], ids=["base64", "hexadecimal"])
def test_what_is_not_seen_between_digits(encode: Encoder, between: str) -> None:
    assert left(KEY, between.join(encode(KEY[:24]))) in ("", between)


@pytest.mark.parametrize("between", ["_", ".", "|", "/", ";", "-", " ", ", ", "\t", "=", "\\", " h"])
def test_hexadecimal_digits_with_something_between_them(between: str) -> None:
    assert left(KEY, between.join(f"{byte:02x}" for byte in KEY.encode())) == ""


@pytest.mark.parametrize("form", ["%u{:04X}", "%U{:04x}", "\\U{:04x}", "\\U{:08X}", "\\X{:02x}", "%{:02x}"])
def test_escapes_in_either_case(form: str) -> None:
    assert left(KEY, "".join(form.format(ord(one)) for one in KEY)) == ""
