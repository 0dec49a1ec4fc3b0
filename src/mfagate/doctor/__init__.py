"""``mfagate doctor``: is everything that mfagate needs installed, readable, writable and reachable on this machine?

It sends no credential and shows no value. For a secret it reports only whether it can be read.
"""

from mfagate.doctor.examination import Options, examine
from mfagate.doctor.findings import Area, Health, Item, Readiness

__all__ = ["Area", "Health", "Item", "Options", "Readiness", "examine"]
