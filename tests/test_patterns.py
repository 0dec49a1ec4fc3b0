"""Every regular expression of the package takes linear time for any text."""

from __future__ import annotations

import ast
import gc
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mfagate
from mfagate.checks.expectation import _segment_fits

from .support.linear import Uses, verdict

SOURCE = Path(mfagate.__file__).parent

_OF_METHOD = {
    "match": Uses.ONCE_ANCHORED,
    "fullmatch": Uses.ONCE_ANCHORED,
    "search": Uses.ONCE,
    "sub": Uses.MANY,
    "subn": Uses.MANY,
    "split": Uses.MANY,
    "findall": Uses.MANY,
    "finditer": Uses.MANY,
}
_STRONGEST = (Uses.MANY, Uses.ONCE, Uses.ONCE_ANCHORED)


@dataclass(frozen=True)
class Found:
    """A call of ``re`` in the source; ``pattern`` is None if it is only known at run time."""

    module: str
    source: str
    pattern: str | bytes | None
    flags: int
    use: str

    def __str__(self) -> str:
        return f"{self.module}: {self.source}"


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        if path.name == "server.py" and "privacyidea" in parts:
            continue  # A separate program that cannot be imported here; it has no pattern.
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if "templates" not in parts and parts[-1] != "__main__":
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def found_in(name: str, tree: ast.Module) -> Iterator[Found]:
    uses = uses_of_names(tree)
    targets = {
        id(node.value): node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and is_re(node.func)):
            continue
        assert isinstance(node.func, ast.Attribute)
        method = node.func.attr
        if method in ("escape", "purge"):
            continue
        use = uses.get(targets.get(id(node), ""), Uses.MANY) if method == "compile" else _OF_METHOD[method]
        flags = next((one.value for one in node.keywords if one.arg == "flags"), None)
        position = {"compile": 1, "search": 2, "match": 2, "fullmatch": 2, "findall": 2, "finditer": 2}.get(method, 9)
        flags = node.args[position] if flags is None and len(node.args) > position else flags
        yield Found(name, ast.unparse(node), *evaluated(name, node.args[0], flags), use)


