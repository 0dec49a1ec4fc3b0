"""Run an emulator: listen, announce the address, serve until the parent process ends it."""

from __future__ import annotations

from collections.abc import Callable

from mfagate.sandbox import Running
from mfagate.sandbox.certificates import Authority
from mfagate.sandbox.child import attach
from mfagate.sandbox.emulator.app import Emulator
from mfagate.sandbox.emulator.faults import FaultInjector
from mfagate.sandbox.emulator.listen import Listener


def run(make: Callable[[], Emulator]) -> None:
    """Serve the emulator that ``make`` returns."""
    child = attach()
    emulator = make()
    if child.faults is not None:
        emulator.fault_injector = FaultInjector(emulator, child.faults)
    authority = Authority(child.directory, emulator.hosts)
    listener = Listener(emulator, authority.context())
    bundle = str(authority.bundle)
    values = {**emulator.values, "ca_bundle": bundle}
    child.ready(Running(f"https://127.0.0.1:{listener.port}", values, emulator.secrets, bundle))
    listener.serve_forever()
