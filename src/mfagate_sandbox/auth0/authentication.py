"""An emulator of the Authentication API and the MFA API.

Answers follow https://auth0.com/docs/api/authentication and the recordings in
https://github.com/auth0/go-auth0; docs/reference/providers/auth0.md lists where those differ and
what is unknown. The client is checked before the grant, and the grant before the login.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import jwt

from mfagate.providers.auth0.probes import GRANT
from mfagate.providers.auth0.settings import DEFAULT_CONNECTION
from mfagate.providers.totp import Totp
from mfagate.sandbox.emulator import IncomingRequest, Reply, RequestProblem, RequestRejected, characters, route
from mfagate_sandbox.auth0.discovery import Discovery
from mfagate_sandbox.auth0.tenant import (
    DOMAIN,
    OTHER_API,
    Auth0User,
    Authenticator,
    ClientApplication,
    OobChallenge,
    PendingLogin,
    recovery_code,
)
from mfagate_sandbox.auth0.tokens import TOKEN_SECONDS

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_MOST_WRONG_PASSWORDS = 10
_USER_SCOPES = ("openid", "profile", "email")
_MFA_SCOPES = ("enroll", "read:authenticators", "remove:authenticators")
_CHALLENGES = ("otp", "oob", "recovery-code")
_CHANNELS = ("sms", "voice", "auth0", "email")
_NOT_ENROLLED = "User is not enrolled. You can use /mfa/associate endpoint to enroll the first authenticator."
_REQUIREMENTS = {"totp": "otp", "push": "push-notification", "sms": "phone", "voice": "phone"}


def fail(status: int, error: str, description: str, **more: Any) -> RequestRejected:
    """Return an error of the Authentication API, to raise."""
    return RequestRejected(Reply(status, {"error": error, "error_description": description, **more}))


def _missing(name: str) -> RequestRejected:
    return fail(400, "invalid_request", f"Missing required parameter: {name}")


def _text(fields: Mapping[str, Any], name: str, *, needed: bool = True) -> str:
    """Return a string field; null counts as absent, because auth0-python sends it for absent fields."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise fail(400, "invalid_request", f"{name} must be a string")
    if needed and not value:
        raise _missing(name)
    return value or ""


