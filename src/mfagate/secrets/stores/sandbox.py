"""``sandbox:NAME``: a value that the local sandbox provides."""

from __future__ import annotations

from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Resolved, StoreContext


def resolve(context: StoreContext, reference: Reference) -> Resolved:
    """Return the value with this name."""
    values = context.sandbox
    if reference.locator in values:
        return Resolved(values[reference.locator])
    offered = ", ".join(sorted(values)) or 'nothing, because endpoint is not "sandbox"'
    raise Unresolved(f"{reference}: the sandbox provides {offered}")
