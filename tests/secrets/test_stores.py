"""Every store: the right value with its line, and a readable message without any value where there is none."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from .conftest import Missed, Put, Resolve

CANARY = "c4n4ry-s3cret"
NEWLINE = "with a newline\n"
NO_TEXT = b"\xff\xfe"


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


YAML = f"""\
# comment
mfa:
  key: plain
  quoted: "a\\nb"
  number: 0123456
  port: 12:30
  flag: yes
  day: 2026-10-01
  block: |
    two
    lines
base: &base
  inherited: from the anchor
derived:
  <<: *base
  own: 1
both:
  <<: [*base, {{other: from the list}}]
twice: first
twice: second
servers:
  - name: a
  - {{name: b}}
5: number as a key
alias: *base
empty:
canary: {CANARY}
"""

JSON = """\
{
\t"mfa": {"key": "plain",
\t\t"path": "a\\/b"},
 "twice": 1, "list": [
"zero", {"x": "one"}
 ],
 "twice": 2}
"""

TOML = "[mfa]\nkey = 'plain'\n\n[[servers]]\nname = 'a'\n[[servers]]\nname = 'b'\n"

DOTENV = f"""\
# comment
PLAIN=plain

export EXPORTED = spaced out   # comment
SINGLE='it  '
DOUBLE="a\\nb"
TWICE=first
LINES="one
two"

TWICE=second
EMPTY=
NAMED
CANARY={CANARY}
"""

SECRETS = f"""\
apiVersion: v1
kind: ConfigMap
metadata: {{name: mfa}}
data: {{token: not this one}}
---
apiVersion: v1
kind: Secret
metadata:
  name: mfa
stringData:
  plain: written plainly
  both: string data wins
  number: 12345
  nothing:
data:
  both: {encoded("data loses")}
  newline: {encoded(NEWLINE)}
  wrapped: |
    {encoded(CANARY)[:8]}
    {encoded(CANARY)[8:]}
  unencoded: {CANARY}!
  binary: {encoded(NO_TEXT)}
  number: 5
---
- no mapping
---
kind: List
items:
  - kind: Secret
    metadata: {{name: listed}}
    data:
      token: {encoded("in a list")}
  - kind: Secret
    metadata: {{name: 123}}
  - kind: Secret
    metadata: none
"""


@pytest.fixture(autouse=True)
def files(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stores of a project."""
    put("deploy.yaml", YAML)
    put("deploy.json", JSON)
    put("deploy.toml", TOML)
    put(".env", DOTENV)
    put("windows.env", "A=1\r\n\r\nB='2'\r\n")
    put("secret.yaml", SECRETS)
    put("run/secret", "with a newline\n")
    put("run/bom", b"\xef\xbb\xbfvalue")
    put("home/secret", "at home")
    put("binary", b"\xff\xfe" + CANARY.encode())
    put("huge", CANARY * 100_000)
    put("empty.yaml", "")
    put("several.yaml", f"a: 1\n---\na: {CANARY}\n")
    for name, text in {"json": '{"a": \n%s}', "yaml": "a: 1\nb: [%s", "toml": "a = 1\nb = %s"}.items():
        put(f"broken.{name}", text % CANARY)
    put("broken.env", f"A=1\nB='{CANARY}\nC=3\n")
    monkeypatch.setenv("MFA_KEY", " kept as it is\n")
    monkeypatch.setenv("HOME", str(Path(put("home/x", "")).parent))


