"""The reference client for Vonage Verify v2: a code by SMS, started and checked."""

from __future__ import annotations

from typing import Unpack

from mfagate.core.exchange import Response
from mfagate.providers.api_client import ApiClient, ClientOptions
from mfagate.providers.second_factor import Challenge, ContractViolation, Decision, Factor, NotEnrolled
from mfagate_vonage.errors import error_of
from mfagate_vonage.provider import PROVIDER
from mfagate_vonage.settings import VonageSettings

_WRONG_CODE = (400, "Invalid Code")
_TOO_MANY = (410, "Invalid Code")


class VonageClient:
    """A mfagate.providers.second_factor.SecondFactor over https://developer.vonage.com/en/api/verify.v2."""

    def __init__(
        self,
        settings: VonageSettings,
        *,
        brand: str = "mfagate",
        **transport: Unpack[ClientOptions],
    ) -> None:
        self._brand = brand
        self._api = ApiClient(PROVIDER, settings, **transport)

    def start(self, user: str, factor: Factor) -> Challenge:
        """Send a code to the phone number ``user``."""
        if factor is not Factor.SMS:
            raise NotEnrolled(f"this client supports codes by SMS, not {factor}")
        workflow = [{"channel": "sms", "to": user}]
        response = self._api.ask("POST", "/v2/verify", json={"brand": self._brand, "workflow": workflow})
        if response.status != 202:
            raise self._api.refusal(response)
        request_id = self._api.json_object(response).get("request_id")
        if not isinstance(request_id, str) or not request_id:
            raise ContractViolation("Vonage started a verification without a request_id")
        return Challenge(user, factor, request_id)

    def verify(self, challenge: Challenge, code: str | None = None) -> Decision:
        """Check the code of that verification."""
        if not challenge.transaction or code is None:
            raise ValueError("a started challenge and a code are required")
        response = self._api.ask("POST", f"/v2/verify/{challenge.transaction}", json={"code": code})
        if response.status == 200:
            return self._decision(response, challenge)
        error = error_of(response)
        if error is not None and (response.status, error.code) in (_WRONG_CODE, _TOO_MANY):
            return Decision.DENY
        raise self._api.refusal(response)

    def cancel(self, challenge: Challenge) -> None:
        """Cancel the verification."""
        response = self._api.ask("DELETE", f"/v2/verify/{challenge.transaction}")
        if response.status != 204:
            raise self._api.refusal(response)

    def _decision(self, response: Response, challenge: Challenge) -> Decision:
        body = self._api.json_object(response)
        if body.get("request_id") != challenge.transaction:
            raise ContractViolation("Vonage's answer is about another verification")
        if body.get("status") != "completed":
            raise ContractViolation("the status is not defined by the contract")
        return Decision.ALLOW
