"""One call of a client, watched: what it returned or raised, whether it ended, what it let out."""

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
    """``raised`` is None if the call returned; ``ended`` is False if it had not by the deadline.

    ``leaked_in`` names where a secret was found, never the secret.
    """

    returned: Any = None
    raised: BaseException | None = None
    ended: bool = True
    leaked_in: str | None = None

    def __str__(self) -> str:
        """In words, without what may quote the answer or a secret: an error's message, and what is no decision."""
        if not self.ended:
            return "did not end"
        if self.raised is not None:
            return f"raised {type(self.raised).__name__}"
        if isinstance(self.returned, Decision | bool | None):
            return f"returned {self.returned!r}"
        return f"returned a {type(self.returned).__name__}"


class Watch:
    """Runs calls in threads of their own, so that one that hangs can be left behind."""

    def __init__(self, deadline_seconds: float, secrets: Sequence[str]) -> None:
        self._deadline = deadline_seconds
        self._secrets = tuple(filter(None, secrets))
        self._redactor = Redactor({f"secret {number}": secret for number, secret in enumerate(self._secrets)})
        self._log = _Log()

    @contextmanager
    def logs(self) -> Iterator[None]:
        """Look at all that is logged meanwhile, at every level, and keep it from everybody else's logs."""
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
        """Call and wait, no longer than the deadline; ``give_up`` then lets the server end.

        Raises:
            BaseException: The call raised what is no :class:`Exception`, Ctrl-C for example.
        """
        self._log.lines.clear()
        box: list[CallOutcome] = []

        def body() -> None:
            try:
                box.append(CallOutcome(returned=call()))
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at in the other thread
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
    """All that an error shows, and the errors behind it, each with where it stands."""
    seen: set[int] = set()
    waiting = [(error, "")]
    while waiting:
        each, behind = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        where = f"{type(each).__name__}{behind}"
        yield where, "\n".join([str(each), repr(each), repr(each.args), *getattr(each, "__notes__", ())])
        yield where, "".join(traceback.format_exception_only(each))
        waiting += [(each.__cause__, f" behind {where}"), (each.__context__, f" behind {where}")]


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - a faulty call of a logger does not end its caller with other handlers either
            line = f"{record.msg} {record.args}"
        self.lines.append(line)