def is_re(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "re"


def uses_of_names(tree: ast.Module) -> dict[str, str]:
    """Return how each name is used that may be a compiled pattern."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _OF_METHOD:
            found.setdefault(node.value.id, set()).add(_OF_METHOD[node.attr])
    return {name: next(use for use in _STRONGEST if use in seen) for name, seen in found.items()}


def evaluated(name: str, pattern: ast.expr, flags: ast.expr | None) -> tuple[str | bytes | None, int]:
    namespace = vars(importlib.import_module(name)) | {"re": re}

    def value(node: ast.expr) -> Any:
        return eval(compile(ast.Expression(node), name, "eval"), dict(namespace))

    try:
        return value(pattern), int(value(flags)) if flags is not None else 0
    except NameError:
        return None, 0


ALL = [found for name, tree in modules() for found in found_in(name, tree)]

KNOWN_AT_RUN_TIME = {
    "mfagate.config.shapes: re.fullmatch(self.regex, value)": "of_shapes",
    "mfagate.config.shapes: re.fullmatch(self.regex, value.ljust(self.length, value[-1]))": "of_shapes",
    "mfagate.config.shapes: re.fullmatch(self.documented, value)": "of_shapes",
    "mfagate.config.shapes: re.fullmatch(self.regex, host)": "of_shapes",
    "mfagate.config.shapes: re.fullmatch(self.documented, host)": "of_shapes",
    "mfagate.config.shapes: re.fullmatch(regex, host)": "of_shapes",
    "mfagate.config.shapes: re.search(self.regex, value)": "of_shapes",
    "mfagate.providers.twilio.settings: re.fullmatch(regex, value)": "of_shapes",
    "mfagate.providers.okta.settings: re.fullmatch(regex, host)": "of_hosts",
    "mfagate.secrets.shapes: re.compile(f'(?<![A-Za-z0-9_~=+-])(?:{regex})(?![A-Za-z0-9_~+-])')": "of_secrets",
    "mfagate.providers.auth0.errors: re.search(pattern, sentence, re.IGNORECASE)": "of_sentences",
}
"""Patterns in values, and the function in this module that collects them."""

NOT_ANALYSED = {
    "mfagate.inspection.placeholders": "values of 200 characters at most; analysed below",
    "mfagate.fail_closed.conforming": "a path of the contract; each repetition ends at a character that it cannot take",
    "mfagate.contract_strength": "a developer's own contract and tests, whose names are escaped",
    "mfagate.secrets.shapes: re.search(kind": "one character",
}


REVIEWED = {
    "mfagate.contract_strength.listed": "a pattern of a developer's own contract, matched as a whole before",
    "mfagate.secrets.decoding: re.compile('(?<![0-9A-Fa-f])(?:(?:0": "it fails within twelve pairs or not at all",
    "mfagate.contract.lines": "the text has been read as JSON before, so that every string in it has an end",
}
"""Modules and patterns that are linear for their possible texts, with the reason."""


def of_shapes() -> Iterator[tuple[str, int, str]]:
    for name, _ in modules():
        importlib.import_module(name)
    for one in gc.get_objects():
        kind = type(one)
        if not str(kind.__module__).startswith("mfagate.") or not hasattr(kind, "__dataclass_fields__"):
            continue
        if isinstance(pattern := getattr(one, "regex", None), str):
            yield pattern, 0, Uses.ONCE if kind.__name__ == "EnvironmentMark" else Uses.ONCE_ANCHORED
        if isinstance(pattern := getattr(one, "documented", None), str):
            yield pattern, 0, Uses.ONCE_ANCHORED
        for others in (getattr(one, "foreign", ()), getattr(one, "others", ())):
            for other in others if isinstance(others, tuple) else ():
                if isinstance(other, tuple) and other and isinstance(other[0], str):
                    yield other[0], 0, Uses.ONCE_ANCHORED


def of_hosts() -> Iterator[tuple[str, int, str]]:
    from mfagate.providers.okta.settings import _OTHERS

    yield from ((regex, 0, Uses.ONCE_ANCHORED) for regex, *_ in _OTHERS)


def of_secrets() -> Iterator[tuple[str, int, str]]:
    from mfagate.providers import registry

    for name in registry.names():
        for shape in registry.get(name).settings.secret_shapes(own=True):
            yield shape.pattern.pattern, 0, Uses.MANY


def of_sentences() -> Iterator[tuple[str, int, str]]:
    from mfagate.providers.auth0.errors import BY_SENTENCE

    yield from ((sentence, re.IGNORECASE, Uses.ONCE) for _, sentence in BY_SENTENCE)


def test_every_pattern_is_analysed() -> None:
    unknown = [
        str(one)
        for one in ALL
        if one.pattern is None
        and str(one) not in KNOWN_AT_RUN_TIME
        and not any(str(one).startswith(module) for module in NOT_ANALYSED)
    ]
    assert len(ALL) > 100
    assert unknown == [], "write the pattern where it can be evaluated, or add its source above"


def test_every_exception_is_still_needed() -> None:
    at_run_time = [str(one) for one in ALL if one.pattern is None]
    evaluated = [str(one) for one in ALL if one.pattern is not None]
    stale = [name for name in KNOWN_AT_RUN_TIME if name not in at_run_time]
    stale += [name for name in NOT_ANALYSED if not any(one.startswith(name) for one in at_run_time)]
    stale += [name for name in REVIEWED if not any(one.startswith(name) for one in evaluated)]
    assert stale == []


@pytest.mark.parametrize(
    "found",
    [one for one in ALL if one.pattern is not None and not any(str(one).startswith(name) for name in REVIEWED)],
    ids=str,
)
def test_a_pattern_of_the_source_is_linear(found: Found) -> None:
    assert found.pattern is not None
    assert verdict(found.pattern, found.flags, found.use) is None


@pytest.mark.parametrize("source", sorted(set(KNOWN_AT_RUN_TIME.values())))
def test_the_patterns_in_values_are_linear(source: str) -> None:
    patterns = set(globals()[source]())
    assert patterns
    verdicts = {pattern: verdict(*pattern) for pattern in patterns}
    assert {pattern: reason for pattern, reason in verdicts.items() if reason is not None} == {}


def test_placeholders_are_searched_in_short_values_and_never_in_exponential_time() -> None:
    from mfagate.inspection.placeholders import _LONGEST, _PLACEHOLDERS, _SECRET_PLACEHOLDERS

    assert _LONGEST <= 200
    for regex, _ in (*_PLACEHOLDERS, *_SECRET_PLACEHOLDERS):
        assert not (verdict(regex, 0, Uses.ONCE_ANCHORED) or "").startswith("exponential"), regex


def test_regular_expressions_are_only_used_through_the_name_re() -> None:
    """Otherwise the patterns would not be found."""
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "re":
                pytest.fail(f"{name} imports names from re; write re.search and so on")
            if isinstance(node, ast.Import):
                assert all(one.asname is None for one in node.names if one.name == "re"), name


@pytest.mark.parametrize(
    ("pattern", "use", "expected"),
    [
        ("(a*)*b", Uses.ONCE_ANCHORED, "exponential"),
        ("(?:a|a)*b", Uses.ONCE_ANCHORED, "exponential"),
        ("(?:a|b|ab)*c", Uses.ONCE_ANCHORED, "exponential"),
        ("(a?b?)*c", Uses.ONCE_ANCHORED, "exponential"),
        (r"(\w+\s?)*$", Uses.ONCE_ANCHORED, "exponential"),
        ("a*a*b", Uses.ONCE_ANCHORED, "polynomial"),
        (r"(.*)(\d+)", Uses.ONCE_ANCHORED, "polynomial"),
        (r"[^@]+@[^@]+\.[^@]+", Uses.ONCE_ANCHORED, "polynomial"),
        ("<title[^>]*>", Uses.ONCE, "quadratic"),
        (r"\s*Trace ID:", Uses.MANY, "quadratic"),
        ('([A-Za-z_]+)="([^"]*)"', Uses.MANY, "quadratic"),
        (r"(?=.*[0-9])x", Uses.ONCE, "quadratic"),
        ("a(?:[^b]*b)?", Uses.MANY, "quadratic"),
        (r"x\s+$", Uses.ONCE, None),
        (r"\s+$", Uses.ONCE, "quadratic"),
        ("a{0,200}a{0,200}b", Uses.ONCE_ANCHORED, None),
        ("a{0,2000}a{0,2000}b", Uses.ONCE_ANCHORED, "polynomial"),
        ("a*b*c", Uses.ONCE_ANCHORED, None),
        ("<title[^>]*>", Uses.ONCE_ANCHORED, None),
        ("^<title[^>]*>", Uses.ONCE, None),
        ("<title[^<>]*>", Uses.ONCE, None),
        ("[a-z]+", Uses.MANY, None),
        ("(?<![a-z])[a-z]+:", Uses.ONCE, None),
        ("([a-z]([a-z0-9-]{0,61}[a-z0-9])?\\.)+com", Uses.ONCE_ANCHORED, None),
    ],
)
def test_the_analyser_distinguishes_slow_patterns_from_fast_ones(pattern: str, use: str, expected: str | None) -> None:
    assert (verdict(pattern, 0, use) or "None").partition(":")[0] == str(expected)


@given(st.text("ab\0", min_size=1, max_size=6), st.text("ab", max_size=8), st.booleans())
def test_a_segment_is_compared_as_a_pattern_would(expected: str, segment: str, whole: bool) -> None:
    pattern = ".+".join(map(re.escape, expected.split("\0"))) + "$"
    found = (re.match if whole else re.search)(pattern, segment)
    assert _segment_fits(expected, segment, whole=whole) == (found is not None)
