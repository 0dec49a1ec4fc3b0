"""The reference client for Verify: what a login service needs, and nothing else.

Endpoints: https://www.twilio.com/docs/verify/api. A user is a phone number in E.164 form
for text messages, and the identity of an entity for TOTP and pushes.
"""

from __future__ import annotations

import re
from typing import Any, Unpack

from mfagate.core.exchange import Response
from mfagate.providers.api_client import ApiClient, ClientOptions
from mfagate.providers.second_factor import Challenge, ContractViolation, Decision, Factor, NotEnrolled
from mfagate.providers.twilio.errors import INVALID_PARAMETER, LANDLINE, MOST_CHECKS, NOT_FOUND, error_of
from mfagate.providers.twilio.provider import PROVIDER
from mfagate.providers.twilio.settings import TwilioSettings

_SID = re.compile("[A-Z]{2}[0-9a-fA-F]{32}")
_IDENTITY = re.compile("[A-Za-z0-9-]{8,64}")

_NO_MOBILE_NUMBER = (21211, 21612, 21614, INVALID_PARAMETER, LANDLINE)
"""Codes of a number that cannot receive messages; no other part of the request can be invalid."""

_OVER = ("canceled", "expired", "max_attempts_reached", "deleted", "failed")

_FACTOR_TYPES = {Factor.OTP: "totp", Factor.PUSH: "push"}

_FACTORS = 50