@pytest.mark.parametrize(
    ("reference", "value", "place"),
    [
        ("env:MFA_KEY", " kept as it is\n", None),
        ("file:run/secret", "with a newline\n", "run/secret:1"),
        ("file:run/bom", "\ufeffvalue", "run/bom:1"),
        ("file:~/secret", "at home", "home/secret:1"),
        ("sandbox:url", "http://127.0.0.1:1", None),
        ("dotenv:.env#PLAIN", "plain", ".env:2"),
        ("dotenv:.env#EXPORTED", "spaced out", ".env:4"),
        ("dotenv:.env#SINGLE", "it  ", ".env:5"),
        ("dotenv:.env#DOUBLE", "a\nb", ".env:6"),
        ("dotenv:.env#LINES", "one\ntwo", ".env:8"),
        ("dotenv:.env#TWICE", "second", ".env:11"),
        ("dotenv:.env#EMPTY", "", ".env:12"),
        ("dotenv:windows.env#B", "2", "windows.env:3"),
        ("json:deploy.json#mfa.key", "plain", "deploy.json:2"),
        ("json:deploy.json#mfa.path", "a/b", "deploy.json:3"),
        ("json:deploy.json#list.1.x", "one", "deploy.json:5"),
        ("json:deploy.json#twice", 2, "deploy.json:7"),
        ("toml:deploy.toml#mfa.key", "plain", "deploy.toml:2"),
        ("toml:deploy.toml#servers.1.name", "b", "deploy.toml:7"),
        ("yaml:deploy.yaml#mfa.key", "plain", "deploy.yaml:3"),
        ("yaml:deploy.yaml#mfa.quoted", "a\nb", "deploy.yaml:4"),
        ("yaml:deploy.yaml#mfa.number", 0o123456, "deploy.yaml:5"),
        ("yaml:deploy.yaml#mfa.port", 750, "deploy.yaml:6"),
        ("yaml:deploy.yaml#mfa.flag", True, "deploy.yaml:7"),
        ("yaml:deploy.yaml#mfa.block", "two\nlines\n", "deploy.yaml:9"),
        ("yaml:deploy.yaml#derived.inherited", "from the anchor", "deploy.yaml:13"),
        ("yaml:deploy.yaml#derived.own", 1, "deploy.yaml:16"),
        ("yaml:deploy.yaml#both.inherited", "from the anchor", "deploy.yaml:13"),
        ("yaml:deploy.yaml#both.other", "from the list", "deploy.yaml:18"),
        ("yaml:deploy.yaml#alias.inherited", "from the anchor", "deploy.yaml:13"),
        ("yaml:deploy.yaml#twice", "second", "deploy.yaml:20"),
        ("yaml:deploy.yaml#servers.1.name", "b", "deploy.yaml:23"),
        ("yaml:deploy.yaml#5", "number as a key", "deploy.yaml:24"),
        ("k8s-secret:secret.yaml#mfa/plain", "written plainly", "secret.yaml:11"),
        ("k8s-secret:secret.yaml#mfa/both", "string data wins", "secret.yaml:12"),
        ("k8s-secret:secret.yaml#mfa/number", 12345, "secret.yaml:13"),
        ("k8s-secret:secret.yaml#mfa/newline", "with a newline\n", "secret.yaml:17"),
        ("k8s-secret:secret.yaml#mfa/wrapped", CANARY, "secret.yaml:18"),
        ("k8s-secret:secret.yaml#listed/token", "in a list", "secret.yaml:32"),
    ],
)
def test_a_reference_gives_the_value_and_where_it_stands(
    tmp_path: Path, resolve: Resolve, reference: str, value: Any, place: str | None
) -> None:
    resolved = resolve(reference)
    assert (resolved.value, type(resolved.value)) == (value, type(value))
    assert str(resolved.location) == (str(tmp_path / place) if place else "None")
    assert "value" not in repr(resolved)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("env:MFA_KEYS", "the environment variable MFA_KEYS is not set (did you mean MFA_KEY, which is set?)"),
        ("env:", "env: needs the name of a variable"),
        ("file:", "file: needs a path"),
        ("file:missing", "missing cannot be read: No such file or directory"),
        ("file:run", "run cannot be read: Is a directory"),
        ("file:/proc/self/mem", "/proc/self/mem cannot be read: Input/output error"),
        ("file:a\0b", "cannot be read: embedded null byte"),
        ("file:~nobody-here/x", "there is no home folder ~nobody-here"),
        ("file:binary", "is not text in UTF-8"),
        ("file:huge", "is larger than 1 MiB"),
        ("sandbox:uri", "the sandbox provides url"),
        ("dotenv:.env", "is incomplete: write it like dotenv:"),
        ("dotenv:.env#", "is incomplete: write it like dotenv:"),
        ("dotenv:.env#PLAN", "does not define PLAN; did you mean 'PLAIN'?"),
        ("dotenv:.env#NAMED", "names NAMED without a value"),
        ("dotenv:broken.env#B", "does not define B; line 2 cannot be read (an open quote?)"),
        ("json:deploy.json", "is incomplete: write it like json:"),
        ("json:deploy.json#mfa.kee", "there is no 'kee' under mfa; did you mean 'key'?"),
        ("json:deploy.json#list.2", "there is no '2' under list"),
        ("json:deploy.json#list." + "9" * 5000, "under list"),
        ("json:deploy.json#mfa.key.x", "there is no 'x' under mfa.key"),
        ("json:deploy.json#mfa", "mfa is a table, not a value"),
        ("json:deploy.json#list", "list is a list, not a value"),
        ("json:broken.json#a", "broken.json is not valid json (line 2)"),
        ("toml:broken.toml#a", "broken.toml is not valid toml (line 2)"),
        ("yaml:broken.yaml#a", "broken.yaml is not valid yaml (line 3)"),
        ("yaml:deploy.yaml#empty", "empty is null, not a value"),
        ("yaml:empty.yaml#a", "there is no 'a' under the top"),
        ("yaml:several.yaml#a", "have a (0, 1); name the document, as in yaml:several.yaml#[0].a"),
        ("yaml:binary#a", "is not text in UTF-8"),
        ("k8s-secret:secret.yaml#mfa", "is incomplete: write it like k8s-secret:"),
        ("k8s-secret:secret.yaml#mfa/", "is incomplete: write it like k8s-secret:"),
        ("k8s-secret:secret.yaml#other/token", "no Secret named other; it has mfa, listed, 123"),
        ("k8s-secret:deploy.yaml#mfa/token", "no Secret named mfa; it contains no Secret"),
        ("k8s-secret:secret.yaml#mfa/token", "no key 'token'; it has plain, both, number"),
        ("k8s-secret:secret.yaml#mfa/nothing", "names 'nothing' without a value"),
        ("k8s-secret:secret.yaml#mfa/unencoded", "is not text in base64; plain text belongs under stringData"),
        ("k8s-secret:secret.yaml#mfa/binary", "is not text in base64"),
        ("k8s-secret:broken.yaml#mfa/token", "broken.yaml is not valid YAML (line 3)"),
    ],
)  # fmt: skip
def test_a_miss_says_what_is_wrong_and_never_a_value(missed: Missed, reference: str, message: str) -> None:
    said = missed(reference)
    assert message in said
    assert CANARY not in said


