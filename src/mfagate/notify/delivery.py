"""Sending a message through Apprise (https://github.com/caronc/apprise), which knows over a hundred services.

An address holds a token or a password, and is never shown: what fails is named by its reference.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mfagate.core.extras import missing, needs
from mfagate.notify.wording import Notification
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Stores


class NotReady(Exception):
    """Notifications cannot be sent; the message says what to set or to install."""


class Undelivered(Exception):
    """One address did not get the message. The text names its reference and holds no secret."""


@dataclass(frozen=True, slots=True)
class NotifyUrl:
    """One URL of Apprise, and the reference that it was read from."""

    reference: str
    url: str = field(repr=False)


def require_packages() -> None:
    """Check that the packages of notifications are installed.

    Raises:
        NotReady: Apprise, or SQLAlchemy for the history, is missing.
    """
    if missing("notify"):
        raise NotReady(needs("--notify", "notify"))
    if missing("history"):
        raise NotReady(needs("--notify keeps what was sent in the history, and", "history"))


def address_of(reference: str, stores: Stores) -> NotifyUrl:
    """Resolve one entry of ``[notify] urls``.

    Raises:
        Undelivered: It points at nothing.
    """
    parsed = Reference.parse(reference)
    assert parsed is not None, "the configuration takes nothing else"
    try:
        value = stores.resolve(parsed).value
    except Unresolved as error:
        raise Undelivered(str(error)) from None
    if not isinstance(value, str) or not value.strip():
        raise Undelivered(f"{parsed} holds no address")
    return NotifyUrl(str(parsed), value.strip())


def deliver(message: Notification, address: NotifyUrl) -> None:
    """Send a message to one address. Apprise gives each attempt a few seconds.

    Raises:
        Undelivered: Apprise does not know this kind of address, or it was not accepted.
    """
    with _quiet():
        import apprise

        service = apprise.Apprise()
        if not service.add(address.url):
            raise Undelivered(f"{address.reference} holds no address that Apprise knows")
        try:
            accepted = service.notify(
                message.body,
                title=message.title,
                notify_type=message.level,
                body_format=apprise.NotifyFormat.TEXT,
            )
        except Exception as error:  # noqa: BLE001 - a plugin's defect must not change a verdict
            raise Undelivered(f"{address.reference} failed ({type(error).__name__})") from None
    if not accepted:
        raise Undelivered(f"{address.reference} did not accept the message, or cannot be reached")


_one_at_a_time = threading.Lock()


@contextmanager
def _quiet() -> Iterator[None]:
    """Log nothing in this process meanwhile, because Apprise and the libraries below it log addresses.

    One thread at a time does this; otherwise the last one would restore what another one had disabled.
    """
    with _one_at_a_time:
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(before)
