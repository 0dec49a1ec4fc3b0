"""Start a sandbox with faults: the provider's own, and those of the connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

from mfagate.core import files
from mfagate.leftovers.folders import temporary_folder
from mfagate.sandbox import Running
from mfagate.sandbox.faults import FAULTS, BadFault, Fault, FaultKind, faulty
from mfagate.sandbox.faults.layer import require_fit

Start = Callable[[Path | None], AbstractContextManager[Running]]
"""Starts the provider; the file, if any, lists the provider's own faults."""


def known_faults(own: Sequence[FaultKind]) -> Mapping[str, FaultKind]:
    """Return the faults of a sandbox by name: the provider's own, and those of the connection."""
    return {kind.name: kind for kind in own} | FAULTS


def read_faults(texts: Sequence[str], own: Sequence[FaultKind]) -> list[Fault]:
    """Parse faults, and require that they can occur together.

    Raises:
        BadFault: A fault is not valid, or two faults exclude each other.
    """
    faults = [Fault.parse(text, known_faults(own)) for text in texts]
    require_fit(faults)
    return faults


@contextmanager
def faulty_sandbox(start: Start, own: Sequence[FaultKind], texts: Sequence[str] | None) -> Iterator[Running]:
    """Run a sandbox with faults while the context lasts.

    Args:
        start: Starts the provider.
        own: The provider's own kinds of faults.
        texts: The faults from the start; None runs the provider without a fault layer.

    Raises:
        BadFault: A fault is not valid, or two faults exclude each other.
        SandboxError: The provider did not start.
    """
    if texts is None:
        with start(None) as running:
            yield running
        return
    first = read_faults(texts, own)
    with temporary_folder("drill") as folder:
        file = folder / "faults"
        _write(file, first)
        with start(file) as running, faulty(running.endpoint, _of_connection(first)) as front:

            def change(texts: Sequence[str]) -> None:
                faults = read_faults(texts, own)
                front.change(_of_connection(faults))
                _write(file, faults)

            bundle = str(front.ca_bundle) if front.ca_bundle else None
            yield replace(
                running,
                endpoint=front.url,
                ca_bundle=bundle,
                values={name: _moved(value, running, front.url, bundle) for name, value in running.values.items()},
                change_faults=change,
                idle_faults=lambda: front.idle,
            )


def _of_connection(faults: Sequence[Fault]) -> list[Fault]:
    return [fault for fault in faults if not fault.kind.layer.is_providers]


def _write(file: Path, faults: Sequence[Fault]) -> None:
    files.write_atomically(file, "".join(f"{fault}\n" for fault in faults if fault.kind.layer.is_providers))


def _moved(value: str, running: Running, endpoint: str, bundle: str | None) -> str:
    """Replace the address or the authority of the sandbox by those of the fault layer."""
    if bundle is not None and value == running.ca_bundle:
        return bundle
    return endpoint if value == running.endpoint else value


__all__ = ["BadFault", "faulty_sandbox", "known_faults", "read_faults"]
