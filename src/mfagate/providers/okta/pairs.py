"""Contradictions between settings, and between the requested and the granted scopes."""

from __future__ import annotations

from collections.abc import Iterator

from mfagate.config.pem import load_private_key, read_jwk
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Response
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.providers.okta.auth import algorithm_of
from mfagate.providers.okta.errors import GRANT
from mfagate.providers.okta.settings import DEFAULT_SCOPES, OktaSettings

_SHORTEST_RSA = 2048
"""From the error codes of https://developer.okta.com/docs/reference/error-codes/."""


def contradictions(settings: OktaSettings) -> Iterator[tuple[str, Finding]]:
    """Yield contradictions between settings, each with the setting to change."""
    if settings.private_key is None:
        for name in ("client_id", "key_id", "scopes"):
            if getattr(settings, name) is not None:
                text = f"{name} is set, but private_key is not"
                yield "private_key", Finding(CauseId.CONFIG_SETTING_MISSING, text)
                return
        return
    if settings.api_token is not None:
        text = "api_token and private_key are both set, but the login service uses only one of them"
        step = "Remove the one that it does not use."
        yield "api_token", Finding(CauseId.CONFIG_WRONG_KIND, text, next_step=step)
    if settings.client_id is None:
        text = "private_key is set, but the client_id of its app is not"
        yield "client_id", Finding(CauseId.CONFIG_SETTING_MISSING, text)
    yield from _other_id(settings)
    if fault := _fault_of_key(settings.secret("private_key") or ""):
        text, step = fault
        yield "private_key", Finding(CauseId.CONFIG_MALFORMED_VALUE, f"private_key {text}", next_step=step)


def _other_id(settings: OktaSettings) -> Iterator[tuple[str, Finding]]:
    own = (read_jwk(settings.secret("private_key") or "") or {}).get("kid")
    if own is not None and settings.key_id is not None and own != settings.key_id:
        text = "key_id differs from the kid in private_key"
        step = "Remove key_id, so that the kid in the key is used, or set private_key to the key with that id."
        yield "key_id", Finding(CauseId.CONFIG_MALFORMED_VALUE, text, next_step=step)


_COPY = "Copy the whole key again from where it is stored; Okta does not store it."
_OTHER_KEY = (
    "Create an RSA key pair of at least 2048 bits, or an ES256 key pair, and register the public key with the app."
)


def _fault_of_key(value: str) -> tuple[str, str] | None:
    """Return what is wrong with a key, and the next step."""

    try:
        key = load_private_key(value)
    except ValueError:
        if read_jwk(value) is not None:
            return "is a JWK whose members do not form a key (it may be truncated, or mix two keys)", _COPY
        return "cannot be read as a private key", _COPY
    algorithm = algorithm_of(key)
    if algorithm is None:
        return "is of a type that Okta does not accept", _OTHER_KEY
    if algorithm == "RS256" and key.key_size < _SHORTEST_RSA:
        return f"has {key.key_size} bits; Okta requires at least {_SHORTEST_RSA}", _OTHER_KEY
    return None


def missing_scopes(response: Response, settings: OktaSettings) -> Finding | None:
    """Return a finding if a token lacks scopes: Okta omits scopes that are not granted, and answers 200."""
    requested = settings.requested_scopes.split()
    granted = str(response.json().get("scope", settings.requested_scopes)).split()
    missing = [scope for scope in dict.fromkeys([*requested, *DEFAULT_SCOPES.split()]) if scope not in granted]
    if not missing:
        return None
    not_requested = [scope for scope in missing if scope not in requested]
    return Finding(
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        f"the access token lacks {', '.join(missing)}",
        {"scopes asked for": " ".join(requested), "scopes granted": quoted(" ".join(granted))},
        next_step=f"Add it to scopes: {', '.join(not_requested)}." if not_requested else GRANT,
        setting="scopes" if not_requested else "client_id",
    )
