"""Parse a fault specification, and decide when the fault occurs."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from mfagate.config.nearest import nearest_to
from mfagate.sandbox.faults.catalogue import FAULTS
from mfagate.sandbox.faults.kind import MODIFIERS, OF_A_LINE, Argument, FaultKind


class BadFault(ValueError):
    """A fault that is not valid; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Args:
        kind: What goes wrong.
        argument: The argument of the kind, or an empty string.
        path: The beginning of the paths that it affects; None affects all.
        rate: The share of their requests that it affects, above 0 and up to 1.
        after: How many of their requests are unaffected first.
        times: How often it occurs at most.
        jitter: Of a line: milliseconds by which a delay may differ.
        loss: Of a line: per cent of the segments that are lost.
        bandwidth: Of a line: Mbit/s in each direction; None does not limit it.
    """

    kind: FaultKind
    argument: str
    path: str | None = None
    rate: float = 1.0
    after: int = 0
    times: int | None = None
    jitter: float = 0.0
    loss: float = 0.0
    bandwidth: float | None = None

    @classmethod
    def parse(cls, text: str, known: Mapping[str, FaultKind] = FAULTS) -> Self:
        """Parse ``NAME[:ARGUMENT][,path=PATH][,rate=SHARE][,after=N][,times=N]``.

        A line is ``line:MILLISECONDS[,jitter=MILLISECONDS][,loss=PER_CENT][,bandwidth=MBIT_PER_SECOND]``.

        Raises:
            BadFault: The text does not follow this notation, or names none of the ``known`` faults.
        """
        head, *modifiers = text.split(",")
        name, given, argument = head.partition(":")
        kind = known.get(name)
        if kind is None:
            near = nearest_to(name, known)
            raise BadFault(f"there is no fault {name!r}{near or '; known: ' + ', '.join(known)}")
        if kind.argument is not None:
            argument = _argument(name, kind.argument, argument)
        elif given:
            raise BadFault(f"{name} takes no argument: write {name}")
        return cls(kind, argument, **_modifiers(name, kind.modifiers, modifiers))

    def __str__(self) -> str:
        parts = [f"{self.kind.name}:{self.argument}" if self.argument else self.kind.name]
        parts += [f"path={self.path}"] if self.path else []
        parts += [f"rate={self.rate:g}"] if self.rate < 1 else []
        parts += [f"after={self.after}"] if self.after else []
        parts += [f"times={self.times}"] if self.times is not None else []
        parts += [f"jitter={self.jitter:g}"] if self.jitter else []
        parts += [f"loss={self.loss:g}"] if self.loss else []
        parts += [f"bandwidth={self.bandwidth:g}"] if self.bandwidth is not None else []
        return ",".join(parts)


def _argument(fault: str, expected: Argument, given: str) -> str:
    if not given and expected.default is None:
        raise BadFault(f"{fault} needs an argument ({expected.name}): write {fault}:…")
    argument = given or expected.default or ""
    if problem := expected.problem(argument):
        raise BadFault(f"{fault}:{argument}: {problem}")
    return argument


def _modifiers(fault: str, known: Sequence[str], texts: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in (*MODIFIERS, *OF_A_LINE):
            example = "jitter=5" if "jitter" in known else "rate=0.3"
            raise BadFault(f"{text!r} is not one of {', '.join(known or MODIFIERS)}: write for example {example}")
        if name not in known:
            takes = f"takes only {', '.join(known)}" if known else "lasts until it is removed"
            raise BadFault(f"{fault} {takes}: remove {text}")
        found[name] = _modifier(name, value)
    return found


_RANGES = {"jitter": (0.0, 10_000.0), "loss": (0.0, 50.0), "bandwidth": (0.01, 100_000.0)}


def _modifier(name: str, value: str) -> object:
    if name == "path":
        if not value.startswith("/"):
            raise BadFault(f"path={value}: a path starts with /")
        return value
    try:
        number = int(value) if name in ("after", "times") else float(value)
    except ValueError:
        raise BadFault(f"{name}={value}: expected a number") from None
    if name in _RANGES:
        least, most = _RANGES[name]
        if not least <= number <= most:
            raise BadFault(f"{name}={value}: expected a number from {least:g} to {most:g}")
        return number
    if number < 0 or not math.isfinite(number) or (name == "rate" and not 0 < number <= 1):
        raise BadFault(f"{name}={value}: expected {'a number above 0 and up to 1' if name == 'rate' else '0 or more'}")
    return number


@dataclass(slots=True)
class Trigger:
    """Decides when a fault occurs. Threads may share it; ``seed`` makes it repeatable."""

    fault: Fault
    seed: int = 0
    idle: bool = True
    """Whether the fault has not occurred yet: no request matched, or there was nothing to change."""
    _passed: int = 0
    _fired: int = 0
    _random: random.Random = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        # Each fault has its own random stream: with a shared one, all would fire together.
        self._random = random.Random(f"{self.seed} {self.fault}")  # noqa: S311 - not used for secrets

    def fires(self, path: str | None = None) -> bool:
        """Return whether the fault occurs for a request with this path, or without a path for a connection."""
        fault = self.fault
        if path is not None and fault.path is not None and not path.startswith(fault.path):
            return False
        with self._lock:
            self._passed += 1
            ready = self._passed > fault.after and (fault.times is None or self._fired < fault.times)
            hit = ready and self._random.random() < fault.rate
            self._fired += hit
            return hit
