"""Proofs of possession (DPoP, RFC 9449), for apps whose tokens are bound to a key."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mfagate.sandbox.emulator import IncomingRequest, RequestRejected, base64url
from mfagate_sandbox.okta.answers import no_token

_WINDOW_SECONDS = 300
_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
_NAMED = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}


@dataclass(slots=True)
class Proofs:
    """Verifies proofs; only the token endpoint requires a nonce, as in the recordings."""

    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    uses: set[str] = field(default_factory=set)

    def for_token(self, request: IncomingRequest, hosts: set[str]) -> str:
        """Return the fingerprint of the key in a request for a token."""
        claims, key = self._proof(request, hosts)
        if claims.get("nonce") != self.nonce:
            text = "Authorization server requires nonce in DPoP proof."
            raise no_token(400, "use_dpop_nonce", text, {"dpop-nonce": self.nonce})
        return key

    def for_access(self, request: IncomingRequest, hosts: set[str], token: str) -> str:
        """Return the fingerprint of the key in a request with a token."""
        claims, key = self._proof(request, hosts)
        if claims.get("ath") != base64url(hashlib.sha256(token.encode()).digest()):
            raise _refused("The 'ath' claim in the DPoP proof JWT is invalid.")
        return key

    def _proof(self, request: IncomingRequest, hosts: set[str]) -> tuple[Mapping[str, Any], str]:
        """Return claims and fingerprint of a proof for this request that was not used before."""
        import jwt

        proof = request.headers.get("dpop")
        if not proof:
            raise _refused("The DPoP proof JWT header is missing.")
        try:
            header = jwt.get_unverified_header(proof)
            key = header["jwk"]
            fingerprint = _fingerprint(key)
            options: Any = {"verify_aud": False, "verify_iat": False}
            claims = jwt.decode(proof, jwt.PyJWK(key).key, algorithms=list(_ALGORITHMS), options=options)
        except (jwt.PyJWTError, LookupError, TypeError, ValueError, AttributeError):
            raise _refused("The DPoP proof JWT is invalid.") from None
        if header.get("typ") != "dpop+jwt":
            raise _refused("The DPoP proof JWT is invalid.")
        for name, wanted in (("htm", {request.method}), ("htu", {host + request.path for host in hosts})):
            if claims.get(name) not in wanted:
                raise _refused(f"The '{name}' claim in the DPoP proof JWT is invalid.")
        issued = claims.get("iat")
        if not isinstance(issued, int | float) or abs(time.time() - issued) > _WINDOW_SECONDS:
            raise _refused("The DPoP proof JWT was issued more than five minutes in the past.")
        if not claims.get("jti") or str(claims["jti"]) in self.uses:
            raise _refused("The DPoP proof JWT has already been used.")
        self.uses.add(str(claims["jti"]))
        return claims, fingerprint


def _fingerprint(key: Mapping[str, Any]) -> str:
    """Return the thumbprint of a public key (RFC 7638)."""
    named = {name: key[name] for name in _NAMED[key["kty"]]}
    return base64url(hashlib.sha256(json.dumps(named, sort_keys=True, separators=(",", ":")).encode()).digest())


def _refused(text: str) -> RequestRejected:
    return no_token(400, "invalid_dpop_proof", text)
