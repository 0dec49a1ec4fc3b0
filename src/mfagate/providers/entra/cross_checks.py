"""Findings about several settings, or about the content of a key or an assertion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mfagate.config.jwt import claims, read_part
from mfagate.config.pem import certificates, load_private_key
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.core.foreign import quoted
from mfagate.core.numbers import moment
from mfagate.providers.entra.clouds import CLOUDS
from mfagate.providers.entra.settings import EntraSettings

_SMALLEST_KEY = 2048


def inspect(settings: EntraSettings) -> Iterator[tuple[str, Finding]]:
    """Yield each finding with the setting to change."""
    if settings.client_id.lower() == settings.tenant_id.lower():
        message = "settings.client_id and settings.tenant_id are the same: one of them must be wrong"
        yield "client_id", Finding(CauseId.CONFIG_MALFORMED_VALUE, message)
    yield from _cloud(settings)
    yield from _one_credential(settings)
    if settings.private_key is not None:
        yield from _key(settings)
    if settings.client_assertion is not None:
        yield from _assertion(settings)


def _cloud(settings: EntraSettings) -> Iterator[tuple[str, Finding]]:
    if settings.hosts.domain is None:
        return
    for name, cloud in CLOUDS.items():
        if cloud.domain not in (None, settings.hosts.domain) and settings.tenant_id.lower().endswith(str(cloud.domain)):
            message = (
                f"settings.tenant_id is a domain of the cloud {name}, but settings.cloud is {settings.cloud}, where "
                f"{settings.hosts.login} does not know it"
            )
            step = f'Set cloud = "{name}", or use the tenant of the cloud {settings.cloud}.'
            yield "tenant_id", Finding(CauseId.CONFIG_WRONG_ENVIRONMENT, message, next_step=step)
            return


def _one_credential(settings: EntraSettings) -> Iterator[tuple[str, Finding]]:
    has_key, has_thumbprint = settings.private_key is not None, settings.certificate_thumbprint is not None
    given = [name for name in EntraSettings.any_of if getattr(settings, name) is not None]
    if len(given) > 1:
        message = f"settings.{given[0]} and settings.{given[1]} are both set, but an application sends only one of them"
        step = "Remove the one that the login service does not use, so that mfagate checks the other one."
        yield given[0], Finding(CauseId.CONFIG_MALFORMED_VALUE, message, next_step=step)
    if has_key and not has_thumbprint:
        message = "settings.certificate_thumbprint is not set; Entra needs it to find the certificate of private_key"
        yield "certificate_thumbprint", Finding(CauseId.CONFIG_SETTING_MISSING, message)
    if has_thumbprint and not has_key:
        message = "settings.private_key is not set; certificate_thumbprint alone is not a credential"
        yield "private_key", Finding(CauseId.CONFIG_SETTING_MISSING, message)


_AUDIENCE = {
    "global": "api://AzureADTokenExchange",
    "us-gov": "api://AzureADTokenExchangeUSGov",
    "us-gov-dod": "api://AzureADTokenExchangeUSGov",
    "china": "api://AzureADTokenExchangeChina",
}
"""The audience that Microsoft recommends in each cloud
(https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity)."""

_LONGEST_SUBJECT = 600
"""https://learn.microsoft.com/graph/api/resources/federatedidentitycredential."""


def _assertion(settings: EntraSettings) -> Iterator[tuple[str, Finding]]:
    """Check the claims of a token of another identity provider: issuer, subject, audience and lifetime."""
    token = settings.secret("client_assertion") or ""
    header, held = read_part(token.split(".")[0]) or {}, claims(token)
    reason = next((reason for wrong, reason in _faults_of(header, held) if wrong), None)
    if reason is not None:
        message = f"settings.client_assertion cannot match any federated credential: {reason}"
        step = (
            "Set it to the token that the platform issues for Entra, such as the file in "
            "AZURE_FEDERATED_TOKEN_FILE, and compare that token with the application's federated credential."
        )
        evidence = {name: quoted(held[name], 200) for name in ("iss", "sub", "aud") if name in held}
        yield "client_assertion", Finding(CauseId.CONFIG_WRONG_KIND, message, evidence, next_step=step)
        return
    yield from _audience(settings, held)
    start = moment(held.get("nbf"))
    if start is not None and start > datetime.now(UTC):
        message = f"settings.client_assertion is not valid before {start:%Y-%m-%d %H:%M:%S} UTC"
        step = "Compare this machine's clock with that of the identity provider."
        yield "client_assertion", Finding(CauseId.CONFIG_MALFORMED_VALUE, message, next_step=step)


