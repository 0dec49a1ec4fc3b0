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
from mfagate.sandbox.faults.kind import MODIFIERS, Argument, FaultKind


class BadFault(ValueError):
    """A fault that cannot be read; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    ``path`` is the beginning of the paths that it strikes, None for all. It strikes a
    share of ``rate`` (0 to 1) of them, not before ``after`` requests have passed well,
    and ``times`` times at the most.
    """

    kind: FaultKind
    argument: str
    path: str | None = None
    rate: float = 1.0
    after: int = 0
    times: int | None = None

    @classmethod
    def parse(cls, text: str, known: Mapping[str, FaultKind] = FAULTS) -> Self:
        """Read ``NAME[:ARGUMENT][,path=PATH][,rate=SHARE][,after=N][,times=N]``; ``known`` are the faults there are.

        Raises:
            BadFault: It is not written so.
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
        return ",".join(parts)


def _argument(fault: str, due: Argument, given: str) -> str:
    if not given and due.default is None:
        raise BadFault(f"{fault} needs an argument ({due.name}): write {fault}:…")
    argument = given or due.default or ""
    if problem := due.problem(argument):
        raise BadFault(f"{fault}:{argument}: {problem}")
    return argument


def _modifiers(fault: str, known: Sequence[str], texts: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in MODIFIERS:
            raise BadFault(f"{text!r} is none of {', '.join(MODIFIERS)}: write for example rate=0.3")
        if name not in known:
            takes = f"takes {', '.join(known)} alone" if known else "lasts until it is taken away"
            raise BadFault(f"{fault} {takes}: leave out {text}")
        found[name] = _modifier(name, value)
    return found


def _modifier(name: str, value: str) -> object:
    if name == "path":
        if not value.startswith("/"):
            raise BadFault(f"path={value}: a path begins with /")
        return value
    try:
        number = float(value) if name == "rate" else int(value)
    except ValueError:
        raise BadFault(f"{name}={value}: expected a number") from None
    if number < 0 or not math.isfinite(number) or (name == "rate" and not 0 < number <= 1):
        raise BadFault(f"{name}={value}: expected {'a number above 0 and up to 1' if name == 'rate' else '0 or more'}")
    return number


@dataclass(slots=True)
class Trigger:
    """Decides for one fault whether it strikes now. Threads may share it; ``seed`` makes it repeatable."""

    fault: Fault
    seed: int = 0
    idle: bool = True
    """Whether it has done nothing so far: no request was its own, or there was nothing to change."""
    _passed: int = 0
    _struck: int = 0
    _random: random.Random = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        # Each fault has its own chance: with one stream for all, they would strike together.
        self._random = random.Random(f"{self.seed} {self.fault}")  # noqa: S311 - chance, not secrecy

    def strikes(self, path: str | None = None) -> bool:
        """Whether this request (None: this connection) is hit."""
        fault = self.fault
        if path is not None and fault.path is not None and not path.startswith(fault.path):
            return False
        with self._lock:
            self._passed += 1
            ready = self._passed > fault.after and (fault.times is None or self._struck < fault.times)
            hit = ready and self._random.random() < fault.rate
            self._struck += hit
            return hit
