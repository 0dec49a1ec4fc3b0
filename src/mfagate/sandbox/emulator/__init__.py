"""The framework of emulators, which imitate hosted providers on machines that cannot reach them.

An emulator is one class: methods that answer routes, and the provider's own errors for requests
that reach no route. It runs in a separate process (:func:`mfagate.sandbox.emulator.program.run`).
The providers' official SDKs verify in the tests that it is accurate.
"""

from mfagate.sandbox.emulator.app import Emulator, IncomingRequest, Reply, RequestProblem, RequestRejected, route
from mfagate.sandbox.emulator.faults import changed, injects, replaced, together, without
from mfagate.sandbox.emulator.start import EmulatorSandbox
from mfagate.sandbox.emulator.values import base64url, characters

__all__ = [
    "Emulator",
    "EmulatorSandbox",
    "IncomingRequest",
    "Reply",
    "RequestProblem",
    "RequestRejected",
    "base64url",
    "changed",
    "characters",
    "injects",
    "replaced",
    "route",
    "together",
    "without",
]
