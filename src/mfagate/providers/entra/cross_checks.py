"""Findings that need more than one setting, or a look into a key."""

from __future__ import annotations

from collections.abc import Iterator

from mfagate.causes import CauseId
from mfagate.providers.entra.clouds import CLOUDS
from mfagate.providers.entra.settings import EntraSettings
from mfagate.result import Finding

_SMALLEST_KEY = 2048


def inspect(settings: EntraSettings) -> Iterator[tuple[str, Finding]]:
    """Each finding with the setting to change."""
    if settings.client_id.lower() == settings.tenant_id.lower():
        message = "settings.client_id is the same as settings.tenant_id: it is the tenant's id, or the other way round"
        yield "client_id", Finding(CauseId.CONFIG_MALFORMED_VALUE, message)
    yield from _cloud(settings)
    yield from _one_credential(settings)
    if settings.private_key is not None:
        yield from _key(settings.secret("private_key") or "")


def _cloud(settings: EntraSettings) -> Iterator[tuple[str, Finding]]:
    if settings.hosts.domain is None:
        return
    for name, cloud in CLOUDS.items():
        if cloud.domain not in (None, settings.hosts.domain) and settings.tenant_id.lower().endswith(str(cloud.domain)):
            message = (
                f"settings.tenant_id is a domain of the cloud {name}, and settings.cloud is {settings.cloud}: "
                f"{settings.hosts.login} does not know it"
            )
            step = f'Set cloud = "{name}", or use the tenant of the cloud {settings.cloud}.'
            yield "tenant_id", Finding(CauseId.CONFIG_WRONG_ENVIRONMENT, message, next_step=step)
            return


def _one_credential(settings: EntraSettings) -> Iterator[tuple[str, Finding]]:
    has_key, has_thumbprint = settings.private_key is not None, settings.certificate_thumbprint is not None
    if has_key and settings.client_secret is not None:
        message = "settings.client_secret and settings.private_key are both set: an application sends one of them"
        step = "Leave out the one that the login service does not use, so that the other one is checked."
        yield "client_secret", Finding(CauseId.CONFIG_MALFORMED_VALUE, message, next_step=step)
    if has_key and not has_thumbprint:
        message = "settings.certificate_thumbprint is not set: it tells Entra which certificate the private_key is of"
        yield "certificate_thumbprint", Finding(CauseId.CONFIG_SETTING_MISSING, message)
    if has_thumbprint and not has_key:
        message = "settings.private_key is not set: certificate_thumbprint alone is no credential"
        yield "private_key", Finding(CauseId.CONFIG_SETTING_MISSING, message)


def _key(pem: str) -> Iterator[tuple[str, Finding]]:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        message = "settings.private_key is well-formed PEM, and no key that can be read"
        yield "private_key", Finding(CauseId.CONFIG_MALFORMED_VALUE, message)
        return
    if not isinstance(key, RSAPrivateKey):
        message = "settings.private_key is no RSA key; Entra takes assertions with RSA signatures alone"
        yield "private_key", Finding(CauseId.CONFIG_WRONG_KIND, message)
    elif key.key_size < _SMALLEST_KEY:
        message = f"settings.private_key has {key.key_size} bits; at least {_SMALLEST_KEY} are due"
        yield "private_key", Finding(CauseId.CONFIG_WRONG_KIND, message)
