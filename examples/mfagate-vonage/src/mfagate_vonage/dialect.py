"""How Vonage Verify reports errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlsplit

from mfagate.core.exchange import Exchange, Response
from mfagate.providers.errors import ApiError, ErrorDialect, ErrorMeaning
from mfagate_vonage.errors import MEANINGS, error_of
from mfagate_vonage.settings import VonageSettings

_START = "/v2/verify"

_VERIFICATION_SECONDS = 180.0
"""https://api.support.vonage.com/hc/en-us/articles/18991572062108: the default lifetime of a verification."""


class VonageDialect(ErrorDialect[VonageSettings]):
    """Read the errors of Vonage Verify."""

    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS
    about_a_user: ClassVar[frozenset[str | int]] = frozenset({"Conflict", "Invalid Code", "Not Found"})

    def error_of(self, response: Response) -> ApiError | None:
        """Read a problem in the format of RFC 7807."""
        return error_of(response)

    def too_soon(self, error: ApiError, exchange: Exchange) -> float | None:
        """Return the lifetime of an open verification: a number can have only one, and another party may have started
        it."""
        conflicts = error.code == "Conflict" and urlsplit(exchange.request.url).path.endswith(_START)
        return _VERIFICATION_SECONDS if conflicts else None
