"""Read JSON Web Tokens without a key: shape, expiry and claims (RFC 7519, RFC 7515).

Nothing here verifies a signature; it reads what a token says about itself.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mfagate.config.shapes import Misfit
from mfagate.core import numbers

_SIGNATURE_CHARACTERS = {"HS256": 43, "HS384": 64, "HS512": 86, "ES256": 86, "ES384": 128, "ES512": 176}
"""Length of the base64url signature if the algorithm fixes it (RFC 7518, section 3.1)."""


_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


def _decode(part: str) -> bytes:
    if not _BASE64URL.fullmatch(part):
        raise ValueError("not base64url")  # the decoder would accept + and / as well
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def read_part(part: str) -> dict[str, Any] | None:
    """Return a header or payload as JSON, or None if it is not JSON."""
    try:
        content = json.loads(_decode(part))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def claims(token: str) -> Mapping[str, Any]:
    """Return the payload of a token; empty if the value is not a token."""
    parts = token.split(".")
    return (read_part(parts[1]) or {}) if len(parts) == 3 else {}


def expiry(token: str) -> datetime | None:
    """Return the ``exp`` claim (seconds since 1970) in UTC, or None."""
    return numbers.moment(claims(token).get("exp"))


@dataclass(frozen=True, slots=True)
class Jwt:
    """The shape of a signed JSON Web Token.

    ``kind`` reads the claims and returns what is wrong with them:
    a token of another role or audience is well-formed, but wrong.
    """

    expected: str = "a JSON Web Token: three base64url parts joined by dots"
    kind: Callable[[Mapping[str, Any]], Misfit | None] | None = None

    def misfit(self, value: str) -> Misfit | None:
        """Return which part is damaged, or the result of ``kind``."""
        parts = value.split(".")
        if len(parts) != 3:
            return Misfit(f"it has {len(parts)} part{'s' * (len(parts) != 1)} between dots instead of 3")
        header, payload = read_part(parts[0]), read_part(parts[1])
        if header is None or "alg" not in header:
            return Misfit("its first part is not a token header (damaged, or cut at the start)")
        if payload is None:
            return Misfit("its second part is not readable (damaged in the middle)")
        due = _SIGNATURE_CHARACTERS.get(str(header["alg"]))
        if due is not None and len(parts[2]) != due:
            slip = "truncated" if len(parts[2]) < due else "something was appended"
            return Misfit(f"its signature has {len(parts[2])} characters instead of {due} ({slip})")
        if not _BASE64URL.fullmatch(parts[2]):
            return Misfit("its signature has characters that base64url does not have")
        try:
            signature = _decode(parts[2])
        except ValueError:
            return Misfit("its signature has an impossible length (truncated, or something was appended)")
        if str(header["alg"])[:2] in ("RS", "PS") and len(signature) % 8:
            # As long as the key, and keys come in multiples of 64 bits.
            return Misfit(f"its signature has {len(signature)} bytes, which no RSA key makes (truncated?)")
        return self.kind(payload) if self.kind else None
