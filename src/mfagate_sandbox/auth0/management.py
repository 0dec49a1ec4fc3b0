"""An emulator of the part of the Management API v2 that mfagate uses.

Answers follow https://auth0.com/docs/api/management/v2 and the recordings in
https://github.com/auth0/terraform-provider-auth0. As in hapi, on which the API is built, the token
is checked before its scope, and the scope before the request.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Mapping
from typing import Any

import jwt

from mfagate.providers.auth0.settings import DEFAULT_CONNECTION
from mfagate.sandbox.emulator import IncomingRequest, Reply, RequestProblem, RequestRejected, route
from mfagate_sandbox.auth0.authentication import AuthenticationApi
from mfagate_sandbox.auth0.tenant import Auth0User, Authenticator, profile

_PHRASES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}
_LIMIT = 50

_USER_FIELDS: Mapping[str, type] = {
    "email": str, "phone_number": str, "user_metadata": dict, "blocked": bool, "email_verified": bool,
    "phone_verified": bool, "app_metadata": dict, "given_name": str, "family_name": str, "name": str,
    "nickname": str, "picture": str, "user_id": str, "connection": str, "password": str, "verify_email": bool,
    "username": str,
}  # fmt: skip
_METHOD_FIELDS: Mapping[str, type] = {
    "type": str, "name": str, "totp_secret": str, "phone_number": str, "email": str,
    "preferred_authentication_method": str, "key_id": str, "public_key": str, "relying_party_identifier": str,
    "aaguid": str, "credential_device_type": str, "identity_user_id": str, "user_agent": str, "user_handle": str,
    "credential_backed_up": bool, "transports": list,
}  # fmt: skip
_NEEDED_OF = {
    "phone": ("phone_number", "preferred_authentication_method"),
    "email": ("email",),
    "totp": ("totp_secret",),
    "webauthn-roaming": ("key_id", "public_key", "relying_party_identifier"),
    "passkey": ("key_id", "public_key", "relying_party_identifier"),
}
_ENABLED_FACTORS = {
    "sms": True, "push-notification": True, "otp": True, "email": False, "duo": False,
    "webauthn-roaming": False, "webauthn-platform": False, "recovery-code": True,
}  # fmt: skip


def fail(status: int, message: str, code: str | None = None, **more: Any) -> RequestRejected:
    """Return an error of the Management API, to raise."""
    body = {"statusCode": status, "error": _PHRASES[status], "message": message}
    return RequestRejected(Reply(status, {**body, **({"errorCode": code} if code else {}), **more}))


def _invalid_body(message: str) -> RequestRejected:
    return fail(400, f"Payload validation error: '{message}'.", "invalid_body")


def _invalid_query(message: str) -> RequestRejected:
    return fail(400, f"Query validation error: '{message}'.", "invalid_query_string")


class ManagementApi(AuthenticationApi):
    """The API that administers the tenant."""

    def management_problem(self, problem: RequestProblem) -> Reply:
        """Answer as hapi does."""
        status, error, message = {
            RequestProblem.WRONG_CONTENT_TYPE: (415, "Unsupported Media Type", "Unsupported Media Type"),
            RequestProblem.MALFORMED_BODY: (400, "Bad Request", "Invalid request payload JSON format"),
            RequestProblem.BODY_TOO_LARGE: (
                413,
                "Request Entity Too Large",
                "Payload content length greater than maximum allowed: 1048576",
            ),
            RequestProblem.DEFECT: (500, "Internal Server Error", "An internal server error occurred"),
        }.get(problem, (404, "Not Found", "Not Found"))
        return Reply(status, {"statusCode": status, "error": error, "message": message})

    def rate_limit_headers(self) -> Mapping[str, str]:
        """Return the headers of a tenant far from its limit; the emulator enforces no limit."""
        reset = str(int(time.time()) + 1)
        return {"x-ratelimit-limit": str(_LIMIT), "x-ratelimit-remaining": str(_LIMIT - 1), "x-ratelimit-reset": reset}

    def _require(self, request: IncomingRequest, *scopes: str) -> None:
        """Require a token of this tenant for this API, with one of the scopes."""
        claims = self._claims(request)
        if claims.get("aud") != self.tenant.audience:
            raise fail(401, f"Bad audience: {claims.get('aud')}")
        if not set(scopes) & set(str(claims.get("scope", "")).split()):
            raise fail(403, f"Insufficient scope, expected any of: {','.join(scopes)}", "insufficient_scope")

    def _claims(self, request: IncomingRequest) -> Mapping[str, Any]:
        """Read the header as hapi-auth-jwt does: two words, and the second has three parts."""
        words = request.headers.get("authorization", "").split()
        if not words or (len(words) == 2 and words[0].lower() != "bearer"):
            raise fail(401, "Missing authentication")
        if len(words) != 2 or words[1].count(".") != 2:
            raise fail(400, "Bad HTTP authentication header format", "Bearer")
        try:
            claims = self.tenant.signer.read(words[1])
        except jwt.ExpiredSignatureError:
            raise self._refused_token("Expired token received for JSON Web Token validation") from None
        except jwt.InvalidTokenError:
            raise self._refused_token("Invalid token") from None
        if claims.get("iss") != self.issuer(request):
            # The token was fetched through another domain of the tenant.
            raise self._refused_token("Invalid token")
        return claims

    def _refused_token(self, message: str) -> RequestRejected:
        body = fail(401, message, attributes={"error": message}).answer.body
        return RequestRejected(Reply(401, body, {"WWW-Authenticate": f'Bearer error="{message}"'}))

    def _user(self, request: IncomingRequest) -> Auth0User:
        user = self.tenant.users.get(request.variables["user_id"])
        if user is None:
            raise fail(404, "The user does not exist.", "inexistent_user")
        return user

    @route("POST", "/api/v2/users")
    def create_user(self, request: IncomingRequest) -> Reply:
        """Create a user of the database."""
        self._require(request, "create:users")
        fields = _payload(request, _USER_FIELDS, ("connection",))
        if fields["connection"] != DEFAULT_CONNECTION:
            raise fail(400, "The connection does not exist.", "inexistent_connection")
        _require_user(fields)
        user_id = f"auth0|{fields['user_id']}" if fields.get("user_id") else None
        if self.tenant.user_named(fields["email"]) or user_id in self.tenant.users:
            raise fail(409, "The user already exists.", "auth0_idp_error")
        user = Auth0User(fields["email"].lower(), fields["password"], blocked=fields.get("blocked", False))
        user.user_id = user_id or user.user_id
        kept = _USER_FIELDS.keys() - {"connection", "password", "verify_email", "user_id", "blocked", "email"}
        user.profile = profile(user.email, {name: value for name, value in fields.items() if name in kept})
        self.tenant.users[user.user_id] = user
        return Reply(201, _shown(user))

    @route("GET", "/api/v2/users")
    def list_users(self, request: IncomingRequest) -> Reply:
        """List users by page; a query may compare one field with a value or its beginning."""
        self._require(request, "read:users")
        _only(request, "page", "per_page", "q", "search_engine")
        page, size = _number(request, "page", 0), _number(request, "per_page", 50, most=100)
        query = request.parameter("q", "email:*")
        found = re.fullmatch(r'(email|user_id):"?([^\s"*]*)(\*?)"?', query)
        if found is None:
            raise fail(400, "Invalid query string syntax.", "invalid_query_string")
        users = [
            user for user in self.tenant.users.values() if _is_wanted(getattr(user, found[1]), *found.groups()[1:])
        ]
        return Reply(200, [_shown(user) for user in users[page * size : (page + 1) * size]])

    @route("GET", "/api/v2/users/<user_id>")
    def get_user(self, request: IncomingRequest) -> Reply:
        """Return a user."""
        self._require(request, "read:users", "read:current_user", "read:user_idp_tokens")
        _only(request, "fields", "include_fields")
        wanted = {name.strip() for name in request.parameter("fields").split(",")} - {""}
        included = _flag(request, "include_fields", default=True)
        shown = _shown(self._user(request))
        return Reply(200, {n: value for n, value in shown.items() if not wanted or (n in wanted) is included})

    @route("DELETE", "/api/v2/users/<user_id>")
    def delete_user(self, request: IncomingRequest) -> Reply:
        """Delete a user; an unknown id is not an error."""
        self._require(request, "delete:users", "delete:current_user")
        self.tenant.users.pop(request.variables["user_id"], None)
        return Reply(204)

    @route("GET", "/api/v2/users/<user_id>/authentication-methods")
    def list_methods(self, request: IncomingRequest) -> Reply:
        """List a user's authentication methods; with totals, the answer is an object."""
        self._require(request, "read:authentication_methods")
        _only(request, "page", "per_page", "include_totals")
        page, size = _number(request, "page", 0), _number(request, "per_page", 50, most=100)
        totals = _flag(request, "include_totals", default=False)
        methods = [_method(factor) for factor in self._user(request).listed]
        part = methods[page * size : (page + 1) * size]
        if not totals:
            return Reply(200, part)
        return Reply(200, {"start": page * size, "limit": size, "total": len(methods), "authenticators": part})

    @route("POST", "/api/v2/users/<user_id>/authentication-methods")
    def create_method(self, request: IncomingRequest) -> Reply:
        """Import an authenticator, which needs no confirmation."""
        self._require(request, "create:authentication_methods")
        fields = _payload(request, _METHOD_FIELDS, ("type",))
        made = _imported(fields)
        user = self._user(request)
        if made.kind in ("totp", "email") and any(factor.kind == made.kind for factor in user.active):
            raise fail(409, "Authentication method already exists.", "authentication_method_already_exists")
        user.authenticators.append(made)
        return Reply(201, {"id": made.id, **fields, "created_at": made.created_at})

    @route("DELETE", "/api/v2/users/<user_id>/authentication-methods")
    def delete_methods(self, request: IncomingRequest) -> Reply:
        """Delete all authentication methods of a user."""
        self._require(request, "delete:authentication_methods")
        user = self.tenant.users.get(request.variables["user_id"])
        if user is not None:
            user.authenticators, user.recovery = [], None
        return Reply(204)

    @route("GET", "/api/v2/users/<user_id>/authentication-methods/<method_id>")
    def get_method(self, request: IncomingRequest) -> Reply:
        """Return an authentication method."""
        self._require(request, "read:authentication_methods")
        return Reply(200, _method(self._known_method(request)[1]))

    @route("DELETE", "/api/v2/users/<user_id>/authentication-methods/<method_id>")
    def delete_method(self, request: IncomingRequest) -> Reply:
        """Delete an authentication method."""
        self._require(request, "delete:authentication_methods")
        user, method = self._known_method(request)
        user.remove(method)
        return Reply(204)

    def _known_method(self, request: IncomingRequest) -> tuple[Auth0User, Authenticator]:
        user = self._user(request)
        method = user.find(request.variables["method_id"])
        if method is None:
            raise fail(404, "The authentication method could not be found.", "authentication_method_not_found")
        return user, method

    @route("GET", "/api/v2/guardian/factors")
    def list_factors(self, request: IncomingRequest) -> Reply:
        """Return which factors the tenant has enabled."""
        self._require(request, "read:guardian_factors")
        return Reply(
            200, [{"name": name, "enabled": on, "trial_expired": False} for name, on in _ENABLED_FACTORS.items()]
        )

    @route("GET", "/api/v2/tenants/settings")
    def get_settings(self, request: IncomingRequest) -> Reply:
        """Return the settings of a new tenant."""
        self._require(request, "read:tenant_settings")
        _only(request, "fields", "include_fields")
        settings = {
            "allowed_logout_urls": [],
            "change_password": {"enabled": False, "html": ""},
            "default_audience": "",
            "default_directory": DEFAULT_CONNECTION,
            "default_redirection_uri": "",
            "enabled_locales": ["en"],
            "error_page": {"html": "", "show_log_link": False, "url": ""},
            "flags": {"enable_client_connections": False, "disable_clickjack_protection_headers": False},
            "friendly_name": "mfagate sandbox",
            "guardian_mfa_page": {"enabled": False, "html": ""},
            "idle_session_lifetime": 72,
            "picture_url": "",
            "sandbox_version": "22",
            "sandbox_versions_available": ["22", "18"],
            "session_cookie": {"mode": "persistent"},
            "session_lifetime": 168,
            "support_email": "",
            "support_url": "",
            "universal_login": {"colors": {"primary": "#0059d6", "page_background": "#000000"}},
        }
        return Reply(200, settings)


