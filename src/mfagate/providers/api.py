"""Where a provider's API is, and what signs its requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Generic, final

from mfagate.core.origins import Origins
from mfagate.providers.probes import Settings

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens


class ProviderApi(ABC, Generic[Settings]):
    """The addresses and the signature of one provider."""

    @abstractmethod
    def base_url(self, settings: Settings) -> str:
        """Return where the API is, without a trailing slash."""

    def url(self, settings: Settings, path: str) -> str:
        """Return the whole URL of a path. Override it, and ``hosts``, where the provider has further hosts."""
        return self.base_url(settings) + path

    def hosts(self, settings: Settings) -> Sequence[str]:
        """Return the base URLs of all hosts that get a credential; a signed request goes nowhere else."""
        return [self.base_url(settings)]

    def public_hosts(self, settings: Settings) -> Sequence[str]:
        """Return the base URLs of further hosts that may be asked, and never get a credential."""
        return ()

    @final
    def origins(self, settings: Settings) -> Origins:
        """Return where requests with these settings may go."""
        return Origins.of(self.hosts(settings), self.public_hosts(settings))

    @final
    def auth(self, settings: Settings, tokens: Tokens) -> AuthBase:
        """Return what signs a request to one of the provider's own ``origins``, and refuses any other."""
        from mfagate.providers.signing import OwnOriginOnly

        origins = self.origins(settings)
        return OwnOriginOnly(self.signer(settings, tokens.at(origins)), origins)

    @abstractmethod
    def signer(self, settings: Settings, tokens: Tokens) -> AuthBase:
        """Return what signs a request; ``tokens`` fetches and keeps access tokens where it needs any.

        Only ``auth`` calls it.
        """

    def sends_message(self, method: str, path: str, fields: Mapping[str, object]) -> bool:
        """Return whether a request makes the provider send a message, a push or a call: it is then sent only once.

        ``fields`` are those of the form or of the JSON object in its body.
        """
        return method == "POST"
