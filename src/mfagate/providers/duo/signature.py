"""Duo's request signatures, versions 2, 4 and 5.

What is signed, line by line: date, method, host, path, parameters; version 4 adds the
SHA-512 of the body, and version 5 that of the ``X-Duo-…`` headers as well
(https://duo.com/docs/authapi#authentication; 4 and 5 as in ``duo_client/client.py`` of
https://github.com/duosecurity/duo_client_python).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Literal
from urllib.parse import quote

Version = Literal[2, 4, 5]


def canonical(
    version: Version,
    *,
    date: str,
    method: str,
    host: str,
    path: str,
    parameters: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> str:
    """Return the text to sign.

    ``parameters`` come from the query, or in version 2 from a form. Of ``headers``, only ``X-Duo-…`` are signed. The
    host has no port; its case does not matter.
    """
    lines = [date, method.upper(), host.lower(), path, _canonical_parameters(parameters)]
    if version >= 4:
        lines.append(hashlib.sha512(body).hexdigest())
    if version == 5:
        lines.append(hashlib.sha512(_canonical_headers(headers or {}).encode()).hexdigest())
    return "\n".join(lines)


def _canonical_headers(headers: Mapping[str, str]) -> str:
    own = sorted((name.lower(), value) for name, value in headers.items())
    return "\0".join(part for pair in own if pair[0].startswith("x-duo-") for part in pair)


def _canonical_parameters(parameters: Iterable[tuple[str, str]]) -> str:
    # As OAuth 1.0 normalises them (RFC 5849 section 3.4.1.3.2).
    encoded = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in parameters)
    return "&".join(f"{name}={value}" for name, value in encoded)


def sign(secret_key: str, text: str, digest: Literal["sha1", "sha512"] = "sha512") -> str:
    """Return the signature in hexadecimal. For version 2, Duo also accepts SHA-1."""
    return hmac.new(secret_key.encode(), text.encode(), digest).hexdigest()