def _is_wanted(value: str, wanted: str, wildcard: str) -> bool:
    return value.startswith(wanted) if wildcard else value == wanted


def _payload(request: IncomingRequest, fields: Mapping[str, type], needed: tuple[str, ...]) -> dict[str, Any]:
    """Return the properties of a JSON object or a form; all must be known and have the right type."""
    form = request.content_type == "application/x-www-form-urlencoded"
    properties: dict[str, Any] = dict(request.form()) if form else request.json()
    for name, value in properties.items():
        if name not in fields:
            raise _invalid_body(f"Additional properties not allowed: {name}")
        if form and fields[name] is bool and value in ("true", "false"):
            properties[name] = value == "true"
        elif type(value) is not fields[name]:
            raise _invalid_body(f"Expected type {_TYPES[fields[name]]} but found another on property {name}")
    for name in needed:
        if name not in properties:
            raise _invalid_body(f"Missing required property: {name}")
    return properties


_TYPES: Mapping[type, str] = {str: "string", bool: "boolean", dict: "object", list: "array"}


def _require_user(fields: Mapping[str, Any]) -> None:
    """Require what a user of a database needs."""
    for name in ("email", "password"):
        if name not in fields:
            raise _invalid_body(f"Missing required property: {name}")
    if not re.fullmatch(r"[^@\s]+@[^@\s.]+\.[^@\s]+", fields["email"]):
        raise _invalid_body("Object didn't pass validation for format email")
    if "username" in fields:
        raise fail(400, "Cannot set username for connection without requires_username.", "invalid_body")
    if len(fields["password"]) < 8:
        raise fail(400, "PasswordStrengthError: Password is too weak")


