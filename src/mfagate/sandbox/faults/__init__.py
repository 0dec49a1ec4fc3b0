"""Faults between a client and a sandbox, from the TCP connection to a single field of an answer.

A fault is written ``NAME[:ARGUMENT][,path=PATH][,rate=SHARE][,after=N][,times=N]``, for example
``status:503,path=/auth/v2/check,rate=0.3``. :data:`FAULTS` lists the names, :func:`faulty` puts some of
them before a server.
"""

from mfagate.sandbox.faults.catalogue import FAULTS, Kind, Layer
from mfagate.sandbox.faults.layer import Faulty, faulty
from mfagate.sandbox.faults.spec import BadFault, Fault

__all__ = ["FAULTS", "BadFault", "Fault", "Faulty", "Kind", "Layer", "faulty"]
