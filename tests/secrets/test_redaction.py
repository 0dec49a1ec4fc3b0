"""Secrets are found and replaced in every form, and nothing else is."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Literal
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from mfagate.secrets.decoding import views
from mfagate.secrets.public import words_in
from mfagate.secrets.redaction import RUN, Redactor

SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=60).filter(
    # Words of placeholders, the first line of a PEM block, and a URL without credentials are not secret.
    lambda value: (
        len(value.strip().strip("\"'").strip()) >= 6
        and not words_in(value)
        and "://" not in value
        and "-----" not in value
    )
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
    assert redacted.inner is not None
    assert redacted.inner.passes == ["the [redacted key] of [redacted pin]"]
    assert Redactor({"key": "pass"}).redact_tree([Word.PASS]) == [Word.PASS]


def test_what_one_thread_learns_another_redacts() -> None:
    redactor = Redactor()

    def learn_and_redact(number: int) -> str:
        redactor.add("key", f"s3cr3t-{number:04}")
        return redactor.redact(f"s3cr3t-{number:04}")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(learn_and_redact, range(100))) == {"[redacted key]"}


class Counting(dict[str, str | None]):
    """Counts how often runs are looked up."""

    looked_up = 0

    def __contains__(self, key: object) -> bool:
        Counting.looked_up += 1
        return super().__contains__(key)


def characters_read(redactor: Redactor, text: str) -> int:
    """The work that a text makes: the characters of all its decoded forms, and the runs that are looked up."""
    Counting.looked_up = 0
    redactor.redact(text)
    return sum(len(view.text) for view in views(text, shortest=RUN)) + Counting.looked_up


def counting(number: int) -> Redactor:
    redactor = Redactor({f"key {at}": hashlib.sha256(str(at).encode()).hexdigest() for at in range(number)})
    redactor._runs = {size: Counting(runs) for size, runs in redactor._runs.items()}
    return redactor


HOSTILE = {
    "plain": "the provider answered 200 ",
    "a title that does not end": "<title",
    "percent": "%25",
    "percent of percent": "25",
    "backslashes": "\\",
    "entities": "&#x26;",
    "base64": "VVVV",
    "base64 of readable text": "UVVGQlFVRkI",
    "hexadecimal": "33",
    "numbers": "65, ",
    "numbers that are no list": "1 " * 10 + "a ",
    "base32": "KV",
    "base32 of readable text": "IFAUC",
    "quoted-printable": "=3D",
    "quoted-printable of itself": "3D",
    "line breaks": "\n",
    "wrapped": "abcdefgh0123456789\n",
    "NUL": "\0",
    "all at once": "%26amp;\\u0026\n 41:41 QUFB",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_the_work_grows_with_the_text_and_no_faster(piece: str) -> None:
    redactor = counting(100)
    short, long = (characters_read(redactor, "%" + piece * (size // len(piece))) for size in (10_000, 40_000))
    assert long < 4.5 * short
    assert long < 40 * 40_000


def test_the_work_does_not_grow_with_the_number_of_secrets() -> None:
    text = "".join(hashlib.sha256(b"%d" % at).hexdigest() + " of the provider\n" for at in range(9000, 9200))
    assert characters_read(counting(3000), text) <= 1.01 * characters_read(counting(100), text)


def test_a_secret_costs_its_own_length_and_no_more() -> None:
    """Nothing is made anew for the secrets that are known already."""
    redactor = Redactor()
    tables = [redactor._runs, redactor._samples]
    for number in range(100):
        redactor.add("key", hashlib.sha256(str(number).encode()).hexdigest())
        assert [redactor._runs, redactor._samples] == tables
        assert redactor._runs is tables[0]
        assert sum(map(len, redactor._runs.values())) == (number + 1) * (64 - RUN + 1)


@pytest.mark.parametrize("place", [0, 1, 5000, 9999, 10_000])
def test_a_secret_is_found_anywhere_in_a_long_text(place: int) -> None:
    key = hashlib.sha256(b"key").hexdigest()
    text = "lorem ipsum%20" * 800
    shown = Redactor({"key": key}).redact(f"{text[:place]} {key} {text[place:]}")
    assert shown == f"{text[:place]} [redacted key] {text[place:]}"


def test_the_same_secret_in_the_same_block_twice_is_masked_twice() -> None:
    key = hashlib.sha256(b"key").hexdigest()
    block = base64.b64encode(key.encode()).decode()
    assert Redactor({"key": key}).redact(f"{block} and {block}").count("[redacted key]") == 2


@pytest.mark.parametrize(
    "between", ["\u200b", "\u202e", "\u00ad", "\x07", "\x1b[31m", "\r\n  ", "\n", " ", "\\", '" "']
)
def test_what_is_not_seen_between_characters_hides_no_secret(between: str) -> None:
    key = "Zq7rTuW2xK9bN4mP"
    shown = Redactor({"key": key}).redact(f"<{between.join(key)}>")
    assert shown == "<[redacted key]>"


@pytest.mark.parametrize("change", [str.upper, str.lower, str.swapcase])
def test_the_case_of_a_long_secret_does_not_matter(change: Callable[[str], str]) -> None:
    """Names of headers and hosts lose their case. A short secret is compared exactly: it may be a word."""
    assert Redactor({"key": "Zq7rTuW2xK9bN4mP"}).redact(change("Zq7rTuW2xK9bN4mP")) == "[redacted key]"
    assert Redactor({"pin": "Winter"}).redact("in WINTER") == "in WINTER"