class TwilioClient:
    """A :class:`~mfagate.providers.second_factor.SecondFactor` over Verify.

    Every answer must be about the same verification or challenge and the same user. The first decision counts, and only
    ``approved`` lets a user in.
    """

    def __init__(self, settings: TwilioSettings, **transport: Unpack[ClientOptions]) -> None:
        self._service = f"/v2/Services/{settings.service_sid}"
        self._api = ApiClient(PROVIDER, settings, **transport)

    def start(self, user: str, factor: Factor) -> Challenge:
        """Send a text message or a push; for TOTP, find the user's factor, which is the transaction."""
        if factor is Factor.SMS:
            return Challenge(user, factor, self._send_code(user))
        factor_sid = self._find_factor(user, _FACTOR_TYPES[factor])
        return Challenge(user, factor, factor_sid if factor is Factor.OTP else self._push(user, factor_sid))

    def verify(self, challenge: Challenge, code: str | None = None) -> Decision:
        """Check a code, or query the result of a push."""
        if not _SID.fullmatch(challenge.transaction or ""):
            raise ValueError("the transaction of the challenge is not a SID")
        if challenge.factor is Factor.PUSH:
            return self._poll(challenge)
        if code is None:
            raise ValueError("a code is required")
        return self._check(challenge, code) if challenge.factor is Factor.SMS else self._answer(challenge, code)

    def _send_code(self, user: str) -> str:
        response = self._api.ask("POST", f"{self._service}/Verifications", data={"To": user, "Channel": "sms"})
        if response.status != 201 and _code(response) in _NO_MOBILE_NUMBER:
            raise NotEnrolled("the user's number cannot receive text messages")
        verification = self._api.successful(response, 201)
        if verification.get("status") != "pending":
            raise ContractViolation("the verification that Twilio started is not pending")
        return _sid(verification)

    def _check(self, challenge: Challenge, code: str) -> Decision:
        if not re.fullmatch("[0-9]{4,10}", code):
            return Decision.DENY
        check = {"VerificationSid": challenge.transaction, "Code": code}
        response = self._api.ask("POST", f"{self._service}/VerificationCheck", data=check)
        if response.status not in (200, 201):
            if (response.status, _code(response)) in ((404, NOT_FOUND), (429, MOST_CHECKS)):
                return Decision.DENY  # the verification has ended: approved before, expired, or tried too often
            raise self._api.refusal(response)
        checked = self._api.json_object(response)
        _require(checked, sid=challenge.transaction, to=challenge.user)
        status, valid = checked.get("status"), checked.get("valid")
        if status == "approved" and valid is True:
            return Decision.ALLOW
        if (status == "pending" or status in _OVER) and valid is False:
            return Decision.DENY
        raise ContractViolation("the combination of status and valid in Twilio's answer is not defined by the contract")

    def _find_factor(self, identity: str, kind: str) -> str:
        if not _IDENTITY.fullmatch(identity):
            raise NotEnrolled("the user's name is not a valid identity")
        response = self._api.ask("GET", f"{self._entity(identity)}/Factors", params={"PageSize": _FACTORS})
        if response.status == 404 and _code(response) is not None:
            raise NotEnrolled("Twilio has no such user")
        factors = self._api.successful(response).get("factors")
        if not isinstance(factors, list) or not all(isinstance(factor, dict) for factor in factors):
            raise ContractViolation("Twilio's list of the user's factors does not conform to the contract")
        suited = [
            factor for factor in factors if factor.get("factor_type") == kind and factor.get("status") == "verified"
        ]
        if not suited:
            raise NotEnrolled(f"the user has no verified {kind} factor")
        return _sid(next((factor for factor in suited if _has_sid(factor)), suited[0]))

    def _answer(self, challenge: Challenge, code: str) -> Decision:
        """Create a challenge and answer it in one request."""
        if not re.fullmatch("[0-9]{3,8}", code):
            return Decision.DENY
        answered = self._new_challenge(challenge.user, challenge.transaction or "", AuthPayload=code)
        return Decision.DENY if answered["status"] == "pending" else _decision(answered)

    def _push(self, user: str, factor_sid: str) -> str:
        return _sid(self._new_challenge(user, factor_sid, **{"Details.Message": "Do you want to log in?"}))

    def _new_challenge(self, user: str, factor_sid: str, **fields: str) -> dict[str, Any]:
        data = {"FactorSid": factor_sid, **fields}
        response = self._api.ask("POST", f"{self._entity(user)}/Challenges", data=data)
        if response.status == 404 and _code(response) is not None:
            raise NotEnrolled("the user no longer has this factor")
        challenge = self._api.successful(response, 201)
        _require(challenge, factor_sid=factor_sid, identity=user)
        if challenge.get("status") not in ("pending", "approved", "denied", "expired"):
            raise ContractViolation("the challenge has a status that the contract does not define")
        return challenge

    def _poll(self, challenge: Challenge) -> Decision:
        response = self._api.ask("GET", f"{self._entity(challenge.user)}/Challenges/{challenge.transaction}")
        if response.status == 404 and _code(response) is not None:
            return Decision.DENY
        polled = self._api.successful(response)
        _require(polled, sid=challenge.transaction, identity=challenge.user)
        return Decision.PENDING if polled.get("status") == "pending" else _decision(polled)

    def _entity(self, identity: str) -> str:
        return f"{self._service}/Entities/{identity}"


def _code(response: Response) -> str | int | None:
    error = error_of(response)
    return error.code if error else None


def _sid(resource: dict[str, Any]) -> str:
    if not _has_sid(resource):
        raise ContractViolation("Twilio's answer has no SID")
    return str(resource["sid"])


def _has_sid(resource: dict[str, Any]) -> bool:
    sid = resource.get("sid")
    return isinstance(sid, str) and _SID.fullmatch(sid) is not None


def _require(resource: dict[str, Any], **expected: str | None) -> None:
    """Require that the answer is about the request; the case of an identity does not matter, but that of a SID does."""
    for name, value in expected.items():
        answered = resource.get(name)
        if name == "identity" and isinstance(answered, str):
            answered, value = answered.lower(), str(value).lower()
        if not isinstance(answered, str) or answered != value:
            raise ContractViolation(f"Twilio's answer is about another {name}")


def _decision(challenge: dict[str, Any]) -> Decision:
    status = challenge.get("status")
    if status == "approved":
        return Decision.ALLOW
    if status in ("denied", "expired"):
        return Decision.DENY
    raise ContractViolation("the challenge has a status that the contract does not define")
