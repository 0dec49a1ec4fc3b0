"""The emulated tenants: applications with their credentials, and users with their authentication methods."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from mfagate.providers.entra.probes import made_up_secret
from mfagate.providers.made_up import new_private_key
from mfagate.sandbox.certificates import self_signed
from mfagate.sandbox.emulator import characters

ROLES = ("UserAuthenticationMethod.Read.All", "Application.Read.All")

Owner = Literal["accepts", "declines"]
"""What a user does after entering a device code."""

_PREFIX = "#microsoft.graph."


def new_id() -> str:
    """Return a new id in Entra's form."""
    return str(uuid.uuid4())


def as_time(moment: datetime) -> str:
    """Return a time as Graph writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(slots=True)
class Secret:
    """A client secret that is valid for ``days`` from now."""

    days: int = 180
    name: str = "login service"
    value: str = field(default_factory=made_up_secret)
    key_id: str = field(default_factory=new_id)

    @property
    def end(self) -> datetime:
        """When it expires."""
        return datetime.now(UTC).replace(microsecond=0) + timedelta(days=self.days)

    def as_json(self) -> dict[str, Any]:
        """Return the secret as part of its application."""
        return {
            "customKeyIdentifier": None,
            "displayName": self.name,
            "endDateTime": as_time(self.end),
            "hint": self.value[:3],
            "keyId": self.key_id,
            "secretText": None,
            "startDateTime": as_time(self.end - timedelta(days=730)),
        }


class SelfSignedCertificate:
    """A self-signed certificate with its private key."""

    def __init__(self, days: int = 365) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

        self.private_key = new_private_key()
        key: Any = load_pem_private_key(self.private_key.encode(), None)

        self.end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
        self.start = self.end - timedelta(days=730)
        certificate = self_signed(key, "login service", self.start, self.end)
        der = certificate.public_bytes(Encoding.DER)
        self.pem = certificate.public_bytes(Encoding.PEM).decode()
        self.public_key = key.public_key()
        self.key_id = new_id()
        self.sha1 = hashlib.sha1(der, usedforsecurity=False).digest()
        self.sha256 = hashlib.sha256(der).digest()

    def as_json(self) -> dict[str, Any]:
        """Return the certificate as part of its application."""
        return {
            "customKeyIdentifier": base64.b64encode(self.sha1).decode(),
            "displayName": "CN=login service",
            "endDateTime": as_time(self.end),
            "key": None,
            "keyId": self.key_id,
            "startDateTime": as_time(self.start),
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
        }


class Federation:
    """A federated credential and the identity provider that it trusts; its attributes have the names of the claims."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        self.iss = "https://oidc.example.com/cluster"
        self.sub = "system:serviceaccount:login:mfa"
        self.aud = "api://AzureADTokenExchange"
        self.private_key = new_private_key()
        key: Any = load_pem_private_key(self.private_key.encode(), None)
        self.public_key = key.public_key()

    def token(self, seconds: int = 86_400) -> str:
        """Return a token as the platform mounts it, valid for ``seconds`` from now."""
        import jwt

        now = int(time.time())
        claims = {"iss": self.iss, "sub": self.sub, "aud": self.aud, "iat": now, "nbf": now, "exp": now + seconds}
        return jwt.encode(claims, self.private_key, "RS256", {"kid": "1"})


