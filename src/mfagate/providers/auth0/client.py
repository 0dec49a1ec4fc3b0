"""The reference client for Auth0: what a login service needs, and nothing else.

https://auth0.com/docs/secure/multi-factor-authentication/authenticate-using-ropg-flow-with-mfa and
https://auth0.com/docs/secure/multi-factor-authentication/manage-mfa-auth0-apis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Unpack

from mfagate.config.jwt import claims
from mfagate.core.exchange import Response
from mfagate.core.foreign.parsing import raw
from mfagate.core.origins import segment
from mfagate.providers.answers import json_of
from mfagate.providers.api_client import ApiClient, ClientOptions
from mfagate.providers.auth0.errors import error_of
from mfagate.providers.auth0.probes import GRANT
from mfagate.providers.auth0.provider import PROVIDER
from mfagate.providers.auth0.settings import DEFAULT_CONNECTION, TOKEN_PATH, Auth0Settings
from mfagate.providers.errors import ApiError
from mfagate.providers.oauth import token_in
from mfagate.providers.second_factor import Challenge, ContractViolation, Decision, Factor, NotEnrolled

SCOPE = "openid email"

# The names of a factor among a user's authenticators and among the authentication methods.
_AUTHENTICATORS = {Factor.OTP: ("otp", None), Factor.PUSH: ("oob", "auth0"), Factor.SMS: ("oob", "sms")}
_METHODS = {"totp": Factor.OTP, "push": Factor.PUSH, "phone": Factor.SMS}

_NOT_ENROLLED = ("association_required", "unsupported_challenge_type")
_REFUSED_PASSWORD = ("invalid_grant", "invalid_user_password", "unauthorized")
_REFUSALS = (400, 401, 403)
"""Auth0's documentation and its answers disagree on the status; the code decides."""


