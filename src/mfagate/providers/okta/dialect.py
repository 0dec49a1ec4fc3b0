"""How Okta reports errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlsplit

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding
from mfagate.providers.answers import json_of
from mfagate.providers.errors import ApiError, ErrorDialect, ErrorMeaning
from mfagate.providers.okta.errors import (
    ABOUT_A_USER,
    KNOWN_CODES,
    MEANINGS,
    WRONG_PASSWORDS,
    error_of,
    meaning_of,
    seconds_between_messages,
)
from mfagate.providers.okta.settings import ORGANIZATION_PATH, OktaSettings


class OktaDialect(ErrorDialect[OktaSettings]):
    """Read the errors of Okta."""

    errors_page: ClassVar[str] = "https://developer.okta.com/docs/reference/error-codes/"
    about_a_user: ClassVar[frozenset[str | int]] = ABOUT_A_USER
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS
    known_codes: ClassVar[frozenset[str | int]] = KNOWN_CODES

    def error_of(self, response: Response) -> ApiError | None:
        """Read the error in any of Okta's three forms."""
        return error_of(response)

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """Attribute a refused password to the user, but only at the user login."""
        at_login = urlsplit(exchange.request.url).path.startswith("/api/v1/authn")
        return super().is_about_a_user(error, exchange) or (error.code in WRONG_PASSWORDS and at_login)

    def meaning(self, error: ApiError, exchange: Exchange, settings: OktaSettings) -> ErrorMeaning | None:
        """Decide between the meanings of one code by settings, description and headers."""
        return meaning_of(error, exchange.response, settings) if exchange.response else None

    def explain(self, exchange: Exchange, settings: OktaSettings) -> Finding | None:
        """Explain also a 404 without JSON in place of the org's metadata: there is no org."""
        response = exchange.response
        page = response is not None and response.status == 404 and json_of(response) is None
        if page and urlsplit(exchange.request.url).path.endswith(ORGANIZATION_PATH):
            text = "no org answers at this host: its name may be misspelt, or the org may use another Okta domain"
            return Finding(CauseId.CONFIG_MALFORMED_URL, text, setting="org_url")
        return super().explain(exchange, settings)

    def too_soon(self, error: ApiError, exchange: Exchange) -> float | None:
        """Return the seconds between two messages: https://developer.okta.com/docs/reference/error-codes/."""
        return seconds_between_messages(error, urlsplit(exchange.request.url).path)
