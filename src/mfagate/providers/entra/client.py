"""The reference client for Entra: what a login service needs, and nothing else.

Graph cannot challenge a user on behalf of an application. The client therefore reads the user's authentication methods
from Graph, and the challenge is a sign-in by device code in the user's browser:
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code. The code is redeemed with
the application's own credential, so that no other party can redeem it.

A sign-in proves that Entra signed in this user, for this application and tenant, according to the tenant's policies. It
proves a second factor only if a policy requires one. Version 2 tokens have no ``amr``; only ``acrs`` lists the ids of
the satisfied authentication contexts
(https://learn.microsoft.com/entra/identity-platform/developer-guide-conditional-access-authentication-context). Bind a
Conditional Access policy that requires MFA to a context, and pass that context as ``authentication_context``: the
client then rejects a sign-in without it. Microsoft does not document whether the device code flow supports this claims
request; test it before you rely on it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from mfagate.config import jwt
from mfagate.core import numbers
from mfagate.providers.api_client import ApiClient, ClientOptions
from mfagate.providers.entra import discovery
from mfagate.providers.entra.auth import SIGN_IN_SCOPE, device_code_path
from mfagate.providers.entra.errors import error_name, error_of
from mfagate.providers.entra.probes import methods_path
from mfagate.providers.entra.provider import PROVIDER
from mfagate.providers.entra.settings import EntraSettings, is_guid, token_path
from mfagate.providers.second_factor import Challenge, ContractViolation, Decision, Factor, NotEnrolled

_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

_ANSWERS = {
    "authorization_pending": Decision.PENDING,
    "slow_down": Decision.PENDING,  # not documented by Entra; in RFC 8628: pending, poll less often
    "authorization_declined": Decision.DENY,
    "access_denied": Decision.DENY,  # the same in RFC 8628
    "expired_token": Decision.DENY,
}

_STRONG = frozenset(
    f"#microsoft.graph.{name}AuthenticationMethod"
    for name in (
        "external",
        "fido2",
        "microsoftAuthenticator",
        "phone",
        "platformCredential",
        "softwareOath",
        "windowsHelloForBusiness",
    )
)
"""Excluded are passwords, e-mail addresses, Temporary Access Passes, which expire, and unknown types."""

_USUAL_INTERVAL = 5.0
"""Seconds between polls if the answer names none (RFC 8628 section 3.2)."""

_CLOCKS_DIFFER_SECONDS = 300


@dataclass(frozen=True, slots=True)
class DeviceChallenge(Challenge):
    """A sign-in by device code: show the user the code and the address, and poll every ``interval`` seconds."""

    user_code: str = ""
    verification_uri: str = ""
    interval: float = _USUAL_INTERVAL


class EntraClient:
    """A :class:`~mfagate.providers.second_factor.SecondFactor` over Graph and Entra's device code flow.

    Users are identified by their object id: names change and are reused, and another tenant chooses the name of a
    guest.
    """

    def __init__(
        self, settings: EntraSettings, *, authentication_context: str | None = None, **transport: Unpack[ClientOptions]
    ) -> None:
        """``authentication_context``, such as ``c1``, must be in the sign-in's ``acrs``."""
        self._settings = settings
        self._context = authentication_context
        self._api = ApiClient(PROVIDER, settings, **transport)
        self._tenant = settings.tenant_id.lower() if is_guid(settings.tenant_id) else None

    def start(self, user: str, factor: Factor) -> DeviceChallenge:
        """Require a strong authentication method, and start a sign-in."""
        if factor is not Factor.PUSH:
            raise NotEnrolled(
                f"Entra does not let an application check a user's {factor}; it can only request a sign-in"
            )
        if not is_guid(user):
            raise ValueError("users must be identified by their object id")
        if not _STRONG & self.methods(user):
            raise NotEnrolled("the user has no authentication method beyond a password")
        return self._device_code(user)

    def verify(self, challenge: Challenge, code: str | None = None) -> Decision:
        """Query the result of the sign-in."""
        if not challenge.transaction:
            raise ValueError("only a challenge with a device code can be polled")
        form = {"grant_type": _DEVICE_CODE, "device_code": challenge.transaction}
        response = self._api.ask("POST", token_path(self._settings), data=form)
        if response.status == 400 and response.media_type == "application/json":
            decision = _ANSWERS.get(error_name(response) or "")
            if decision is not None:
                return decision
        return self._judge(challenge.user, self._api.successful(response).get("id_token"))

    def methods(self, user: str) -> set[str]:
        """Return the types of the user's authentication methods."""
        response = self._api.ask("GET", methods_path(user))
        if response.status == 404 and error_of(response) is not None:
            raise NotEnrolled("the tenant has no such user")
        listed = self._api.successful(response).get("value")
        methods = listed if isinstance(listed, list) else [None]
        types = [method.get("@odata.type") if isinstance(method, dict) else None for method in methods]
        if not all(isinstance(name, str) for name in types):
            raise ContractViolation("Graph's list of authentication methods does not conform to the contract")
        return set(map(str, types))

    def _device_code(self, user: str) -> DeviceChallenge:
        form = {"client_id": self._settings.client_id, "scope": SIGN_IN_SCOPE}
        if self._context is not None:
            form["claims"] = json.dumps({"id_token": {"acrs": {"essential": True, "value": self._context}}})
        content = self._api.successful(self._api.ask("POST", device_code_path(self._settings), data=form))
        texts = [content.get(name) for name in ("device_code", "user_code", "verification_uri")]
        if not all(isinstance(text, str) and text for text in texts):
            raise ContractViolation("Entra started a sign-in without a user code or a verification address")
        code, user_code, uri = map(str, texts)
        interval = numbers.finite(content.get("interval")) or 0.0
        return DeviceChallenge(
            user, Factor.PUSH, code, None, user_code, uri, interval if interval > 0 else _USUAL_INTERVAL
        )

    def _judge(self, user: str, id_token: Any) -> Decision:
        """Check who signed in, and for which application.

        The token came from the token endpoint itself, over TLS, so its signature is not checked
        (https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation, 6).
        """
        whole = isinstance(id_token, str) and jwt.Jwt().misfit(id_token) is None
        held = jwt.claims(id_token) if whole else {}
        tenant = self._tenant_id()
        expected = {
            "iss": f"https://{self._settings.hosts.login}/{tenant}/v2.0",
            "aud": self._settings.client_id.lower(),
            "tid": tenant,
        }
        wrong = [name for name, value in expected.items() if _lower(held, name) != value]
        wrong += [] if _is_current(held) else ["exp"]
        if wrong or not _lower(held, "oid"):
            raise ContractViolation(
                f"the id token of the sign-in was rejected; wrong or missing claims: {', '.join(wrong) or 'oid'}"
            )
        if _lower(held, "oid") != user.lower():
            return Decision.DENY  # another user signed in
        if self._context is not None and self._context not in _contexts(held):
            raise ContractViolation(f"the sign-in did not satisfy the authentication context {self._context}")
        return Decision.ALLOW

    def _tenant_id(self) -> str:
        if self._tenant is None:
            response = self._api.ask("GET", discovery.path(self._settings))
            if response.status != 200:
                raise self._api.refusal(response)
            found = discovery.document(response)
            tenant = discovery.tenant_in(found) if found is not None else None
            if tenant is None:
                raise ContractViolation("the tenant's metadata do not contain its id")
            self._tenant = tenant
        return self._tenant


def _lower(held: Mapping[str, Any], name: str) -> str | None:
    value = held.get(name)
    return value.lower() if isinstance(value, str) else None


def _is_current(held: Mapping[str, Any]) -> bool:
    end = held.get("exp")
    return type(end) is int and end > time.time() - _CLOCKS_DIFFER_SECONDS


def _contexts(held: Mapping[str, Any]) -> list[Any]:
    contexts = held.get("acrs")
    return contexts if isinstance(contexts, list) else []
