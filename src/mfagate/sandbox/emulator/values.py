"""Values that emulators make up."""

from __future__ import annotations

import base64
import secrets
import string


def characters(number: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """Return a random string of this length."""
    return "".join(secrets.choice(alphabet) for _ in range(number))


def base64url(data: bytes) -> str:
    """Encode data as base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
