"""Local providers, started for one run and removed after it.

A sandbox is a provider on loopback, run as a process of its own: the real
server where there is one, else an emulator. :mod:`mfagate.sandbox.supervisor`
starts and stops the process, :mod:`mfagate.sandbox.child` is its other end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from mfagate.sandbox.faults import FaultKind

EMULATOR = "mfagate-emulator"
"""The Server header of every emulator, by which a report tells it from the provider."""


BETWEEN_MESSAGES = "MFAGATE_SANDBOX_SECONDS_BETWEEN_MESSAGES"
"""Variable with the whole seconds that an emulator wants between two messages to one user, where the provider has such
an interval. Default: the provider's own."""

ChangeFaults = Callable[[Sequence[str]], None]


def _unchangeable(faults: Sequence[str]) -> None:
    raise SandboxError("This sandbox was started without faults: start it with start(faults=[])")


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that answers.

    ``endpoint`` is a URL on 127.0.0.1. ``values`` are what ``sandbox:NAME`` references
    resolve to; those named in ``secrets`` are kept out of every output. ``ca_bundle``
    is a file with the authority of its certificate, where it speaks TLS. A sandbox that
    was started with a list of faults, even an empty one, takes others while it runs: ``change_faults``. ``idle_faults``
    lists the faults of the connection to it that have not occurred so far.
    """

    endpoint: str
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: frozenset[str] = frozenset()
    ca_bundle: str | None = None
    change_faults: ChangeFaults = field(default=_unchangeable, repr=False, compare=False)
    idle_faults: Callable[[], Sequence[str]] = field(default=tuple, repr=False, compare=False)


@runtime_checkable
class Sandbox(Protocol):
    """Starts one provider on loopback.

    Register an instance as entry point ``mfagate.sandboxes``, under the provider's name.
    """

    @property
    def is_emulator(self) -> bool:
        """Whether it only imitates the provider."""

    @property
    def settings(self) -> Sequence[str]:
        """The settings of a healthy configuration, among the values that it hands out."""

    @property
    def faults(self) -> Sequence[FaultKind]:
        """The provider's own faults, beside those of the connection to it."""

    def start(self, faults: Sequence[str] | None = None) -> AbstractContextManager[Running]:
        """A running provider; leaving the context stops it and removes its files.

        With ``faults``, written as :mod:`mfagate.sandbox.faults` says, it goes wrong so from the start; with an
        empty list it is healthy until ``Running.change_faults`` is called.

        Raises:
            SandboxError: It is not installed, or did not start.
            BadFault: A fault cannot be read, or they do not go together.
        """


class SandboxError(Exception):
    """A sandbox could not be started. The message says what to do and holds no secret."""
