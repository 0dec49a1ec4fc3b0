"""The signature of privacyIDEA's answers, which proves the server.

Every answer is signed with the server's audit key: RSA-PSS with SHA-256 over
the JSON of the answer, keys sorted, without the signature itself
(https://privacyidea.readthedocs.io/en/latest/installation/system/inifile.html,
``PI_AUDIT_KEY_PRIVATE``). Observed on a 3.14 server; older servers used PKCS #1.
"""

from __future__ import annotations

import json

from mfagate.core.exchange import Response

OTHER_KEY = "another key"

_PREFIX = "rsa_sha256_pss:"


def signed_by(response: Response, public_key: str) -> bool | None:
    """Return whether this key signed the answer; None if the signature cannot be checked."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        answer = response.json()
        body = dict(answer) if isinstance(answer, dict) else {}
        signature = body.pop("signature")
        key = load_pem_public_key(public_key.encode())
        if not signature.startswith(_PREFIX) or not isinstance(key, rsa.RSAPublicKey):
            return None
        signed = json.dumps(body, sort_keys=True).encode()
        pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.AUTO)
        key.verify(bytes.fromhex(signature.removeprefix(_PREFIX)), signed, pss, SHA256())
    except InvalidSignature:
        return False
    except (ValueError, KeyError, AttributeError, UnsupportedAlgorithm):
        return None
    return True
