"""The claims of access tokens for Graph.

Microsoft tells clients not to rely on the content of these tokens
(https://learn.microsoft.com/entra/identity-platform/access-tokens), so the claims
serve only the diagnosis: an unreadable token is not a fault, and Graph itself decides what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mfagate.config import jwt
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Request, Response
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.core.foreign.parsing import raw
from mfagate.providers.oauth import token_in

READS_METHODS = "UserAuthenticationMethod.Read.All"
"""The least privilege for reading a user's authentication methods:
https://learn.microsoft.com/graph/api/authentication-list-methods."""

GRANT = (
    "In the Microsoft Entra admin center, open App registrations > the application > API permissions, add the "
    f"Microsoft Graph application permission {READS_METHODS} (not the delegated one), and grant admin consent."
)


def issued(response: Response) -> Mapping[str, Any]:
    """Return the claims of the token in an answer of the token endpoint; empty if they are unreadable."""

    token = token_in(response)
    return jwt.claims(token[0]) if token else {}


def sent(request: Request) -> Mapping[str, Any]:
    """Return the claims of the token in a request."""
    return jwt.claims((raw(request.headers.get("authorization")) or "").removeprefix("Bearer "))


def roles(claims: Mapping[str, Any]) -> str:
    """Return the application permissions in a token, for the report."""
    held = claims.get("roles")
    return quoted(", ".join(map(str, held))) if isinstance(held, list) and held else "none"


def without_roles(response: Response) -> Finding | None:
    """Return a finding for a readable token without an application permission, which gives no access to Graph."""
    claims = issued(response)
    if not claims or claims.get("roles"):
        return None
    if "oid" not in claims:
        message = "the application has no service principal in this tenant: no administrator has consented to it there"
        return Finding(CauseId.ACCOUNT_RESOURCE_MISSING, message, next_step=GRANT, setting="client_id")
    message = "the token contains no role: no application permission was granted to the application"
    evidence = {"roles in the token": "none", "permission needed": READS_METHODS}
    return Finding(CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, message, evidence, next_step=GRANT, setting="client_id")
