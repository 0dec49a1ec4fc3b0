"""The errors of contracts, and of the values of provider states."""

from __future__ import annotations

from collections.abc import Collection

from mfagate.core.causes import CauseId


class ContractError(ValueError):
    """A contract cannot be used; the message names the file and what to change.

    ``where`` is the path of the value in the file (keys and indexes), ``line`` is its line.
    """

    cause = CauseId.CONTRACT_OUT_OF_DATE

    def __init__(self, message: str, where: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.where = where
        self.line: int | None = None


class UnsafeContractError(ContractError):
    """A request of the contract could go to another server, or hide a second request."""

    cause = CauseId.CONTRACT_UNSAFE_PATH


class StateValueError(ValueError):
    """A provider state did not give a value that a request needs, or gave an unusable one.

    ``name`` is the name of the value, as in ``${name}``; the message never holds the value.
    """

    def __init__(self, name: str, problem: str) -> None:
        """``problem`` completes a sentence that begins with the name."""
        super().__init__(f"state value {name!r} {problem}")
        self.name = name


class UnsafeValueError(StateValueError):
    """With the values of its provider states, a request could go to another server.

    ``part`` is the path in the pact's request. ``values`` are the inserted values; no message shows them.
    """

    def __init__(self, name: str, problem: str, part: tuple[str | int, ...], values: Collection[str] = ()) -> None:
        super().__init__(name, problem)
        self.part = part
        self.values = values
