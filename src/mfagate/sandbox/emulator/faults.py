"""Inject faults into an emulator: change its state, or replace its answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mfagate.sandbox.faults.kind import FaultKind, Layer
from mfagate.sandbox.faults.spec import Fault, Trigger

if TYPE_CHECKING:
    from mfagate.sandbox.emulator.app import IncomingRequest, Reply

Method = TypeVar("Method", bound=Callable[..., Any])


def injects(kind: FaultKind) -> Callable[[Method], Method]:
    """Declare that a method of an emulator injects a fault.

    For a fault of state, the method has the signature ``() -> context manager``; the context changes the state and
    restores it. For a fault of answers, it is ``(IncomingRequest, argument) -> Reply | None``, without a side effect;
    None leaves the request unaffected.
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
    """Remove a key from a mapping while the context lasts; another fault may have removed it already."""
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
    """Return the faults that an emulator can inject, by name, each with its method."""
    methods = [
        getattr(emulator, name) for name in dir(type(emulator)) if hasattr(getattr(type(emulator), name), "injects")
    ]
    return {method.injects.name: (method.injects, method) for method in methods}


class FaultInjector:
    """Injects the faults listed in a file, one per line; the file is read before each request."""

    def __init__(self, emulator: object, file: Path) -> None:
        self._known = faults_of(emulator)
        self._file = file
        self._text = ""
        self._lock = threading.Lock()
        self._states = ExitStack()
        self._answers: Sequence[tuple[Trigger, Callable[..., Any]]] = ()

    def update(self) -> None:
        """Inject the faults that the file lists now, and end all others."""
        with self._lock:
            text = self._file.read_text("utf-8")
            if text != self._text:
                self._change(text)

    def answer(self, request: IncomingRequest) -> Reply | None:
        """Return the answer of a fault to this request, or None."""
        self.update()
        for trigger, method in self._answers:
            answer: Reply | None = method(request, trigger.fault.argument)
            if answer is not None and trigger.fires(request.path):
                return answer
        return None

    def _change(self, text: str) -> None:
        kinds = {name: kind for name, (kind, _) in self._known.items()}
        faults = [Fault.parse(line, kinds) for line in text.splitlines()]
        # The old faults end first, in reverse order, so that each restores the state that it found.
        self._states.close()
        self._answers = [
            (Trigger(fault), self._known[fault.kind.name][1]) for fault in faults if fault.kind.layer is Layer.ANSWER
        ]
        for fault in faults:
            if fault.kind.layer is Layer.STATE:
                self._states.enter_context(self._known[fault.kind.name][1]())
        self._text = text
