"""Run one call of a client, and observe its result, its duration and its logs."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mfagate.providers.second_factor import Decision
from mfagate.secrets.redaction import Redactor


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """How a call ended.

    ``raised`` is None if the call returned. ``ended`` is False if it exceeded the deadline.
    ``leaked_in`` names where a secret was found, and never the secret.
    """

    returned: Any = None
    raised: BaseException | None = None
    ended: bool = True
    leaked_in: str | None = None

    def __str__(self) -> str:
        """Describe the outcome without values that may contain the answer or a secret."""
        if not self.ended:
            return "did not end"
        if self.raised is not None:
            return f"raised {type(self.raised).__name__}"
        if isinstance(self.returned, Decision | bool | None):
            return f"returned {self.returned!r}"
        return f"returned a {type(self.returned).__name__}"


class CallRunner:
    """Runs each call in a separate thread, so that a call that hangs can be abandoned."""

    def __init__(self, deadline_seconds: float, secrets: Sequence[str]) -> None:
        self._deadline = deadline_seconds
        self._secrets = tuple(filter(None, secrets))
        self._redactor = Redactor({f"secret {number}": secret for number, secret in enumerate(self._secrets)})
        self._log = _Log()

    @contextmanager
    def logs(self) -> Iterator[None]:
        """Capture all logs at every level while the context lasts, and hide them from other handlers."""
        root = logging.getLogger()
        level, handlers = root.level, root.handlers
        root.handlers = [self._log]
        if self._secrets:
            root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.setLevel(level)
            root.handlers = handlers

    def run(self, call: Callable[[], Any], give_up: Callable[[], None]) -> CallOutcome:
        """Run a call until the deadline; ``give_up`` then releases the server.

        Raises:
            BaseException: The call raised an error that is not an :class:`Exception`, such as KeyboardInterrupt.
        """
        self._log.lines.clear()
        box: list[CallOutcome] = []

        def body() -> None:
            try:
                box.append(CallOutcome(returned=call()))
            except BaseException as error:  # noqa: BLE001 - the other thread examines it
                box.append(CallOutcome(raised=error))

        thread = threading.Thread(target=body, daemon=True)
        started = time.monotonic()
        thread.start()
        thread.join(self._deadline)
        late = not box or time.monotonic() - started > self._deadline
        give_up()
        if late:
            thread.join(self._deadline)
            return CallOutcome(ended=False)
        (outcome,) = box
        if outcome.raised is not None and not isinstance(outcome.raised, Exception):
            raise outcome.raised
        return CallOutcome(outcome.returned, outcome.raised, leaked_in=self._leak(outcome))

    def _leak(self, outcome: CallOutcome) -> str | None:
        shown = [*_texts(outcome.raised), *(("the log", line) for line in self._log.lines)]
        for where, text in shown:
            if any(secret in text for secret in self._secrets) or self._redactor.found_in(text):
                return where
        return None


def _texts(error: BaseException | None) -> Iterator[tuple[str, str]]:
    """Yield the texts of an error and of the errors behind it, each with its source."""
    seen: set[int] = set()
    waiting = [(error, "")]
    while waiting:
        current, behind = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        where = f"{type(current).__name__}{behind}"
        yield where, "\n".join([str(current), repr(current), repr(current.args), *getattr(current, "__notes__", ())])
        yield where, "".join(traceback.format_exception_only(current))
        waiting += [(error, f" behind {where}") for error in (current.__cause__, current.__context__)]


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - an invalid logging call never fails its caller
            line = f"{record.msg} {record.args}"
        self.lines.append(line)
