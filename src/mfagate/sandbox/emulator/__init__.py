"""The framework of emulators, which imitate hosted providers on machines that cannot reach them.

An emulator is one class: methods that answer routes, and the provider's own words
for what goes wrong before a route is reached. It runs as a process of its own
(:func:`mfagate.sandbox.emulator.program.run`); official SDKs are the referees of
whether it imitates well.
"""

from mfagate.sandbox.emulator.app import Emulator, IncomingRequest, Reply, RequestProblem, RequestRefused, route
from mfagate.sandbox.emulator.faults import changed, injects, replaced, together, without
from mfagate.sandbox.emulator.start import EmulatorSandbox

__all__ = [
    "Emulator",
    "EmulatorSandbox",
    "IncomingRequest",
    "Reply",
    "RequestProblem",
    "RequestRefused",
    "changed",
    "injects",
    "replaced",
    "route",
    "together",
    "without",
]
