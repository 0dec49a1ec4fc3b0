"""privacyIDEA, the self-hosted MFA server (https://www.privacyidea.org)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import SecretStr

from mfagate.cassettes.scrub import Scrubbing
from mfagate.config.jwt import expiry
from mfagate.core.causes import CauseId
from mfagate.core.exchange import Exchange, Response
from mfagate.core.finding import Finding
from mfagate.core.foreign.parsing import raw
from mfagate.providers.base import ApiError, ErrorMeaning, Probe, Provider, Send
from mfagate.providers.privacyidea.errors import (
    HIDDEN_STATUS,
    INTERNAL,
    MASKED,
    MASKED_LOGIN,
    MASKED_REFUSAL,
    MEANINGS,
    MISSING_TOKEN,
    NO_KEY,
    POLICY_CODE,
    REVOKED_TOKEN,
    SAW_NO_KEY,
    UNAUTHORIZED_USER,
    UNKNOWN_USER,
    error_of,
    policy_meaning,
    result_of,
)
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings, contradictions
from mfagate.providers.privacyidea.signature import OTHER_KEY, signed_by

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
    errors_page: ClassVar[str] = "https://privacyidea.readthedocs.io/en/latest/modules/lib/error.html"
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
    about_a_user: ClassVar[frozenset[str | int]] = frozenset(
        {UNKNOWN_USER, UNAUTHORIZED_USER, MISSING_TOKEN, REVOKED_TOKEN}
    )
    meanings: ClassVar[Mapping[str | int, ErrorMeaning]] = MEANINGS
    known_codes: ClassVar[frozenset[str | int]] = frozenset({POLICY_CODE, MASKED})
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
        """The raw key or token that the endpoint takes."""
        from mfagate.providers.privacyidea.auth import PrivacyIDEAAuth

        return PrivacyIDEAAuth(settings, tokens)

    def credential_for(self, path: str, configured: Collection[str]) -> str | None:
        """Every login ends at an endpoint that takes the validate key, unless the server takes requests without it."""
        from mfagate.providers.privacyidea.auth import signing_setting

        is_open = "validate_access" in configured
        return "validate_key" if signing_setting(path) == "validate_key" and not is_open else None

    def inspect(self, settings: PrivacyIDEASettings) -> Sequence[tuple[str, Finding]]:
        """Half a service account, and two ways to authenticate at one endpoint."""
        return list(contradictions(settings))

    def pings(self, settings: PrivacyIDEASettings) -> Sequence[Probe]:
        """The readiness probe (https://privacyidea.readthedocs.io/en/latest/modules/api/healthcheck.html).

        Versions before 3.11 have none: https://github.com/privacyidea/privacyidea/blob/master/Changelog.
        """
        return [Probe("server", "GET", "/healthz/readyz", _is_ready, headers=_JSON, shape=_READY)]

    def credentials(self, settings: PrivacyIDEASettings) -> Sequence[Probe]:
        """Ask about a user that does not exist; ask what the admin key may enrol; let the service account log in."""
        from mfagate.providers.privacyidea.auth import LOGIN_PATH, login_form

        probes = []
        if settings.validate_key is not None or settings.validate_access is not None:
            subject = "validate_key" if settings.validate_key is not None else "validate_access"
            data = {"user": SENTINEL_USER, "pass": "mfagate"}
            if settings.realm is not None:
                data["realm"] = settings.realm
            # The policy that hides why /validate/check refuses does not cover this endpoint, which takes the same key.
            poll = Probe(subject, "GET", "/validate/polltransaction", _knows_no_such_login, params=_POLL, headers=_JSON)
            probes.append(
                Probe(subject, "POST", "/validate/check", _knows_no_such_user, data=data, headers=_JSON, instead=poll)
            )
        if settings.admin_key is not None:
            probes.append(Probe("admin_key", "GET", "/auth/rights", _lists_rights, headers=_JSON))
        if settings.service_account is not None:
            form = login_form(settings)
            probes.append(
                Probe("service_password", "POST", LOGIN_PATH, _issues, data=form, headers=_JSON, review=_of_an_admin)
            )
        return probes

    def with_bad_credential(self, settings: PrivacyIDEASettings, subject: str) -> PrivacyIDEASettings | None:
        """A key of the same role, in good shape, that no server has issued; an account that nobody has.

        The account is made up as well as the password: a wrong password of the real one counts as a failed login.
        """
        if subject == "validate_access":
            return None
        if subject == "service_password":
            made_up = {"service_account": "mfagate-no-such-account", subject: SecretStr(secrets.token_urlsafe(24))}
            return settings.model_copy(update=made_up)
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
        if settings.admin_key is None and settings.service_account is None:
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

    def meaning(self, error: ApiError, exchange: Exchange, settings: PrivacyIDEASettings) -> ErrorMeaning | None:
        """One code stands for all that a policy forbids, and one for all that it hides.

        A 500 to an expired key is that, and no outage.
        """
        failed = exchange.response is not None and exchange.response.status == 500
        if error.code in (INTERNAL, MASKED) and failed and (expired := _expired_key(settings)):
            name, when = expired
            text = f"{name} expired on {when:%Y-%m-%d}; privacyIDEA answers 500 to an expired key"
            return ErrorMeaning(CauseId.CREDENTIAL_EXPIRED, text)
        if error.code == MASKED:
            return MASKED_LOGIN if _path_of(exchange).endswith("/auth") else MASKED_REFUSAL
        if error.code == POLICY_CODE:
            meaning = policy_meaning(error.message)
            return _KEY_WANTED if meaning is NO_KEY and settings.validate_access is not None else meaning
        if _hides_status(error, exchange):
            return HIDDEN_STATUS
        return super().meaning(error, exchange, settings)

    def refine(self, finding: Finding, settings: PrivacyIDEASettings, send: Send) -> Finding:
        """Send a refused key once more in a second header, which the server reads as well.

        Proxies, and Apache without WSGIPassAuthorization, drop the header Authorization or put one of their own in its
        place: then the server sees no key, or none that it can read
        (https://github.com/privacyidea/privacyidea/issues/2123,
        https://github.com/privacyidea/privacyideaadm/issues/49).
        """
        refused = finding.cause is CauseId.CREDENTIAL_REJECTED
        asked = str(finding.evidence.get("request"))
        probe = next((probe for probe in self.credentials(settings) if asked.endswith(probe.path)), None)
        if not refused or finding.evidence.get("provider code") not in SAW_NO_KEY or probe is None:
            return finding
        key = settings.secret(probe.subject) if probe.subject in _KEYS else None
        if key is None:
            return finding
        request = probe.request()
        request.headers = {**request.headers, "PI-Authorization": key}
        response = send(request).response
        return replace(_DROPPED, evidence=finding.evidence) if response and probe.accepted(response) else finding

    def is_about_a_user(self, error: ApiError, exchange: Exchange) -> bool:
        """Also what a policy forbids one user or token."""
        by_policy = policy_meaning(error.message) if error.code == POLICY_CODE else None
        return by_policy is MEANINGS[UNAUTHORIZED_USER] or super().is_about_a_user(error, exchange)

    def sends_message(self, method: str, path: str, fields: Mapping[str, Any]) -> bool:
        """The tokens are our own: HOTP, and a push whose phone is played in this process."""
        return False

    def states(self, send: Send, settings: PrivacyIDEASettings, test_data: Mapping[str, str]) -> States:
        """Arranges states through the admin API, on any server."""
        from mfagate.providers.privacyidea.states import PrivacyIDEAStates

        return PrivacyIDEAStates(self, send, settings, test_data)

    def sandbox(self) -> Sandbox:
        """The real server, in a process of its own."""
        from mfagate_sandbox.privacyidea.sandbox import PrivacyIDEASandbox

        return PrivacyIDEASandbox()

    def sandbox_settings(self, values: Mapping[str, str]) -> Sequence[str]:
        """Without the realm: it is the server's default one."""
        return ["url", "validate_key", "admin_key"]


_READY = {"result": {"status": True, "value": {"status": "ready"}}}


def _is_ready(response: Response) -> bool:
    value = result_of(response).get("value")
    return response.status == 200 and isinstance(value, dict) and value.get("status") == "ready"


_KEYS = ("validate_key", "admin_key")

_DROPPED = Finding(
    CauseId.NETWORK_PROXY,
    "the server accepts the key in the header PI-Authorization and does not see it in Authorization: something on the "
    "way drops or replaces that header",
    next_step="Let the header Authorization through to the server: Apache needs WSGIPassAuthorization On, a proxy a "
    "rule for it. Leave the key as it is.",
)

_POLL = {"transaction_id": "00000000000000000000"}

_KEY_WANTED = ErrorMeaning(
    CauseId.CONFIG_SETTING_MISSING,
    "the server wants an API key (policy api_key_required), and the configuration says that it takes requests without",
    "If the login service sends a key, set validate_key and take validate_access out. If it sends none, its logins "
    "fail as well: have the policy switched off for it, or a key issued.",
    setting="validate_access",
)


def _path_of(exchange: Exchange) -> str:
    return urlsplit(exchange.request.url).path


def _hides_status(error: ApiError, exchange: Exchange) -> bool:
    """Return whether a refusal of a user, which has another status by right, came as 401."""
    is_401 = exchange.response is not None and exchange.response.status == 401
    return is_401 and error.code in PrivacyIDEA.about_a_user


def _knows_no_such_login(response: Response) -> bool:
    return response.status == 200 and result_of(response).get("status") is True


def _issues(response: Response) -> bool:
    from mfagate.providers.privacyidea.auth import token_in

    return token_in(response) is not None


def _of_an_admin(response: Response) -> Finding | None:
    value = result_of(response).get("value")
    role = value.get("role") if isinstance(value, dict) else None
    if role in (None, "admin"):
        return None
    return Finding(
        CauseId.CREDENTIAL_WRONG_KIND,
        "the server issues a token to the service account, and takes it for a user and not for an administrator",
        next_step="Use an administrator of the server: pi-manage admin add, or a user of a realm in SUPERUSER_REALM.",
        setting="service_account",
    )


def _knows_no_such_user(response: Response) -> bool:
    error = error_of(response)
    if error is not None:
        return error[0] == UNKNOWN_USER
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
