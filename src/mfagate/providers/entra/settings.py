"""Settings of an application that is registered in Microsoft Entra ID.

An application authenticates with a secret, with a certificate, or with a token of another identity provider:
https://learn.microsoft.com/entra/identity-platform/how-to-add-credentials and
https://learn.microsoft.com/entra/workload-id/workload-identity-federation. The length of secrets is that of
https://learn.microsoft.com/graph/api/resources/passwordcredential; their current form is not documented, and follows
https://github.com/trufflesecurity/trufflehog/tree/main/pkg/detectors/azure_entra looks for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import SecretStr

from mfagate.config.jwt import Jwt
from mfagate.config.pem import PrivateKey
from mfagate.config.settings import OtherNames, ProviderSettings, Setting
from mfagate.config.shapes import Lookalike, Misfit, Pattern
from mfagate.core.causes import CauseId
from mfagate.providers.entra.clouds import CLOUDS, GLOBAL, Cloud
from mfagate.providers.entra.names import OTHER_NAMES, PREFIXES
from mfagate.providers.lookalikes import placeholder, wrong_kind

GUID = r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"

_DOMAIN = r"(?i)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"

_TODAY = r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]*"
"""How current secrets begin."""

_CENTER = "Microsoft Entra admin center > Entra ID > App registrations > your application"


def is_guid(value: str) -> bool:
    """Return whether a value is an id of a tenant, an application or a user."""
    return re.fullmatch(GUID, value) is not None


def looks_made_today(secret: str) -> bool:
    """Return whether a secret has the current form; older secrets have no fixed form."""
    return re.fullmatch(_TODAY, secret) is not None and 37 <= len(secret) <= 40


@dataclass(frozen=True, slots=True)
class TenantShape:
    """The shape of a tenant's id or of one of its domains."""

    expected: str = "a tenant id (a GUID) or a verified domain such as contoso.onmicrosoft.com"

    def misfit(self, value: str) -> Misfit | None:
        """Distinguish a truncated id from other values."""
        if is_guid(value) or re.fullmatch(_DOMAIN, value):
            return None
        if "/" in value:
            return Misfit("it contains a slash; expected only the tenant, without the rest of the URL")
        if re.fullmatch(r"[0-9A-Fa-f-]{20,}", value):
            slip = "truncated" if len(value) < 36 else "damaged or too long"
            return Misfit(f"it has {len(value)} characters; a tenant id has 36 ({slip})")
        return Misfit(f"it is not {self.expected}")


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """The shape of a client secret, as far as old and new ones have it in common."""

    expected: str = "the value of a client secret: 16 to 64 characters, usually 40 with Q~ from the fifth character"

    def misfit(self, value: str) -> Misfit | None:
        """Recognise the secret's public id, and a truncated secret of the current form."""
        if is_guid(value):
            what = "it is a GUID, like the id of the secret or of the application, not the value of the secret"
            return Misfit(what, CauseId.CONFIG_SECRET_ID_NOT_SECRET)
        if re.fullmatch(_TODAY, value) and not looks_made_today(value):
            slip = "truncated" if len(value) < 37 else "something was appended"
            reason = f"it begins like a secret of 40 characters but has {len(value)} ({slip})"
            return Misfit(reason, documented=len(value) < 37 or len(value) > 64)
        of_one_case = value in (value.lower(), value.upper())
        if of_one_case and re.fullmatch(r"(?i)[a-z0-9_~.-]{3}\dq~[a-z0-9_~.-]{31,34}", value):
            return Misfit("its letters are all of one case, but secrets of this form have both: its case was changed")
        if not 16 <= len(value) <= 64:
            return Misfit(f"it has {len(value)} characters; client secrets have 16 to 64")
        if re.fullmatch(r"[!-~]+", value) is None:
            return Misfit("it contains a space or a character outside ASCII, which no client secret does")
        return None

    def recognises(self, value: str) -> bool:
        """Recognise only secrets of the current form."""
        return looks_made_today(value)


