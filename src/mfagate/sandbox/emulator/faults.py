"""Inject faults into an emulator: change what it knows, or answer in its place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from mfagate.sandbox.faults.kind import FaultKind, Layer
from mfagate.sandbox.faults.spec import Fault, Trigger

Method = TypeVar("Method", bound=Callable[..., Any])


def injects(kind: FaultKind) -> Callable[[Method], Method]:
    """Declare that a method of an emulator injects a fault.

    For a state: ``() -> context manager``, which changes what the emulator knows, and changes it back. For an answer:
    ``(IncomingRequest, argument) -> Reply | None``, without a side effect; None for a request that it does not affect.
    """

    def mark(method: Method) -> Method:
        method.injects = kind  # type: ignore[attr-defined]
        return method

    return mark


@contextmanager
def changed(thing: Any, **values: Any) -> Iterator[None]:
    """Change attributes while the context lasts."""
    before = {name: getattr(thing, name) for name in values}
    for name, value in values.items():
        setattr(thing, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(thing, name, value)


@contextmanager
def without(mapping: MutableMapping[str, Any], key: str) -> Iterator[None]:
    """Remove a key from a mapping while the context lasts; another fault may have removed it before."""
    taken = {key: mapping.pop(key)} if key in mapping else {}
    try:
        yield
    finally:
        mapping.update(taken)


@contextmanager
def replaced(mapping: MutableMapping[str, Any], key: str, value: Any) -> Iterator[None]:
    """Replace a value of a mapping while the context lasts."""
    before, mapping[key] = mapping[key], value
    try:
        yield
    finally:
        mapping[key] = before


@contextmanager
def together(contexts: Iterable[AbstractContextManager[None]]) -> Iterator[None]:
    """Enter several contexts as one."""
    with ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        yield


def faults_of(emulator: object) -> dict[str, tuple[FaultKind, Callable[..., Any]]]:
    """Return the faults that an emulator can inject, each with the method that does it."""
    methods = [
        getattr(emulator, name) for name in dir(type(emulator)) if hasattr(getattr(type(emulator), name), "injects")
    ]
    return {method.injects.name: (method.injects, method) for method in methods}


class FaultInjector:
    """Injects the faults of a file, one a line; the file is read before each request."""

    def __init__(self, emulator: object, file: Path) -> None:
        self._known = faults_of(emulator)
        self._file = file
        self._text = ""
        self._lock = threading.Lock()
        self._states = ExitStack()
        self._answers: Sequence[tuple[Trigger, Callable[..., Any]]] = ()

    def answer(self, request: Any) -> Any:
        """Return the answer of a fault to this request, or None."""
        with self._lock:
            text = self._file.read_text("utf-8")
            if text != self._text:
                self._change(text)
            answers = self._answers
        for trigger, method in answers:
            answer = method(request, trigger.fault.argument)
            if answer is not None and trigger.strikes(request.path):
                return answer
        return None

    def _change(self, text: str) -> None:
        kinds = {name: kind for name, (kind, _) in self._known.items()}
        faults = [Fault.parse(line, kinds) for line in text.splitlines()]
        # All of the old ones first, in the opposite order: each finds what it left.
        self._states.close()
        self._answers = [
            (Trigger(fault), self._known[fault.kind.name][1]) for fault in faults if fault.kind.layer is Layer.ANSWER
        ]
        for fault in faults:
            if fault.kind.layer is Layer.STATE:
                self._states.enter_context(self._known[fault.kind.name][1]())
        self._text = text
