from __future__ import annotations

import tomllib
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfagate.core.toml_lines import KeyPath, TomlError, TomlLines, parse

DOCUMENT = '''\
top = 1                     # 1
"quoted key" = 2
"it's" = 0
dotted.inner."x.y" = 3
text = """
[fake]                      # 6
fake = 1
"""
[table] # comment
key = 4                     # 10
inline = { a = 1, b.c = 2, d = { e = 3 } }
list = [
    "zero",
    # comment
    { x = 1 },              # 15
    ["deep"] ]
[table.sub.leaf]
key = 5
[[array]]
key = 6                     # 20
[array.sub]
key = 7
[[array]]
key = 8
[array.sub]                 # 25
key = 9
[[array.items]]
key = 10
[table.sub]
key = 11                    # 30
'''

LINES = {
    "top": 1,
    "quoted key": 2,
    "it's": 3,
    "dotted": 4,
    "dotted/inner": 4,
    "dotted/inner/x.y": 4,
    "text": 5,
    "table": 9,
    "table/key": 10,
    "table/inline": 11,
    "table/inline/b/c": 11,
    "table/inline/d/e": 11,
    "table/list": 12,
    "table/list/0": 13,
    "table/list/1/x": 15,
    "table/list/2/0": 16,
    "table/sub": 29,
    "table/sub/leaf": 17,
    "table/sub/leaf/key": 18,
    "table/sub/key": 30,
    "array": 19,
    "array/0/key": 20,
    "array/0/sub/key": 22,
    "array/1": 23,
    "array/1/key": 24,
    "array/1/sub": 25,
    "array/1/sub/key": 26,
    "array/1/items/0/key": 28,
}


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize(("path", "line"), LINES.items())
def test_the_line_of_a_key(path: str, line: int, end: str) -> None:
    text = DOCUMENT.replace("\n", end)
    assert tomllib.loads(text)
    assert TomlLines(text).line(tuple(path.split("/"))) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("table/missing", 9),
        ("table/sub/leaf/missing/more", 17),
        ("array/1/missing", 23),
        ("missing", None),
        ("fake", None),
    ],
)
def test_a_missing_key_has_the_line_of_the_table_around_it(path: str, line: int | None) -> None:
    assert TomlLines(DOCUMENT).line(tuple(path.split("/"))) == line


KEYS = {"k{}": "k{}", "'k{}=[x].#'": "k{}=[x].#", '"k{} \\"\\u00e9\\\\ "': 'k{} "é\\ ', "k-{} . 'x'": "k-{}/x"}
VALUES = [
    "1",
    "'x = 1'",
    '"""\nx = 1\n[x]\n\\"""\n"""',
    "'''\n[[x]]'''",
    "[1, # x = 1\n 2]",
    "{ a = 1, 'b.c' = { d = 2 } }",
]
NOISE = ["", "# x = 1\n", "\n\n", "  "]


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[KeyPath, int]]:
    """A text, and the lines of its keys."""
    text, lines, numbers, table = "", dict[KeyPath, int](), count(), KeyPath()
    for header in draw(st.lists(st.booleans(), max_size=12)):
        text += draw(st.sampled_from(NOISE))
        written, meant = draw(st.sampled_from(list(KEYS.items())))
        number = next(numbers)
        key = tuple(meant.format(number).split("/"))
        if header:
            table = key
            line = f"[ {written.format(number)} ]"
        else:
            key = table + key
            line = f"{written.format(number)} = {draw(st.sampled_from(VALUES))}"
        lines[key] = text.count("\n") + 1
        text += line + "\n"
    return text, lines


@settings(max_examples=150, deadline=None)
@given(documents(), st.booleans())
def test_lines_of_a_generated_document(document: tuple[str, dict[KeyPath, int]], crlf: bool) -> None:
    text, lines = document
    text = text.replace("\n", "\r\n") if crlf else text
    assert tomllib.loads(text) is not None
    index = TomlLines(text)
    assert {path: index.line(path) for path in lines} == lines


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a = 1\nb", "is not TOML: expected '=' after a key in a key/value pair", 2),
        ("a = [\n1\n", "is not TOML: unclosed array", 3),
        ("a = 1\nb = 1" + "_0" * 5000, "contains a number with too many digits", 2),
        ("\na" + ".'a' . a" * 40_000, "is nested too deeply", 2),
        ("a = " + "[" * 5000, "is nested too deeply", None),
    ],
    ids=["no value", "open list", "10,000 digits", "80,000 parts", "5,000 lists"],
)
def test_text_that_is_not_toml_has_one_kind_of_error(text: str, message: str, line: int | None) -> None:
    with pytest.raises(TomlError) as caught:
        parse(text)
    assert (str(caught.value), caught.value.line) == (message, line)


@given(st.text(alphabet="ab.'\"=[]{}\n 1#,"))
def test_any_text_is_read_or_refused_and_has_lines(text: str) -> None:
    try:
        document = parse(text)
    except TomlError:
        return
    index = TomlLines(text)
    assert all(index.line((key,)) for key in document)
