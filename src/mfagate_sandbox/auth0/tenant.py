"""A tenant: applications, users with their authenticators, and logins in progress."""

from __future__ import annotations

import secrets
import string
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from mfagate.providers.auth0.probes import GRANT
from mfagate.providers.auth0.settings import DEFAULT_CONNECTION, audience_of
from mfagate.providers.totp import Totp
from mfagate.sandbox.emulator import characters
from mfagate_sandbox.auth0.tokens import Signer, sealed

DOMAIN = "mfagate-sandbox.eu.auth0.com"
CUSTOM_DOMAIN = "login.mfagate.example"
OTHER_API = "https://api.mfagate.example/"

PHONE = "+12015550100"

LOGIN_SECONDS = 600.0
"""The lifetime of a token for the MFA API, according to
https://auth0.com/docs/secure/multi-factor-authentication/authenticate-using-ropg-flow-with-mfa; the same lifetime of
an ``mfa_token`` is an assumption."""

OOB_SECONDS = 300.0
MOST_WRONG_CODES = 10
LOCKED_SECONDS = 360.0

MFA_GRANTS = frozenset(GRANT + name for name in ("mfa-otp", "mfa-oob", "mfa-recovery-code"))
USER_GRANTS = MFA_GRANTS | {"password", f"{GRANT}password-realm"}
ALL_GRANTS = USER_GRANTS | {"client_credentials", "authorization_code"}

Owner = Literal["accepts", "declines", "is away"]
"""What the owner of a phone does with a push."""


def now() -> str:
    """Return the time in Auth0's format."""
    return f"{datetime.now(UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def recovery_code() -> str:
    """Return a code of 24 capitals and digits, as in the recordings."""
    return characters(24, string.ascii_uppercase + string.digits)


@dataclass(slots=True)
class ClientApplication:
    """An application; ``scopes`` are its grant for the Management API, None means no grant."""

    grants: frozenset[str] = ALL_GRANTS
    scopes: tuple[str, ...] | None = None
    client_id: str = field(default_factory=lambda: characters(32))
    client_secret: str = field(default_factory=lambda: characters(64, string.ascii_letters + string.digits + "-_"))


@dataclass(slots=True)
class Authenticator:
    """A second factor; ``kind`` is the word in its id: totp, push, sms, email, recovery-code."""

    kind: str
    active: bool = True
    secret: str = ""
    owner: Owner = "is away"
    address: str = ""
    name: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    created_at: str = field(default_factory=now)
    last_auth_at: str | None = None
    id: str = ""

    def __post_init__(self) -> None:
        self.id = self.id or f"{self.kind}|dev_{characters(16)}"

    def used(self) -> None:
        """Note a completed login; the first one confirms the enrolment."""
        self.active, self.last_auth_at = True, now()

    @property
    def kind_of_challenge(self) -> str:
        """The name of its type in the MFA API."""
        return {"totp": "otp", "recovery-code": "recovery-code"}.get(self.kind, "oob")

    @property
    def channel(self) -> str | None:
        """The channel of an out-of-band authenticator."""
        return {"push": "auth0", "sms": "sms", "voice": "voice", "email": "email"}.get(self.kind)


@dataclass(slots=True)
class Auth0User:
    """A user of the database; ``profile`` holds the fields of the Management API except the ids."""

    email: str
    password: str
    blocked: bool = False
    exempt: bool = False
    profile: dict[str, Any] = field(default_factory=dict)
    authenticators: list[Authenticator] = field(default_factory=list)
    user_id: str = field(default_factory=lambda: f"auth0|{secrets.token_hex(12)}")
    recovery: Authenticator | None = None
    wrong_passwords: int = 0
    wrong_codes: int = 0
    locked_until: float = 0.0
    used_steps: set[int] = field(default_factory=set)

    @property
    def active(self) -> list[Authenticator]:
        """The authenticators that can be used now."""
        return [factor for factor in self.authenticators if factor.active]

    @property
    def listed(self) -> list[Authenticator]:
        """All authenticators, including the recovery code."""
        return [*self.authenticators, *([self.recovery] if self.recovery else [])]

    def find(self, authenticator_id: str) -> Authenticator | None:
        """Return an authenticator, or None."""
        return next((factor for factor in self.listed if factor.id == authenticator_id), None)

    def remove(self, authenticator: Authenticator) -> None:
        """Remove an authenticator."""
        if authenticator is self.recovery:
            self.recovery = None
        else:
            self.authenticators.remove(authenticator)

    @property
    def is_locked(self) -> bool:
        """Whether too many wrong codes were sent recently."""
        return time.monotonic() < self.locked_until

    def failed(self) -> None:
        """Count a wrong code."""
        self.wrong_codes += 1
        if self.wrong_codes >= MOST_WRONG_CODES:
            self.wrong_codes, self.locked_until = 0, time.monotonic() + LOCKED_SECONDS


@dataclass(slots=True)
class PendingLogin:
    """A login with a correct password; ``token`` is its ``mfa_token``."""

    user: Auth0User
    client: ClientApplication
    scope: tuple[str, ...]
    audience: str | None
    seconds: float = LOGIN_SECONDS
    token: str = ""
    end: float = 0.0

    def __post_init__(self) -> None:
        self.token, self.end = sealed(self.seconds), time.monotonic() + self.seconds

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() >= self.end


