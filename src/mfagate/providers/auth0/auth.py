"""Sign for Auth0: the client's authentication in the body, or a token for the Management API in the header.

https://auth0.com/docs/api/authentication, https://auth0.com/docs/api/management/v2. Machine-to-machine tokens are
billed, so one token is fetched and kept
(https://auth0.com/docs/get-started/authentication-and-authorization-flow/client-credentials-flow).
"""

from __future__ import annotations

from urllib.parse import urlsplit

import requests

from mfagate.providers.auth0.settings import TOKEN_PATH, Auth0Settings, client_credentials, is_management
from mfagate.providers.oauth import ClientCredentials, Tokens


class Auth0Auth(ClientCredentials):
    """Signs by path.

    The Management API takes a token: the fixed token of the settings, or one that is fetched. The Authentication API
    takes the client's authentication in the body; its Bearer header, the ``mfa_token`` of a login in progress, is part
    of the request and stays unchanged.
    """

    def __init__(self, settings: Auth0Settings, tokens: Tokens) -> None:
        client = {"client_id": settings.client_id, "client_secret": settings.secret("client_secret")}
        super().__init__(
            tokens,
            (settings.domain, settings.management_audience, *client.values()),
            authenticated=lambda path: not is_management(path),
            fields=lambda url: client,
            request=lambda: requests.Request(
                "POST", f"https://{settings.domain}{TOKEN_PATH}", data=dict(client_credentials(settings))
            ),
        )
        self._static = settings.secret("management_token")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the authentication where the path requires it.

        Raises:
            TokenRefused: The provider refused a required token.
        """
        if self._static is None or not is_management(urlsplit(str(request.url)).path):
            return super().__call__(request)
        request.headers["Authorization"] = f"Bearer {self._static}"
        return request
