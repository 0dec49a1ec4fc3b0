"""The reference client for privacyIDEA: what a login service needs, and nothing else.

Endpoints: https://privacyidea.readthedocs.io/en/latest/modules/api/validate.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mfagate.core.exchange import Response
from mfagate.providers.api_client import ApiClient
from mfagate.providers.privacyidea.errors import UNKNOWN_USER, error_of
from mfagate.providers.privacyidea.provider import PROVIDER
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings
from mfagate.providers.second_factor import Challenge, ContractViolation, Decision, Factor, NotEnrolled

_DECISIONS = {
    (True, "ACCEPT"): Decision.ALLOW,
    (False, "REJECT"): Decision.DENY,
    (False, "CHALLENGE"): Decision.PENDING,
}


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Name and password of an administrator, used instead of an API key to trigger challenges.

    ``realm`` is the administrator's realm, if the administrator is not local
    (https://privacyidea.readthedocs.io/en/latest/modules/api/auth.html).
    """

    name: str
    password: str = field(repr=False)
    realm: str | None = None

    @property
    def settings(self) -> Mapping[str, str | None]:
        """The provider's settings for this account."""
        return {"service_account": self.name, "service_password": self.password, "service_realm": self.realm}


class PrivacyIDEAClient:
    """A :class:`~mfagate.providers.second_factor.SecondFactor` over privacyIDEA's validate API.

    A one-time password is checked in one request; a push is triggered, polled and, once the phone has answered,
    redeemed. The poll alone never lets a user in, because the server does not check who polls.
    """

    def __init__(
        self,
        url: str,
        validate_key: str | None,
        admin_key: str | None = None,
        *,
        service: ServiceAccount | None = None,
        realm: str | None = None,
        timeout_seconds: float = 5.0,
    ) -> None:
        keys = {"validate_key": validate_key, "admin_key": admin_key}
        account = service.settings if service is not None else {}
        settings = PrivacyIDEASettings.model_validate({"url": url.rstrip("/"), **keys, **account})
        self._realm = {"realm": realm} if realm else {}
        self._api = ApiClient(PROVIDER, settings, timeout_seconds=timeout_seconds)

    def start(self, user: str, factor: Factor) -> Challenge:
        """Trigger the user's challenges, except for a plain one-time password."""
        if factor is Factor.OTP:
            return Challenge(user, factor)
        body = self._ask("POST", "/validate/triggerchallenge", data={"user": user, **self._realm})
        started = _result(body).get("value")
        if type(started) is int and started == 0:
            raise NotEnrolled("privacyIDEA has no token of this user that it could challenge")
        return Challenge(user, factor, _transaction(body))

    def challenge_by_pin(self, user: str, pin: str) -> Challenge | Decision:
        """Send the PIN alone: a server with the policy challenge_response answers with a challenge."""
        body = self._ask("POST", "/validate/check", data={"user": user, "pass": pin, **self._realm})
        decision = _decision(body)
        if decision is not Decision.PENDING:
            return decision
        return Challenge(user, Factor.OTP, _transaction(body))

    def verify(self, challenge: Challenge, code: str | None = None) -> Decision:
        """Check a code, or query the result of a push."""
        if code is None:
            return self._poll(challenge)
        return self._check(challenge, code)

    def _check(self, challenge: Challenge, code: str) -> Decision:
        data = {"user": challenge.user, "pass": code, **self._realm}
        if challenge.transaction:
            data["transaction_id"] = challenge.transaction
        response = self._send("POST", "/validate/check", data=data)
        # The code decides, because a policy of the server may turn every refusal into a 401.
        if response.status >= 400 and (error_of(response) or (None,))[0] == UNKNOWN_USER:
            return Decision.DENY
        return _decision(self._success(response))

    def push_answer(self, challenge: Challenge) -> str:
        """Return the answer of the phone: ``pending``, ``accept`` or ``declined``.

        Raises:
            ContractViolation: The state is unknown, or contradicts the value.
        """
        if not challenge.transaction:
            raise ValueError("only a challenge with a transaction can be polled")
        query = {"transaction_id": challenge.transaction}
        body = self._ask("GET", "/validate/polltransaction", params=query)
        status, value = _detail(body).get("challenge_status"), _result(body).get("value")
        if status == "accept" and value is True:
            return "accept"
        if status in ("pending", "declined") and value is False:
            return str(status)
        raise ContractViolation("the state of the push is not defined by the contract")

    def _poll(self, challenge: Challenge) -> Decision:
        answer = self.push_answer(challenge)
        if answer == "accept":
            return self._check(challenge, "")
        return Decision.DENY if answer == "declined" else Decision.PENDING

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        return self._success(self._send(method, path, **request))

    def _send(self, method: str, path: str, **request: Any) -> Response:
        return self._api.ask(method, path, headers={"Accept": "application/json"}, **request)

    def _success(self, response: Response) -> dict[str, Any]:
        """Return the body of a successful answer; raise a typed error for any other."""
        body = self._api.successful(response)
        if _result(body).get("status") is not True:
            raise ContractViolation("privacyIDEA answered 200 without a successful result")
        return body


def _result(body: dict[str, Any]) -> dict[str, Any]:
    result = body.get("result")
    return result if isinstance(result, dict) else {}


def _detail(body: dict[str, Any]) -> dict[str, Any]:
    detail = body.get("detail")
    return detail if isinstance(detail, dict) else {}


def _transaction(body: dict[str, Any]) -> str:
    transaction = _detail(body).get("transaction_id")
    if not isinstance(transaction, str) or not transaction:
        raise ContractViolation("privacyIDEA started a challenge without a transaction_id")
    return transaction


def _decision(body: dict[str, Any]) -> Decision:
    result = _result(body)
    value, authentication = result.get("value"), result.get("authentication")
    # The value must be a JSON boolean: 1 == True would let a changed type pass.
    if isinstance(value, bool) and isinstance(authentication, str) and (value, authentication) in _DECISIONS:
        return _DECISIONS[value, authentication]
    raise ContractViolation("the combination of value and authentication in the answer is not defined by the contract")
