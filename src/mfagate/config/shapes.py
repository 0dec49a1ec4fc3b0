"""Shapes: the known form of a setting's values.

A shape never proves that a value is right. It proves that a value cannot be right,
which is how a truncated key is found before it is deployed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from mfagate.core.causes import CauseId


@dataclass(frozen=True, slots=True)
class Misfit:
    """The reason why a value cannot be right: a sentence fragment without the value, and a cause.

    ``step`` replaces the usual next step, which is to copy the value again.

    ``documented`` is False if the provider documents no form, or a wider one: the value may be
    right, and the misfit is a warning.
    """

    reason: str
    cause: CauseId = CauseId.CONFIG_MALFORMED_VALUE
    step: str | None = None
    documented: bool = True


class Shape(Protocol):
    """A check of one value. ``expected`` completes the sentence "expected …"."""

    @property
    def expected(self) -> str:
        """The form of a right value, for messages and documentation."""

    def misfit(self, value: str) -> Misfit | None:
        """Return why the value cannot be right, or None."""


ANYTHING = "(?s).*"
"""The form of a value that may be anything, because the provider documents none."""


ANY_SEGMENT = r"(?!\.{1,2}$)[^\s/\\?#%]+"
"""The form of an id that fills one segment of a path, if the provider documents no more."""


def is_recognised(shape: Shape | None, value: str) -> bool:
    """Return whether a value has the typical form of its setting, not just a possible one.

    A shape that accepts values of any form has a method ``recognises``, which decides.
    """
    if shape is None or shape.misfit(value) is not None:
        return False
    recognises: Callable[[str], bool] | None = getattr(shape, "recognises", None)
    return recognises is None or recognises(value)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression for the whole value; ``length`` makes truncation readable.

    ``documented`` is the regular expression of the documented form, if ``regex`` is
    narrower because all known values have that form. A shorter value of that form
    was truncated, whatever is documented: that is the commonest slip.
    """

    regex: str
    expected: str
    length: int | None = None
    documented: str | None = None

    def misfit(self, value: str) -> Misfit | None:
        """Compare length first, because truncation is the commonest slip."""
        reason = self._reason(value)
        if reason is None:
            return None
        is_possible = self.documented is not None and re.fullmatch(self.documented, value) and not self._was_cut(value)
        return Misfit(reason, documented=not is_possible)

    def _was_cut(self, value: str) -> bool:
        """Return whether a value has the form apart from its length."""
        if self.length is None or not 0 < len(value) < self.length:
            return False
        return re.fullmatch(self.regex, value.ljust(self.length, value[-1])) is not None

    def _reason(self, value: str) -> str | None:
        if self.length is not None and len(value) != self.length:
            slip = "truncated" if len(value) < self.length else "too long"
            return f"it has {len(value)} characters instead of {self.length} ({slip})"
        return None if re.fullmatch(self.regex, value) else f"it is not {self.expected}"


_NO_HOST = "its host is not a host name or address"


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """The base URL of an API: scheme, host, optional port and path prefix.

    ``api_paths`` are paths of the API or its console that people paste with the URL.
    Plain http is allowed here, because the host and the environment decide about it.
    """

    expected: str = "a base URL such as https://mfa.example.com"
    api_paths: tuple[str, ...] = ()

    def misfit(self, value: str) -> Misfit | None:
        """Say which part of the URL is wrong."""
        reason = self._reason(value)
        return Misfit(reason, CauseId.CONFIG_MALFORMED_URL) if reason else None

    def _reason(self, value: str) -> str | None:
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", value):
            return "it has no scheme (https://)"
        try:
            url = urlsplit(value)
            host = url.hostname
        except ValueError:
            # The error quotes the host and any password before it.
            return f"it is not a URL: {_NO_HOST}"
        try:
            port = url.port
        except ValueError:
            return "its port is not a number from 1 to 65535"
        if url.scheme.lower() not in ("http", "https"):
            return f"its scheme is {url.scheme}, not https"
        checks: tuple[tuple[Callable[[], object], str], ...] = (
            (lambda: not host, "it has no host"),
            (lambda: port == 0 or url.netloc.endswith(":"), "its port is not a number from 1 to 65535"),
            (lambda: url.username is not None, "it contains a user name or password"),
            (lambda: url.query or url.fragment or "?" in value or "#" in value, "it has a query or fragment"),
            (
                lambda: re.search(r"[\s\x00-\x1f\x7f\\<>\"'`{}|^]", value),
                "it has a character that is not allowed in a URL",
            ),
            (lambda: not value.isascii(), "it has a character outside ASCII (such a host is written as xn--…)"),
            (lambda: not (_is_address if "[" in url.netloc else _is_host)(host or ""), _NO_HOST),
            (lambda: "//" in url.path, "it has two slashes in its path, like two joined URLs"),
            (lambda: url.path.rstrip("/") in self.api_paths, f"it ends in {url.path}, which the API adds itself"),
            (lambda: url.path.endswith("/"), "it ends in a slash; the API paths start with one"),
        )
        return next((reason for wrong, reason in checks if wrong()), None)


