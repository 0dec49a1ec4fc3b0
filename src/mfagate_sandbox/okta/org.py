"""The data of an org: users, their factors, API tokens and service apps."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from mfagate.providers.okta.auth import new_token
from mfagate.providers.totp import Totp
from mfagate.sandbox.emulator import characters

TOKEN_SECONDS = 30 * 86400.0
"""An API token stays valid this long after each use."""

PUSH_SECONDS = 300.0

Owner = Literal["accepts", "declines", "ignores", "is away"]
"""What the owner of a phone does with a push; an ignored push times out immediately."""

Link = dict[str, Any]


def new_id(prefix: str) -> str:
    """Return a new id of 20 characters, as Okta's are."""
    return prefix + characters(20 - len(prefix))


def moment(seconds: float | None) -> str | None:
    """Return a time (seconds since 1970) in Okta's format."""
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def link(href: str, *allow: str) -> Link:
    """Return a link with the methods that it allows."""
    return {"href": href, "hints": {"allow": list(allow)}}


@dataclass(slots=True)
class Transaction:
    """A push that was sent to the phone of ``owner``."""

    owner: Owner
    sent: float = field(default_factory=time.time)
    id: str = field(default_factory=lambda: f"v2mst.{secrets.token_urlsafe(16)}")
    correct_answer: int | None = None

    @property
    def expires(self) -> float:
        """When it can no longer be answered."""
        return self.sent + PUSH_SECONDS

    @property
    def result(self) -> str:
        """Its outcome."""
        match self.owner:
            case "accepts":
                return "SUCCESS"
            case "declines":
                return "REJECTED"
            case "is away" if time.time() < self.expires:
                return "WAITING"
        return "TIMEOUT"

    def as_json(self, factor: EnrolledFactor, base: str) -> dict[str, Any]:
        """Return the answer to a poll; ``base`` is the URL of the factor."""
        result = self.result
        if result == "SUCCESS":
            return {"factorResult": result}
        body: dict[str, Any] = {"factorResult": result, "profile": {"credentialId": factor.profile["credentialId"]}}
        if result == "WAITING":
            return {"expiresAt": moment(self.expires), **body, **self.links(base)}
        # The examples show a link, and the schema and Okta's own client expect a factor, so it is both.
        shown = {**link(base, "GET", "DELETE"), "factorType": factor.kind}
        return {**body, "_links": {"verify": link(f"{base}/verify", "POST"), "factor": shown}}

    def links(self, base: str) -> dict[str, Any]:
        """Return the links to poll and to cancel, and the number to show if the request wanted one."""
        href = f"{base}/transactions/{self.id}"
        body: dict[str, Any] = {"_links": {"poll": link(href, "GET"), "cancel": link(href, "DELETE")}}
        if self.correct_answer is not None:
            body["_embedded"] = {"challenge": {"correctAnswer": self.correct_answer}}
        return body


@dataclass(slots=True)
class EnrolledFactor:
    """A factor of a user. ``answer`` is the answer to its question, ``code`` the code that was sent last."""

    kind: str
    provider: str
    id: str
    profile: dict[str, Any]
    status: str = "ACTIVE"
    totp: Totp | None = None
    owner: Owner | None = None
    answer: str | None = None
    code: str | None = None
    sent: float = 0.0
    last_step: int = 0
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    transactions: dict[str, Transaction] = field(default_factory=dict)

    def as_json(self, user_url: str) -> dict[str, Any]:
        """Return the factor in the format of the API."""
        vendors = {"GOOGLE": "GOOGLE"}
        body: dict[str, Any] = {
            "id": self.id,
            "factorType": self.kind,
            "provider": self.provider,
            "vendorName": vendors.get(self.provider, "OKTA"),
            "status": self.status,
            "created": moment(self.created),
            "lastUpdated": moment(self.updated),
        }
        if self.kind != "push" or self.status == "ACTIVE":
            body["profile"] = dict(self.profile)
        return {**body, "_links": self._links(user_url)}

    def as_enrolled(self, user_url: str) -> dict[str, Any]:
        """Return the factor with what its owner needs to activate it, which is shown only once."""
        body = self.as_json(user_url)
        if self.status != "PENDING_ACTIVATION" or self.kind not in ("push", "token:software:totp"):
            return body
        activation = f"{user_url}/factors/{self.id}"
        qrcode = {"href": f"{activation}/qr/00{secrets.token_urlsafe(30)}", "type": "image/png"}
        if self.totp is not None:
            embedded = {"timeStep": 30, "sharedSecret": self.totp.secret, "encoding": "base32", "keyLength": 6}
            return {**body, "_embedded": {"activation": {**embedded, "_links": {"qrcode": qrcode}}}}
        send = [{"name": name, **link(f"{activation}/lifecycle/activate/{name}", "POST")} for name in ("email", "sms")]
        expires = moment(self.created + 86400)
        embedded = {"expiresAt": expires, "factorResult": "WAITING", "_links": {"send": send, "qrcode": qrcode}}
        return {**body, "_embedded": {"activation": embedded}}

    def _links(self, user_url: str) -> dict[str, Any]:
        base = f"{user_url}/factors/{self.id}"
        links: dict[str, Any] = {"self": link(base, "GET", "DELETE"), "user": link(user_url, "GET")}
        if self.kind == "question":
            return {**links, "questions": link(f"{user_url}/factors/questions", "GET")}
        if self.status == "ACTIVE":
            return {**links, "verify": link(f"{base}/verify", "POST")}
        if self.kind == "push":
            return {**links, "poll": link(f"{base}/lifecycle/activate/poll", "POST")}
        links["activate"] = link(f"{base}/lifecycle/activate", "POST")
        if self.kind in ("sms", "email"):
            links["resend"] = [{"name": self.kind, **link(f"{base}/resend", "POST")}]
        return links