class AuthenticationApi(Discovery):
    """The APIs that users log in through."""

    def authentication_problem(self, problem: RequestProblem) -> Reply:
        """Answer in the format of this API; the texts are not published."""
        if problem is RequestProblem.DEFECT:
            return Reply(500, {"error": "server_error", "error_description": "Internal error"})
        if problem in (RequestProblem.UNKNOWN_ROUTE, RequestProblem.WRONG_METHOD):
            return Reply(404, {"statusCode": 404, "error": "Not Found", "message": "Not Found"})
        return Reply(400, {"error": "invalid_request", "error_description": "The body cannot be read"})

    @route("POST", "/oauth/token")
    def token(self, request: IncomingRequest) -> Reply:
        """Issue tokens for a grant."""
        fields = self._fields(request, _FORM, _JSON)
        name = _text(fields, "grant_type")
        grants: dict[str, Callable[[IncomingRequest, Mapping[str, Any], ClientApplication], Reply]] = {
            "client_credentials": self._client_credentials,
            "authorization_code": self._authorization_code,
            "password": self._password,
            f"{GRANT}password-realm": self._password,
            f"{GRANT}mfa-otp": self._mfa_otp,
            f"{GRANT}mfa-oob": self._mfa_oob,
            f"{GRANT}mfa-recovery-code": self._mfa_recovery_code,
        }
        if name not in grants:
            raise fail(400, "unsupported_grant_type", "Grant type not supported")
        client = self._client(request, fields)
        if name not in client.grants:
            raise fail(403, "unauthorized_client", f"Grant type '{name}' not allowed for the client.")
        answer = grants[name](request, fields, client)
        return Reply(answer.status, answer.body, {"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _fields(self, request: IncomingRequest, *types: str) -> Mapping[str, Any]:
        if request.content_type not in types:
            raise fail(400, "invalid_request", f"The content type must be {' or '.join(types)}")
        return request.json() if request.content_type == _JSON else request.form()

    def _client(self, request: IncomingRequest, fields: Mapping[str, Any]) -> ClientApplication:
        """Return the client that the secret proves, from the body or a Basic header."""
        basic = request.basic()
        client_id, secret = basic or (_text(fields, "client_id"), _text(fields, "client_secret", needed=False))
        client = self.tenant.clients.get(client_id)
        if client is None or client.client_secret != secret:
            raise fail(401, "access_denied", "Unauthorized")
        return client

    def _client_credentials(
        self, request: IncomingRequest, fields: Mapping[str, Any], client: ClientApplication
    ) -> Reply:
        audience = _text(fields, "audience", needed=False)
        if not audience:
            message = "No audience parameter was provided, and no default audience has been configured"
            raise fail(403, "access_denied", message)
        self._require_api(audience)
        granted = client.scopes if audience == self.tenant.audience else ()
        if granted is None:
            message = (
                f'Client is not authorized to access "{audience}". You need to create a "client-grant" associated to '
                "this API. See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants"
            )
            raise fail(403, "access_denied", message)
        requested = _scopes(fields)
        if refused := [scope for scope in requested if scope not in granted]:
            raise fail(403, "access_denied", f"Client has not been granted scopes: {', '.join(refused)}")
        scopes = requested or granted
        token = self.tenant.token(self.issuer(request), client, audience, scopes)
        scope = {"scope": " ".join(scopes)} if scopes else {}
        return Reply(200, {"access_token": token, **scope, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"})

    def _require_api(self, audience: str) -> None:
        if audience not in (self.tenant.audience, self.tenant.mfa_audience, f"https://{DOMAIN}/userinfo", OTHER_API):
            raise fail(403, "access_denied", f"Service not found: {audience}")

    def _authorization_code(
        self, request: IncomingRequest, fields: Mapping[str, Any], client: ClientApplication
    ) -> Reply:
        """Refuse every code: this emulator has no login page."""
        _text(fields, "code")
        raise fail(403, "invalid_grant", "Invalid authorization code")

    def _password(self, request: IncomingRequest, fields: Mapping[str, Any], client: ClientApplication) -> Reply:
        username, password = _text(fields, "username"), _text(fields, "password")
        scope, audience = _scopes(fields), _text(fields, "audience", needed=False) or None
        if audience:
            self._require_api(audience)
        realm = fields.get("grant_type") == f"{GRANT}password-realm"
        if realm and _text(fields, "realm") != DEFAULT_CONNECTION:
            raise fail(400, "invalid_request", "Unknown or invalid connection.")
        user = self.tenant.user_named(username)
        if user is not None and user.wrong_passwords >= _MOST_WRONG_PASSWORDS:
            message = (
                "Your account has been blocked after multiple consecutive login attempts. We've sent you a "
                "notification via your preferred contact method with instructions on how to unblock it."
            )
            raise fail(429, "too_many_attempts", message)
        if user is None or user.password != password:
            if user is not None:
                user.wrong_passwords += 1
            raise fail(403, "invalid_grant", "Wrong email or password.")
        user.wrong_passwords = 0
        if user.blocked:
            raise fail(403, "unauthorized", "user is blocked")
        login = PendingLogin(user, client, scope, audience)
        if user.exempt:
            return self._completed(request, login)
        self.tenant.logins[login.token] = login
        kinds = dict.fromkeys(_REQUIREMENTS[factor.kind] for factor in user.active if factor.kind in _REQUIREMENTS)
        wanted = "challenge" if kinds else "enroll"
        requirements = {wanted: [{"type": kind} for kind in kinds or ("otp", "push-notification", "phone")]}
        message = "Multifactor authentication required"
        raise fail(403, "mfa_required", message, mfa_token=login.token, mfa_requirements=requirements)

    def _login(self, token: str, client: ClientApplication | None, *, status: int = 403) -> PendingLogin:
        login = self.tenant.logins.get(token)
        if login is None:
            raise fail(status, "invalid_grant", "Malformed mfa_token")
        if login.is_expired:
            raise fail(status, "expired_token", "mfa_token is expired")
        if client is not None and login.client is not client:
            raise fail(400, "invalid_request", "mfa_token not issued to this client")
        return login

    def _mfa_otp(self, request: IncomingRequest, fields: Mapping[str, Any], client: ClientApplication) -> Reply:
        login = self._login(_text(fields, "mfa_token"), client)
        otp, user = _text(fields, "otp"), login.user
        _require_unlocked(user)
        usable = [factor for factor in user.authenticators if factor.kind == "totp"]
        if not usable:
            raise fail(401, "unsupported_challenge_type", _NOT_ENROLLED)
        found = [(factor, Totp(factor.secret).step_of(otp)) for factor in usable]
        right = next(
            ((factor, step) for factor, step in found if step is not None and step not in user.used_steps), None
        )
        if right is None:
            user.failed()
            raise fail(403, "invalid_grant", "Invalid otp_code.")
        user.used_steps.add(right[1])
        return self._completed(request, login, right[0])

    def _mfa_oob(self, request: IncomingRequest, fields: Mapping[str, Any], client: ClientApplication) -> Reply:
        login = self._login(_text(fields, "mfa_token"), client)
        challenge = self.tenant.challenges.get(_text(fields, "oob_code"))
        if challenge is None:
            raise fail(403, "invalid_grant", "Malformed oob_code")
        if challenge.login is not login:
            raise fail(400, "invalid_request", "The oob_code doesn't match the mfa_token")
        if time.monotonic() >= challenge.end:
            raise fail(403, "expired_token", "oob_code is expired")
        authenticator = challenge.authenticator
        if authenticator.kind == "push":
            self._require_approved(authenticator)
        else:
            _require_unlocked(login.user)
            if _text(fields, "binding_code") != self.tenant.sms_code:
                login.user.failed()
                raise fail(403, "invalid_grant", "Invalid binding_code.")
        return self._completed(request, login, authenticator)

    def _require_approved(self, authenticator: Authenticator) -> None:
        if authenticator.owner == "declines":
            raise fail(400, "access_denied", "MFA Authorization rejected.")
        if authenticator.owner != "accepts":
            message = "Authorization pending: please repeat the request in a few seconds."
            raise fail(400, "authorization_pending", message)

    def _mfa_recovery_code(
        self, request: IncomingRequest, fields: Mapping[str, Any], client: ClientApplication
    ) -> Reply:
        login = self._login(_text(fields, "mfa_token"), client)
        code, user = _text(fields, "recovery_code"), login.user
        recovery = user.recovery
        if recovery is None:
            raise fail(403, "unsupported_challenge_type", "User does not have a recovery-code.")
        _require_unlocked(user)
        if code != recovery.secret:
            user.failed()
            raise fail(403, "invalid_grant", "MFA Authorization rejected.")
        recovery.secret = recovery_code()
        answer = self._completed(request, login, recovery)
        return Reply(200, {**answer.body, "recovery_code": recovery.secret})

    def _completed(self, request: IncomingRequest, login: PendingLogin, used: Authenticator | None = None) -> Reply:
        """Return the tokens of a completed login, which cannot be completed again."""
        user = login.user
        self.tenant.logins.pop(login.token, None)
        user.wrong_codes = 0
        if used is not None:
            used.used()
        scopes = [scope for scope in login.scope if scope in (*_USER_SCOPES, *self._scopes_of(login))]
        scope = " ".join(scopes)
        claims = {"iss": self.issuer(request), "sub": user.user_id, "azp": login.client.client_id}
        access = {**claims, "aud": login.audience, "scope": scope, "gty": "password"}
        # Without an audience, Auth0 issues an opaque access token.
        token = self.tenant.signer.sign(access) if login.audience else characters(32)
        body = {"access_token": token, **({"scope": scope} if scope else {}), "expires_in": TOKEN_SECONDS}
        if "openid" in scopes:
            shown = {name: user.profile.get(name) for name in _claims_of(scopes) if name in user.profile}
            identity = {**claims, **shown, "aud": login.client.client_id}
            body["id_token"] = self.tenant.signer.sign({n: v for n, v in identity.items() if n != "azp"}, seconds=36000)
        return Reply(200, {**body, "token_type": "Bearer"})

    def _scopes_of(self, login: PendingLogin) -> tuple[str, ...]:
        return _MFA_SCOPES if login.audience == self.tenant.mfa_audience else ()

    @route("POST", "/mfa/challenge")
    def challenge(self, request: IncomingRequest) -> Reply:
        """Send a push or a message, or ask for a code."""
        fields = self._fields(request, _JSON)
        client = self._client(request, fields)
        login = self._login(_text(fields, "mfa_token"), client, status=401)
        kinds = _text(fields, "challenge_type", needed=False).split() or ["otp", "oob"]
        wanted = _text(fields, "authenticator_id", needed=False)
        channel = _text(fields, "oob_channel", needed=False)
        if any(kind not in _CHALLENGES for kind in kinds):
            raise fail(400, "invalid_request", "challenge_type must be otp or oob")
        if channel and channel not in _CHANNELS:
            raise fail(400, "invalid_request", f"oob_channel must be one of {', '.join(_CHANNELS)}")
        return self._started(login, self._chosen(login, kinds, wanted, channel))

    def _chosen(self, login: PendingLogin, kinds: list[str], wanted: str, channel: str) -> Authenticator:
        known = login.user.active
        if not known:
            raise fail(401, "unsupported_challenge_type", _NOT_ENROLLED)
        if wanted:
            known = [factor for factor in known if factor.id == wanted]
            if not known:
                raise fail(400, "invalid_request", "The authenticator_id is not one of the user's")
        matching = [factor for factor in known if factor.kind_of_challenge in kinds and channel in ("", factor.channel)]
        if not matching:
            supported = ", ".join(dict.fromkeys(factor.kind_of_challenge for factor in known))
            message = (
                f"The user does not support any of the requested challenge types ({', '.join(kinds)}). "
                f"Supported type: {supported}"
            )
            raise fail(401, "unsupported_challenge_type", message)
        return matching[0]

    def _started(self, login: PendingLogin, authenticator: Authenticator) -> Reply:
        if authenticator.kind_of_challenge != "oob":
            return Reply(200, {"challenge_type": authenticator.kind_of_challenge})
        return Reply(200, {"challenge_type": "oob", **self._sent(login, authenticator)})

    def _sent(self, login: PendingLogin, authenticator: Authenticator) -> dict[str, str]:
        sent = OobChallenge(login, authenticator)
        self.tenant.challenges[sent.code] = sent
        # A push is answered on the phone; a message contains a code that the user types.
        prompt = {} if authenticator.kind == "push" else {"binding_method": "prompt"}
        return {"oob_code": sent.code, **prompt}

    def _bearer(self, request: IncomingRequest, scope: str) -> PendingLogin:
        """Return the login of an ``mfa_token``, or a new one for an access token of the MFA API."""
        token = request.bearer()
        if token is None:
            raise fail(401, "invalid_token", "The bearer token is missing")
        if not _is_jwt(token):
            return self._login(token, None, status=401)
        try:
            claims = self.tenant.signer.read(token)
        except jwt.ExpiredSignatureError:
            raise fail(401, "expired_token", "The access token has expired") from None
        except jwt.InvalidTokenError:
            raise fail(401, "invalid_token", "The access token is invalid") from None
        user, client = self.tenant.users.get(claims["sub"]), self.tenant.clients.get(claims["azp"])
        allowed = claims["aud"] == self.tenant.mfa_audience and scope in claims.get("scope", "").split()
        if user is None or client is None or not allowed:
            raise fail(401, "invalid_token", "The access token is not for this")
        login = PendingLogin(user, client, (), None)
        login.token = token
        # The client confirms an enrolment with the same token, instead of an mfa_token.
        return self.tenant.logins.setdefault(token, login)

    @route("POST", "/mfa/associate")
    def associate(self, request: IncomingRequest) -> Reply:
        """Enrol an authenticator; its first use activates it."""
        login = self._bearer(request, "enroll")
        as_user = _is_jwt(login.token)
        fields = self._fields(request, _JSON)
        if "client_id" in fields:
            self._client(request, fields)
        types, channels = _choice(fields, "authenticator_types", _CHALLENGES[:2]), []
        if "oob" in types:
            channels = _choice(fields, "oob_channels", _CHANNELS)
        phone = _text(fields, "phone_number", needed=bool({"sms", "voice"} & set(channels)))
        if not as_user and login.user.active:
            raise fail(400, "invalid_request", "User is already enrolled.")
        return self._associated(login, types, channels, phone)

    def _associated(self, login: PendingLogin, types: list[str], channels: list[str], phone: str) -> Reply:
        user = login.user
        codes = {}
        if user.recovery is None:
            user.recovery = Authenticator("recovery-code", secret=recovery_code())
            codes = {"recovery_codes": [user.recovery.secret]}
        label = f"otpauth://totp/mfagate%20sandbox:{quote(user.email)}?"
        if "otp" in types:
            made = Authenticator("totp", active=False, secret=Totp.generate().secret)
            user.authenticators.append(made)
            query = {"secret": made.secret, "issuer": "mfagate sandbox", "algorithm": "SHA1", "digits": 6, "period": 30}
            uri = label + urlencode(query, quote_via=quote)
            return Reply(200, {"authenticator_type": "otp", "secret": made.secret, "barcode_uri": uri, **codes})
        (channel, *_) = channels
        kind = "push" if channel == "auth0" else channel
        shown = f"XXXXXXXXX{phone[-4:]}" if phone else ""
        made = Authenticator(kind, active=False, address=phone or user.email, name=shown, owner="accepts")
        user.authenticators.append(made)
        sent = self._sent(login, made)
        base = quote(f"https://{DOMAIN.replace('.eu.', '.guardian.eu.')}", safe="")
        scanned = f"{label}enrollment_tx_id={characters(32)}&base_url={base}"
        more = {"barcode_uri": scanned} if kind == "push" else {}
        return Reply(200, {"authenticator_type": "oob", "oob_channel": channel, **sent, **more, **codes})

    @route("GET", "/mfa/authenticators")
    def authenticators(self, request: IncomingRequest) -> Reply:
        """List the user's authenticators, including the recovery code."""
        user = self._bearer(request, "read:authenticators").user
        return Reply(200, [_listed(factor) for factor in user.listed])

    @route("DELETE", "/mfa/authenticators/<authenticator_id>")
    def remove_authenticator(self, request: IncomingRequest) -> Reply:
        """Remove an authenticator."""
        user = self._bearer(request, "remove:authenticators").user
        found = user.find(request.variables["authenticator_id"])
        if found is None:
            raise fail(404, "not_found", "The authenticator could not be found.")
        user.remove(found)
        return Reply(204)


def _scopes(fields: Mapping[str, Any]) -> tuple[str, ...]:
    value = fields.get("scope")
    if isinstance(value, list) and all(isinstance(scope, str) for scope in value):
        value = " ".join(value)
    if value is not None and not isinstance(value, str):
        body = {"error": "invalid_scope", "error_description": "Scope must be an array or a string", "statusCode": 400}
        raise RequestRejected(Reply(400, body))
    return tuple((value or "").split())


def _claims_of(scopes: list[str]) -> list[str]:
    claims = ["email", "email_verified"] if "email" in scopes else []
    return claims + (["name", "nickname", "picture", "updated_at"] if "profile" in scopes else [])


def _choice(fields: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> list[str]:
    """Return a list of allowed words."""
    value = fields.get(name)
    if value is None:
        raise _missing(name)
    if not isinstance(value, list) or not value or any(word not in allowed for word in value):
        raise fail(400, "invalid_request", f"{name} must be an array with one or more of {', '.join(allowed)}")
    return value


def _require_unlocked(user: Auth0User) -> None:
    if user.is_locked:
        raise fail(429, "too_many_attempts", "Too many failed codes. Wait for some minutes before retrying.")


def _is_jwt(token: str) -> bool:
    return token.startswith("ey") and token.count(".") == 2


def _listed(factor: Authenticator) -> dict[str, Any]:
    kind = {"authenticator_type": factor.kind_of_challenge, "active": factor.active}
    channel = {"oob_channel": factor.channel} if factor.channel else {}
    return {"id": factor.id, **kind, **channel, **({"name": factor.name} if factor.name else {})}
