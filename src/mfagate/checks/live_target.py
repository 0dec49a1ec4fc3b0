"""Send signed requests to the live target of one integration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from pydantic import SecretStr

from mfagate.cassettes.scrub import secrets_sent
from mfagate.checks.limits import RequestLimit
from mfagate.config.model import Integration
from mfagate.config.settings import ProviderSettings
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Failure, Phase, Request
from mfagate.core.origins import UnsafeRequest, path_fault
from mfagate.providers.oauth import TokenRefused, Tokens
from mfagate.providers.provider import InstalledProvider
from mfagate.providers.signing import Signer, deliver, prepare
from mfagate.secrets.redaction import RUN
from mfagate.transport import Transport, UnsendableRequest
from mfagate.transport.identity import ClientIdentity
from mfagate.transport.pool import ConnectionPool

_TOO_MANY = 429

LEADS_ELSEWHERE = "its value is a part of a request's path, and would send the request elsewhere"


class LiveTarget:
    """Signs, addresses and sends requests of one integration."""

    def __init__(
        self,
        integration: Integration,
        provider: InstalledProvider,
        settings: ProviderSettings,
        *,
        endpoint: str | None = None,
        ca_bundle: Path | None = None,
        identity: ClientIdentity | None = None,
        learn: Callable[[str, str], None] | None = None,
        limit: RequestLimit | None = None,
    ) -> None:
        """Prepare the connections.

        Args:
            integration: What is configured.
            provider: Its provider.
            settings: The provider's settings, resolved.
            endpoint: Where requests go instead of the provider's own address, such as a sandbox.
            ca_bundle: The authorities of a sandbox.
            identity: The client certificate to present; not to a sandbox.
            learn: Called with each secret before it is sent.
            limit: How many requests may wait for an answer.
        """
        self.provider = provider
        self.settings = settings
        self.base_url = provider.api.base_url(settings)
        self._endpoint = endpoint
        self._learn = learn
        self._limit = limit or RequestLimit(1)
        self._tokens = Tokens(self._send_token_request, learn)
        self._pool = ConnectionPool()
        configured = integration.base / integration.ca_bundle if integration.ca_bundle else None
        transport_for = partial(
            Transport,
            ca_bundle=ca_bundle or configured,
            identity=None if integration.uses_sandbox else identity,
            # Our own sandbox is on loopback, so no proxy is used.
            trust_env=not integration.uses_sandbox,
            pool=self._pool,
        )
        self._transport = transport_for(timeout_seconds=integration.timeout_seconds)
        self._setup_transport = transport_for(timeout_seconds=integration.arranging_timeout)

    def close(self) -> None:
        """Close the connections that were kept."""
        self._pool.close()

    def send(
        self,
        request: requests.Request,
        settings: ProviderSettings | None = None,
        *,
        at_most: float | None = None,
        fresh: bool = False,
    ) -> Exchange:
        """Sign and send a request.

        Args:
            request: The request.
            settings: The settings to sign with, if not the integration's own.
            at_most: The longest time to wait, in seconds, if less than the timeout.
            fresh: Whether to open a new connection, so that the request is never sent twice.
        """
        return self._dispatch(request, self._signer(settings), self._transport, at_most, fresh=fresh)

    def send_unsigned(self, request: requests.Request, *, at_most: float | None = None) -> Exchange:
        """Send without any credential, on a new connection."""
        return self._dispatch(request, _unsigned, self._transport, at_most, fresh=True)

    def arrange(
        self,
        request: requests.Request,
        settings: ProviderSettings | None = None,
        *,
        at_most: float | None = None,
        fresh: bool = False,
    ) -> Exchange:
        """Send a setup request, as :meth:`send` does, with the timeout for setup requests."""
        return self._dispatch(request, self._signer(settings), self._setup_transport, at_most, fresh=fresh)

    def replace(self, credential: Mapping[str, str | None]) -> ProviderSettings:
        """Return the settings with some credentials replaced; None removes a credential."""
        secret = self.settings.secrets()
        update: dict[str, Any] = {
            name: SecretStr(value) if value is not None and name in secret else value
            for name, value in credential.items()
        }
        return self.settings.model_copy(update=update)

    def _signer(self, settings: ProviderSettings | None) -> requests.auth.AuthBase:
        return self.provider.api.auth(settings or self.settings, self._tokens)

    def _send_token_request(self, request: requests.PreparedRequest) -> Exchange:
        return self._send(request, self._transport)

    def _dispatch(
        self, request: requests.Request, auth: Signer, transport: Transport, at_most: float | None, *, fresh: bool
    ) -> Exchange:
        try:
            prepared = prepare(self.provider.api, self.settings, request, auth)
        except TokenRefused as refused:
            return refused.exchange
        except UnsafeRequest as error:
            # Do not quote its URL, which may contain anything.
            here = requests.Request(request.method, self.base_url)
            if (setting := self._setting_in(str(request.url))) is not None:
                return _unsent(here, CauseId.CONFIG_MALFORMED_VALUE, LEADS_ELSEWHERE, setting)
            return _unsent(here, CauseId.CONTRACT_UNSAFE_PATH, f"a request was not sent: {error}")
        # A contract's request holds examples, or values that were learnt when its state was set up.
        known = "" if transport is self._setup_transport else f"{request.data} {request.json} {request.headers}"
        return self._send(prepared, transport, at_most, known, fresh=fresh)

    def _setting_in(self, url: str) -> str | None:
        """Return the setting whose value alone makes the path of this URL unsafe."""
        path = url.removeprefix(self.base_url)
        for name in self.settings.model_fields_set:
            value = str(self.settings.secret(name) or "")
            if value and value in path and path_fault(f"/{value}") is not None:
                return name
        return None

    def _send(
        self,
        prepared: requests.PreparedRequest,
        transport: Transport,
        at_most: float | None = None,
        known: str = "",
        *,
        fresh: bool = False,
    ) -> Exchange:
        if self._learn is not None:
            self._teach(prepared, self._learn, known)
        try:
            with self._limit.slot(urlsplit(str(prepared.url)).path):
                exchange = deliver(transport, prepared, self._endpoint, at_most=at_most, fresh=fresh)
        except UnsendableRequest as error:
            return _unsent(prepared, CauseId.CONFIG_STRAY_CHARACTERS, str(error))
        if exchange.response is not None and exchange.response.status == _TOO_MANY:
            self._limit.lower()
        return exchange

    def _teach(self, request: requests.PreparedRequest, learn: Callable[[str, str], None], known: str) -> None:
        """Pass on the secrets of a request that are not ``known``, before an answer can repeat them.

        Short values may be ordinary words, so they are left out.
        """
        body = request.body or b""
        sent = body.encode() if isinstance(body, str) else bytes(body)
        for name, value in secrets_sent(self.provider.scrubbing, str(request.headers.get("Authorization", "")), sent):
            if len(value) >= RUN and value not in known:
                learn(name, value)


def _unsent(
    request: requests.Request | requests.PreparedRequest, cause: CauseId, message: str, setting: str | None = None
) -> Exchange:
    """Return an exchange that failed before any byte was sent."""
    failure = Failure(cause, Phase.PROCESSING, message, setting=setting)
    return Exchange(Request(str(request.method), str(request.url)), datetime.now(UTC), failure=failure)


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Prevent requests from reading a .netrc file, as it does for a request without auth."""
    return request
