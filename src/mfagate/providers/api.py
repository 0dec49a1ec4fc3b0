"""The addresses of a provider's API, and the signer of its requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, final

from mfagate.core.origins import Origins
from mfagate.providers.limits import PAID, PublishedLimit
from mfagate.providers.probes import Settings

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens


class ProviderApi(ABC, Generic[Settings]):
    """The addresses and the signature of one provider."""

    @abstractmethod
    def base_url(self, settings: Settings) -> str:
        """Return the base URL of the API, without a trailing slash."""

    def url(self, settings: Settings, path: str) -> str:
        """Return the whole URL of a path. Override it, and ``hosts``, if the provider has more than one host."""
        return self.base_url(settings) + path

    def hosts(self, settings: Settings) -> Sequence[str]:
        """Return the base URLs of all hosts that receive a credential; signed requests go only there."""
        return [self.base_url(settings)]

    def public_hosts(self, settings: Settings) -> Sequence[str]:
        """Return the base URLs of further hosts that may be called, but never receive a credential."""
        return ()

    @final
    def origins(self, settings: Settings) -> Origins:
        """Return the origins to which requests with these settings may go."""
        return Origins.of(self.hosts(settings), self.public_hosts(settings))

    @final
    def auth(self, settings: Settings, tokens: Tokens) -> AuthBase:
        """Return the signer of requests to the provider's own ``origins``; it raises an error for any other origin."""
        from mfagate.providers.signing import OwnOriginOnly

        origins = self.origins(settings)
        return OwnOriginOnly(self.signer(settings, tokens.at(origins)), origins)

    @abstractmethod
    def signer(self, settings: Settings, tokens: Tokens) -> AuthBase:
        """Return the signer of a request; ``tokens`` fetches and keeps access tokens, if the provider needs any.

        Only ``auth`` calls it.
        """

    limits: ClassVar[Mapping[str, Sequence[PublishedLimit]]] = {PAID: ()}
    """The published limits of requests by plan. An integration that names no plan has the plan ``paid``."""

    most_at_once: ClassVar[int | None] = None
    """How many requests may wait at the same time where the provider publishes no number: on a server of one's own."""

    def account(self, settings: Settings) -> str:
        """Return what identifies the account whose limits of requests apply, by default the base URL of the API.

        It contains no secret.
        """
        return self.base_url(settings)

    def sends_message(self, method: str, path: str, fields: Mapping[str, object]) -> bool:
        """Return whether a request makes the provider send a message, a push or a call, so that it is never retried.

        ``fields`` are the fields of the form or of the JSON object in its body.
        """
        return method == "POST"
