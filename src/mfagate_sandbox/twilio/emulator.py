"""An emulator of Twilio: Verify version 2, and the accounts and keys that explain a refused credential.

Answers follow https://github.com/twilio/twilio-oai/blob/main/spec/yaml/twilio_verify_v2.yaml and the
pages of the error codes. Comments mark assumptions about what Twilio does not publish.
"""

from __future__ import annotations

import base64
import secrets
from contextlib import AbstractContextManager

from mfagate.sandbox.emulator import IncomingRequest, Reply, changed, injects, together, without
from mfagate_sandbox.twilio import fault_kinds
from mfagate_sandbox.twilio.accounts import Account, ApiKey, Service
from mfagate_sandbox.twilio.answers import error
from mfagate_sandbox.twilio.entities import Entity, Owner, VerifyFactor
from mfagate_sandbox.twilio.entity_routes import EntityRoutes
from mfagate_sandbox.twilio.service_routes import ServiceRoutes
from mfagate_sandbox.twilio.verification_routes import VerificationRoutes

_DEVICES: dict[str, tuple[str, Owner]] = {
    "push_identity": ("mfagate-away", "is away"),
    "accepting_identity": ("mfagate-accepts", "accepts"),
    "declining_identity": ("mfagate-declines", "declines"),
}


class TwilioEmulator(ServiceRoutes, VerificationRoutes, EntityRoutes):
    """An account with a service and keys of every type, and some other accounts."""

    def __init__(self) -> None:
        super().__init__()
        own, other, suspended, test = (
            self.add_account(account)
            for account in (Account(), Account(), Account(status="suspended"), Account(is_test=True))
        )
        service = own.add_service(Service(own.sid, "mfagate", flags={"CustomCodeEnabled": True}))
        keys = {
            "api_key": own.add_key(ApiKey()),
            "main_api_key": own.add_key(ApiKey(is_main=True)),
            "restricted_api_key": own.add_key(ApiKey(rights=frozenset())),
            "read_only_api_key": own.add_key(ApiKey(rights=frozenset({"GET Services"}))),
            "ie1_api_key": own.add_key(ApiKey(region="ie1")),
            "revoked_api_key": ApiKey(),
            "other_api_key": other.add_key(ApiKey()),
            "control_api_key": own.add_key(ApiKey()),
        }
        self._own, self._service, self._key = own, service, keys["api_key"]
        self.values = {
            "account_sid": own.sid,
            "auth_token": own.auth_token,
            "service_sid": service.sid,
            "service_name": service.friendly_name,
            "code_length": str(service.code_length),
            "other_account_sid": other.sid,
            "other_auth_token": other.auth_token,
            "other_service_sid": other.add_service(Service(other.sid, "Another account")).sid,
            "suspended_account_sid": suspended.sid,
            "suspended_auth_token": suspended.auth_token,
            "test_account_sid": test.sid,
            "test_auth_token": test.auth_token,
            "phone": "+12015550100",
            "blocked_phone": "+12015550101",
            **{f"{name}_sid": key.sid for name, key in keys.items()},
            **{f"{name}_secret": key.secret for name, key in keys.items()},
            **{name: _with_a_device(service, identity, owner) for name, (identity, owner) in _DEVICES.items()},
        }
        self.secrets = frozenset(name for name in self.values if name.endswith(("_secret", "auth_token")))

    @injects(fault_kinds.REVOKED)
    def delete_the_key(self) -> AbstractContextManager[None]:
        """Delete the API key."""
        return without(self._own.keys, self._key.sid)

    @injects(fault_kinds.ROTATED)
    def replace_the_credentials(self) -> AbstractContextManager[None]:
        """Replace the auth token, and delete the API key."""
        return together([changed(self._own, auth_token=Account().auth_token), self.delete_the_key()])

    @injects(fault_kinds.DEMOTED)
    def restrict_the_key(self) -> AbstractContextManager[None]:
        """Remove all permissions of the key."""
        return changed(self._key, rights=frozenset())

    @injects(fault_kinds.SUSPENDED)
    def suspend(self) -> AbstractContextManager[None]:
        """Suspend the account, as for unpaid bills."""
        return changed(self._own, status="suspended")

    @injects(fault_kinds.SERVICE_GONE)
    def delete_the_service(self) -> AbstractContextManager[None]:
        """Delete the service."""
        return without(self._own.services, self._service.sid)

    @injects(fault_kinds.REGION)
    def move_the_key(self) -> AbstractContextManager[None]:
        """Move the key to the region Ireland."""
        return changed(self._key, region="ie1")

    @injects(fault_kinds.AUTH_DOWN)
    def refuse_everybody(self) -> AbstractContextManager[None]:
        """Refuse every token and secret."""
        accounts = list(self.accounts.values())
        keys = [key for account in accounts for key in account.keys.values()]
        return together(
            [
                *(changed(account, auth_token=Account().auth_token) for account in accounts),
                *(changed(key, secret=ApiKey().secret) for key in keys),
            ]
        )

    @injects(fault_kinds.LIMITED)
    def slow_down(self, request: IncomingRequest, argument: str) -> Reply | None:
        """Refuse requests with a credential; others are refused as usual."""
        if "authorization" not in request.headers:
            return None
        return error(20429, "Too many requests", {"Retry-After": argument})


def _with_a_device(service: Service, identity: str, owner: Owner) -> str:
    """Add an entity with a push factor that a device verified."""
    config = {
        "sdk_version": "1.0",
        "app_id": "com.example.mfagate",
        "notification_platform": "fcm",
        "notification_token": secrets.token_hex(32),
    }
    factor = VerifyFactor("push", "A device", config, {"alg": "ES256", "public_key": _public_key()}, status="verified")
    entity = Entity(service.account_sid, service.sid, service.url, identity, owner, factors={factor.sid: factor})
    service.entities[identity] = entity
    return identity


def _public_key() -> str:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = generate_private_key(SECP256R1()).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
