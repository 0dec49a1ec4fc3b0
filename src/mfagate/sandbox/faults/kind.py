"""Declare a fault: its name, argument and causes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mfagate.core.causes import CauseId


class Layer(StrEnum):
    """Where a fault occurs."""

    LINE = "line"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    BODY = "body"
    ANSWER = "answer"
    """A fault of the provider itself: how it answers some requests."""
    STATE = "state"
    """A fault of the provider itself: its state while the fault lasts."""

    @property
    def is_providers(self) -> bool:
        """Whether the provider itself has the fault, rather than the connection."""
        return self in (Layer.ANSWER, Layer.STATE)


OF_A_LINE = ("jitter", "loss", "bandwidth")
"""What may follow the round-trip time of a line."""

MODIFIERS = ("path", "rate", "after", "times")
"""What may follow any other fault: which requests it affects, and how many of them."""


def _anything(argument: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Argument:
    """The argument of a fault, required if ``default`` is None. ``problem`` describes what is wrong with a value."""

    name: str
    default: str | None
    problem: Callable[[str], str | None] = _anything


def number(what: str, least: int, most: int, kind: type[float] = float) -> Callable[[str], str | None]:
    """Return a function that describes the problem of an argument that must be a number; ``kind`` may be int."""

    def problem(argument: str) -> str | None:
        try:
            written = argument.isascii() and (kind is float or argument.isdecimal())
            good = written and least <= kind(argument) <= most
        except ValueError:
            good = False
        return None if good else f"expected {what} from {least} to {most}"

    return problem


DAY = 86400


def retry_after(seconds: str) -> Argument:
    """Return the argument for the seconds of Retry-After (RFC 9110 section 10.2.3), with a default."""
    return Argument("seconds", seconds, number("a whole number of seconds", 0, DAY, int))


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault.

    Args:
        name: Its name in the notation.
        layer: Where it occurs.
        summary: What happens, in a few words.
        argument: Its argument, if it takes one.
        causes: The causes that the gate may report, the best first. Without causes, the gate must pass. The causes of a
            delay apply if the client does not wait that long.
        controlled: The causes if a control credential is configured, if they differ.
        needs: The settings of the only credential that the fault affects.
        delays: Whether it only waits, for the seconds in its argument.
    """

    name: str
    layer: Layer
    summary: str
    argument: Argument | None = None
    causes: tuple[CauseId, ...] = ()
    controlled: tuple[CauseId, ...] = ()
    needs: tuple[str, ...] = ()
    delays: bool = False

    @property
    def modifiers(self) -> Sequence[str]:
        """Which of :data:`MODIFIERS` or :data:`OF_A_LINE` it takes."""
        if self.layer is Layer.LINE:
            return OF_A_LINE
        if self.layer in (Layer.TLS, Layer.STATE) or self.name in ("refuse", "drop"):
            return ()
        return MODIFIERS[1:] if self.layer is Layer.TCP else MODIFIERS


def declared(layer: Layer) -> Callable[..., FaultKind]:
    """Return a function that declares faults of a layer."""

    def declare(
        name: str, summary: str, *causes: CauseId, argument: Argument | None = None, delays: bool = False
    ) -> FaultKind:
        return FaultKind(name, layer, summary, argument, causes, delays=delays)

    return declare


def state(
    name: str,
    summary: str,
    *causes: CauseId,
    controlled: tuple[CauseId, ...] = (),
    needs: tuple[str, ...] = (),
) -> FaultKind:
    """Declare a fault of a provider's state, such as a deleted key."""
    return FaultKind(name, Layer.STATE, summary, None, causes, controlled, needs)


def answer(name: str, summary: str, *causes: CauseId, seconds: str | None = None) -> FaultKind:
    """Declare a fault of a provider's answers; ``seconds`` is the default of its Retry-After, if it sends one."""
    return FaultKind(name, Layer.ANSWER, summary, retry_after(seconds) if seconds is not None else None, causes)
