"""How Microsoft Entra ID reports errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mfagate.core.exchange import Exchange, Response
from mfagate.providers.entra.errors import ABOUT_A_USER, GRAPHS_PAGE, MEANINGS, PAGE, error_name, error_of
from mfagate.providers.entra.meanings import meaning_of
from mfagate.providers.entra.settings import EntraSettings
from mfagate.providers.errors import ApiError, ErrorDialect, ErrorMeaning


class EntraDialect(ErrorDialect[EntraSettings]):
    """Read the errors of Microsoft Entra ID."""

    errors_page: ClassVar[str] = PAGE
    about_a_user: ClassVar[frozenset[str | int]] = ABOUT_A_USER
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS

    def error_of(self, response: Response) -> ApiError | None:
        """Read the error of either host."""
        return error_of(response)

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """Decide by the stable ``error`` if the number is unknown."""
        if error.code in self.meanings:
            return super().is_about_a_user(error, exchange)
        return error_name(exchange.response) in self.about_a_user

    def meaning(self, error: ApiError, exchange: Exchange, settings: EntraSettings) -> ErrorMeaning | None:
        """Decide by the number if it is known, or else by the stable ``error``."""
        return meaning_of(error, exchange, settings)

    def errors_page_of(self, exchange: Exchange) -> str:
        """Return Graph's page for errors in Graph's own format."""
        graph = exchange.response is not None and error_of(exchange.response) and not error_name(exchange.response)
        return GRAPHS_PAGE if graph else PAGE
