"""How Twilio Verify reports errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlsplit

from mfagate.core.exchange import Exchange, Response
from mfagate.providers.errors import ApiError, ErrorDialect, ErrorMeaning
from mfagate.providers.twilio.errors import (
    ABOUT_A_USER,
    MEANINGS,
    NOT_FOUND,
    PERMISSION_DENIED,
    TOO_SOON,
    UNAUTHORIZED,
    error_of,
    limited,
    not_found,
    refused,
    unauthorized,
)
from mfagate.providers.twilio.settings import TwilioSettings


class TwilioDialect(ErrorDialect[TwilioSettings]):
    """Read the errors of Twilio Verify."""

    errors_page: ClassVar[str] = "https://www.twilio.com/docs/api/errors"
    about_a_user: ClassVar[frozenset[str | int]] = ABOUT_A_USER
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS
    known_codes: ClassVar[frozenset[str | int]] = frozenset({PERMISSION_DENIED, UNAUTHORIZED, NOT_FOUND})

    def error_of(self, response: Response) -> ApiError | None:
        """Read Twilio's envelope."""
        return error_of(response)

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """Attribute a 404 to the login, unless the service itself was not found."""
        of_a_login = error.code == NOT_FOUND and not_found(exchange) is None
        return of_a_login or super().is_about_a_user(error, exchange)

    def meaning(self, error: ApiError, exchange: Exchange, settings: TwilioSettings) -> ErrorMeaning | None:
        """Decide three codes by the request and its credential."""
        if error.code == PERMISSION_DENIED:
            return refused(error, exchange, settings)
        if error.code == UNAUTHORIZED:
            return unauthorized(exchange, settings)
        if error.code == NOT_FOUND:
            return not_found(exchange)
        meaning = super().meaning(error, exchange, settings)
        return limited(meaning, exchange) if meaning else None

    def too_soon(self, error: ApiError, exchange: Exchange) -> float | None:
        """Return how long a limit of one number or factor lasts: https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts."""
        path = urlsplit(exchange.request.url).path
        limit = TOO_SOON.get(int(error.code)) if exchange.request.method == "POST" else None
        return limit[1] if limit is not None and path.endswith(limit[0]) else None