def _faults_of(header: Mapping[str, Any], held: Mapping[str, Any]) -> Sequence[tuple[bool, str]]:
    algorithm, subject = header.get("alg"), held.get("sub")
    return (
        (algorithm != "RS256", f"it is signed with {quoted(algorithm, 20)}, but Entra accepts only RS256"),
        (
            not str(held.get("iss", "")).startswith("https://"),
            "its issuer (iss) is not an https URL, from which Entra could fetch the keys",
        ),
        (not isinstance(subject, str) or not subject, "it has no subject (sub)"),
        (len(str(subject)) > _LONGEST_SUBJECT, f"its subject (sub) is longer than {_LONGEST_SUBJECT} characters"),
        (not held.get("aud"), "it has no audience (aud)"),
        (moment(held.get("exp")) is None, "it has no expiry time (exp)"),
    )


def _audience(settings: EntraSettings, held: Mapping[str, Any]) -> Iterator[tuple[str, Finding]]:
    given = held["aud"] if isinstance(held["aud"], list) else [held["aud"]]
    recommended = _AUDIENCE.get(settings.cloud)
    if recommended is None or recommended in given:
        return
    other = next((cloud for cloud, audience in _AUDIENCE.items() if audience in given), None)
    what = f"the one for the cloud {other}" if other else "not the one that Microsoft recommends"
    message = f"the audience (aud) of settings.client_assertion is {what}"
    step = (
        f"Request a token with the audience {recommended} from the platform, unless the application's federated "
        "credential contains exactly the current audience."
    )
    evidence = {"aud": quoted(held["aud"], 200), "recommended": recommended}
    outcome = None if other else Outcome.WARN
    yield "client_assertion", Finding(CauseId.CONFIG_WRONG_KIND, message, evidence, next_step=step, outcome=outcome)


def _key(settings: EntraSettings) -> Iterator[tuple[str, Finding]]:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    value = settings.secret("private_key") or ""
    try:
        key = load_private_key(value)
    except ValueError:
        message = "settings.private_key is well-formed but cannot be read as a key"
        yield "private_key", Finding(CauseId.CONFIG_MALFORMED_VALUE, message)
        return
    if not isinstance(key, RSAPrivateKey):
        message = "settings.private_key is not an RSA key; Entra accepts only RSA signatures"
        yield "private_key", Finding(CauseId.CONFIG_WRONG_KIND, message)
    elif key.key_size < _SMALLEST_KEY:
        message = f"settings.private_key has {key.key_size} bits; Entra requires at least {_SMALLEST_KEY}"
        yield "private_key", Finding(CauseId.CONFIG_WRONG_KIND, message)
    else:
        yield from _certificate(settings, key, list(certificates(value)))


def _certificate(settings: EntraSettings, key: Any, found: Sequence[Any]) -> Iterator[tuple[str, Finding]]:
    """Compare the key with a certificate in the same file, and check the dates of the certificate."""
    if not found:
        return
    own = next((certificate for certificate in found if certificate.public_key() == key.public_key()), None)
    if own is None:
        message = "settings.private_key does not match the certificate in the same file"
        step = "Put a certificate and its own key into the file."
        yield "private_key", Finding(CauseId.CONFIG_MALFORMED_VALUE, message, next_step=step)
        return
    yield from _thumbprint(settings, own)
    if own.not_valid_after_utc <= datetime.now(UTC):
        end = f"{own.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        message = f"the certificate in the file of settings.private_key expired on {end}"
        step = (
            "Make a new certificate, add it to the application, and set private_key and certificate_thumbprint "
            "to its values."
        )
        yield "private_key", Finding(CauseId.CONFIG_EXPIRED, message, next_step=step)


def _thumbprint(settings: EntraSettings, certificate: Any) -> Iterator[tuple[str, Finding]]:
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256

    stated = settings.certificate_thumbprint or ""
    own = certificate.fingerprint(SHA256() if len(stated) == 64 else SHA1()).hex().upper()  # noqa: S303
    if stated and stated.upper() != own:
        message = "settings.certificate_thumbprint does not match the certificate in the file of private_key"
        step = (
            f"Set certificate_thumbprint = {own!r}, or set private_key to the key of the certificate that has "
            "the configured thumbprint."
        )
        yield "certificate_thumbprint", Finding(CauseId.CONFIG_MALFORMED_VALUE, message, next_step=step)
