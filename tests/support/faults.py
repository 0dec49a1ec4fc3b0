"""Faults for the proxy in front of a server."""

from __future__ import annotations

import time
from email.utils import formatdate
from urllib.parse import urlsplit

from mfagate.sandbox.faulty_proxy import Fault, Handler


def clock_ahead(seconds: float) -> Fault:
    """Shift the time in the header Date."""
    return lambda handler: handler.pass_on(date=formatdate(time.time() + seconds, usegmt=True))


def without_date(handler: Handler) -> bool:
    """Leave out the header Date."""
    return handler.pass_on(date="")


def after(requests: int, fault: Fault) -> Fault:
    """Forward a number of requests, then inject a fault."""
    return lambda handler: len(handler.server.requests) > requests and fault(handler)


def on_path(path: str, fault: Fault) -> Fault:
    """Inject a fault on one path only."""
    return lambda handler: urlsplit(handler.path).path == path and fault(handler)
