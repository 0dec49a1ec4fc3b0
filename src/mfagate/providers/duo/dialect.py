"""How Duo reports errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mfagate.core.exchange import Exchange, Response
from mfagate.core.foreign.parsing import raw
from mfagate.providers.duo.errors import FORBIDDEN, INVALID_PARAMETERS, MEANINGS, WRONG_KIND, error_of
from mfagate.providers.duo.settings import DuoSettings
from mfagate.providers.errors import ApiError, ErrorDialect, ErrorMeaning


class DuoDialect(ErrorDialect[DuoSettings]):
    """Read the errors of Duo."""

    errors_page: ClassVar[str] = "https://duo.com/docs/authapi"
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS

    def error_of(self, response: Response) -> ApiError | None:
        """Read Duo's envelope."""
        return error_of(response)

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """Attribute an invalid parameter of a push query to the login: its only parameter is the transaction."""
        path = exchange.request.url.partition("?")[0]
        of_a_push = error.code == INVALID_PARAMETERS and path.endswith("/auth/v2/auth_status")
        return of_a_push or super().is_about_a_user(error, exchange)

    def meaning(self, error: ApiError, exchange: Exchange, settings: DuoSettings) -> ErrorMeaning | None:
        """Distinguish the meanings of one code by its detail."""
        if error.code == FORBIDDEN and "integration type" in raw(error.message).lower():
            return WRONG_KIND
        return super().meaning(error, exchange, settings)
