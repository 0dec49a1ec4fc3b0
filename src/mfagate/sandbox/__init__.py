"""Local providers, started for one run and gone after it.

A sandbox is a provider on loopback, run as a process of its own: the real
server where there is one, else an emulator. :mod:`mfagate.sandbox.supervisor`
starts and stops the process, :mod:`mfagate.sandbox.child` is its other end.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

EMULATOR = "mfagate-emulator"
"""What every emulator says in its Server header, so that nobody takes it for the provider."""


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that answers.

    ``endpoint`` is a URL on 127.0.0.1. ``values`` are what ``sandbox:NAME`` references
    resolve to; those named in ``secrets`` are kept out of every output. ``ca_bundle``
    is a file with the authority of its certificate, where it speaks TLS.
    """

    endpoint: str
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: frozenset[str] = frozenset()
    ca_bundle: str | None = None


class Sandbox(Protocol):
    """Starts one provider on loopback."""

    def start(self) -> AbstractContextManager[Running]:
        """A running provider; leaving the context stops it and removes its files.

        Raises:
            SandboxError: It is not installed, or did not start.
        """


class SandboxError(Exception):
    """A sandbox could not be started. The message says what to do and holds no secret."""