def _imported(fields: Mapping[str, Any]) -> Authenticator:
    kind = fields["type"]
    if kind not in _NEEDED_OF:
        raise _invalid_body(f"No enum match for: {kind}")
    for name in _NEEDED_OF[kind]:
        if not fields.get(name):
            raise _invalid_body(f"Missing required property: {name}")
    if kind == "totp" and not _is_base32(fields["totp_secret"]):
        raise _invalid_body("Object didn't pass validation for format base32")
    if kind == "phone" and fields["preferred_authentication_method"] not in ("sms", "voice"):
        raise _invalid_body("No enum match for preferred_authentication_method")
    kept = {name: value for name, value in fields.items() if name not in ("type", "name", "totp_secret")}
    stored = fields["preferred_authentication_method"] if kind == "phone" else kind
    address = fields.get("phone_number") or fields.get("email") or ""
    secret = fields.get("totp_secret", "")
    return Authenticator(stored, secret=secret, address=address, name=fields.get("name", ""), more=kept)


def _is_base32(text: str) -> bool:
    try:
        return len(base64.b32decode(text + "=" * (-len(text) % 8))) > 0
    except (binascii.Error, ValueError):
        return False


def _shown(user: Auth0User) -> dict[str, Any]:
    """Return a user in the format of the API."""
    identity = {"connection": DEFAULT_CONNECTION, "user_id": user.user_id.partition("|")[2]}
    identities = [{**identity, "provider": "auth0", "isSocial": False}]
    blocked = {"blocked": True} if user.blocked else {}
    return dict(sorted({**user.profile, **blocked, "user_id": user.user_id, "identities": identities}.items()))


