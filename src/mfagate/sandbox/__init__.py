"""Local providers that run for one check and are removed afterwards.

A sandbox is a provider on loopback in a separate process: the real server if it can be
installed, otherwise an emulator. :mod:`mfagate.sandbox.supervisor` starts and stops the
process; :mod:`mfagate.sandbox.child` is the child's side of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from mfagate.sandbox.faults import FaultKind

EMULATOR = "mfagate-emulator"
"""The Server header of every emulator, by which a report distinguishes it from the provider."""


BETWEEN_MESSAGES = "MFAGATE_SANDBOX_SECONDS_BETWEEN_MESSAGES"
"""The environment variable with the whole seconds that an emulator requires between two messages to a user, for
providers that have such an interval. Default: the provider's own interval."""

ChangeFaults = Callable[[Sequence[str]], None]


def _unchangeable(faults: Sequence[str]) -> None:
    raise SandboxError("this sandbox cannot change its faults: start it with start(faults=[])")


@dataclass(frozen=True, slots=True)
class Running:
    """A running sandbox.

    Args:
        endpoint: Its URL on 127.0.0.1.
        values: What ``sandbox:NAME`` references resolve to.
        secrets: The names of the values that never appear in any output.
        ca_bundle: The file of the authority behind its certificate, or None for plain HTTP.
        change_faults: Replaces its faults while it runs, if it was started with a list of faults, even an empty one.
        idle_faults: Returns the faults of the connection that have not occurred so far.
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
        """Whether it is an imitation of the provider."""

    @property
    def settings(self) -> Sequence[str]:
        """The settings of a healthy configuration; ``Running.values`` contains them."""

    @property
    def faults(self) -> Sequence[FaultKind]:
        """The provider's own faults, in addition to those of the connection."""

    def start(self, faults: Sequence[str] | None = None) -> AbstractContextManager[Running]:
        """Run the provider while the context lasts, and remove its files afterwards.

        Args:
            faults: Faults from the start, in the notation of :mod:`mfagate.sandbox.faults`. With an empty list, the
                provider is healthy until ``Running.change_faults`` is called.

        Raises:
            SandboxError: The provider is not installed, or did not start.
            BadFault: A fault is not valid, or two faults exclude each other.
        """


class SandboxError(Exception):
    """A sandbox could not be started. The message says what to do and contains no secret."""
