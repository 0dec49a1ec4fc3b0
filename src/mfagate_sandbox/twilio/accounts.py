"""Accounts, their API keys and their Verify services."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Literal

from mfagate.sandbox.emulator import characters
from mfagate_sandbox.twilio.answers import HOME, moment, new_sid
from mfagate_sandbox.twilio.entities import Entity
from mfagate_sandbox.twilio.verifications import Verification


@dataclass(slots=True)
class ApiKey:
    """An API key.

    ``rights`` are those of a restricted key, such as ``GET Services``; None grants all. A main key may also read
    accounts and keys.
    """

    sid: str = field(default_factory=lambda: new_sid("SK"))
    secret: str = field(default_factory=lambda: characters(32))
    rights: frozenset[str] | None = None
    is_main: bool = False
    region: str = "us1"
    created: float = field(default_factory=time.time)

    def as_json(self) -> dict[str, Any]:
        """Return the key; see https://www.twilio.com/docs/iam/api-keys/key-resource-v2010."""
        date = _date(self.created)
        return {"sid": self.sid, "friendly_name": "mfagate", "date_created": date, "date_updated": date}


@dataclass(slots=True)
class Service:
    """A Verify service with its verifications and entities."""

    account_sid: str
    friendly_name: str
    code_length: int = 6
    flags: dict[str, bool] = field(default_factory=dict)
    totp: dict[str, Any] = field(default_factory=dict)
    sid: str = field(default_factory=lambda: new_sid("VA"))
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    verifications: dict[str, Verification] = field(default_factory=dict)
    entities: dict[str, Entity] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Its URL at Twilio."""
        return f"{HOME}/v2/Services/{self.sid}"

    def as_json(self) -> dict[str, Any]:
        """Return the service; see https://www.twilio.com/docs/verify/api/service."""
        totp = {"issuer": self.friendly_name, "time_step": 30, "code_length": 6, "skew": 1} | self.totp
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "friendly_name": self.friendly_name,
            "code_length": self.code_length,
            **{name: self.flags.get(flag, default) for flag, (name, default) in FLAGS.items()},
            "tts_name": None,
            "push": {"include_date": False, "apn_credential_sid": None, "fcm_credential_sid": None},
            "totp": totp,
            "whatsapp": {"msg_service_sid": None, "from": None},
            "passkeys": {
                "relying_party": {"id": None, "name": None, "origins": None},
                "authenticator_attachment": None,
                "discoverable_credentials": None,
                "user_verification": None,
            },
            "default_template_sid": None,
            "date_created": moment(self.created),
            "date_updated": moment(self.updated),
            "url": self.url,
            "links": {name: f"{self.url}/{path}" for name, path in _LINKS.items()},
        }

    def is_on(self, flag: str) -> bool:
        """Return whether one of the service's flags is on."""
        return self.flags.get(flag, FLAGS[flag][1])


FLAGS = {
    "LookupEnabled": ("lookup_enabled", False),
    "Psd2Enabled": ("psd2_enabled", False),
    "SkipSmsToLandlines": ("skip_sms_to_landlines", False),
    "DtmfInputRequired": ("dtmf_input_required", True),
    "DoNotShareWarningEnabled": ("do_not_share_warning_enabled", False),
    "CustomCodeEnabled": ("custom_code_enabled", False),
    "VerifyEventSubscriptionEnabled": ("verify_event_subscription_enabled", False),
}
"""The flags of a service by parameter: the property, and its default."""

_LINKS = {
    "verification_checks": "VerificationCheck",
    "verifications": "Verifications",
    "rate_limits": "RateLimits",
    "messaging_configurations": "MessagingConfigurations",
    "entities": "Entities",
    "webhooks": "Webhooks",
    "access_tokens": "AccessTokens",
}


@dataclass(slots=True)
class Account:
    """An account. One with test credentials works only with a few other products."""

    status: Literal["active", "suspended", "closed"] = "active"
    is_test: bool = False
    sid: str = field(default_factory=lambda: new_sid("AC"))
    auth_token: str = field(default_factory=lambda: secrets.token_hex(16))
    keys: dict[str, ApiKey] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    created: float = field(default_factory=time.time)

    def add_key(self, key: ApiKey) -> ApiKey:
        """Add a key."""
        self.keys[key.sid] = key
        return key

    def add_service(self, service: Service) -> Service:
        """Add a service."""
        self.services[service.sid] = service
        return service

    def as_json(self) -> dict[str, Any]:
        """Return the account with its auth token; see https://www.twilio.com/docs/iam/api/account."""
        uri = f"/2010-04-01/Accounts/{self.sid}"
        date = _date(self.created)
        return {
            "sid": self.sid,
            "friendly_name": "mfagate",
            "status": self.status,
            "type": "Full",
            "auth_token": self.auth_token,
            "owner_account_sid": self.sid,
            "date_created": date,
            "date_updated": date,
            "uri": f"{uri}.json",
            "subresource_uris": {"keys": f"{uri}/Keys.json"},
        }


def _date(seconds: float) -> str:
    return formatdate(seconds).replace("-0000", "+0000")