class EntraSettings(ProviderSettings):
    """``[integrations.NAME.settings]`` of a Microsoft Entra ID integration."""

    other_names: ClassVar[tuple[OtherNames, ...]] = OTHER_NAMES
    prefixes: ClassVar[tuple[str, ...]] = PREFIXES

    any_of: ClassVar[tuple[str, ...]] = ("client_secret", "private_key", "client_assertion")

    tenant_id: Annotated[
        str,
        Setting(
            description="The tenant: its id, or one of its verified domains.",
            where=f"{_CENTER} > Overview > Directory (tenant) ID",
            example="3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            shape=TenantShape(),
            lookalikes=(
                wrong_kind(
                    "(?i)common|organizations|consumers",
                    "a keyword for the sign-in of users of any tenant; an application needs a specific tenant",
                    "Copy the Directory (tenant) ID from the Overview page of your application.",
                ),
                wrong_kind(
                    "(?i)9188040d-6c67-4c5b-b112-36a304b66dad|f8cdef31-a31e-4b4a-93e4-5f571e91255a",
                    "Microsoft's own tenant, not yours",
                    "Copy the Directory (tenant) ID from the Overview page of your application.",
                ),
                placeholder(
                    "(?i)aaaabbbb-0000-cccc-1111-dddd2222eeee|contoso.com|contoso.onmicrosoft.com",
                    "the example of Microsoft's documentation",
                    "Copy the Directory (tenant) ID from the Overview page of your application.",
                ),
            ),
        ),
    ]
    client_id: Annotated[
        str,
        Setting(
            description="Application (client) ID of the login service's application; not secret.",
            where=f"{_CENTER} > Overview > Application (client) ID (not the Object ID next to it)",
            example="7c9e6679-7425-40de-944b-e07fc1f90ae7",
            shape=Pattern(GUID, "an application id (a GUID)", 36),
            lookalikes=(
                Lookalike(
                    _DOMAIN,
                    CauseId.CONFIG_VALUES_SWAPPED,
                    "a domain, which belongs in tenant_id",
                    "Move the domain to tenant_id, and set client_id to the Application (client) ID.",
                ),
                placeholder(
                    "(?i)00001111-aaaa-2222-bbbb-3333cccc4444",
                    "the example of Microsoft's documentation",
                    "Copy the Application (client) ID from the Overview page of your application.",
                ),
                wrong_kind(
                    "(?i)00000003-0000-0000-c000-000000000000",
                    "the id of Microsoft Graph, which the application calls, not the id of the application",
                    "Copy the Application (client) ID from the Overview page of your application.",
                ),
            ),
        ),
    ]
    client_secret: Annotated[
        SecretStr | None,
        Setting(
            description="Value of a client secret of the application.",
            where=f"{_CENTER} > Certificates & secrets > Client secrets > Value, shown only when the secret is created",
            example="env:ENTRA_CLIENT_SECRET",
            shape=ClientSecret(),
            recognised_by=r"[A-Za-z0-9_.~-]{3}[0-9]Q~[A-Za-z0-9_.~-]{31,34}",
            lookalikes=(
                Lookalike(
                    r"(?i)([a-z0-9_.-]|%7E|~){3}\dQ%7E.*",
                    CauseId.CONFIG_MALFORMED_VALUE,
                    "already URL-encoded (%7E for ~), which the client would encode again",
                    "Store the secret as it was shown.",
                    documented=False,
                ),
                wrong_kind(
                    r"eyJ[\w-]+\.[\w-]+\.[\w-]+",
                    "an access token, which expires after an hour; the secret is exchanged for such tokens",
                    "Store the client secret itself.",
                ),
            ),
        ),
    ] = None
    private_key: Annotated[
        SecretStr | None,
        Setting(
            description="Private key of a certificate of the application, used instead of a secret.",
            where="the file or vault in which the key was created; Entra stores only the certificate",
            example="file:entra-key.pem",
            shape=PrivateKey(),
            multiline=True,
        ),
    ] = None
    certificate_thumbprint: Annotated[
        str | None,
        Setting(
            description="Thumbprint of the certificate of private_key: SHA-1 or SHA-256, in hexadecimal.",
            where=f"{_CENTER} > Certificates & secrets > Certificates > Thumbprint",
            example="0A1B2C3D4E5F60718293A4B5C6D7E8F901234567",
            shape=Pattern(
                r"[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}", "a thumbprint of 40 (SHA-1) or 64 (SHA-256) hexadecimal digits"
            ),
            lookalikes=(
                Lookalike(
                    r"([0-9A-Fa-f]{2}[: ]){19,31}[0-9A-Fa-f]{2}",
                    CauseId.CONFIG_MALFORMED_VALUE,
                    "a thumbprint with separators between the bytes",
                    "Remove the colons or spaces.",
                ),
                Lookalike(
                    r"[A-Za-z0-9_+/-]{27}=?|[A-Za-z0-9_+/-]{43}=?",
                    CauseId.CONFIG_MALFORMED_VALUE,
                    "a thumbprint in base64 (x5t) instead of hexadecimal",
                    "Copy the thumbprint that the admin center shows.",
                ),
                Lookalike(
                    GUID,
                    CauseId.CONFIG_MALFORMED_VALUE,
                    "the id of the certificate, not its thumbprint",
                    "Copy the thumbprint that the admin center shows next to the id.",
                ),
            ),
        ),
    ] = None
    client_assertion: Annotated[
        SecretStr | None,
        Setting(
            description="Token of another identity provider that a federated credential of the application trusts.",
            where="the file that the platform keeps up to date (in a pod with workload identity, "
            "AZURE_FEDERATED_TOKEN_FILE names it); the required issuer, subject and audience are under "
            f"{_CENTER} > Certificates & secrets > Federated credentials",
            example="file:/var/run/secrets/azure/tokens/azure-identity-token",
            shape=Jwt("a token of another identity provider: three base64url parts joined by dots"),
            renewed=True,
            lookalikes=(
                wrong_kind(
                    r"[A-Za-z]?:?[\\/~][^\s\x00]*",
                    "the path of the file that holds the token",
                    'Put file: before the path, as in client_assertion = "file:PATH".',
                ),
            ),
        ),
    ] = None
    cloud: Annotated[
        str,
        Setting(
            description=f"National cloud that the tenant is in: {', '.join(CLOUDS)}. Default: {GLOBAL}.",
            where="the address of the admin center: entra.microsoft.com is global, entra.microsoft.us is US "
            "Government, entra.microsoftonline.cn is China; bleu, delos and govsg are the sovereign clouds of France, "
            "Germany and Singapore",
            example=GLOBAL,
            shape=Pattern("|".join(CLOUDS), f"one of {', '.join(CLOUDS)}"),
            lookalikes=(
                Lookalike(
                    r"(?i)(us-?)?gcc",
                    CauseId.CONFIG_MALFORMED_VALUE,
                    "no cloud of its own: tenants of GCC are in the global one",
                    f'Write "{GLOBAL}", or "us-gov" for GCC High.',
                ),
                Lookalike(
                    r"(?i)(azure)?german(y|cloud)?|de",
                    CauseId.CONFIG_MALFORMED_VALUE,
                    "the name of a cloud that was shut down in 2021",
                    'Write "delos" for the sovereign cloud of Germany, or the cloud to which the tenant was moved.',
                ),
                *(
                    Lookalike(
                        f"(?i)(?!(?:{'|'.join(CLOUDS)})$)(?:{cloud.other_names})",
                        CauseId.CONFIG_MALFORMED_VALUE,
                        "another name of a cloud",
                        f'Write "{name}".',
                    )
                    for name, cloud in CLOUDS.items()
                ),
            ),
        ),
    ] = GLOBAL

    @property
    def hosts(self) -> Cloud:
        """The hosts of the cloud."""
        return CLOUDS[self.cloud]


def token_path(settings: EntraSettings) -> str:
    """Return the path of the tenant's token endpoint."""
    return f"/{settings.tenant_id}/oauth2/v2.0/token"


def token_fields(settings: EntraSettings) -> Mapping[str, str]:
    """Return the fields of a request for a token, without the application's authentication."""
    return {"grant_type": "client_credentials", "scope": settings.hosts.scope}
