"""The org authorization server: client credentials with a signed assertion.

Errors follow https://developer.okta.com/docs/reference/error-codes/#okta-oauth-2-0-error-codes. If an app does not
require a proof of possession, a proof in its requests is ignored: Okta's client for Node always sends one.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from mfagate.providers.oauth import ASSERTION_TYPE
from mfagate.providers.okta.settings import TOKEN_PATH
from mfagate.sandbox.emulator import IncomingRequest, Reply
from mfagate_sandbox.okta.answers import no_token, ok
from mfagate_sandbox.okta.org import App, Org
from mfagate_sandbox.okta.proofs import Proofs

TOKEN_SECONDS = 3600
_LONGEST_ASSERTION = 3600
_LEEWAY = 5
"""Okta does not publish how much clocks may differ."""

_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
_TYPE = "application/okta-internal-at+jwt"

SCOPES = frozenset(
    f"okta.{name}.{right}"
    for name in ("apiTokens", "apps", "authenticators", "factors", "groups", "logs", "orgs", "policies", "users")
    for right in ("read", "manage")
)
_FOR_USERS = ("openid", "profile", "email", "address", "phone", "groups", "offline_access", "device_sso")


@dataclass(slots=True)
class AuthorizationServer:
    """Issues access tokens to the org's apps, and verifies them."""

    org: Org
    key: Any = field(default_factory=lambda: _new_key())
    kid: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    proofs: Proofs = field(default_factory=Proofs)

    def token(self, request: IncomingRequest, hosts: set[str]) -> Reply:
        """Answer a request for a token; ``hosts`` are the URLs that an assertion may be for."""
        form = _form(request)
        app = self._authenticated(form, request, {f"{host}{TOKEN_PATH}" for host in hosts})
        _require_grant(form)
        bound_to = self.proofs.for_token(request, hosts) if app.demands_dpop else None
        scopes = _granted(form, app)
        body = {
            "token_type": "DPoP" if bound_to else "Bearer",
            "expires_in": TOKEN_SECONDS,
            "access_token": self._issue(app, scopes, bound_to),
            "scope": " ".join(scopes),
        }
        return ok(body)

    def _issue(self, app: App, scopes: list[str], bound_to: str | None) -> str:
        import jwt

        now = int(time.time())
        claims = {
            "ver": 1,
            "jti": f"AT.{secrets.token_urlsafe(32)}",
            "iss": self.org.url,
            "aud": self.org.url,
            "sub": app.client_id,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "cid": app.client_id,
            "scp": scopes,
            **({"cnf": {"jkt": bound_to}} if bound_to else {}),
        }
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.kid, "typ": _TYPE})

    def access(self, request: IncomingRequest, hosts: set[str]) -> tuple[App, frozenset[str]] | None:
        """Return app and scopes of a request with a valid access token, or None."""
        import jwt

        kind, _, token = request.headers["authorization"].partition(" ")
        bound_to = self.proofs.for_access(request, hosts, token) if kind == "DPoP" else None
        try:
            claims = jwt.decode(
                token, self.key.public_key(), algorithms=["RS256"], audience=self.org.url, issuer=self.org.url
            )
        except jwt.InvalidTokenError:
            return None
        if claims.get("cnf", {}).get("jkt") != bound_to:
            return None
        app = self.org.apps.get(claims["cid"])
        return (app, frozenset(claims["scp"])) if app is not None and app.status == "ACTIVE" else None

    def _authenticated(self, form: Mapping[str, str], request: IncomingRequest, audiences: set[str]) -> App:
        """Return the app that the request authenticates."""
        ways = [name for name in ("client_secret", "client_assertion") if form.get(name)]
        ways += ["authorization"] if "authorization" in request.headers else []
        if len(ways) > 1:
            raise no_token(
                401, "invalid_request", "Cannot supply multiple client credentials. Use one of the supported methods."
            )
        if not ways:
            raise _refused("No client credentials found.")
        if ways != ["client_assertion"]:
            raise _refused(
                "Client Credentials requests to the Org Authorization Server must use the private_key_jwt "
                "token_endpoint_auth_method."
            )
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise _refused("Client authentication failed. Either the client or the client credentials are invalid.")
        app, claims = self._signed(form["client_assertion"], form.get("client_id"))
        _require_times(claims)
        if not audiences & set(_listed(claims.get("aud"))):
            raise _refused("The audience claim for client_assertion must be the endpoint invoked for the request.")
        _require_first_use(app, claims.get("jti"))
        if app.application_type != "service":
            raise _refused(
                "Only clients with 'application_type' of 'service' may use the client_credentials 'grant_type' with "
                "the Org Authorization Server."
            )
        if not app.in_zone:
            text = "The request is made from outside the client's permitted network zones."
            raise no_token(403, "access_denied", text)
        return app

    def _signed(self, assertion: str, client_id: str | None) -> tuple[App, Mapping[str, Any]]:
        import jwt

        try:
            header = jwt.get_unverified_header(assertion)
            claimed = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            raise _refused("The parsing of the client_assertion failed.") from None
        app = self.org.apps.get(str(claimed.get("iss")))
        if app is None or app.status != "ACTIVE":
            raise _refused("The issuer claim for client_assertion is not a valid client_id.")
        if claimed.get("sub") != app.client_id:
            raise _refused("The subject claim for client_assertion is not a valid client_id.")
        if client_id not in (None, app.client_id):
            raise _refused("Invalid value for 'client_id' parameter.")
        if not app.keys:
            raise _refused("The client does not have a JWKSet configured, but the client_assertion requires one.")
        if header.get("alg") not in _ALGORITHMS:
            raise _refused("The client_assertion signature algorithm is invalid.")
        kid = header.get("kid")
        keys = [key for name, key in app.keys.items() if kid in (None, name)]
        if len(keys) != 1:
            raise _refused("The client_assertion JWT kid is invalid.")
        options: Any = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        try:
            return app, jwt.decode(assertion, keys[0], algorithms=[header["alg"]], options=options)
        except (jwt.InvalidTokenError, jwt.InvalidKeyError, TypeError, ValueError):
            raise _refused("The client_assertion signature is invalid.") from None