@dataclass(slots=True)
class OktaUser:
    """A user of the org."""

    profile: dict[str, Any]
    status: str = "ACTIVE"
    id: str = field(default_factory=lambda: new_id("00u"))
    has_password: bool = True
    question: str | None = None
    type_id: str = "oty1a2b3c4d5e6f7g8h9"
    created: float = field(default_factory=time.time)
    changed: float = field(default_factory=time.time)
    activated: float | None = None
    factors: dict[str, EnrolledFactor] = field(default_factory=dict)
    failures: int = 0

    @classmethod
    def named(cls, name: str, **more: Any) -> OktaUser:
        """Return a user with a minimal profile."""
        login = f"{name}@example.com"
        return cls({"firstName": "mfagate", "lastName": name, "email": login, "login": login}, **more)

    @property
    def login(self) -> str:
        """The user's login name."""
        return str(self.profile["login"])

    def is_named(self, name: str) -> bool:
        """Return whether the name is the user's id, login, or login up to the @."""
        login = self.login.lower()
        return name == self.id or name.lower() in (login, login.partition("@")[0])

    def move(self, status: str) -> None:
        """Change the status."""
        self.status, self.changed = status, time.time()
        if status == "ACTIVE" and self.activated is None:
            self.activated = self.changed

    def add(self, factor: EnrolledFactor) -> EnrolledFactor:
        """Give the user a factor."""
        self.factors[factor.id] = factor
        return factor

    def as_json(self, org_url: str, *, listed: bool = False) -> dict[str, Any]:
        """Return the user in the format of the API; users in lists have only one link."""
        url = f"{org_url}/api/v1/users/{self.id}"
        credentials: dict[str, Any] = {"password": {}} if self.has_password else {}
        if self.question:
            credentials["recovery_question"] = {"question": self.question}
        email = {"value": self.profile.get("email"), "status": "VERIFIED", "type": "PRIMARY"}
        credentials |= {"emails": [email], "provider": {"type": "OKTA", "name": "OKTA"}}
        return {
            "id": self.id,
            "status": self.status,
            "created": moment(self.created),
            "activated": moment(self.activated),
            "statusChanged": moment(self.changed),
            "lastLogin": None,
            "lastUpdated": moment(self.changed),
            "passwordChanged": moment(self.created) if self.has_password else None,
            "type": {"id": self.type_id},
            "profile": {"mobilePhone": None, "secondEmail": None, **self.profile},
            "credentials": credentials,
            "_links": {"self": {"href": url}} if listed else self._links(org_url, url),
        }

    def _links(self, org_url: str, url: str) -> dict[str, Any]:
        actions = {
            "suspend": "lifecycle/suspend",
            "resetPassword": "lifecycle/reset_password",
            "expirePassword": "lifecycle/expire_password",
            "changeRecoveryQuestion": "credentials/change_recovery_question",
            "changePassword": "credentials/change_password",
            "deactivate": "lifecycle/deactivate",
        }
        return {
            **{name: {"href": f"{url}/{path}", "method": "POST"} for name, path in actions.items()},
            "schema": {"href": f"{org_url}/api/v1/meta/schemas/user/osc1a2b3c4d5e6f7g8h9"},
            "type": {"href": f"{org_url}/api/v1/meta/types/user/{self.type_id}"},
            "self": {"href": url},
        }


