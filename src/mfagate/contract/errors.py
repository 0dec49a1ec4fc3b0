"""What can be wrong with a contract, and with the values it is given."""

from __future__ import annotations


class ContractError(ValueError):
    """A contract cannot be used; the message names the file and what to change."""


class StateValueError(ValueError):
    """A provider state did not give a value that a request needs, or gave an unusable one.

    ``name`` is the name of the value, as in ``${name}``; the message never holds the value.
    """

    def __init__(self, name: str, problem: str) -> None:
        """``problem`` completes a sentence that begins with the name."""
        super().__init__(f"state value {name!r} {problem}")
        self.name = name
