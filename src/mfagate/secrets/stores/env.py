"""``env:NAME``: an environment variable."""

from __future__ import annotations

from difflib import get_close_matches

from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Resolved, StoreContext


def resolve(context: StoreContext, reference: Reference) -> Resolved:
    """Return the value of the variable, unchanged."""
    name = reference.locator
    if not name:
        raise Unresolved("env: needs the name of a variable, for example env:DUO_SKEY")
    if name in context.environ:
        return Resolved(context.environ[name])
    nearest = get_close_matches(name, context.environ, n=1, cutoff=0.8)
    hint = f" (did you mean {nearest[0]}, which is set?)" if nearest else ""
    raise Unresolved(f"the environment variable {name} is not set{hint}")