@dataclass(slots=True)
class Application:
    """An application registration and its service principal in the tenant."""

    name: str
    roles: tuple[str, ...] = ()
    enabled: bool = True
    public: bool = False
    secrets: list[Secret] = field(default_factory=list)
    certificates: list[SelfSignedCertificate] = field(default_factory=list)
    federations: list[Federation] = field(default_factory=list)
    client_id: str = field(default_factory=new_id)
    object_id: str = field(default_factory=new_id)
    principal: str = field(default_factory=new_id)

    def as_json(self) -> dict[str, Any]:
        """Return the registration; see https://learn.microsoft.com/graph/api/resources/application."""
        return {
            "id": self.object_id,
            "deletedDateTime": None,
            "appId": self.client_id,
            "applicationTemplateId": None,
            "createdDateTime": "2026-01-01T00:00:00Z",
            "description": None,
            "disabledByMicrosoftStatus": None,
            "displayName": self.name,
            "groupMembershipClaims": None,
            "identifierUris": [],
            "isDeviceOnlyAuthSupported": None,
            "isFallbackPublicClient": self.public,
            "notes": None,
            "publisherDomain": "example.onmicrosoft.com",
            "serviceManagementReference": None,
            "signInAudience": "AzureADMyOrg",
            "tags": [],
            "tokenEncryptionKeyId": None,
            "keyCredentials": [certificate.as_json() for certificate in self.certificates],
            "passwordCredentials": [secret.as_json() for secret in self.secrets],
        }


def method(kind: str, **properties: Any) -> dict[str, Any]:
    """Return an authentication method with all of its properties."""
    known: Mapping[str, Mapping[str, Any]] = {
        "password": {"password": None, "id": "28c10230-6103-485e-b985-444c60001490"},
        "microsoftAuthenticator": {
            "displayName": "Pixel 9",
            "deviceTag": "SoftwareTokenActivated",
            "phoneAppVersion": "6.2511.7533",
        },
        "phone": {
            "phoneNumber": "+1 5555550100",
            "phoneType": "mobile",
            "smsSignInState": "notAllowedByPolicy",
            "id": "3179e48a-750b-4051-897c-87b9720928f7",
        },
        "softwareOath": {"secretKey": None},
        "email": {"emailAddress": "somebody@example.com"},
    }
    common = {"@odata.type": f"{_PREFIX}{kind}AuthenticationMethod", "id": new_id()}
    return {**common, "createdDateTime": "2026-01-01T00:00:00Z", **known[kind], **properties}


@dataclass(slots=True)
class EntraUser:
    """A user with authentication methods; ``owner`` is what the user does with device codes."""

    name: str
    methods: list[dict[str, Any]]
    owner: Owner = "accepts"
    object_id: str = field(default_factory=new_id)

    def methods_of(self, kind: str) -> list[dict[str, Any]]:
        """Return the methods of one type."""
        return [method for method in self.methods if method["@odata.type"] == f"{_PREFIX}{kind}AuthenticationMethod"]


@dataclass(slots=True)
class EntraTenant:
    """One directory."""

    domain: str
    applications: dict[str, Application]
    users: list[EntraUser]
    tenant_id: str = field(default_factory=new_id)

    def user(self, named: str) -> EntraUser | None:
        """Find a user by object id or user principal name."""
        wanted = named.lower()
        return next((user for user in self.users if wanted in (user.object_id, self.principal_name(user))), None)

    def principal_name(self, user: EntraUser) -> str:
        """Return the name that the user signs in with."""
        return f"{user.name}@{self.domain}"


@dataclass(slots=True)
class DeviceCode:
    """A sign-in that began on a device; ``answer`` is the state of it in the browser.

    A ``prepared`` code is one of the sandbox's values. It can be redeemed any number of times, so that
    a running sandbox can be checked repeatedly.
    """

    tenant: EntraTenant
    client_id: str
    scope: str
    contexts: list[str] = field(default_factory=list)
    user: EntraUser | None = None
    answer: Literal["waits", "accepted", "declined", "redeemed"] = "waits"
    seconds: float = 900
    prepared: bool = False
    code: str = field(default_factory=lambda: secrets.token_urlsafe(96))
    user_code: str = field(default_factory=lambda: characters(9, "BCDFGHJKLMNPQRSTVWXYZ23456789"))
    started: float = field(default_factory=time.monotonic)

    @property
    def ended(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() - self.started >= self.seconds

    def sign_in(self, user: EntraUser) -> None:
        """Enter the code as this user, who then accepts or declines."""
        self.user = user
        self.answer = "accepted" if user.owner == "accepts" else "declined"