@dataclass(frozen=True, slots=True)
class Host:
    """The host name of a provider's API, without scheme, port and path.

    ``regex`` matches the whole name, in lower case, and ``documented`` what the provider
    documents, if ``regex`` is narrower. ``foreign`` are hosts that people confuse with it (a
    console, another product), each with a description.
    """

    regex: str
    expected: str
    foreign: tuple[tuple[str, str], ...] = ()
    documented: str | None = None

    def misfit(self, value: str) -> Misfit | None:
        """Return which part does not belong there."""
        if reason := self._reason(value):
            return Misfit(reason, CauseId.CONFIG_MALFORMED_URL)
        host = value.lower()
        if re.fullmatch(self.regex, host):
            return None
        certain = self.documented is None or not re.fullmatch(self.documented, host)
        return Misfit(f"it is not {self.expected}", CauseId.CONFIG_MALFORMED_URL, documented=certain)

    def _reason(self, value: str) -> str | None:
        host = value.lower()
        for mark, what in (("://", "a scheme"), ("/", "a path or a slash"), ("@", "a user name"), ("?", "a query")):
            if mark in host:
                return f"it is a host name with {what} in it"
        if ":" in host:
            return "it is a host name with a port"
        return next((f"it is {what}" for regex, what in self.foreign if re.fullmatch(regex, host)), None)


def _is_host(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    if ":" in host or labels[-1].isdecimal():
        return _is_address(host)
    return len(host) <= 253 and all(re.fullmatch(r"\w([\w-]{0,61}\w)?", label) for label in labels)


def _is_address(host: str) -> bool:
    return is_address(host) and "%" not in host  # Programs read the zone of an address differently (RFC 6874).


def is_address(host: str) -> bool:
    """Return whether a host is an IP address, with or without a zone, so that it needs no resolver."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(url: str) -> bool:
    """Return whether the URL's host is this machine, where plain http leaks nothing.

    Names below ``localhost`` do not count: RFC 6761 section 6.3 asks resolvers to answer them locally,
    but some resolvers ask the network.
    """
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if _is_address(host):
        return ip_address(host).is_loopback
    return host == "localhost"


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A value that people put into a setting by mistake, recognised by its shape.

    ``documented`` is False if the provider documents no form that distinguishes the two:
    the value may be right, and the finding is a warning.
    """

    regex: str
    cause: CauseId
    message: str
    next_step: str
    documented: bool = True

    def fits(self, value: str) -> bool:
        """Return whether the value has this shape."""
        return re.fullmatch(self.regex, value) is not None


@dataclass(frozen=True, slots=True)
class EnvironmentMark:
    """A part of a value that shows its environment, such as ``oktapreview.com``.

    ``production`` says whether the mark is of production or of a test environment.
    """

    regex: str
    production: bool
    message: str

    def fits(self, value: str) -> bool:
        """Return whether the value contains the mark."""
        return re.search(self.regex, value) is not None
