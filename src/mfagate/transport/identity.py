"""The client certificate, sent to a server that requests it (RFC 8446, section 4.3.2)."""

from __future__ import annotations

import hashlib
import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """A certificate with its key, as PEM, and the facts that a report may show.

    Args:
        pem: The certificate, its chain, and the private key without a passphrase.
        shown: Subject, issuer and expiry of the certificate.
    """

    pem: str = field(repr=False)
    shown: Mapping[str, str]

    @property
    def digest(self) -> str:
        """A value that only the same certificate and key have, and that reveals neither."""
        return hashlib.sha256(self.pem.encode()).hexdigest()

    def present_in(self, context: ssl.SSLContext) -> None:
        """Let a context present the certificate.

        Raises:
            ssl.SSLError: The certificate and the key are not a pair.
        """
        with _as_file(self.pem) as path:
            # A key with a passphrase would make OpenSSL ask the terminal for it.
            context.load_cert_chain(path, password=lambda: b"")


@contextmanager
def _as_file(text: str) -> Iterator[str]:
    """Give a text a file name, because ``ssl`` reads keys only from files: in memory or, where that is not
    possible, in a private file that is removed at once.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("client-certificate")
        try:
            with os.fdopen(os.dup(descriptor), "w") as file:
                file.write(text)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        with tempfile.NamedTemporaryFile("w") as named:
            named.write(text)
            named.flush()
            yield named.name
