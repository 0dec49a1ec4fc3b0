"""Text of others is redacted first, then made harmless, then cut; there is no other way to show it."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mfagate.core.foreign import (
    ForeignText,
    harmless,
    harmless_json,
    harmless_lines,
    hiding,
    quoted,
    quoted_json,
    quoted_tree,
    shown_path,
)
from mfagate.core.foreign.parsing import raw
from mfagate.secrets.redaction import Redactor

SECRET = "00kQ7xV2mZ9sT4bR8nW1cY6pL3dF5gH0jK_aEuIo-S"
REDACTOR = Redactor({"api_token": SECRET})
SOURCES = Path(sys.modules["mfagate"].__path__[0])


def runs(text: str, secret: str = SECRET) -> list[str]:
    return [secret[at : at + 12] for at in range(len(secret) - 11) if secret[at : at + 12] in text]


@given(st.text(max_size=120), st.text(max_size=120), st.integers(1, 400))
def test_no_part_of_a_secret_is_left_by_the_cut(before: str, behind: str, longest: int) -> None:
    with hiding(REDACTOR.redact):
        shown = quoted(before + SECRET + behind, longest)
    assert not runs(shown)
    assert len(shown) <= longest


@pytest.mark.parametrize("longest", [20, 60, 80, 120, 200, 300])
def test_a_secret_at_every_place_around_the_cut(longest: int) -> None:
    for place in range(longest - len(SECRET) - 2, longest + 2):
        with hiding(REDACTOR.redact):
            assert not runs(quoted("x" * place + SECRET + "y" * 50, longest))
            assert not runs(quoted_json("x" * place + SECRET, longest))
            assert not runs(quoted_json({"a": ["x" * place + SECRET]}, longest))


def test_a_secret_is_redacted_before_what_is_around_it_is_made_harmless() -> None:
    secret = "tab\tand\x1bescape and \u202e turned around"
    with hiding(Redactor({"odd": secret}).redact):
        assert quoted(f"a\x1b{secret}\nb") == "a\\x1b[redacted odd] b"


@given(st.text(), st.integers(1, 80))
@example("a" + "\u0301" * 9 + "\u200d\u0645", 80)
@example("\u0645\u200d\u3164", 80)
@example("\u0645\u200d" * 9, 6)
@example("##vso[##vso[", 80)
def test_what_was_quoted_stays_as_it_is(text: str, longest: int) -> None:
    with hiding(REDACTOR.redact):
        once = quoted(text, longest)
        assert quoted(once, longest) == once
    assert harmless(harmless(text)) == harmless(text)


@given(st.text() | st.text(st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Mn", "Lo", "Cs", "Co"])))
def test_what_is_harmless_is_one_line_that_can_be_seen(text: str) -> None:
    shown = harmless(text)
    assert shown.splitlines() in ([], [shown])
    for at, character in enumerate(shown):
        if character in "\u200c\u200d":
            assert not shown[at - 1].isascii()
            assert not shown[at + 1].isascii()
        else:
            assert character.isprintable()
            assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    marks = re.findall(r"[\u0300-\u036f]+", shown)
    assert max(map(len, marks), default=0) <= 4


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\nc\vd\fe\x1cf\x85g\u2028h\u2029i", "a b c d e f g h i"),
        ("\x1b[2Jx\x9b2J\x07", r"\x1b[2Jx\x9b2J\x07"),
        ("\u202egnp\u2066\u200f\ufeff", r"\u202egnp\u2066\u200f\ufeff"),
        ("می\u200cخواهم 👩\u200d🚀", "می\u200cخواهم 👩\u200d🚀"),
        ("key\u200dword \u200c", r"key\u200dword \u200c"),
        ("a" + "\u0301" * 7, "a" + "\u0301" * 4 + r"\u0301" * 3),
        ("\u0301a", r"\u0301a"),
        ("\u3164\u2800\u115f\U000e0101\U000e0041", r"\u3164\u2800\u115f\U000e0101\U000e0041"),
        ("::error file=a::b", r":\x3aerror file=a::b"),
        ("##vso[task.complete] ##[error] ##teamcity[x", r"#\x23vso[task.complete] #\x23[error] #\x23teamcity[x"),
        ("section_start:1:x section_ends", r"section\x5fstart:1:x section_ends"),
        ("[::1]:443 and ::ffff:10.0.0.1, Net::HTTP", "[::1]:443 and ::ffff:10.0.0.1, Net::HTTP"),
        ("Grüße, Ελλάδα, 日本語, עִבְרִית, ไทย, 👍🏽", "Grüße, Ελλάδα, 日本語, עִבְרִית, ไทย, 👍🏽"),
        ("[red]bold[/red] [link=http://x]", "[red]bold[/red] [link=http://x]"),
    ],
)
def test_what_is_spelt_out(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_lines_of_ours_stay_lines() -> None:
    assert harmless_lines("a\x1b\nb\u2028c") == "a\\x1b\nb c"


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.dictionaries(st.text(), inner)))
def test_a_json_document_says_the_same_and_hides_nothing(value: object) -> None:
    document = harmless_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(document) == value
    assert all(character.isprintable() or character == "\n" for character in document)


def test_a_foreign_text_shows_itself_to_nobody() -> None:
    text: Any = ForeignText(SECRET)  # what mypy would refuse is tried
    assert SECRET not in f"{text} {text!s} {text!r} {text:>50} {[text]} { ({'a': text}) }" + "%s" % text  # noqa: UP031
    for attempt in (lambda: text[:4], lambda: text + "", lambda: "" + text, lambda: "".join([text]), lambda: [*text]):
        with pytest.raises(TypeError):
            attempt()


def test_a_foreign_text_can_be_compared_searched_and_kept() -> None:
    text = ForeignText("application/json")
    assert text == "application/json"
    assert text == ForeignText("application/json")
    assert text != "text/html"
    assert text in {"application/json": 1}
    assert "json" in text
    assert (len(text), bool(text), bool(ForeignText(""))) == (16, True, False)
    assert raw(text) == "application/json"
    assert copy.deepcopy(text) == pickle.loads(pickle.dumps(text)) == text
    assert [ForeignText(n).whole_number() for n in ("30", " 7 ", "x", "", "-1", "٣", "9" * 5000)] == [
        30, 7, None, None, None, None, None,
    ]  # fmt: skip


def test_a_tree_is_quoted_where_it_holds_text_of_others() -> None:
    with hiding(REDACTOR.redact):
        tree = quoted_tree({"a": ForeignText(SECRET), "b": [ForeignText("x\n"), 1], "c": "ours"})
    assert tree == {"a": "[redacted api_token]", "b": ["x", 1], "c": "ours"}


def test_what_is_hidden_is_hidden_in_every_thread_until_all_have_ended() -> None:
    from concurrent.futures import ThreadPoolExecutor

    other = Redactor({"other": "another-long-secret"})
    with hiding(REDACTOR.redact), hiding(other.redact), ThreadPoolExecutor(1) as pool:
        with hiding(REDACTOR.redact):
            assert "[redacted" in quoted(SECRET)
        assert pool.submit(quoted, f"{SECRET} another-long-secret").result() == "[redacted api_token] [redacted other]"
    assert quoted("another-long-secret") == "another-long-secret"


def test_a_path_begins_no_line_with_something_else() -> None:
    assert [shown_path(path) for path in ("a/b.yaml", "/a/b", "../x", "a.yaml", "~/x")] == [
        "a/b.yaml", "/a/b", "../x", "a.yaml", "~/x",
    ]  # fmt: skip
    assert [shown_path(path) for path in ("PASS: x.yaml", "::error::x", "a b/\x1bc")] == [
        "./PASS: x.yaml", r"./:\x3aerror::x", r"./a b/\x1bc",
    ]  # fmt: skip


SHOWING = ("report", "cli", "notify", "history", "mutation")
"""Packages that show what others have established."""


def modules() -> list[Path]:
    return [path for path in SOURCES.rglob("*.py") if "foreign" not in path.relative_to(SOURCES).parts]


def test_no_module_cuts_a_text_by_itself() -> None:
    """The ways in which it was done before: an ellipsis behind a slice, textwrap, a slice of a text or an exception."""
    found = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.expr | ast.stmt):
                continue
            names = ast.unparse(node) if isinstance(node, ast.ImportFrom | ast.Attribute) else ""
            if re.search(r"textwrap\b.*\bshorten", names):
                found.append(f"{path}:{node.lineno} textwrap")
            if isinstance(node, ast.JoinedStr | ast.BinOp) and "…" in (text := ast.unparse(node)) and "[:" in text:
                found.append(f"{path}:{node.lineno} {text}")
            if isinstance(node, ast.Subscript) and _is_beginning(node.slice) and _is_made_text(node.value):
                found.append(f"{path}:{node.lineno} {ast.unparse(node)}")
    assert found == []


def _is_beginning(part: ast.expr) -> bool:
    """``[:N]``, but for the two letters that a comparison looks at."""
    if not isinstance(part, ast.Slice) or part.lower is not None or part.upper is None:
        return False
    return not (isinstance(part.upper, ast.Constant) and part.upper.value in (1, 2))


def _is_made_text(node: ast.expr) -> bool:
    """``str(x)``, ``json.dumps(x)``, ``" ".join(x)``, an f-string: text that was made to be shown."""
    if isinstance(node, ast.JoinedStr):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func)
    return name in ("str", "repr", "json.dumps") or name.endswith(("''.join", "' '.join"))


@pytest.mark.parametrize("name", SHOWING)
def test_what_shows_reads_no_bare_text_of_others(name: str) -> None:
    for path in (SOURCES / name).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("items_in_order", "_raw"), path
