"""``env:NAME``: an environment variable."""

from __future__ import annotations

from difflib import get_close_matches

from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Resolved, StoreContext


class EnvStore:
    """Reads the environment that the process was started with."""

    def __init__(self, context: StoreContext) -> None:
        self._environ = context.environ

    def resolve(self, reference: Reference) -> Resolved:
        """Return the value of the variable, exactly as it stands there."""
        name = reference.locator
        if not name:
            raise Unresolved("env: needs the name of a variable, for example env:DUO_SKEY")
        if name in self._environ:
            return Resolved(self._environ[name])
        nearest = get_close_matches(name, self._environ, n=1, cutoff=0.8)
        hint = f" ({nearest[0]} is set: is that the one?)" if nearest else ""
        raise Unresolved(f"the environment variable {name} is not set{hint}")
