"""privacyIDEA, the self-hosted MFA server (https://www.privacyidea.org)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import SecretStr

from mfagate.causes import CauseId
from mfagate.config.jwt import expiry
from mfagate.exchange import Exchange, Response
from mfagate.foreign.parsing import raw
from mfagate.providers.base import ApiError, Meaning, Probe, Provider, Send
from mfagate.providers.privacyidea.errors import (
    INTERNAL,
    MEANINGS,
    POLICY_CODE,
    POLICY_MESSAGES,
    UNKNOWN_USER,
    error_of,
    result_of,
)
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings
from mfagate.providers.privacyidea.signature import OTHER_KEY, signed_by
from mfagate.scrub import Scrubbing

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from mfagate.providers.oauth import Tokens
    from mfagate.providers.states import States
    from mfagate.sandbox import Sandbox

SENTINEL_USER = "mfagate-no-such-user"
"""A user that no one has: asking about it proves a key without touching anybody's token."""

_JSON = {"Accept": "application/json"}
"""Without it an unknown path answers 200 with the web UI."""


class PrivacyIDEA(Provider):
    """Knowledge about privacyIDEA; every answer was observed on 3.14."""

    name: ClassVar[str] = "privacyidea"
    title: ClassVar[str] = "privacyIDEA"
    settings: ClassVar[type[PrivacyIDEASettings]] = PrivacyIDEASettings
    expectations: ClassVar[Mapping[str, str]] = {
        "realm": "the server's default realm, as it names it for an unknown user",
        "version": "the server's version, or its beginning: 3.14",
        "public_key": "the server's public audit key (PEM), with which it signs every answer",
    }
    not_identifying: ClassVar[frozenset[str]] = frozenset({"version"})
    test_data: ClassVar[Mapping[str, str]] = {
        "user": "an existing user whom nobody else uses: mfagate enrols and deletes tokens of this user",
        "expired_validate_key": "an expired API key of the role validate (createtoken with -d -1)",
    }
    test_secrets: ClassVar[frozenset[str]] = frozenset({"expired_validate_key"})
    about_a_user: ClassVar[frozenset[str | int]] = frozenset({UNKNOWN_USER})
    meanings: ClassVar[Mapping[str | int, Meaning]] = MEANINGS
    clock_tolerance_seconds: ClassVar[float] = 60.0
    scrubbing: ClassVar[Scrubbing] = Scrubbing(
        secret_fields=frozenset({"enrollment_credential", "googleurl", "otpkey", "seed"}),
        volatile_fields={
            "serial": "MFAGATE-000000000000",
            "signature": "rsa_sha256_pss:00",
            "threadid": 1,
            "time": 1767225600.0,
            "transaction_id": "00000000000000000000",
            "transaction_ids": ["00000000000000000000"],
        },
    )

    def base_url(self, settings: PrivacyIDEASettings) -> str:
        """The configured URL."""
        return settings.url

    def signer(self, settings: PrivacyIDEASettings, tokens: Tokens) -> AuthBase:
        """The raw key that the endpoint takes."""
        from mfagate.providers.privacyidea.auth import ApiKeyAuth

        return ApiKeyAuth(settings)

    def credential_for(self, path: str) -> str | None:
        """Every login ends at an endpoint that takes the validate key; only some need the admin key beside it."""
        from mfagate.providers.privacyidea.auth import signing_setting

        return "validate_key" if signing_setting(path) == "validate_key" else None

    def pings(self, settings: PrivacyIDEASettings) -> Sequence[Probe]:
        """The readiness probe (https://privacyidea.readthedocs.io/en/latest/modules/api/healthcheck.html)."""
        return [Probe("server", "GET", "/healthz/readyz", _is_ready, headers=_JSON, shape=_READY)]

    def credentials(self, settings: PrivacyIDEASettings) -> Sequence[Probe]:
        """Ask about a user that does not exist; ask what the admin key may enrol."""
        probes = []
        if settings.validate_key is not None:
            data = {"user": SENTINEL_USER, "pass": "mfagate"}
            if settings.realm is not None:
                data["realm"] = settings.realm
            probes.append(
                Probe("validate_key", "POST", "/validate/check", _knows_no_such_user, data=data, headers=_JSON)
            )
        if settings.admin_key is not None:
            probes.append(Probe("admin_key", "GET", "/auth/rights", _lists_rights, headers=_JSON))
        return probes

    def known_bad(self, settings: PrivacyIDEASettings, subject: str) -> PrivacyIDEASettings:
        """A key of the same role, in good shape, that no server has issued."""
        return settings.model_copy(update={subject: SecretStr(_forged_key(subject.removesuffix("_key")))})

    def identity(
        self, response: Response, settings: PrivacyIDEASettings, expected: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Version, default realm, and whose key signed the answer.

        The message about an unknown user names the realm that was looked in: the
        server's default realm, unless we named one ourselves.
        """
        seen = {}
        if version := re.search(r'"version": ?"privacyIDEA ([^"]*)"', raw(response.text)):
            seen["version"] = version[1]
        message = (error_of(response) or (0, ""))[1]
        realm = re.search(rf"User <{SENTINEL_USER}@([^<>]*)> does not exist", message)
        if realm and settings.realm is None:
            seen["realm"] = realm[1]
        key = expected.get("public_key")
        signed = signed_by(response, key) if key is not None else None
        if key is not None and signed is not None:
            seen["public_key"] = key if signed else OTHER_KEY
        return seen

    def permissions(self, settings: PrivacyIDEASettings) -> Sequence[Probe]:
        """An admin key must be allowed to trigger challenges; asked for nobody's."""
        if settings.admin_key is None:
            return ()
        data = {"user": SENTINEL_USER}
        return (
            Probe(
                "triggerchallenge",
                "POST",
                "/validate/triggerchallenge",
                _knows_no_such_user,
                data=data,
                headers=_JSON,
            ),
        )

    def error_of(self, response: Response) -> ApiError | None:
        """Code and message of privacyIDEA's envelope."""
        error = error_of(response)
        return ApiError(*error) if error else None

    def meaning(self, error: ApiError, exchange: Exchange, settings: PrivacyIDEASettings) -> Meaning | None:
        """One code stands for all that a policy forbids; a 500 to an expired key is that, and no outage."""
        if error.code == POLICY_CODE:
            return next((meaning for part, meaning in POLICY_MESSAGES if part in error.message), None)
        if error.code == INTERNAL and (expired := _expired_key(settings)):
            name, when = expired
            text = f"{name} expired on {when:%Y-%m-%d}; privacyIDEA answers 500 to an expired key"
            return Meaning(CauseId.CREDENTIAL_EXPIRED, text)
        return super().meaning(error, exchange, settings)

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """The tokens are our own: HOTP, and a push whose phone is played in this process."""
        return False

    def states(self, send: Send, settings: PrivacyIDEASettings, test_data: Mapping[str, str]) -> States:
        """Arranges states through the admin API, on any server."""
        from mfagate.providers.privacyidea.states import PrivacyIDEAStates

        return PrivacyIDEAStates(self, send, settings, test_data)

    def sandbox(self) -> Sandbox:
        """The real server, in a process of its own."""
        from mfagate.providers.privacyidea.sandbox import PrivacyIDEASandbox

        return PrivacyIDEASandbox()

    def sandbox_settings(self, values: Mapping[str, str]) -> Sequence[str]:
        """Without the realm: it is the server's default one."""
        return ["url", "validate_key", "admin_key"]


_READY = {"result": {"status": True, "value": {"status": "ready"}}}


def _is_ready(response: Response) -> bool:
    value = result_of(response).get("value")
    return response.status == 200 and isinstance(value, dict) and value.get("status") == "ready"


def _knows_no_such_user(response: Response) -> bool:
    error = error_of(response)
    if error is not None:
        return response.status == 400 and error[0] == UNKNOWN_USER
    # A server that passes unknown users through (policy passOnNoUser) still took the key.
    return response.status == 200 and result_of(response).get("status") is True


def _lists_rights(response: Response) -> bool:
    value = result_of(response).get("value")
    return response.status == 200 and isinstance(value, dict | list)


def _expired_key(settings: PrivacyIDEASettings) -> tuple[str, datetime] | None:
    for name in ("validate_key", "admin_key"):
        expires = expiry(settings.secret(name) or "")
        if expires is not None and expires <= datetime.now(UTC):
            return name, expires
    return None


def _forged_key(role: str) -> str:
    import base64
    import json
    import time

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    header = json.dumps({"alg": "HS256", "typ": "JWT"}).encode()
    payload = {
        "username": "mfagate-negative-control",
        "realm": "API",
        "nonce": secrets.token_hex(8),
        "role": role,
        "authtype": "API",
        "exp": int(time.time()) + 3600,
        "rights": "",
    }
    return ".".join(map(part, (header, json.dumps(payload).encode(), secrets.token_bytes(32))))


PROVIDER = PrivacyIDEA()
