"""Values of Terraform: ``*.tfvars``, in HCL's native syntax.

Such a file contains only constants (https://developer.hashicorp.com/terraform/language/values/variables); strings,
heredocs and their escapes follow https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent
from typing import Any

from mfagate.secrets.stores.lines import LineOf
from mfagate.secrets.stores.walk import Unknown


class TfvarsError(ValueError):
    """The text is not HCL; ``line`` counts from 1."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"not HCL (line {line})")


def parse(text: str) -> dict[str, Any]:
    """Read the constants of a file.

    Raises:
        TfvarsError: It is not HCL.
    """
    return {_text(name): _value(value) for name, value in _attributes(text)}


def lines(text: str) -> LineOf:
    """Return the lines of the keys."""
    return lambda keys: _line(text, keys)


def _line(text: str, keys: Any) -> int | None:
    pairs = {_text(name): (name, value) for name, value in _attributes(text)}
    line = None
    for key in keys:
        if key not in pairs:
            return line
        name, value = pairs[key]
        line = name.start_point[0] + 1
        pairs = _inside(value)
    return line


def _attributes(text: str) -> Iterator[tuple[Any, Any]]:
    import tree_sitter_hcl
    from tree_sitter import Language, Parser

    root = Parser(Language(tree_sitter_hcl.language())).parse(text.encode("utf-8", "surrogatepass")).root_node
    if root.has_error:
        raise TfvarsError(_broken_line(root))
    for body in _named(root):
        for attribute in _named(body):
            if attribute.type != "attribute":
                raise TfvarsError(attribute.start_point[0] + 1)
            name, value = _named(attribute)
            yield name, value


def _broken_line(node: Any) -> int:
    """Return the line that cannot be read, or the line of the key whose value is missing."""
    key = node
    while broken := next((child for child in node.children if child.has_error or child.is_missing), None):
        node = broken
        key = node if node.type in ("attribute", "object_elem") else key
        if node.type == "ERROR":
            break
    return int((key if node.is_missing else node).start_point[0]) + 1


def _named(node: Any) -> list[Any]:
    return [child for child in node.named_children if child.type != "comment"]


def _inside(node: Any) -> dict[str, tuple[Any, Any]]:
    """Return the keys and values, or the numbers and items, of an object or a list."""
    while node.type in ("expression", "collection_value"):
        node = _named(node)[0]
    if node.type == "object":
        elements = [child for child in _named(node) if child.type == "object_elem"]
        pairs = [(element.child_by_field_name("key"), element.child_by_field_name("val")) for element in elements]
        return {str(_key(key)): (key, value) for key, value in pairs}
    if node.type == "tuple":
        items = [child for child in _named(node) if child.type == "expression"]
        return {str(number): (item, item) for number, item in enumerate(items)}
    return {}


def _key(node: Any) -> Any:
    value = _value(node)
    return _text(node) if isinstance(value, Unknown) else value


_CONSTANTS = {"true": True, "false": False, "null": None}


def _value(node: Any) -> Any:
    while node.type in ("expression", "collection_value", "literal_value", "template_expr"):
        node = _named(node)[0]
    match node.type:
        case "string_lit" | "quoted_template":
            return _string(_text(node)[1:-1])
        case "heredoc_template":
            return _heredoc(_text(node))
        case "numeric_lit":
            return _number(_text(node))
        case "bool_lit" | "null_lit":
            return _CONSTANTS[_text(node)]
        case "object":
            return {key: _value(value) for key, (_, value) in _inside(node).items()}
        case "tuple":
            return [_value(value) for _, value in _inside(node).values()]
    return Unknown()


def _number(text: str) -> int | float:
    return int(text) if text.isdecimal() else float(text)


_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([nrt"\\]))|([$%])\4\{')
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}


def _string(written: str) -> str:
    return _ESCAPE.sub(_unescaped, written)


def _unescaped(found: re.Match[str]) -> str:
    if found[4]:
        return f"{found[4]}{{"
    if digits := found[1] or found[2]:
        code = int(digits, 16)
        return chr(code) if code <= 0x10FFFF else found[0]
    return _LETTERS.get(found[3], found[3])


def _heredoc(written: str) -> str:
    """Return the lines between the markers; ``<<-`` removes their common indentation."""
    head, _, rest = written.partition("\n")
    content = rest[: rest.rfind("\n") + 1]
    return re.sub(r"([$%])\1\{", r"\1{", dedent(content) if head.startswith("<<-") else content)


def _text(node: Any) -> str:
    return str(node.text.decode("utf-8", "replace"))
