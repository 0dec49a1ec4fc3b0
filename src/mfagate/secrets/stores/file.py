"""``file:PATH``: a whole file is the value, such as a mounted Kubernetes or Docker secret.

Nothing is stripped: a program that reads the file sees the trailing newline
too, and that newline is one of the faults that mfagate exists to find.
"""

from __future__ import annotations

from mfagate.core.finding import Location
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Resolved, StoreContext, full_path, read_file


class FileStore:
    """Reads files relative to the configuration file."""

    def __init__(self, context: StoreContext) -> None:
        self._base = context.base

    def resolve(self, reference: Reference) -> Resolved:
        """Return the file's text, unchanged."""
        if not reference.locator:
            raise Unresolved("file: needs a path, for example file:secrets/duo.skey")
        text = read_file(self._base, reference.locator, reference)
        return Resolved(text, Location(full_path(self._base, reference.locator, reference), 1))
