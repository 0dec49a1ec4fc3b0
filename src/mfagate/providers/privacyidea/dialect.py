"""How privacyIDEA reports errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import urlsplit

from mfagate.config.jwt import expiry
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.providers.errors import ApiError, ErrorDialect, ErrorMeaning
from mfagate.providers.privacyidea.errors import (
    HIDDEN_STATUS,
    INTERNAL,
    MASKED,
    MASKED_LOGIN,
    MASKED_REFUSAL,
    MEANINGS,
    MISSING_TOKEN,
    NO_KEY,
    POLICY_CODE,
    REVOKED_TOKEN,
    UNAUTHORIZED_USER,
    UNKNOWN_USER,
    error_of,
    policy_meaning,
)
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings

_KEY_WANTED = ErrorMeaning(
    CauseId.CONFIG_SETTING_MISSING,
    "the server requires an API key (policy api_key_required), but validate_access says that it does not",
    "If the login service sends a key, set validate_key and remove validate_access. If it sends none, its logins "
    "fail too: ask the server's administrator to exempt it from the policy or to issue a key.",
    setting="validate_access",
)


class PrivacyIDEADialect(ErrorDialect[PrivacyIDEASettings]):
    """Read the errors of privacyIDEA."""

    errors_page: ClassVar[str] = "https://privacyidea.readthedocs.io/en/latest/modules/lib/error.html"
    about_a_user: ClassVar[frozenset[str | int]] = frozenset(
        {UNKNOWN_USER, UNAUTHORIZED_USER, MISSING_TOKEN, REVOKED_TOKEN}
    )
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS
    known_codes: ClassVar[frozenset[str | int]] = frozenset({POLICY_CODE, MASKED})

    def error_of(self, response: Response) -> ApiError | None:
        """Read code and message of privacyIDEA's envelope."""
        error = error_of(response)
        return ApiError(*error) if error else None

    def meaning(self, error: ApiError, exchange: Exchange, settings: PrivacyIDEASettings) -> ErrorMeaning | None:
        """Distinguish what a policy forbids, or hides, under one code.

        A 500 to an expired key is not an outage.
        """
        failed = exchange.response is not None and exchange.response.status == 500
        if error.code in (INTERNAL, MASKED) and failed and (expired := _expired_key(settings)):
            name, when = expired
            text = f"{name} expired on {when:%Y-%m-%d}; privacyIDEA answers an expired key with 500"
            return ErrorMeaning(CauseId.CREDENTIAL_EXPIRED, text)
        if error.code == MASKED:
            return MASKED_LOGIN if _path_of(exchange).endswith("/auth") else MASKED_REFUSAL
        if error.code == POLICY_CODE:
            meaning = policy_meaning(error.message)
            return _KEY_WANTED if meaning is NO_KEY and settings.validate_access is not None else meaning
        if _hides_status(error, exchange):
            return HIDDEN_STATUS
        return super().meaning(error, exchange, settings)

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """Include what a policy forbids one user or token."""
        by_policy = policy_meaning(error.message) if error.code == POLICY_CODE else None
        return by_policy is MEANINGS[UNAUTHORIZED_USER] or super().is_about_a_user(error, exchange)


def _path_of(exchange: Exchange) -> str:
    return urlsplit(exchange.request.url).path


def _hides_status(error: ApiError, exchange: Exchange) -> bool:
    """Return whether a refusal of a user, which normally has another status, came as 401."""
    is_401 = exchange.response is not None and exchange.response.status == 401
    return is_401 and error.code in PrivacyIDEADialect.about_a_user


def _expired_key(settings: PrivacyIDEASettings) -> tuple[str, datetime] | None:
    for name in ("validate_key", "admin_key"):
        expires = expiry(settings.secret(name) or "")
        if expires is not None and expires <= datetime.now(UTC):
            return name, expires
    return None
