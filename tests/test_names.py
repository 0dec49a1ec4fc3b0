"""A class name means one thing in the whole package."""

from __future__ import annotations

import ast
from collections import defaultdict

from .support.project import REPOSITORY

SOURCES = REPOSITORY / "src"


def test_no_class_name_is_defined_twice() -> None:
    """Nested classes count, too. Templates of ``mfagate new-provider`` are not modules of this package."""
    definitions = defaultdict(list)
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                definitions[node.name].append(f"{path.relative_to(SOURCES)}:{node.lineno}")
    assert {name: found for name, found in definitions.items() if len(found) > 1} == {}