def _form(request: IncomingRequest) -> Mapping[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise no_token(400, "invalid_request", "The request must be of the type application/x-www-form-urlencoded.")
    if {"client_id", "client_secret", "client_assertion"} & request.query.keys():
        raise no_token(400, "invalid_request", "Client credentials cannot be supplied via query parameters.")
    names = Counter(name for name, _ in parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
    if any(number > 1 for number in names.values()):
        raise no_token(400, "invalid_request", "The request contained multiple parameters with the same name.")
    return request.form()


def _require_grant(form: Mapping[str, str]) -> None:
    grant = form.get("grant_type", "")
    if grant == "client_credentials":
        return
    if grant in ("authorization_code", "refresh_token", "password", "implicit"):
        text = "The client is not authorized to use the provided grant type. Configured grant types: "
        raise no_token(400, "unauthorized_client", f"{text}[client_credentials].")
    raise no_token(
        400, "unsupported_grant_type", "The authorization grant type is not supported by the authorization server."
    )


def _granted(form: Mapping[str, str], app: App) -> list[str]:
    """Return the requested scopes that the app is granted; the others are omitted silently."""
    requested = list(dict.fromkeys(form.get("scope", "").split()))
    if not requested:
        raise no_token(400, "invalid_scope", "No scopes were requested.")
    for scope in requested:
        if scope in _FOR_USERS:
            raise no_token(400, "invalid_scope", f"Cannot request '{scope}' scopes using client credentials.")
        if scope.endswith(".self"):
            text = "The 'client_credentials' grant type may not request .self scopes."
            raise no_token(400, "client_credentials_self_scope_requested", text)
        if scope not in SCOPES:
            text = "One or more scopes are not configured for the authorization server resource."
            raise no_token(400, "invalid_scope", text)
    granted = [scope for scope in requested if scope in app.scopes]
    if not granted:
        raise no_token(400, "consent_required", "You are not allowed any of the requested scopes.")
    return granted


def _require_times(claims: Mapping[str, Any]) -> None:
    now = time.time()
    expires, issued = _seconds(claims.get("exp")), _seconds(claims.get("iat", now))
    if expires is None:
        raise _refused("The client_assertion must contain the 'exp' claim as seconds since epoch.")
    if expires <= now - _LEEWAY:
        raise _refused("The client_assertion token is expired.")
    if expires > now + _LONGEST_ASSERTION + _LEEWAY:
        raise _refused("The client_assertion token has an expiration too far into the future.")
    if issued is None or issued > now + _LEEWAY:
        raise _refused("The client_assertion token must be issued before the current time.")


def _require_first_use(app: App, jti: Any) -> None:
    """Accept an assertion with an id only once, even if the request fails later."""
    if jti is None:
        return
    if str(jti) in app.uses:
        raise _refused("The client_assertion token has already been used.")
    app.uses.add(str(jti))


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _listed(audience: Any) -> list[str]:
    return [str(name) for name in (audience if isinstance(audience, list) else [audience])]


def _refused(text: str) -> Exception:
    return no_token(401, "invalid_client", text)


def _new_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
