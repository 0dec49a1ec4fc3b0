"""``file:PATH``: a whole file is the value, such as a mounted Kubernetes or Docker secret.

Nothing is stripped: a program that reads the file gets the trailing newline too, and that newline is a fault to find.
"""

from __future__ import annotations

from mfagate.core.finding import Location
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Resolved, StoreContext, full_path, read_file


def resolve(context: StoreContext, reference: Reference) -> Resolved:
    """Return the text of the file, unchanged."""
    if not reference.locator:
        raise Unresolved("file: needs a path, for example file:secrets/duo.skey")
    path = full_path(context.base, reference.locator, reference)
    return Resolved(read_file(path, reference), Location(path, 1))