def _method(factor: Authenticator) -> dict[str, Any]:
    """Return an authenticator in the format of the API."""
    kind = "phone" if factor.kind in ("sms", "voice") else factor.kind
    optional = {"name": factor.name, "last_auth_at": factor.last_auth_at, "phone_number": factor.address, **factor.more}
    if kind == "phone":
        parts = [{"type": factor.kind, "id": factor.id}]
        optional |= {"authentication_methods": parts, "preferred_authentication_method": factor.kind}
    else:
        optional.pop("phone_number")
    known = {"id": factor.id, "type": kind, "confirmed": factor.active, "created_at": factor.created_at}
    return {**known, **{name: value for name, value in optional.items() if value}}


def _only(request: IncomingRequest, *names: str) -> None:
    for name in request.query:
        if name not in names:
            raise _invalid_query(f"Additional properties not allowed: {name}")


def _number(request: IncomingRequest, name: str, default: int, *, most: int | None = None) -> int:
    text = request.parameter(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise _invalid_query(f"Expected type integer on property {name}")
    if most is not None and int(text) > most:
        raise _invalid_query(f"Value {text} is greater than maximum {most} on property {name}")
    return int(text)


def _flag(request: IncomingRequest, name: str, *, default: bool) -> bool:
    text = request.parameter(name, str(default).lower())
    if text not in ("true", "false"):
        raise _invalid_query(f"Expected type boolean on property {name}")
    return text == "true"
