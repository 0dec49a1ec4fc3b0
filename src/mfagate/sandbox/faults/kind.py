"""Declare a fault: its name, argument and causes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mfagate.core.causes import CauseId


class Layer(StrEnum):
    """Where a fault happens; what is no layer of requests does not look at paths."""

    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    BODY = "body"
    ANSWER = "answer"
    """The provider's own, for some requests: how it answers."""
    STATE = "state"
    """The provider's own, for as long as it lasts: what it knows."""

    @property
    def is_providers(self) -> bool:
        """Whether the provider itself has the fault, and not the connection to it."""
        return self in (Layer.ANSWER, Layer.STATE)


MODIFIERS = ("path", "rate", "after", "times")
"""What may follow a fault: which requests it strikes, and how many of them."""


def _anything(argument: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Argument:
    """The argument of a fault: its name, its default (None: it is required), and what is wrong with a value."""

    name: str
    default: str | None
    problem: Callable[[str], str | None] = _anything


def number(what: str, least: int, most: int, kind: type[float] = float) -> Callable[[str], str | None]:
    """The problem of an argument that has to be such a number; ``kind`` may be int."""

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
    """How long an answer says to wait (RFC 9110 section 10.2.3), unless another time is given."""
    return Argument("seconds", seconds, number("a whole number of seconds", 0, DAY, int))


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One fault of the catalogue. ``argument`` is what it takes, None for nothing.

    ``causes`` are the right answers of the gate, the best first: without a cause, none of its checks may be red.
    Those of a fault that takes seconds hold where the client does not wait so long. ``controlled`` are the right
    ones where a control credential is configured, if they are others. A fault that strikes one way of signing alone
    names its settings in ``needs``. A fault that ``delays`` only waits, for the seconds of its argument.
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
        """Which of :data:`MODIFIERS` it takes."""
        if self.layer in (Layer.TLS, Layer.STATE) or self.name in ("refuse", "drop"):
            return ()
        return MODIFIERS[1:] if self.layer is Layer.TCP else MODIFIERS


def declared(layer: Layer) -> Callable[..., FaultKind]:
    """How the faults of a layer are declared: name, summary and causes; ``argument`` where they take one."""

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
    """A fault of what a provider knows, such as a key that was deleted."""
    return FaultKind(name, Layer.STATE, summary, None, causes, controlled, needs)


def answer(name: str, summary: str, *causes: CauseId, seconds: str | None = None) -> FaultKind:
    """A fault of how a provider answers; ``seconds`` is how long it says to wait, where it says so."""
    return FaultKind(name, Layer.ANSWER, summary, retry_after(seconds) if seconds is not None else None, causes)
