"""Shapes: what a value of a setting looks like, as far as that is known without asking.

A shape never says that a value is right. It says that a value cannot be right,
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
    """Why a value cannot be right: a sentence fragment without the value, and its cause.

    ``step`` is the sentence that says what to do, where that is known better than to copy the value again.

    ``documented`` is False where the provider documents no form, or a wider one: the value may be
    right then, and the misfit is a warning.
    """

    reason: str
    cause: CauseId = CauseId.CONFIG_MALFORMED_VALUE
    step: str | None = None
    documented: bool = True


class Shape(Protocol):
    """A test of one value. ``expected`` completes the sentence "expected …"."""

    @property
    def expected(self) -> str:
        """What a right value looks like, for error messages and documentation."""

    def misfit(self, value: str) -> Misfit | None:
        """Why the value cannot be right, or None."""


ANYTHING = "(?s).*"
"""The documented form of a value whose form no provider documents."""


ANY_SEGMENT = r"(?!\.{1,2}$)[^\s/\\?#%]+"
"""The documented form of an id that fills one segment of a path, where no provider documents more."""


def is_recognised(shape: Shape | None, value: str) -> bool:
    """Return whether a value has the very form of its setting, and not only a possible one.

    A shape that takes values of no known form has a method ``recognises``, which is asked as well.
    """
    if shape is None or shape.misfit(value) is not None:
        return False
    recognises: Callable[[str], bool] | None = getattr(shape, "recognises", None)
    return recognises is None or recognises(value)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression for the whole value; ``length`` makes truncation readable.

    ``documented`` is the regular expression of what the provider documents, where ``regex`` is
    narrower because values have been seen in no other form. A value of that form that is shorter
    than any seen was cut, whatever is documented: that is the commonest slip.
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
        """Return whether a value would have the form if it were as long as others."""
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

    ``api_paths`` are paths of the API or its console that people paste along.
    Plain http passes here: whether it may be used depends on the host and the environment.
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
            # The error quotes the host, and with it a password in front of it.
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
            (lambda: url.username is not None, "it carries a user name or password"),
            (lambda: url.query or url.fragment or "?" in value or "#" in value, "it has a query or fragment"),
            (lambda: re.search(r"[\s\x00-\x1f\x7f\\<>\"'`{}|^]", value), "it has a character that no URL has"),
            (lambda: not value.isascii(), "it has a character outside ASCII (such a host is written as xn--…)"),
            (lambda: not (_is_address if "[" in url.netloc else _is_host)(host or ""), _NO_HOST),
            (lambda: "//" in url.path, "it has two slashes in its path, as of two URLs in one"),
            (lambda: url.path.rstrip("/") in self.api_paths, f"it ends in {url.path}, which the API adds itself"),
            (lambda: url.path.endswith("/"), "it ends in a slash; the API paths start with one"),
        )
        return next((reason for wrong, reason in checks if wrong()), None)


@dataclass(frozen=True, slots=True)
class Host:
    """The host name of a provider's API, without scheme, port and path.

    ``regex`` is for the whole name, in lower case, and ``documented`` for what the provider
    documents, where ``regex`` is narrower. ``foreign`` are hosts that people take for it (a
    console, another product), each with what it is.
    """

    regex: str
    expected: str
    foreign: tuple[tuple[str, str], ...] = ()
    documented: str | None = None

    def misfit(self, value: str) -> Misfit | None:
        """Say which part does not belong there."""
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
    """Return whether a host is an address already, with or without a zone, so that no resolver is asked."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine, where plain http leaks nothing.

    Names below ``localhost`` do not count: RFC 6761 section 6.3 asks resolvers to keep them here,
    and those that do not ask the network for them.
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
    """Something that people put into a setting by mistake, known by its own shape.

    ``documented`` is False where the provider documents no form by which the two could be told apart:
    the value may be right then, and the finding is a warning.
    """

    regex: str
    cause: CauseId
    message: str
    next_step: str
    documented: bool = True

    def fits(self, value: str) -> bool:
        """Whether the value is this other thing."""
        return re.fullmatch(self.regex, value) is not None


@dataclass(frozen=True, slots=True)
class EnvironmentMark:
    """A part of a value that tells its environment, such as ``oktapreview.com``.

    ``production`` says whether the mark is of production or of a test environment.
    """

    regex: str
    production: bool
    message: str

    def fits(self, value: str) -> bool:
        """Whether the value carries the mark."""
        return re.search(self.regex, value) is not None
