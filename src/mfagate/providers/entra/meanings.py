"""Decide the meaning of ambiguous codes, by the settings, the request and the message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange
from mfagate.core.foreign import quoted
from mfagate.core.foreign.parsing import raw
from mfagate.providers.entra import claims, errors
from mfagate.providers.entra.settings import EntraSettings, looks_made_today
from mfagate.providers.errors import ApiError, ErrorMeaning

Refinement = Callable[[ErrorMeaning, ApiError, Exchange, EntraSettings], ErrorMeaning]

_NO_SUCH_PATH = ErrorMeaning(CauseId.CONTRACT_ENDPOINT_RETIRED, "Graph has no such path")


def meaning_of(error: ApiError, exchange: Exchange, settings: EntraSettings) -> ErrorMeaning | None:
    """Return the meaning of an error; by its ``error`` if the number is unknown."""
    response = exchange.response
    if response is None or response.status == 429:
        return None  # The engine explains the status, including how long to wait.
    if error.code == errors.BAD_REQUEST and "segment" in error.message:
        return _NO_SUCH_PATH
    name = errors.error_name(response)
    meaning = errors.MEANINGS.get(error.code) or _by_name(error, name or "", _asks_for_itself(exchange))
    refine = _REFINEMENTS.get(error.code)
    return refine(meaning, error, exchange, settings) if refine and meaning else meaning


_VAGUE = ("invalid_client", "unauthorized_client")

_CLEAR = ("server_error", "temporarily_unavailable", "unsupported_grant_type")
"""Names with the same meaning for every number."""

_NO_USER = b"grant_type=client_credentials"


def _asks_for_itself(exchange: Exchange) -> bool:
    """Return whether an application requests a token for itself, without a user."""
    return _NO_USER in exchange.request.body.split(b"&")


def _by_name(error: ApiError, name: str, for_itself: bool) -> ErrorMeaning | None:
    """Return the meaning of ``error``, if it is clear enough without a known number.

    Entra sends ``invalid_grant`` and ``invalid_request`` to applications too, for reasons that only the number shows:
    https://github.com/microsoft/botbuilder-dotnet/issues/6759 and
    https://github.com/MicrosoftDocs/azure-docs/issues/96851.
    """
    meaning = errors.MEANINGS.get(name)
    if error.code == name:
        return meaning
    if "conditional access" in raw(error.message).lower():
        return errors.POLICY
    if name not in _VAGUE and (not for_itself or name in _CLEAR):
        return meaning
    text = f"Entra rejected the application ({name}) with an error number that mfagate does not know"
    return ErrorMeaning(CauseId.PROVIDER_REFUSAL_UNRECOGNISED, text, evidence={"provider's errors": errors.PAGE})


def _wrong_secret(meaning: ErrorMeaning, error: ApiError, exchange: Exchange, settings: EntraSettings) -> ErrorMeaning:
    causes = [
        "the secret belongs to another application, or was deleted",
        "the secret was created a few minutes ago and is not yet known everywhere",
    ]
    if not looks_made_today(settings.secret("client_secret") or ""):
        causes.insert(
            0, "the secret was truncated or changed: it does not look like the secrets that Entra creates today"
        )
    return replace(meaning, evidence={"possible causes": causes})


def _certificate(meaning: ErrorMeaning, error: ApiError, exchange: Exchange, settings: EntraSettings) -> ErrorMeaning:
    if "is expired" in error.message:
        text = "the certificate is not valid at the time of Entra's clock; it may have expired"
        return replace(meaning, cause=CauseId.CREDENTIAL_EXPIRED, text=text, next_step=errors.NEW_CERTIFICATE)
    if "did not match" in error.message:
        text = "the signature does not match the certificate: the private key belongs to another certificate"
        return replace(meaning, text=text, setting="private_key")
    return meaning


def _failed(meaning: ErrorMeaning, error: ApiError, exchange: Exchange, settings: EntraSettings) -> ErrorMeaning:
    """Refine a number that older answers used for most failures."""
    if "time range" in error.message:
        return errors.MEANINGS[errors.ASSERTION_TIME] if settings.private_key or settings.client_assertion else meaning
    if "key used is expired" in error.message:
        return replace(meaning, cause=CauseId.CREDENTIAL_EXPIRED, text="the certificate has expired")
    return meaning


def _time(meaning: ErrorMeaning, error: ApiError, exchange: Exchange, settings: EntraSettings) -> ErrorMeaning:
    _, found, rest = raw(error.message).partition("Current time: ")
    now, _, rest = rest.partition(", ")
    _, named, rest = rest.partition("expiry time of assertion ")
    ended = rest.partition(" ")[0].removesuffix(".")
    if not (found and named and now and ended) or " " in now:
        return meaning
    return replace(meaning, evidence={"Entra's time": quoted(now, 80), "assertion ended": quoted(ended, 80)})


def _token(meaning: ErrorMeaning, error: ApiError, exchange: Exchange, settings: EntraSettings) -> ErrorMeaning:
    message = raw(error.message).lower()
    if "audience" in message:
        text = f"the token is for another Graph than {settings.hosts.graph}"
        return replace(meaning, cause=CauseId.CREDENTIAL_WRONG_REGION, text=text, setting="tenant_id")
    if "expired" in message:
        return replace(meaning, text="Graph reports the token as expired, although Entra issued it a moment ago")
    if "empty" in message:
        return replace(meaning, text="Graph saw no token; a proxy may remove the Authorization header")
    return meaning


def _scope_or_audience(
    meaning: ErrorMeaning, error: ApiError, exchange: Exchange, settings: EntraSettings
) -> ErrorMeaning:
    """Decide whether the number concerns the scope (Microsoft's page) or the audience (Microsoft's libraries)."""
    return errors.BAD_SCOPE if "scope" in raw(error.message).lower() else meaning


def _denied(meaning: ErrorMeaning, error: ApiError, exchange: Exchange, settings: EntraSettings) -> ErrorMeaning:
    held = claims.sent(exchange.request)
    if not held:
        return meaning
    return replace(meaning, evidence={"roles in the token": claims.roles(held)})


_REFINEMENTS: Mapping[str | int, Refinement] = {
    errors.WRONG_SECRET: _wrong_secret,
    errors.WRONG_CERTIFICATE: _certificate,
    errors.AUTHENTICATION_FAILED: _failed,
    errors.ASSERTION_TIME: _time,
    errors.SCOPE_OR_AUDIENCE: _scope_or_audience,
    errors.INVALID_TOKEN: _token,
    **dict.fromkeys(errors.DENIED, _denied),
}