class Auth0Client:
    """A :class:`~mfagate.providers.second_factor.SecondFactor` over Auth0's MFA API.

    Auth0 asks for the second factor during a login, so a login starts with the first factor: ``start`` sends the user's
    password, and the challenge carries the ``mfa_token`` that Auth0 returns. ``start`` calls ``password`` once for each
    login; a login service returns the password from the form that the user has just sent. A wrong password leads to a
    decided challenge: DENY. A user whom Auth0 accepts with the password alone is not let in (:class:`NotEnrolled`),
    because the MFA policy of the tenant may have been switched off.

    A challenge keeps the secrets of a login in progress in ``transaction``.
    """

    def __init__(
        self,
        settings: Auth0Settings,
        password: Callable[[str], str],
        *,
        connection: str = DEFAULT_CONNECTION,
        **transport: Unpack[ClientOptions],
    ) -> None:
        self._api = ApiClient(PROVIDER, settings, **transport)
        self._password = password
        self._connection = connection

    def start(self, user: str, factor: Factor) -> Challenge:
        """Check the password, find the user's authenticator, and challenge it: a push or an SMS is sent."""
        login = self._first_factor(user)
        if login is None:
            return Challenge(user, factor, decided=Decision.DENY)
        return self._challenge(user, factor, login, self._authenticator(login, factor))

    def verify(self, challenge: Challenge, code: str | None = None) -> Decision:
        """Redeem a code, or query the result of a push.

        With ALLOW, Auth0 also returns the user's tokens. This client discards them; a service that needs them reads
        them from the same answer.
        """
        if challenge.decided is not None:
            return challenge.decided
        login, _, oob_code = (challenge.transaction or "").partition(" ")
        if not login or bool(oob_code) is (challenge.factor is Factor.OTP):
            raise ValueError("only a started challenge can be verified")
        if challenge.factor is Factor.PUSH:
            return self._redeem(challenge, "mfa-oob", mfa_token=login, oob_code=oob_code)
        if code is None:
            raise ValueError("a code is required")
        if challenge.factor is Factor.OTP:
            return self._redeem(challenge, "mfa-otp", mfa_token=login, otp=code)
        return self._redeem(challenge, "mfa-oob", mfa_token=login, oob_code=oob_code, binding_code=code)

    def enrolled(self, user_id: str) -> frozenset[Factor]:
        """Return the second factors of a user, for example for an account page; no login is needed.

        ``user_id`` is Auth0's own id, such as ``auth0|507f1f77bcf86cd799439011``.

        Raises:
            NotEnrolled: The user does not exist.
        """
        response = self._api.ask("GET", f"/api/v2/users/{segment(user_id)}/authentication-methods")
        error = error_of(response)
        if response.status == 404 and error is not None and error.code == "inexistent_user":
            raise NotEnrolled("Auth0 has no such user")
        if response.status != 200:
            raise self._api.refusal(response)
        methods = [(method.get("type"), method.get("confirmed", True)) for method in self._list(response)]
        return frozenset(
            factor
            for kind, confirmed in methods
            if isinstance(kind, str) and (factor := _METHODS.get(kind)) is not None and confirmed is True
        )

    def _first_factor(self, user: str) -> str | None:
        """Check the password and return the ``mfa_token`` of the login; None if the password is wrong."""
        response = self._grant(
            "password-realm", username=user, password=self._password(user), realm=self._connection, scope=SCOPE
        )
        error = self._refusal(response)
        if error is None:
            if response.status == 200 and token_in(response) is not None:
                raise NotEnrolled(
                    "Auth0 does not ask this user for a second factor; the tenant's MFA policy decides this"
                )
            raise self._api.refusal(response)
        if error.code == "mfa_required":
            return self._text(response, "mfa_token")
        if error.code in _REFUSED_PASSWORD or "user is blocked" in error.message:
            return None
        raise self._api.refusal(response)

    def _authenticator(self, login: str, factor: Factor) -> str:
        """Return the id of the user's active authenticator for a factor."""
        response = self._api.ask("GET", "/mfa/authenticators", headers={"Authorization": f"Bearer {login}"})
        if response.status != 200:
            raise self._api.refusal(response)
        kind, channel = _AUTHENTICATORS[factor]
        suited = [
            entry.get("id")
            for entry in self._list(response)
            if entry.get("active") is True
            and entry.get("authenticator_type") == kind
            and channel in (None, entry.get("oob_channel"))
        ]
        if not suited:
            raise NotEnrolled(f"the user has no active authenticator for {factor}")
        usable = next((name for name in suited if isinstance(name, str) and name), None)
        if usable is None:
            raise ContractViolation("an authenticator in Auth0's list has no id")
        return usable

    def _challenge(self, user: str, factor: Factor, login: str, authenticator: str) -> Challenge:
        kind, _ = _AUTHENTICATORS[factor]
        body = {"mfa_token": login, "challenge_type": kind, "authenticator_id": authenticator}
        response = self._api.ask("POST", "/mfa/challenge", json=body)
        error = self._refusal(response)
        if error is not None and error.code in _NOT_ENROLLED:
            raise NotEnrolled("Auth0 cannot challenge the user with this factor")
        started = self._api.successful(response)
        prompted = started.get("binding_method") == "prompt"
        if started.get("challenge_type") != kind or prompted is not (factor is Factor.SMS):
            raise ContractViolation("Auth0 started another challenge than the requested one")
        if factor is Factor.OTP:
            return Challenge(user, factor, login)
        return Challenge(user, factor, f"{login} {self._text(response, 'oob_code')}")

    def _redeem(self, challenge: Challenge, grant: str, **fields: str) -> Decision:
        response = self._grant(grant, **fields)
        error = self._refusal(response)
        if error is not None:
            return self._refused(response, error)
        if response.status != 200 or token_in(response) is None:
            raise self._api.refusal(response)
        self._require_same_user(challenge.user, self._api.json_object(response).get("id_token"))
        return Decision.ALLOW

    def _refused(self, response: Response, error: ApiError) -> Decision:
        if error.code in ("authorization_pending", "slow_down"):
            return Decision.PENDING
        words = raw(error.message).lower()
        if error.code == "invalid_grant" and "malformed" in words:
            raise ContractViolation("Auth0 does not know the login to complete")
        # The login was not completed in time. A declined push is access_denied, or as documented, invalid_grant.
        if error.code in ("invalid_grant", "expired_token") or (error.code == "access_denied" and "rejected" in words):
            return Decision.DENY
        raise self._api.refusal(response)

    def _require_same_user(self, user: str, id_token: Any) -> None:
        """Require that an ID token belongs to the user. Its signature is not checked: it came from Auth0 over TLS.

        https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation (6).
        """
        if id_token is None:
            return
        held = claims(id_token) if isinstance(id_token, str) else {}
        if not held:
            raise ContractViolation("Auth0's ID token cannot be read")
        email = held.get("email")
        if "@" in user and isinstance(email, str) and email.lower() != user.lower():
            raise ContractViolation("Auth0 completed the login of another user")

    def _grant(self, grant: str, **fields: str) -> Response:
        return self._api.ask("POST", TOKEN_PATH, data={"grant_type": GRANT + grant, **fields})

    def _refusal(self, response: Response) -> ApiError | None:
        """Return the error of a refusal by Auth0 itself; None if the answer is not JSON."""
        if response.status not in _REFUSALS or response.media_type != "application/json":
            return None
        return error_of(response)

    def _text(self, response: Response, name: str) -> str:
        value = self._api.json_object(response).get(name)
        # A challenge uses a space as separator.
        if not isinstance(value, str) or not value or " " in value:
            raise ContractViolation(f"Auth0's answer has no {name}")
        return value

    def _list(self, response: Response) -> list[Mapping[str, Any]]:
        if response.media_type != "application/json":
            raise ContractViolation("Auth0 answered without the content type of JSON")
        body = json_of(response)
        if not isinstance(body, list) or not all(isinstance(entry, dict) for entry in body):
            raise ContractViolation("Auth0's answer is not a list of objects")
        return body
