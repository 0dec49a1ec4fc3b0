"""Send notifications after a run. A failure is a warning of the report, and never changes a verdict."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from mfagate.config.model import Configuration
from mfagate.core.foreign import harmless_tree, hiding
from mfagate.core.result import Report
from mfagate.history.recorder import RunRecorder
from mfagate.notify.changes import ProblemStatus, observed
from mfagate.notify.deciding import notification
from mfagate.notify.delivery import NotifyUrl, NotReady, Undelivered, deliver, require_packages, resolve_url
from mfagate.notify.wording import Notification
from mfagate.secrets.redaction import Redactor
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import StoreContext, Stores

_STATUSES = TypeAdapter(dict[str, ProblemStatus])

_SENT_AGAIN = "already reported problems will be sent again"


class Notifier:
    """Notifies the URLs of ``[notify]`` of changes since the last run."""

    def __init__(self, configuration: Configuration) -> None:
        """Check that notifications can be sent and remembered.

        Raises:
            NotReady: There is no URL, or a package is missing.
        """
        if not configuration.notify.urls:
            raise NotReady(f"--notify needs at least one URL: set urls in [notify] in {configuration.path}")
        require_packages()
        self._stores = Stores(StoreContext(configuration.path.parent, os.environ))
        self._options = configuration.notify
        self._warnings: list[str] = []

    def notify(self, report: Report, history: RunRecorder) -> Sequence[str]:
        """Send the changes since the last run, and store in the history what was sent.

        Returns:
            Warnings for the report.
        """
        self._warnings = []
        try:
            self._notify(report, history)
        except Exception as error:  # noqa: BLE001 - a defect must not cost the verdict
            self._warnings.append(f"notification: a defect of mfagate ({type(error).__name__})")
        return [f"{warning}. The verdict is not affected." for warning in self._warnings]

    def _notify(self, report: Report, history: RunRecorder) -> None:
        seen = observed(harmless_tree(report), self._remembered(history))
        options = self._options.model_copy(update={"report_url": self._report_url()})
        urls = self._urls()
        redact = Redactor({url.reference: url.url for url in urls}).redact
        with hiding(redact):
            message, after = notification(seen.changes, seen.statuses, report.run.finished, options)
        if message is not None:
            message = replace(message, title=redact(message.title), body=redact(message.body))
        # A message that reached no URL is not stored as sent: the next run tries again.
        if message is None or self._send(message, urls):
            history.remember_notified({key: status.model_dump(mode="json") for key, status in after.items()})

    def _remembered(self, history: RunRecorder) -> Mapping[str, ProblemStatus]:
        stored = history.notified()
        if stored is None:
            self._warnings.append(f"notification: the history cannot be read, so {_SENT_AGAIN}")
            return {}
        try:
            return _STATUSES.validate_python(stored)
        except ValidationError:
            self._warnings.append(f"notification: the history has no valid record of what was sent, so {_SENT_AGAIN}")
            return {}

    def _report_url(self) -> str | None:
        url = self._options.report_url
        reference = Reference.parse(url) if url is not None else None
        if reference is None:
            return url
        try:
            return str(self._stores.resolve(reference).value)
        except Unresolved as error:
            self._warnings.append(f"notify.report_url: {error}")
            return None

    def _send(self, message: Notification, urls: Sequence[NotifyUrl]) -> bool:
        """Send a message to each URL; return whether at least one accepted it."""
        reached = False
        for url in urls:
            with self._warning():
                deliver(message, url)
                reached = True
        return reached

    def _urls(self) -> Sequence[NotifyUrl]:
        found = []
        for reference in self._options.urls:
            with self._warning():
                found.append(resolve_url(reference, self._stores))
        return found

    @contextmanager
    def _warning(self) -> Iterator[None]:
        """Turn a failure to send into a warning."""
        try:
            yield
        except Undelivered as error:
            self._warnings.append(f"notification: {error}")
