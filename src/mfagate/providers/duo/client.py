"""The reference client for Duo: what a login service needs, and nothing else.

Endpoints: https://duo.com/docs/authapi.
"""

from __future__ import annotations

from typing import Any, Unpack

from mfagate.core.exchange import Response
from mfagate.providers.api_client import ApiClient, ClientOptions
from mfagate.providers.duo.errors import response_of
from mfagate.providers.duo.provider import PROVIDER
from mfagate.providers.duo.settings import DuoSettings
from mfagate.providers.second_factor import Challenge, ContractViolation, Decision, Factor, NotEnrolled

_PREAUTH = {"allow": Decision.ALLOW, "deny": Decision.DENY, "auth": None}


class DuoClient:
    """A :class:`~mfagate.providers.second_factor.SecondFactor` over Duo's Auth API.

    ``start`` first asks Duo about the user, which decides about bypassed and disabled users. A push is sent
    asynchronously and polled; a passcode is checked in one request.
    """

    def __init__(self, settings: DuoSettings, **transport: Unpack[ClientOptions]) -> None:
        self._api = ApiClient(PROVIDER, settings, **transport)

    def start(self, user: str, factor: Factor) -> Challenge:
        """Ask what the user may do, and send a push if that is the factor."""
        if factor not in (Factor.OTP, Factor.PUSH):
            raise NotEnrolled(f"this client supports passcodes and pushes, not {factor}")
        known = self._post("/auth/v2/preauth", username=user)
        result = known.get("result")
        if result == "enroll":
            raise NotEnrolled("the user must enrol with Duo first")
        if not isinstance(result, str) or result not in _PREAUTH:
            raise ContractViolation("Duo's answer about the user is not defined by the contract")
        decided = _PREAUTH[result]
        if decided is not None or factor is Factor.OTP:
            return Challenge(user, factor, decided=decided)
        if not _can_push(known.get("devices")):
            raise NotEnrolled("the user has no device that can receive a push")
        return Challenge(user, factor, self._push(user))

    def verify(self, challenge: Challenge, code: str | None = None) -> Decision:
        """Check a passcode, or query the result of a push."""
        if challenge.decided is not None:
            return challenge.decided
        if challenge.factor is Factor.PUSH:
            return self._poll(challenge)
        if code is None:
            raise ValueError("a passcode is required")
        return _decision(self._post("/auth/v2/auth", username=challenge.user, factor="passcode", passcode=code))

    def _push(self, user: str) -> str:
        sent = self._post("/auth/v2/auth", username=user, factor="push", device="auto", **{"async": "1"})
        transaction = sent.get("txid")
        if not isinstance(transaction, str) or not transaction:
            raise ContractViolation("Duo sent a push without a txid")
        return transaction

    def _poll(self, challenge: Challenge) -> Decision:
        if not challenge.transaction:
            raise ValueError("only a challenge with a transaction can be polled")
        answer = self._content(self._api.ask("GET", "/auth/v2/auth_status", params={"txid": challenge.transaction}))
        return Decision.PENDING if answer.get("result") == "waiting" else _decision(answer)

    def _post(self, path: str, **parameters: str) -> dict[str, Any]:
        return self._content(self._api.ask("POST", path, json=parameters))

    def _content(self, response: Response) -> dict[str, Any]:
        """Return the content of a successful answer; raise a typed error for any other."""
        self._api.successful(response)
        content = response_of(response)
        if not isinstance(content, dict):
            raise ContractViolation("Duo answered 200, but response is not an object")
        return content


def _can_push(devices: Any) -> bool:
    if not isinstance(devices, list):
        raise ContractViolation("Duo's list of the user's devices does not conform to the contract")
    # A hardware token has no capabilities.
    capabilities = [device.get("capabilities") for device in devices if isinstance(device, dict)]
    return any(isinstance(some, list) and "push" in some for some in capabilities)


def _decision(answer: dict[str, Any]) -> Decision:
    """Require that result and status both allow the user in, or both deny it."""
    result, status = answer.get("result"), answer.get("status")
    if result == "allow" and status in ("allow", "bypass"):
        return Decision.ALLOW
    if result == "deny" and isinstance(status, str) and status not in ("allow", "bypass"):
        return Decision.DENY
    raise ContractViolation("the combination of result and status in Duo's answer is not defined by the contract")
