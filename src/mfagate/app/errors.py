"""Exceptions that a run raises instead of returning a report. The command prints their messages.

MfagateError
├── RunRefused          the options or the configuration cannot be used; nothing was sent
└── ReportNotWritten    the run has ended, but a report could not be written
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mfagate.core.foreign import harmless

if TYPE_CHECKING:
    from mfagate.core.result import Report


class MfagateError(Exception):
    """Base class of all exceptions of the Python API. The command exits with 2 for each of them.

    ``messages`` are its lines. They contain no secret and no control character of a terminal.
    """

    def __init__(self, *messages: str) -> None:
        self.messages: Sequence[str] = [harmless(without_surrounding_secrets(message)) for message in messages]
        super().__init__("\n".join(self.messages))


class RunRefused(MfagateError):
    """The options or the configuration cannot be used. Nothing was sent."""


class ReportNotWritten(MfagateError):
    """The run has ended, but at least one report could not be written. ``report`` is its result."""

    def __init__(self, *messages: str, report: Report, on_stdout: bool = False) -> None:
        super().__init__(*messages)
        self.report = report
        self.on_stdout = on_stdout


def without_surrounding_secrets(message: str) -> str:
    """Redact the credentials in URLs of the command line and the environment."""
    from mfagate.secrets.credentials import learn_surroundings
    from mfagate.secrets.redaction import Redactor

    redactor = Redactor()
    learn_surroundings(redactor, "", os.environ, sys.argv[1:])
    return redactor.redact(message)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn the exceptions of everything that a run loads into :class:`RunRefused`."""
    from mfagate.cassettes.writer import MissingExtra
    from mfagate.checks.record import SharedRecordings
    from mfagate.config.load import ConfigError
    from mfagate.core.git import GitError
    from mfagate.notify.delivery import NotReady
    from mfagate.providers.registry import ProviderError

    try:
        yield
    except ConfigError as error:
        raise RunRefused(*map(str, error.problems)) from None
    except (GitError, MissingExtra, NotReady, ProviderError, SharedRecordings) as error:
        raise RunRefused(str(error)) from None
