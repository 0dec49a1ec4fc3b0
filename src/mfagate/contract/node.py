"""JSON of a file with its location, so that every error can name it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from mfagate.contract.errors import ContractError, UnsafeContractError

_T = TypeVar("_T")
_NAMES = {str: "a string", bool: "true or false", int: "a whole number", dict: "an object", list: "a list"}


class Node:
    """One value of a JSON file; ``where`` is like ``duo.json: interactions[2].request``."""

    __slots__ = ("steps", "value", "where")

    def __init__(self, value: Any, where: str, steps: tuple[str | int, ...] = ()) -> None:
        """Wrap a value. ``where`` begins every error message about it; ``steps`` is its path in the file."""
        self.value = value
        self.where = where
        self.steps = steps

    def error(self, problem: str) -> ContractError:
        """Return an error about this value."""
        return ContractError(f"{self.where} {problem}", self.steps)

    def unsafe(self, problem: str) -> UnsafeContractError:
        """Return an error about a value that could send a request elsewhere."""
        return UnsafeContractError(f"{self.where} {problem}", self.steps)

    def a(self, kind: type[_T]) -> _T:
        """Return the value, which must be of this type.

        Raises:
            ContractError: It is not.
        """
        if type(self.value) is not kind:
            raise self.error(f"must be {_NAMES[kind]}")
        return self.value

    def get(self, key: str, default: Any = None) -> Node:
        """Return a member of this object; ``default`` if it is absent or null."""
        value = self.a(dict).get(key)
        return Node(default if value is None else value, f"{self.where}.{key}", (*self.steps, key))

    def members(self) -> Iterator[tuple[str, Node]]:
        """Yield the members of this object, in file order."""
        for key, value in self.a(dict).items():
            yield key, Node(value, f"{self.where}[{key!r}]", (*self.steps, key))

    def items(self) -> Iterator[Node]:
        """Yield the items of this list."""
        for index, value in enumerate(self.a(list)):
            yield Node(value, f"{self.where}[{index}]", (*self.steps, index))
