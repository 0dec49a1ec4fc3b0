"""Check an application's secret or assertion, as the login host does.

https://learn.microsoft.com/entra/identity-platform/certificate-credentials.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt

from mfagate.providers.entra.clouds import CLOUDS, GLOBAL
from mfagate.sandbox.emulator import IncomingRequest, base64url
from mfagate_sandbox.entra.directory import Application, EntraTenant, SelfSignedCertificate
from mfagate_sandbox.entra.errors import refuse

_CLOCKS_DIFFER_SECONDS = 300
_CERTIFICATE = "The certificate with identifier used to sign the client assertion"


def check_secret(request: IncomingRequest, application: Application, given: str) -> None:
    """Refuse a secret that the application does not have, or that has expired."""
    secret = next((one for one in application.secrets if one.value == given), None)
    if secret is None:
        raise refuse(request, 7000215, app=application.client_id)
    if secret.end <= datetime.now(UTC):
        raise refuse(request, 7000222, app=application.client_id)


def check_assertion(request: IncomingRequest, tenant: EntraTenant, application: Application, assertion: str) -> None:
    """Refuse an assertion with a wrong signature, claim or time."""
    try:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except (jwt.InvalidTokenError, RecursionError):
        raise refuse(request, 50027) from None
    own = str(claims.get("iss")).lower() == application.client_id
    if not own and not {"x5t", "x5t#S256"} & header.keys():
        _check_federated(request, application, claims, assertion)
        return
    certificate = _named(header, application)
    if certificate is None:
        what = f"{_CERTIFICATE} is not registered on application."
        raise refuse(request, 700027, what=what, reason="The key was not found.")
    try:
        jwt.PyJWS().decode(assertion, certificate.public_key, algorithms=["RS256", "PS256"])
    except jwt.InvalidTokenError:
        what = "Client assertion contains an invalid signature."
        reason = "The provided signature value did not match the expected signature value."
        raise refuse(request, 700027, what=what, reason=reason) from None
    if certificate.end <= datetime.now(UTC):
        raise refuse(request, 700027, what=f"{_CERTIFICATE} is expired.", reason="The key used is expired.")
    _check_claims(request, tenant, application, claims)


def _check_federated(
    request: IncomingRequest, application: Application, claims: Mapping[str, Any], assertion: str
) -> None:
    """Refuse a token that matches no federated credential; issuer, subject and audience must be identical.

    The texts are those of https://github.com/Azure/azure-workload-identity/issues/1200 and
    https://github.com/Azure/login/issues/517; the text for a wrong signature is not published.
    """
    matching = application.federations
    for number, claim in ((700211, "iss"), (700213, "sub"), (700212, "aud")):
        matching = [federation for federation in matching if getattr(federation, claim) == claims.get(claim)]
        if not matching:
            raise refuse(request, number, value=str(claims.get(claim)))
    if not any(_is_signed(assertion, federation.public_key) for federation in matching):
        raise refuse(request, 700027, what="Client assertion failed signature validation.", reason="Unknown key.")
    _check_times(request, claims)


def _check_times(request: IncomingRequest, claims: Mapping[str, Any]) -> None:
    now, start, end = time.time(), _moment(claims.get("nbf", 0)), _moment(claims.get("exp"))
    if not start - _CLOCKS_DIFFER_SECONDS <= now <= end + _CLOCKS_DIFFER_SECONDS:
        raise refuse(request, 700024, now=_long_time(now), start=_long_time(start), end=_long_time(end))


def _is_signed(assertion: str, key: Any) -> bool:
    try:
        jwt.PyJWS().decode(assertion, key, algorithms=["RS256"])
    except jwt.InvalidTokenError:
        return False
    return True


def _named(header: Mapping[str, Any], application: Application) -> SelfSignedCertificate | None:
    for certificate in application.certificates:
        for name, thumbprint in (("x5t#S256", certificate.sha256), ("x5t", certificate.sha1)):
            # Microsoft's own library adds padding, which RFC 7515 omits.
            if str(header.get(name)).rstrip("=") == base64url(thumbprint):
                return certificate
    return None


def _check_claims(
    request: IncomingRequest, tenant: EntraTenant, application: Application, claims: Mapping[str, Any]
) -> None:
    _check_times(request, claims)
    if {str(claims.get(name)).lower() for name in ("iss", "sub")} != {application.client_id}:
        raise refuse(request, 700021)
    hosts = (request.headers.get("host"), CLOUDS[GLOBAL].login)
    names = (tenant.tenant_id, tenant.domain)
    if claims.get("aud") not in [f"https://{host}/{name}/oauth2/v2.0/token" for host in hosts for name in names]:
        raise refuse(request, 700023)


def _moment(stated: Any) -> float:
    """Return seconds since 1970; a value that is not a plausible time counts as 0."""
    is_number = isinstance(stated, int | float) and not isinstance(stated, bool)
    return float(stated) if is_number and 0 <= stated < 1e11 else 0.0


def _long_time(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
