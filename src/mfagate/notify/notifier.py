"""Send notifications after a run. A failure is a warning of the report, and never changes a verdict."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from mfagate.config.model import Configuration
from mfagate.core.foreign import harmless_tree, hiding
from mfagate.core.result import Report
from mfagate.history.recorder import RunRecorder
from mfagate.notify.changes import ProblemStatus, observed
from mfagate.notify.deciding import notifications
from mfagate.notify.delivery import NotifyUrl, NotReady, Undelivered, address_of, deliver, require_packages
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
            raise NotReady(f"--notify needs URLs to send to: put urls into [notify] in {configuration.path}")
        require_packages()
        self._stores = Stores(StoreContext(configuration.path.parent, os.environ))
        self._options = configuration.notify
        self._warnings: list[str] = []

    def notify(self, report: Report, history: RunRecorder) -> Sequence[str]:
        """Send the changes since the last run, and remember in the history what was sent.

        Returns:
            What went wrong, as warnings of the report.
        """
        self._warnings = []
        try:
            self._notify(report, history)
        except Exception as error:  # noqa: BLE001 - a defect in here must not cost the verdict
            self._warnings.append(f"notification: a defect of mfagate ({type(error).__name__})")
        return [f"{warning}. The verdict is not affected." for warning in self._warnings]

    def _notify(self, report: Report, history: RunRecorder) -> None:
        seen = observed(harmless_tree(report), self._remembered(history))
        options = self._options.model_copy(update={"report_url": self._report_url()})
        addresses = self._addresses()
        with hiding(Redactor({address.reference: address.url for address in addresses}).redact):
            messages, after = notifications(seen.changes, seen.statuses, report.run.finished, options)
        # A message that reached nobody is not remembered as sent: the next run tries again.
        if not messages or self._send(messages, addresses):
            history.remember_notified({key: status.model_dump(mode="json") for key, status in after.items()})

    def _remembered(self, history: RunRecorder) -> Mapping[str, ProblemStatus]:
        stored = history.notified()
        if stored is None:
            self._warnings.append(f"notification: the history cannot be asked, so {_SENT_AGAIN}")
            return {}
        try:
            return _STATUSES.validate_python(stored)
        except ValidationError:
            self._warnings.append(f"notification: the history holds no valid record of what was sent, so {_SENT_AGAIN}")
            return {}

    def _report_url(self) -> str | None:
        given = self._options.report_url
        reference = Reference.parse(given) if given is not None else None
        if reference is None:
            return given
        try:
            return str(self._stores.resolve(reference).value)
        except Unresolved as error:
            self._warnings.append(f"notify.report_url: {error}")
            return None

    def _send(self, messages: Sequence[Notification], addresses: Sequence[NotifyUrl]) -> bool:
        """Send the messages; return whether each reached at least one URL."""
        redactor = Redactor({address.reference: address.url for address in addresses})
        reached = [False] * len(messages)
        for number, message in enumerate(messages):
            shown = replace(message, title=redactor.redact(message.title), body=redactor.redact(message.body))
            for address in addresses:
                try:
                    deliver(shown, address)
                    reached[number] = True
                except Undelivered as error:
                    self._warnings.append(f"notification: {error}")
        return all(reached)

    def _addresses(self) -> Sequence[NotifyUrl]:
        found = []
        for reference in self._options.urls:
            try:
                found.append(address_of(reference, self._stores))
            except Undelivered as error:
                self._warnings.append(f"notification: {error}")
        return found