@dataclass(slots=True)
class OobChallenge:
    """A push or a message in progress; ``code`` is its ``oob_code``."""

    login: PendingLogin
    authenticator: Authenticator
    code: str = ""
    end: float = 0.0

    def __post_init__(self) -> None:
        self.code, self.end = sealed(OOB_SECONDS), time.monotonic() + OOB_SECONDS


class Auth0Tenant:
    """One tenant."""

    def __init__(self) -> None:
        self.signer = Signer(DOMAIN)
        self.audience = audience_of(DOMAIN)
        self.mfa_audience = f"https://{DOMAIN}/mfa/"
        self.sms_code = characters(6, string.digits)
        self.password = f"Aa1-{characters(20)}"
        self.clients: dict[str, ClientApplication] = {}
        self.users: dict[str, Auth0User] = {}
        self.logins: dict[str, PendingLogin] = {}
        self.challenges: dict[str, OobChallenge] = {}
        self.login_service = self._client(scopes=("read:authentication_methods",))
        self.admin = self._client(
            grants=frozenset({"client_credentials"}),
            scopes=tuple(
                [
                    f"{do}:{what}"
                    for do in ("read", "create", "update", "delete")
                    for what in ("users", "authentication_methods")
                ]
                + ["read:guardian_factors", "read:tenant_settings"]
            ),
        )
        self.restricted = self._client(scopes=("read:guardian_factors",))
        self.ungranted = self._client()
        self.web = self._client(grants=USER_GRANTS | {"authorization_code"}, scopes=("read:authentication_methods",))
        self.otp = Totp.generate()
        self.people = {
            "user": self._person("user", Authenticator("push")),
            "accepting_user": self._person("accepts", Authenticator("push", owner="accepts")),
            "declining_user": self._person("declines", Authenticator("push", owner="declines")),
            "sms_user": self._person("sms", Authenticator("sms", address=PHONE, name="XXXXXXXX0100")),
            "otp_user": self._person("otp", Authenticator("totp", secret=self.otp.secret)),
            "exempt_user": self._person("exempt", exempt=True),
        }
        late = PendingLogin(self.people["otp_user"], self.login_service, (), None, seconds=-60.0)
        self.logins[late.token] = late
        self.expired_login = late.token

    def _client(self, **options: Any) -> ClientApplication:
        client = ClientApplication(**options)
        self.clients[client.client_id] = client
        return client

    def _person(self, name: str, *authenticators: Authenticator, exempt: bool = False) -> Auth0User:
        user = Auth0User(
            f"mfagate-{name}@example.com", self.password, exempt=exempt, authenticators=list(authenticators)
        )
        user.profile = profile(user.email, {"email_verified": True})
        self.users[user.user_id] = user
        return user

    def user_named(self, name: str) -> Auth0User | None:
        """Find a user by e-mail address or user name, regardless of case."""
        wanted = name.lower()
        return next(
            (user for user in self.users.values() if wanted in (user.email, user.profile.get("username"))), None
        )

    def token(
        self, issuer: str, client: ClientApplication, audience: str, scopes: tuple[str, ...], **options: Any
    ) -> str:
        """Return an access token for a machine; ``options`` go to the signer."""
        claims = {"iss": issuer, "sub": f"{client.client_id}@clients", "aud": audience}
        scope = {"scope": " ".join(scopes)} if scopes else {}
        return self.signer.sign({**claims, **scope, "gty": "client-credentials", "azp": client.client_id}, **options)

    def values(self) -> dict[str, str]:
        """Return the values of the sandbox."""
        issuer = f"https://{DOMAIN}/"
        scopes = self.login_service.scopes or ()
        foreign = Signer("acme.us.auth0.com").sign(
            {"iss": issuer, "sub": f"{self.admin.client_id}@clients", "aud": self.audience, "scope": " ".join(scopes)}
        )
        clients = {"admin": self.admin, "restricted": self.restricted, "ungranted": self.ungranted, "web": self.web}
        return {
            "domain": DOMAIN,
            "custom_domain": CUSTOM_DOMAIN,
            "audience": self.audience,
            "other_audience": OTHER_API,
            "client_id": self.login_service.client_id,
            "client_secret": self.login_service.client_secret,
            "rotated_client_secret": ClientApplication().client_secret,
            **{f"{name}_client_id": client.client_id for name, client in clients.items()},
            **{f"{name}_client_secret": client.client_secret for name, client in clients.items()},
            "management_token": self.token(issuer, self.admin, self.audience, scopes),
            "expired_management_token": self.token(issuer, self.admin, self.audience, scopes, seconds=-3600.0),
            "foreign_management_token": foreign,
            "connection": DEFAULT_CONNECTION,
            "password": self.password,
            **{name: user.email for name, user in self.people.items()},
            "otp_secret": self.otp.secret,
            "phone": PHONE,
            "sms_code": self.sms_code,
            "expired_mfa_token": self.expired_login,
        }


def profile(email: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return a profile with the given fields, and defaults for the rest."""
    local = email.partition("@")[0]
    picture = "https://s.gravatar.com/avatar/00000000000000000000000000000000?s=480&r=pg&d=https%3A%2F%2Fcdn.auth0.com"
    made = {"email": email, "email_verified": False, "name": email, "nickname": local, "picture": picture}
    return {**made, "created_at": now(), "updated_at": now(), **given}