def test_a_number_under_data_is_no_base64(put: Put, missed: Missed) -> None:
    put("one.yaml", "kind: Secret\nmetadata: {name: a}\ndata: {token: 5}\n")
    assert "must be a base64 string" in missed("k8s-secret:one.yaml#a/token")


LAUGHS = "a0: &a0 [lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
MERGES = "a0: &a0 {k: v}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 10))
LISTS = (
    "kind: List\nitems:\n- &a0 {kind: List}\n"
    + "".join(f"- &a{n} {{items: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 10))
    + "- {kind: Secret, metadata: {name: mfa}, stringData: {token: found}}\n"
)


@pytest.mark.parametrize(
    ("name", "text", "reference", "value"),
    [
        pytest.param("a.yaml", LAUGHS + "key: found\n", "yaml:a.yaml#key", "found", id="billion laughs"),
        pytest.param("a.yaml", MERGES, "yaml:a.yaml#a9.k", "v", id="billion merges"),
        pytest.param("a.yaml", LISTS, "k8s-secret:a.yaml#mfa/token", "found", id="billion lists"),
        pytest.param("a.yaml", MERGES, "k8s-secret:a.yaml#mfa/token", None, id="billion merges in a manifest"),
        pytest.param("a.yaml", "---\n" * 100_000, "k8s-secret:a.yaml#mfa/token", None, id="very many documents"),
        pytest.param("a.yaml", "a: 1\n---\n" * 100_000, "yaml:a.yaml#b", None, id="very many documents with a key"),
        pytest.param("a.yaml", "[" * 1_000_000, "yaml:a.yaml#a", None, id="deep lists"),
        pytest.param("a.yaml", "- " * 500_000, "k8s-secret:a.yaml#a/b", None, id="deep block lists"),
        pytest.param("a.yaml", "a: 1" + ":1" * 500_000, "yaml:a.yaml#a", None, id="number in base 60"),
        pytest.param("a.yaml", "a: &a [*a]\n", "yaml:a.yaml#a.0.0", None, id="alias of itself"),
        pytest.param("a.yaml", "a: &a {b: *a}\n", "k8s-secret:a.yaml#a/b", None, id="alias of itself in a manifest"),
        pytest.param("a.yaml", "a: !!bool maybe\n", "yaml:a.yaml#a", None, id="no bool"),
        pytest.param("a.yaml", 'a: !!int ""\n', "yaml:a.yaml#a", None, id="no number"),
        pytest.param("a.yaml", "a: !!timestamp soon\n", "k8s-secret:a.yaml#a/b", None, id="no date"),
        pytest.param("a.yaml", "a: !!python/object:os.system x\n", "yaml:a.yaml#a", None, id="an object"),
        pytest.param("a.json", '{"a": ' + "[" * 500_000, "json:a.json#a", None, id="deep JSON"),
        pytest.param("a.json", '{"a": 1' + "0" * 10_000 + "}", "json:a.json#a", None, id="10,000 digits of JSON"),
        pytest.param("a.toml", "a = 1" + "0" * 10_000, "toml:a.toml#a", None, id="10,000 digits of TOML"),
    ],
)
def test_a_bomb_neither_hangs_nor_crashes(
    put: Put, resolve: Resolve, missed: Missed, name: str, text: str, reference: str, value: str | None
) -> None:
    put(name, text)
    if value is None:
        assert name in missed(reference)
    else:
        assert resolve(reference).value == value


def test_an_environment_that_is_not_utf_8_is_read(monkeypatch: pytest.MonkeyPatch, resolve: Resolve) -> None:
    monkeypatch.setitem(os.environ, "LATIN", "caf\udce9")
    assert resolve("env:LATIN").value == "caf\udce9"
