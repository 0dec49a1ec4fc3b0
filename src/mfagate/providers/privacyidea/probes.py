"""The requests of mfagate to privacyIDEA, all safe in production."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import SecretStr

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Response
from mfagate.core.finding import Finding
from mfagate.core.foreign.parsing import raw
from mfagate.providers.privacyidea.errors import SAW_NO_KEY, UNKNOWN_USER, error_of, result_of
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings
from mfagate.providers.privacyidea.signature import OTHER_KEY, signed_by
from mfagate.providers.probes import Probe, ProviderProbes, Send

SENTINEL_USER = "mfagate-no-such-user"
"""A user that does not exist, so that a request proves a key without affecting a user's token."""

_JSON = {"Accept": "application/json"}
"""Without it, an unknown path answers 200 with the web UI."""

_READY = {"result": {"status": True, "value": {"status": "ready"}}}

_KEYS = ("validate_key", "admin_key")

_DROPPED = Finding(
    CauseId.NETWORK_PROXY,
    "the server accepts the key in the header PI-Authorization but does not see it in Authorization: a proxy or web "
    "server removes or replaces that header",
    next_step="Make sure that the header Authorization reaches the server: Apache needs WSGIPassAuthorization On, "
    "and a proxy needs a rule that passes it. Do not change the key.",
)

_POLL = {"transaction_id": "00000000000000000000"}


class PrivacyIDEAProbes(ProviderProbes[PrivacyIDEASettings]):
    """Probes of privacyIDEA that are safe in production."""

    def pings(self, settings: PrivacyIDEASettings) -> Sequence[Probe]:
        """Request readiness (https://privacyidea.readthedocs.io/en/latest/modules/api/healthcheck.html).

        Versions before 3.11 have no such endpoint: https://github.com/privacyidea/privacyidea/blob/master/Changelog.
        """
        return [Probe("server", "GET", "/healthz/readyz", _is_ready, headers=_JSON, shape=_READY)]

    def credentials(self, settings: PrivacyIDEASettings) -> Sequence[Probe]:
        """Check an OTP of an unknown user, list the rights of the admin key, and log in the service account."""
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
        """Return a well-formed made-up key of the same role, or a made-up account.

        The account is made up too, because a wrong password of the real account counts as a failed login.
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
        """Read version and default realm, and check whose key signed the answer.

        The message about an unknown user names the realm that was searched: the server's default realm, unless the
        request names another.
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
        """Trigger the challenges of an unknown user, which the admin key must be allowed to do."""
        if settings.admin_key is None and settings.service_account is None:
            return ()
        data = {"user": SENTINEL_USER}
        return (
            Probe(
                "triggerchallenge", "POST", "/validate/triggerchallenge", _knows_no_such_user, data=data, headers=_JSON
            ),
        )

    def refine(self, finding: Finding, settings: PrivacyIDEASettings, send: Send[PrivacyIDEASettings]) -> Finding:
        """Send a refused key once more in a second header, which the server also reads.

        Proxies, and Apache without WSGIPassAuthorization, remove the header Authorization or replace it, so that the
        server sees no key, or an unreadable one
        (https://github.com/privacyidea/privacyidea/issues/2123,
        https://github.com/privacyidea/privacyideaadm/issues/49).
        """
        refused = finding.cause is CauseId.CREDENTIAL_REJECTED
        request_line = str(finding.evidence.get("request"))
        probe = next((probe for probe in self.credentials(settings) if request_line.endswith(probe.path)), None)
        if not refused or finding.evidence.get("provider code") not in SAW_NO_KEY or probe is None:
            return finding
        key = settings.secret(probe.subject) if probe.subject in _KEYS else None
        if key is None:
            return finding
        request = probe.request()
        request.headers = {**request.headers, "PI-Authorization": key}
        response = send(request).response
        return replace(_DROPPED, evidence=finding.evidence) if response and probe.accepted(response) else finding


def _is_ready(response: Response) -> bool:
    value = result_of(response).get("value")
    return response.status == 200 and isinstance(value, dict) and value.get("status") == "ready"


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
        "the server issues a token to the service account, but treats it as a user and not as an administrator",
        next_step="Use an administrator of the server: pi-manage admin add, or a user of a realm in SUPERUSER_REALM.",
        setting="service_account",
    )


def _knows_no_such_user(response: Response) -> bool:
    error = error_of(response)
    if error is not None:
        return error[0] == UNKNOWN_USER
    # A server that accepts unknown users (policy passOnNoUser) has still accepted the key.
    return response.status == 200 and result_of(response).get("status") is True


def _lists_rights(response: Response) -> bool:
    value = result_of(response).get("value")
    return response.status == 200 and isinstance(value, dict | list)


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
