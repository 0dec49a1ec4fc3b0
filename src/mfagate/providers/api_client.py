"""What all reference clients share: signing, sending, and an error of the right type for every refusal.

A reference client reads its provider's good answers itself; everything else ends
here, so that none of them decides twice what a rate limit or a bad key is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypedDict, Unpack

import requests

from mfagate.core import strict_json
from mfagate.core.causes import CauseFamily, CauseId
from mfagate.core.diagnosis import diagnose, seconds_to_wait
from mfagate.core.exchange import Exchange, Request, Response
from mfagate.core.origins import UnsafeRequest
from mfagate.providers.errors import ProviderDialect
from mfagate.providers.oauth import TokenRefused, Tokens
from mfagate.providers.probes import Settings
from mfagate.providers.provider import Provider
from mfagate.providers.second_factor import (
    ContractViolation,
    CredentialRejected,
    ProviderUnavailable,
    RateLimited,
    SecondFactorError,
)
from mfagate.providers.signing import deliver, prepare
from mfagate.transport import Transport, UnsendableRequest


class ClientOptions(TypedDict, total=False):
    """How a client reaches its provider.

    ``endpoint``: connect here instead of to the provider's own address. ``timeout_seconds``
    (5.0): limit of each request, from the look-up of the name to the last byte of the answer.
    ``ca_bundle``: PEM file of the certificate authorities to trust.
    """

    endpoint: str | None
    timeout_seconds: float
    ca_bundle: Path | None


class ApiClient(Generic[Settings]):
    """One provider's API. Each request has a connection of its own, so that none is found stale.

    Args:
        provider: Signs, and knows its error codes.
        settings: The provider's settings.
        transport: How to reach it.
    """

    def __init__(self, provider: Provider[Settings], settings: Settings, **transport: Unpack[ClientOptions]) -> None:
        self._provider = provider
        self._settings = settings
        self._endpoint = transport.get("endpoint")
        self._transport = Transport(
            timeout_seconds=transport.get("timeout_seconds", 5.0), ca_bundle=transport.get("ca_bundle")
        )
        self._tokens = Tokens(self._send)

    def ask(self, method: str, path: str, **request: Any) -> Response:
        """Send one signed request; the arguments are those of ``requests.Request``.

        Raises:
            ProviderUnavailable: No whole answer came in time.
            ContractViolation: The path, perhaps out of an earlier answer, leads elsewhere; nothing was sent.
            SecondFactorError: A token was needed and refused; the type says why.
        """
        api = self._provider.api
        auth = api.auth(self._settings, self._tokens)
        try:
            prepared = prepare(api, self._settings, requests.Request(method, path, **request), auth)
        except TokenRefused as refused:
            raise self._refusal(refused.exchange) from None
        except UnsafeRequest as error:
            raise ContractViolation(f"a request to {self._provider.title} was not sent: {error}") from None
        response = self._send(prepared).response
        assert response is not None, "an exchange without an answer raises an error earlier"
        return response

    def refusal(self, response: Response) -> SecondFactorError:
        """The error to raise for an answer that is none of the good ones."""
        return self._refusal(Exchange(Request("", ""), datetime.now(UTC), response))

    def json_object(self, response: Response) -> dict[str, Any]:
        """The body of an answer that has to be a JSON object.

        Raises:
            ContractViolation: It is none, or is not said to be JSON.
        """
        body = self._json(response)
        if not isinstance(body, dict):
            raise ContractViolation(f"the answer of {self._provider.title} is not a JSON object")
        return body

    def successful(self, response: Response, status: int = 200) -> dict[str, Any]:
        """Return the JSON object of a successful answer.

        Raises:
            SecondFactorError: The answer has another status; the type says why.
            ContractViolation: The answer is not a JSON object.
        """
        if response.status != status:
            raise self.refusal(response)
        return self.json_object(response)

    def json_array(self, response: Response) -> list[Any]:
        """The body of an answer that has to be a JSON array.

        Raises:
            ContractViolation: It is none, or is not said to be JSON.
        """
        body = self._json(response)
        if not isinstance(body, list):
            raise ContractViolation(f"the answer of {self._provider.title} is not a JSON array")
        return body

    def _json(self, response: Response) -> Any:
        if response.media_type != "application/json":
            kind = response.shown_type or "without a content type"
            raise ContractViolation(f"{self._provider.title} answered {kind}, not JSON")
        try:
            if response.truncated or response.undecodable is not None:
                return None
            return strict_json.loads(response.body)
        except ValueError:
            return None

    def _send(self, prepared: requests.PreparedRequest) -> Exchange:
        try:
            exchange = deliver(self._transport, prepared, self._endpoint)
        except UnsendableRequest as error:
            raise ContractViolation(f"a request to {self._provider.title} was not sent: {error}") from None
        if exchange.failure is not None:
            raise ProviderUnavailable(f"{self._provider.title} did not answer: {exchange.failure.message}")
        return exchange

    def _refusal(self, exchange: Exchange) -> SecondFactorError:
        response = exchange.response
        assert response is not None, "an exchange without an answer raises an error earlier"
        finding = diagnose(exchange, ProviderDialect(self._provider.dialect, self._settings))
        message = f"{self._provider.title}: {finding.message}"
        if finding.cause is CauseId.PROVIDER_RATE_LIMITED:
            return RateLimited(message, seconds_to_wait(response))
        if finding.cause is CauseId.CREDENTIAL_NOT_PROVABLE:
            return SecondFactorError(message)  # The user is refused or we are: the answer does not say.
        if finding.cause is CauseId.PROVIDER_REFUSAL_UNRECOGNISED:
            return CredentialRejected(message)
        kinds: Mapping[CauseFamily, type[SecondFactorError]] = {
            CauseFamily.CREDENTIAL: CredentialRejected,
            CauseFamily.ACCOUNT: CredentialRejected,
            CauseFamily.PROVIDER: ProviderUnavailable,
            CauseFamily.NETWORK: ProviderUnavailable,
        }
        return kinds.get(finding.cause.family, ContractViolation)(message)
