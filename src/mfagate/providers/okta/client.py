"""The reference client for Okta: what a login service needs, and nothing else.

Endpoints: https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/.
"""

from __future__ import annotations

import re
from typing import Any, Unpack
from urllib.parse import urlsplit

from mfagate.core.exchange import Response
from mfagate.core.origins import segment
from mfagate.providers.api_client import ApiClient, ClientOptions
from mfagate.providers.okta.errors import (
    LOCKED,
    NOT_FOUND,
    OLD_CODE,
    RECENTLY_SENT,
    REJECTED,
    USED_CODE,
    WRONG_CODE,
    error_of,
)
from mfagate.providers.okta.provider import PROVIDER
from mfagate.providers.okta.settings import OktaSettings
from mfagate.providers.second_factor import (
    Challenge,
    ContractViolation,
    Decision,
    Factor,
    NotEnrolled,
    RateLimited,
    SecondFactorError,
)

_TYPES = {Factor.OTP: "token:software:totp", Factor.PUSH: "push", Factor.SMS: "sms"}

_DENIES = (WRONG_CODE, LOCKED, REJECTED, USED_CODE, OLD_CODE)
"""Codes of a refused login (403), about the user and not about the client."""

_DENIED = ("EXPIRED", "FAILED", "PASSCODE_REPLAYED", "REJECTED", "TIMEOUT", "TIME_WINDOW_EXCEEDED")

_TRANSACTION = re.compile(r"/api/v1/users/(?P<user>[^/\s]+)/factors/(?P<factor>[^/\s]+)/transactions/[^/\s]+")

_USER_ID = re.compile(r"00u[A-Za-z0-9]{17}")

_BETWEEN_MESSAGES = 30.0


class OktaClient:
    """A :class:`~mfagate.providers.second_factor.SecondFactor` over Okta's Factors API.

    ``user`` is a login or an id. ``start`` finds the user's factor, and sends a push or a text message. The transaction
    of a challenge is the id of the factor, or for a push, the path to poll. Okta returns a link for polling; the client
    uses only its path, on the configured org, because the request carries the credential.
    """

    def __init__(self, settings: OktaSettings, **transport: Unpack[ClientOptions]) -> None:
        self._api = ApiClient(PROVIDER, settings, **transport)

    def start(self, user: str, factor: Factor) -> Challenge:
        """Find the user's factor, and send a push or a message if the factor needs one."""
        factor_id = self._factor(user, _TYPES[factor])
        if factor is Factor.PUSH:
            return Challenge(user, factor, self._push(user, factor_id))
        if factor is Factor.SMS:
            self._send_message(user, factor_id)
        return Challenge(user, factor, factor_id)

    def verify(self, challenge: Challenge, code: str | None = None) -> Decision:
        """Check a code, or query the result of a push."""
        if not challenge.transaction:
            raise ValueError("the challenge has no transaction; call start first")
        if challenge.factor is Factor.PUSH:
            return self._poll(challenge.user, challenge.transaction)
        if not code:
            # Without a code, Okta would send a message and answer 200.
            raise ValueError("a code is required")
        response = self._verify(challenge.user, challenge.transaction, {"passCode": code})
        if _code_of(response) in _DENIES and response.status == 403:
            return Decision.DENY
        return _decision(self._result(response, 200))

    def _factor(self, user: str, kind: str) -> str:
        response = self._api.ask("GET", f"/api/v1/users/{segment(user)}/factors")
        if response.status != 200:
            raise self._refusal(response)
        factors = self._api.json_array(response)
        if not all(isinstance(factor, dict) for factor in factors):
            raise ContractViolation("Okta's list of factors contains an entry that is not a factor")
        active = [factor for factor in factors if factor.get("factorType") == kind and factor.get("status") == "ACTIVE"]
        if not active:
            raise NotEnrolled(f"the user has no active factor of the type {kind}")
        return _text(next((factor for factor in active if _has_text(factor, "id")), active[0]), "id")

    def _push(self, user: str, factor_id: str) -> str:
        sent = self._result(self._verify(user, factor_id, {}), 201)
        links = sent.get("_links")
        poll = links.get("poll") if isinstance(links, dict) else None
        if sent.get("factorResult") != "WAITING" or not isinstance(poll, dict):
            raise ContractViolation("Okta sent a push without a link to poll")
        path = _path_of(_text(poll, "href"))
        if _factor_of(path, user) != factor_id:
            raise ContractViolation("the polling link belongs to another factor than the requested one")
        return path

    def _send_message(self, user: str, factor_id: str) -> None:
        response = self._verify(user, factor_id, {})
        if _code_of(response) in RECENTLY_SENT:
            raise RateLimited("Okta: a message was sent to the user a moment ago", _BETWEEN_MESSAGES)
        if self._result(response, 200).get("factorResult") != "CHALLENGE":
            raise ContractViolation("Okta did not send a message")

    def _poll(self, user: str, path: str) -> Decision:
        if _factor_of(path, user) is None:
            raise ContractViolation("the push does not belong to this user")
        response = self._api.ask("GET", path)
        if _code_of(response) == NOT_FOUND:
            raise ContractViolation("Okta does not know this push")
        answer = self._result(response, 200)
        return Decision.PENDING if answer.get("factorResult") == "WAITING" else _decision(answer)

    def _verify(self, user: str, factor_id: str, body: dict[str, str]) -> Response:
        path = f"/api/v1/users/{segment(user)}/factors/{segment(factor_id)}/verify"
        return self._api.ask("POST", path, json=body)

    def _result(self, response: Response, status: int) -> dict[str, Any]:
        """Return the content of a successful answer; raise a typed error for any other."""
        if response.status != status:
            raise self._refusal(response)
        return self._api.json_object(response)

    def _refusal(self, response: Response) -> SecondFactorError:
        if _code_of(response) == NOT_FOUND:
            return NotEnrolled("Okta has no such user or factor")
        return self._api.refusal(response)


def _code_of(response: Response) -> str | int | None:
    error = error_of(response) if response.status >= 400 and response.media_type == "application/json" else None
    return error.code if error else None


def _text(fields: dict[str, Any], name: str) -> str:
    if not _has_text(fields, name):
        raise ContractViolation(f"Okta's answer has no {name}")
    return str(fields[name])


def _has_text(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    return isinstance(value, str) and value != ""


def _path_of(link: str) -> str:
    """Return only the path: the request goes to the configured org, whatever host the link names."""
    try:
        return urlsplit(link).path
    except ValueError:
        raise ContractViolation("the polling link is not a URL") from None


def _factor_of(path: str, user: str) -> str | None:
    """Return the factor whose push a path polls; None if it is another path, or evidently another user's."""
    found = _TRANSACTION.fullmatch(path)
    # A login cannot be compared: links contain the user's id.
    if found is None or (_USER_ID.fullmatch(user) and found["user"] != user):
        return None
    return found["factor"]


def _decision(answer: dict[str, Any]) -> Decision:
    result = answer.get("factorResult")
    if result == "SUCCESS":
        return Decision.ALLOW
    if result in _DENIED:
        return Decision.DENY
    raise ContractViolation("Okta's answer has no result that the contract defines")
