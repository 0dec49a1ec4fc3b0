"""Keyed fingerprints: tell whether two secrets are the same without showing either.

Without a key a fingerprint of a short secret could be guessed by trying, so it
is an HMAC. The key is the variable ``MFAGATE_FINGERPRINT_KEY``; without it a
random key of this process, so that fingerprints of two runs cannot be compared.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets

KEY_VARIABLE = "MFAGATE_FINGERPRINT_KEY"

_process_key = secrets.token_bytes(32)


def fingerprint(value: str) -> str:
    """Ten hexadecimal digits that identify the value under the key."""
    key = os.fsencode(os.environ.get(KEY_VARIABLE, "")) or _process_key
    return hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:10]
