"""Well-formed credentials that no provider has issued."""

from __future__ import annotations

import secrets
import string


def random_text(length: int, more_characters: str = "") -> str:
    """Return random letters and digits."""
    return "".join(secrets.choice(string.ascii_letters + string.digits + more_characters) for _ in range(length))


def new_private_key() -> str:
    """Return a new RSA key in PEM, whose public half is registered nowhere."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