@dataclass(slots=True)
class ApiToken:
    """An API token; ``scopes`` represent the roles of its creator."""

    name: str
    user: OktaUser
    scopes: frozenset[str]
    value: str = field(default_factory=new_token)
    id: str = field(default_factory=lambda: new_id("00T"))
    created: float = field(default_factory=lambda: time.time() - 86400)
    used: float = field(default_factory=time.time)
    is_revoked: bool = False

    @property
    def expires(self) -> float:
        """When it expires, unless it is used before."""
        return self.used + TOKEN_SECONDS

    @property
    def is_valid(self) -> bool:
        """Whether it is accepted: not revoked, used in the last 30 days, and its creator is active."""
        return not self.is_revoked and time.time() < self.expires and self.user.status == "ACTIVE"

    def as_json(self, org_url: str) -> dict[str, Any]:
        """Return the token in the format of the API, without its value."""
        return {
            "name": self.name,
            "userId": self.user.id,
            "tokenWindow": "P30D",
            "network": {"connection": "ANYWHERE"},
            "id": self.id,
            "clientName": "Okta API",
            "expiresAt": moment(self.expires),
            "created": moment(self.created),
            "lastUpdated": moment(self.used),
            "_links": {
                "self": link(f"{org_url}/api/v1/api-tokens/{self.id}", "GET", "DELETE"),
                "user": link(f"{org_url}/api/v1/users/{self.user.id}", "GET"),
            },
        }


@dataclass(slots=True)
class App:
    """An OAuth app. ``keys`` are public keys by kid; ``uses`` are the ids of used assertions."""

    keys: dict[str, Any]
    scopes: frozenset[str]
    application_type: str = "service"
    status: str = "ACTIVE"
    has_role: bool = True
    demands_dpop: bool = False
    in_zone: bool = True
    client_id: str = field(default_factory=lambda: new_id("0oa"))
    uses: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Org:
    """An org."""

    subdomain: str = field(default_factory=lambda: f"mfagate-{secrets.token_hex(3)}")
    id: str = field(default_factory=lambda: new_id("00o"))
    created: float = field(default_factory=lambda: time.time() - 365 * 86400)
    users: dict[str, OktaUser] = field(default_factory=dict)
    tokens: list[ApiToken] = field(default_factory=list)
    apps: dict[str, App] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The org's host name."""
        return f"{self.subdomain}.okta.com"

    @property
    def url(self) -> str:
        """The start of its links."""
        return f"https://{self.host}"

    def add(self, *users: OktaUser) -> None:
        """Add users."""
        self.users |= {user.id: user for user in users}

    def user(self, name: str) -> OktaUser | None:
        """Find a user by id, login or short login."""
        return next((user for user in self.users.values() if user.is_named(name)), None)

    def valid_tokens(self) -> Iterator[ApiToken]:
        """Return the API tokens that are listed."""
        return (token for token in self.tokens if token.is_valid)

    def as_json(self) -> dict[str, Any]:
        """Return the org's settings, as an administrator sees them."""
        empty = ("phoneNumber", "endUserSupportHelpURL", "supportPhoneNumber")
        absent = ("address1", "address2", "city", "state", "country", "postalCode")
        base = f"{self.url}/api/v1/org"
        return {
            "id": self.id,
            "subdomain": self.subdomain,
            "companyName": "mfagate",
            "status": "ACTIVE",
            "expiresAt": None,
            "created": moment(self.created),
            "lastUpdated": moment(self.created),
            "website": f"https://{self.subdomain}.example.com",
            **dict.fromkeys(empty, ""),
            **dict.fromkeys(absent),
            "_links": {
                "preferences": {"href": f"{base}/preferences"},
                "uploadLogo": link(f"{base}/logo", "POST"),
                "oktaCommunication": {"href": f"{base}/privacy/oktaCommunication"},
                "logo": None,
                "oktaSupport": {"href": f"{base}/privacy/oktaSupport"},
                "contacts": {"href": f"{base}/contacts"},
            },
        }
