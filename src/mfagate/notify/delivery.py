"""Send a message through Apprise (https://github.com/caronc/apprise), which supports over a hundred services.

A URL contains a token or a password and is never shown: messages name its reference.
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
    """Notifications cannot be sent; the message says what to configure or install."""


class Undelivered(Exception):
    """A message could not be sent to a URL. The text names its reference and contains no secret."""


@dataclass(frozen=True, slots=True)
class NotifyUrl:
    """A URL for Apprise, and its reference in the configuration."""

    reference: str
    url: str = field(repr=False)


def require_packages() -> None:
    """Check that the packages for notifications are installed.

    Raises:
        NotReady: Apprise, or SQLAlchemy for the history, is missing.
    """
    if missing("notify"):
        raise NotReady(needs("--notify", "notify"))
    if missing("history"):
        raise NotReady(needs("--notify stores what was sent in the history, and", "history"))


def resolve_url(reference: str, stores: Stores) -> NotifyUrl:
    """Resolve one entry of ``[notify] urls``.

    Raises:
        Undelivered: The reference cannot be resolved, or its value is empty.
    """
    parsed = Reference.parse(reference)
    assert parsed is not None, "the configuration accepts only references"
    try:
        value = stores.resolve(parsed).value
    except Unresolved as error:
        raise Undelivered(str(error)) from None
    if not isinstance(value, str) or not value.strip():
        raise Undelivered(f"{parsed} is empty: expected a URL")
    return NotifyUrl(str(parsed), value.strip())


def deliver(message: Notification, url: NotifyUrl) -> None:
    """Send a message to one URL. Apprise limits each attempt to a few seconds.

    Raises:
        Undelivered: Apprise does not support the URL, or the service did not accept the message.
    """
    with _quiet():
        import apprise

        service = apprise.Apprise()
        if not service.add(url.url):
            raise Undelivered(f"{url.reference} is not a URL that Apprise supports")
        try:
            accepted = service.notify(
                message.body,
                title=message.title,
                notify_type=message.level,
                body_format=apprise.NotifyFormat.TEXT,
            )
        except Exception as error:  # noqa: BLE001 - a defect of a plugin must not change a verdict
            raise Undelivered(f"{url.reference} failed ({type(error).__name__})") from None
    if not accepted:
        raise Undelivered(f"{url.reference} did not accept the message, or cannot be reached")


_one_at_a_time = threading.Lock()


@contextmanager
def _quiet() -> Iterator[None]:
    """Disable logging in this process, because Apprise and its libraries log URLs.

    Only one thread at a time may do this: a second one would restore the state that the first one had set.
    """
    with _one_at_a_time:
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(before)
