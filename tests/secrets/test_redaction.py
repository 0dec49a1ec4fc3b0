"""Secrets are found and replaced in every form, and nothing else is."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Literal
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from mfagate.secrets.fingerprint import KEY_VARIABLE, fingerprint
from mfagate.secrets.redaction import Redactor

SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=60).filter(
    lambda value: len(value.strip().strip("\"'").strip()) >= 6
)


def basic(value: str, encoding: str = "utf-8") -> str:
    return base64.b64encode(f"user:{value}".encode(encoding)).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "URL": lambda value: quote(value, safe=""),
    "form": quote_plus,
    "JSON": json.dumps,
    "JSON unescaped": lambda value: json.dumps(value, ensure_ascii=False),
    "repr": repr,
    "hex": lambda value: value.encode().hex(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64url": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "Basic header": basic,
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@given(secret=SECRETS)
@example(secret='it\'s "quoted" and \\escaped\\')
@example(secret="line one of a key\nline two of a key\n")
@example(secret="pa+ss/wo=rd~%")
def test_a_secret_is_found_in_every_encoding(encode: Callable[[str], str], secret: str) -> None:
    redactor = Redactor({"skey": secret})
    text = f"before {encode(secret)} after"
    assert redactor.found_in(text) == ["skey"]
    redacted = redactor.redact(text)
    assert redactor.found_in(redacted) == []
    assert "[redacted skey]" in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        pytest.param("pässwörd-ß", f"Basic {basic('pässwörd-ß', 'latin-1')}", id="Basic header of requests"),
        pytest.param("a/b/c/d/e", r'{"key": "a\/b\/c\/d\/e"}', id="JSON as PHP writes it"),
        pytest.param("it's-a-key", repr("""a "text" with it's-a-key"""), id="in the repr of a longer text"),
        pytest.param("schlüssel", repr("body=schlüssel".encode()), id="in the repr of bytes"),
        pytest.param("s3cr3t-k3y", b"s3cr3t-k3y".hex().upper(), id="hex in capitals"),
        pytest.param("caf\udce9-k3y", quote(b"caf\xe9-k3y"), id="bytes that are not UTF-8"),
        pytest.param("half-\ud83d-pair", "half-\ud83d-pair", id="half a surrogate pair"),
    ],
)
def test_a_secret_is_found_as_other_programs_write_it(secret: str, shown: str) -> None:
    assert "[redacted skey]" in Redactor({"skey": secret}).redact(shown)


@given(secret=SECRETS, user=st.text(st.characters(codec="ascii", exclude_characters=":"), max_size=12))
def test_a_basic_header_hides_it_at_every_alignment(secret: str, user: str) -> None:
    header = "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()
    assert Redactor({"skey": secret}).found_in(header) == ["skey"]


@pytest.mark.parametrize("slip", ["{}\n", " {}", '"{}"', "'{}'", "Bearer {}", "\ufeff{}", "{}\r\n"])
def test_a_secret_with_a_slip_around_it_hides_the_bare_one_too(slip: str) -> None:
    redactor = Redactor({"key": slip.format("s3cr3t-value")})
    shown = redactor.redact("got:s3cr3t-value")
    assert shown == "got:[redacted key]"


def test_each_line_of_a_key_file_is_hidden() -> None:
    body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
    redactor = Redactor({"pem": f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"})
    shown = redactor.redact(f"  {body.splitlines()[1]}\n-----END PRIVATE KEY-----")
    assert "BKcwggSj" not in shown
    assert "-----END PRIVATE KEY-----" in shown


@pytest.mark.parametrize("short", ["", "1", "ab", "abc"])
def test_ordinary_words_stay(short: str) -> None:
    text = "1 abc about the abacus in 2021"
    assert Redactor({"pin": short}).redact(text) == text


def test_nothing_known_nothing_changed() -> None:
    assert Redactor().redact("text") == "text"
    assert Redactor().found_in("text") == []


@given(secret=SECRETS)
def test_a_redacted_tree_is_still_json(secret: str) -> None:
    redactor = Redactor({"skey": secret})
    tree = {"a": [secret, {"b": f"x{secret}y", secret: 1}], "n": 1, "t": True, "none": None}
    redacted = redactor.redact_tree(tree)
    assert redactor.found_in(json.dumps(redacted)) == []
    assert (redacted["n"], redacted["t"], redacted["none"]) == (1, True, None)


class Word(StrEnum):
    PASS = "pass"


class Model(BaseModel):
    outcome: Word = Word.PASS
    stage: Literal["gate"] = "gate"
    passes: list[str] = ["the pass of gate"]
    inner: Model | None = None


def test_a_word_of_ours_is_no_secret_even_if_somebody_chose_it_for_a_password() -> None:
    redacted = Redactor({"key": "pass", "pin": "gate"}).redact_tree(Model(inner=Model()))
    assert (redacted.outcome, redacted.stage) == (Word.PASS, "gate")
    assert redacted.inner.passes == ["the [redacted key] of [redacted pin]"]
    assert Redactor({"key": "pass"}).redact_tree([Word.PASS]) == [Word.PASS]


def test_what_one_thread_learns_another_redacts() -> None:
    redactor = Redactor()

    def learn_and_redact(number: int) -> str:
        redactor.add("key", f"s3cr3t-{number:04}")
        return redactor.redact(f"s3cr3t-{number:04}")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(learn_and_redact, range(100))) == {"[redacted key]"}


def test_fingerprints_are_keyed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fingerprint("a") == fingerprint("a") != fingerprint("b")
    monkeypatch.setenv(KEY_VARIABLE, "one")
    first = fingerprint("a")
    assert first == fingerprint("a")
    monkeypatch.setenv(KEY_VARIABLE, "two")
    assert fingerprint("a") != first


def test_without_a_key_fingerprints_of_two_processes_differ() -> None:
    code = "from mfagate.secrets.fingerprint import fingerprint; print(fingerprint('a'))"
    printed = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in range(2)}
    assert len(printed) == 2
