"""Faults of a sandbox and of the connection to it: from a refused TCP connection to a revoked key.

The notation is ``NAME[:ARGUMENT][,path=PATH][,rate=SHARE][,after=N][,times=N]``, for example
``status:503,path=/auth/v2/check,rate=0.3``. :data:`FAULTS` lists the names; :func:`faulty` injects
faults in front of a server. A provider declares its own faults with :func:`state` and :func:`answer`,
and its emulator injects them: :func:`mfagate.sandbox.emulator.injects`.
"""

from mfagate.sandbox.faults.catalogue import FAULTS
from mfagate.sandbox.faults.kind import FaultKind, Layer, answer, state
from mfagate.sandbox.faults.layer import Faulty, faulty
from mfagate.sandbox.faults.spec import BadFault, Fault

__all__ = ["FAULTS", "BadFault", "Fault", "FaultKind", "Faulty", "Layer", "answer", "faulty", "state"]
