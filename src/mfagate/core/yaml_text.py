"""Read YAML of any content; every failure is one kind of error.

PyYAML's ``CSafeLoader`` composes nodes in C without looking at the stack, so that
some thousand brackets end the process, and it raises whatever its constructors
run into. Where a text could be nested that deeply, libyaml only parses here, and
PyYAML's Python composer, which stops at the recursion limit, does the rest. That
costs a third more time, so ordinary texts are left to the C composer.
"""

from __future__ import annotations

from functools import cache
from typing import Any

_MOST_DIGITS = 4300
"""Python's own limit for decimal numbers; YAML's base 60 (``1:30:00``) has none and takes quadratic time."""


_RAISED_BY_CONSTRUCTORS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""For example by ``!!bool maybe``, ``!!int ""`` and ``!!timestamp soon``."""


class YamlError(ValueError):
    """It is not YAML. The message never quotes the text; ``line`` counts from 1 where it is known."""

    def __init__(self, line: int | None = None) -> None:
        self.line = line
        super().__init__(f"not YAML (line {line})" if line else "not YAML")


_DEEPEST = 500
"""Levels that the C composer handles safely, even on the small stack of a thread."""


def could_be_deep(text: str) -> bool:
    """Return whether a text has enough opening characters to be nested too deeply; each level needs one."""
    return sum(map(text.count, "[{-?:")) > _DEEPEST


def documents(text: str, loader_class: Any = None) -> list[Any]:
    """Return the documents of a YAML text, with plain types only.

    Raises:
        YamlError: It is not YAML, is nested too deeply, or a tag does not fit its value.
    """
    import yaml

    try:
        return list(yaml.load_all(text, Loader=loader_class or loader(could_be_deep(text))))
    except (yaml.YAMLError, *_RAISED_BY_CONSTRUCTORS) as error:
        raise YamlError(_line(error)) from None


def root_nodes(text: str) -> list[Any]:
    """Return the root nodes of a text; none if it cannot be read. An empty document is an empty scalar."""
    import yaml

    try:
        return list(yaml.compose_all(text, Loader=loader(could_be_deep(text))))
    except (yaml.YAMLError, ValueError, RecursionError):
        return []


@cache
def loader(deep: bool = True) -> Any:
    """Return a safe loader of bounded stack and memory; ``deep`` says that a text may be nested deeply."""
    base: Any = _base(deep)

    class BoundedLoader(base):  # type: ignore[misc]
        def flatten_mapping(self, node: Any) -> None:
            """Merge keys (``<<``) once each, else ten aliases in each of nine mappings make a thousand million."""
            merges = any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value)
            super().flatten_mapping(node)
            if merges:
                # As in a mapping, the last one counts.
                node.value = list({(key.tag, str(key.value)): (key, value) for key, value in node.value}.values())

        def construct_yaml_int(self, node: Any) -> int:
            if len(node.value) > _MOST_DIGITS:
                raise ValueError("a number of too many digits")
            return int(super().construct_yaml_int(node))

    BoundedLoader.add_constructor("tag:yaml.org,2002:int", BoundedLoader.construct_yaml_int)
    return BoundedLoader


def _base(deep: bool) -> Any:
    import yaml
    from yaml.composer import Composer
    from yaml.constructor import SafeConstructor
    from yaml.resolver import Resolver

    if not yaml.__with_libyaml__:
        return yaml.SafeLoader
    if not deep:
        return yaml.CSafeLoader
    parser: Any = vars(yaml.cyaml)["CParser"]

    class Base(Composer, parser, SafeConstructor, Resolver):  # type: ignore[misc]
        def __init__(self, stream: Any) -> None:
            parser.__init__(self, stream)
            Composer.__init__(self)
            SafeConstructor.__init__(self)
            Resolver.__init__(self)

    return Base


def _line(error: Exception) -> int | None:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark is not None else None
