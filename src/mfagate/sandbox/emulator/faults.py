"""Faults of an emulated provider: what it knows is changed, or it answers something else."""

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
    """Let a method of an emulator do a fault.

    Of a state: ``() -> context manager``, which changes what the emulator knows, and
    changes it back. Of an answer: ``(Request, argument) -> Answer | None``, without a
    side effect; None is for a request that it does not strike.
    """

    def mark(method: Method) -> Method:
        method.breaks = kind  # type: ignore[attr-defined]
        return method

    return mark


@contextmanager
def changed(thing: Any, **values: Any) -> Iterator[None]:
    """Attributes of a thing, other ones while the context lasts."""
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
    """A mapping that lacks a key while the context lasts; another fault may have taken it before."""
    taken = {key: mapping.pop(key)} if key in mapping else {}
    try:
        yield
    finally:
        mapping.update(taken)


@contextmanager
def replaced(mapping: MutableMapping[str, Any], key: str, value: Any) -> Iterator[None]:
    """A mapping with another value while the context lasts."""
    before, mapping[key] = mapping[key], value
    try:
        yield
    finally:
        mapping[key] = before


@contextmanager
def together(contexts: Iterable[AbstractContextManager[None]]) -> Iterator[None]:
    """Several changes as one."""
    with ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        yield


def broken_by(emulator: object) -> dict[str, tuple[FaultKind, Callable[..., Any]]]:
    """The faults that an emulator can do: what each is, and the method that does it."""
    methods = [
        getattr(emulator, name) for name in dir(type(emulator)) if hasattr(getattr(type(emulator), name), "breaks")
    ]
    return {method.breaks.name: (method.breaks, method) for method in methods}


class FaultInjector:
    """Does to an emulator the faults that stand in a file, one a line; the file is read before each request."""

    def __init__(self, emulator: object, file: Path) -> None:
        self._known = broken_by(emulator)
        self._file = file
        self._text = ""
        self._lock = threading.Lock()
        self._states = ExitStack()
        self._answers: Sequence[tuple[Trigger, Callable[..., Any]]] = ()

    def answer(self, request: Any) -> Any:
        """What a fault answers to a request in the emulator's place, or None."""
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
