"""The host and port in a URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}


class MalformedUrl(ValueError):
    """A URL names no host. The message never quotes the URL, which may contain a password."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The server to connect to. ``host`` is lower case ASCII (RFC 3490), without brackets."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read scheme, host and port of a URL, ignoring everything else in it.

        Raises:
            MalformedUrl: The URL names no host that could exist.
        """
        try:
            parts = urlsplit(url)
        except ValueError:
            raise MalformedUrl("the URL cannot be parsed (brackets?)") from None
        default_port = DEFAULT_PORTS.get(parts.scheme)
        if default_port is None:
            raise MalformedUrl("the URL does not begin with http:// or https://")
        try:
            port = default_port if parts.port is None else parts.port
        except ValueError:
            raise MalformedUrl("the port is not a number from 0 to 65535") from None
        try:
            host = (parts.hostname or "").encode("idna").decode("ascii")
        except UnicodeError:
            raise MalformedUrl("the host name is not valid: a label is empty, too long or not encodable") from None
        if not re.fullmatch(r"[!-~]+", host):
            raise MalformedUrl("the URL names no host, or one with a space in it")
        return cls(parts.scheme, host, port)

    @property
    def authority(self) -> str:
        """Host and port, as in CONNECT (RFC 9110 section 9.3.6) and in messages."""
        return f"{self._bracketed}:{self.port}"

    @property
    def host_header(self) -> str:
        """Host, and port if it is not the scheme's default (RFC 9110 section 7.2)."""
        return self._bracketed if self.port == DEFAULT_PORTS[self.scheme] else self.authority

    @property
    def server_name(self) -> str:
        """The name that the certificate must have, without a final dot (RFC 6066 section 3)."""
        return self.host.removesuffix(".")

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host
