"""What all reference clients share: signing, sending, and an error of the right type for every refusal.

A reference client reads its provider's good answers itself; everything else ends
here, so that none of them decides twice what a rate limit or a bad key is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict, Unpack
from urllib.parse import urlsplit, urlunsplit

import requests

from mfagate.causes import CauseId
from mfagate.config.settings import ProviderSettings
from mfagate.diagnosis import diagnose, seconds_to_wait
from mfagate.exchange import Exchange, Headers, Request, Response
from mfagate.providers.base import Dialect, Provider
from mfagate.providers.oauth import TokenRefused, Tokens
from mfagate.second_factor import (
    ContractViolation,
    CredentialRejected,
    ProviderUnavailable,
    RateLimited,
    SecondFactorError,
)


class Transport(TypedDict, total=False):
    """How a client reaches its provider.

    ``endpoint``: connect here instead of to the provider's own address. ``timeout_seconds``
    (5.0): limit of each wait for the network. ``ca_bundle``: PEM file of the certificate
    authorities to trust.
    """

    endpoint: str | None
    timeout_seconds: float
    ca_bundle: Path | None


class ApiClient:
    """A session with one provider's API.

    Args:
        provider: Signs, and knows its error codes.
        settings: The provider's settings.
        transport: How to reach it.
    """

    def __init__(
        self,
        provider: Provider,
        settings: ProviderSettings,
        **transport: Unpack[Transport],
    ) -> None:
        self._provider = provider
        self._settings = settings
        self._endpoint = transport.get("endpoint")
        self._timeout = transport.get("timeout_seconds", 5.0)
        self._session = requests.Session()
        ca_bundle = transport.get("ca_bundle")
        self._trusted = str(ca_bundle) if ca_bundle is not None else None
        self._tokens = Tokens(self._send)

    def ask(self, method: str, path: str, **request: Any) -> Response:
        """Send one signed request; the arguments are those of ``requests.Request``.

        Raises:
            ProviderUnavailable: No answer came.
            SecondFactorError: A token was needed and refused; the type says why.
        """
        auth = self._provider.auth(self._settings, self._tokens)
        url = self._provider.url(self._settings, path)
        try:
            prepared = self._session.prepare_request(requests.Request(method, url, auth=auth, **request))
        except TokenRefused as refused:
            raise self._refusal(refused.exchange) from None
        response = self._send(prepared).response
        assert response is not None, "an exchange without an answer was raised as an error"
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
            raise ContractViolation(f"{self._provider.title} answered no JSON object")
        return body

    def json_array(self, response: Response) -> list[Any]:
        """The body of an answer that has to be a JSON array.

        Raises:
            ContractViolation: It is none, or is not said to be JSON.
        """
        body = self._json(response)
        if not isinstance(body, list):
            raise ContractViolation(f"{self._provider.title} answered no JSON array")
        return body

    def _json(self, response: Response) -> Any:
        if response.media_type != "application/json":
            kind = response.media_type or "without a content type"
            raise ContractViolation(f"{self._provider.title} answered {kind}, not JSON")
        try:
            return response.json()
        except ValueError:
            return None

    def _send(self, prepared: requests.PreparedRequest) -> Exchange:
        if self._endpoint is not None:
            to, own = urlsplit(self._endpoint), urlsplit(str(prepared.url))
            prepared.url = urlunsplit((to.scheme, to.netloc, to.path.rstrip("/") + own.path, own.query, ""))
        started = datetime.now(UTC)
        # Handed over here, or else a bundle that the environment names would win.
        environment = self._session.merge_environment_settings(prepared.url, {}, None, self._trusted, None)
        try:
            answer = self._session.send(prepared, timeout=self._timeout, allow_redirects=False, **environment)
        except requests.RequestException as error:
            raise ProviderUnavailable(f"{self._provider.title} did not answer: {type(error).__name__}") from None
        response = Response(answer.status_code, headers=Headers(tuple(answer.headers.items())), body=answer.content)
        return Exchange(Request(str(prepared.method), str(prepared.url)), started, response)

    def _refusal(self, exchange: Exchange) -> SecondFactorError:
        response = exchange.response
        assert response is not None, "an exchange without an answer was raised as an error"
        finding = diagnose(exchange, Dialect(self._provider, self._settings))
        message = f"{self._provider.title}: {finding.message}"
        if finding.cause is CauseId.PROVIDER_RATE_LIMITED:
            return RateLimited(message, seconds_to_wait(response))
        kinds: Mapping[str, type[SecondFactorError]] = {
            "credential": CredentialRejected,
            "account": CredentialRejected,
            "provider": ProviderUnavailable,
            "network": ProviderUnavailable,
        }
        return kinds.get(finding.cause.partition(".")[0], ContractViolation)(message)
