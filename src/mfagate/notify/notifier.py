"""Notifications after a run: what goes wrong with them is a warning of the report, and never changes a verdict."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from mfagate.config.model import Configuration
from mfagate.core.foreign import harmless_tree, hiding
from mfagate.core.result import Report
from mfagate.notify import memory
from mfagate.notify.changes import ProblemStatus, observed
from mfagate.notify.deciding import notifications
from mfagate.notify.delivery import NotifyUrl, NotReady, Undelivered, address_of, deliver, require_apprise
from mfagate.notify.wording import Notification
from mfagate.secrets.redaction import Redactor
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import StoreContext, Stores


class Notifier:
    """Tells the addresses of ``[notify]`` what a run has changed.

    Raises:
        NotReady: No address is given, or Apprise is missing.
    """

    def __init__(self, configuration: Configuration) -> None:
        if not configuration.notify.urls:
            raise NotReady(f"--notify needs whom to tell: put urls into [notify] in {configuration.path}")
        require_apprise()
        base = configuration.path.parent
        self._stores = Stores(StoreContext(base, os.environ))
        self._path = base / configuration.notify.state
        self._options = configuration.notify
        self._warnings: list[str] = []

    def tell(self, report: Report) -> Report:
        """Send what is worth a message; the report that is returned says what went wrong with that."""
        try:
            self._tell(report)
        except Exception as error:  # noqa: BLE001 - a defect in here must not cost the verdict
            self._warnings.append(f"notification: a defect of mfagate ({type(error).__name__})")
        warnings = [*report.run.warnings, *(f"{told}. The verdict is not affected." for told in self._warnings)]
        return report.model_copy(update={"run": report.run.model_copy(update={"warnings": warnings})})

    def _tell(self, report: Report) -> None:
        states = self._remembered()
        seen = observed(harmless_tree(report), states)
        options = self._options.model_copy(update={"report_url": self._report_url()})
        addresses = self._addresses()
        with hiding(Redactor({address.reference: address.url for address in addresses}).redact):
            messages, after = notifications(seen.changes, seen.states, report.run.finished, options)
        # What reached nobody is not remembered as told: the next run tries again.
        if not messages or self._send(messages, addresses):
            self._remember({**states, **after})

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
        """Whether all messages reached somebody."""
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

    def _remembered(self) -> dict[str, ProblemStatus]:
        try:
            return memory.read(self._path)
        except memory.Trouble as error:
            self._warnings.append(f"notification: {error}")
            return {}

    def _remember(self, states: dict[str, ProblemStatus]) -> None:
        try:
            memory.write(self._path, states)
        except memory.Trouble as error:
            self._warnings.append(f"notification: {error}")
