"""Find the sandbox of a provider, through the entry point group ``mfagate.sandboxes``."""

from __future__ import annotations

from typing import TypeGuard

from mfagate.core.plugins import Plugins
from mfagate.sandbox import Sandbox, SandboxError


def _is_sandbox(found: object) -> TypeGuard[Sandbox]:
    return isinstance(found, Sandbox)


_SANDBOXES = Plugins("mfagate.sandboxes", "sandbox", _is_sandbox, SandboxError)


def find(provider: str) -> Sandbox | None:
    """Return the sandbox registered under a provider's name, or None.

    Raises:
        SandboxError: Its package cannot be imported, or registers an object of another type.
    """
    return _SANDBOXES.get(provider) if provider in _SANDBOXES.names() else None


def get(provider: str) -> Sandbox:
    """Return the sandbox registered under a provider's name.

    Raises:
        SandboxError: No sandbox is registered, or its package cannot be used.
    """
    sandbox = find(provider)
    if sandbox is None:
        raise SandboxError(f"no local sandbox is registered for {provider}; set endpoint to a URL")
    return sandbox
