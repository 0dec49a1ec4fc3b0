"""``sandbox:NAME``: a value that the local sandbox handed out when it was started."""

from __future__ import annotations

from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Resolved, StoreContext


class SandboxStore:
    """Reads what the running sandbox offers."""

    def __init__(self, context: StoreContext) -> None:
        self._values = context.sandbox

    def resolve(self, reference: Reference) -> Resolved:
        """Return the value of that name."""
        if reference.locator in self._values:
            return Resolved(self._values[reference.locator])
        offered = ", ".join(sorted(self._values)) or 'nothing, because endpoint is not "sandbox"'
        raise Unresolved(f"{reference}: the sandbox offers {offered}")
