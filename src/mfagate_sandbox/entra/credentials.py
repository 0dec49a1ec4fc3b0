"""How the login host looks at an application's secret or assertion.

https://learn.microsoft.com/entra/identity-platform/certificate-credentials.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt

from mfagate.providers.entra.clouds import CLOUDS, GLOBAL
from mfagate.sandbox.emulator import IncomingRequest
from mfagate_sandbox.entra.directory import Application, EntraTenant, SelfSignedCertificate
from mfagate_sandbox.entra.faults import refuse

_CLOCKS_DIFFER_SECONDS = 300
_CERTIFICATE = "The certificate with identifier used to sign the client assertion"


def check_secret(request: IncomingRequest, application: Application, given: str) -> None:
    """Refuse a secret that is none of the application's, or has expired."""
    secret = next((one for one in application.secrets if one.value == given), None)
    if secret is None:
        raise refuse(request, 7000215, app=application.client_id)
    if secret.end <= datetime.now(UTC):
        raise refuse(request, 7000222, app=application.client_id)


def check_assertion(request: IncomingRequest, tenant: EntraTenant, application: Application, made: str) -> None:
    """Refuse an assertion of an unknown certificate or another key, for something else, or out of its time."""
    try:
        header, held = jwt.get_unverified_header(made), jwt.decode(made, options={"verify_signature": False})
    except (jwt.InvalidTokenError, RecursionError):
        raise refuse(request, 50027) from None
    own = str(held.get("iss")).lower() == application.client_id
    if not own and not {"x5t", "x5t#S256"} & header.keys():
        _check_federated(request, application, held, made)
        return
    certificate = _named(header, application)
    if certificate is None:
        what = f"{_CERTIFICATE} is not registered on application."
        raise refuse(request, 700027, what=what, reason="The key was not found.")
    try:
        jwt.PyJWS().decode(made, certificate.public_key, algorithms=["RS256", "PS256"])
    except jwt.InvalidTokenError:
        what = "Client assertion contains an invalid signature."
        reason = "The provided signature value did not match the expected signature value."
        raise refuse(request, 700027, what=what, reason=reason) from None
    if certificate.end <= datetime.now(UTC):
        raise refuse(request, 700027, what=f"{_CERTIFICATE} is expired.", reason="The key used is expired.")
    _check_claims(request, tenant, application, held)


def _check_federated(request: IncomingRequest, application: Application, held: Mapping[str, Any], made: str) -> None:
    """Refuse a token that no federated credential is for: issuer, subject and audience fit letter for letter.

    The texts are those of https://github.com/Azure/azure-workload-identity/issues/1200 and
    https://github.com/Azure/login/issues/517; what a wrong signature gets is chosen here.
    """
    fitting = application.federations
    for number, claim in ((700211, "iss"), (700213, "sub"), (700212, "aud")):
        fitting = [one for one in fitting if getattr(one, claim) == held.get(claim)]
        if not fitting:
            raise refuse(request, number, value=str(held.get(claim)))
    if not any(_is_signed(made, one.public_key) for one in fitting):
        raise refuse(request, 700027, what="Client assertion failed signature validation.", reason="Unknown key.")
    now, start, end = time.time(), _moment(held.get("nbf", 0)), _moment(held.get("exp"))
    if not start - _CLOCKS_DIFFER_SECONDS <= now <= end + _CLOCKS_DIFFER_SECONDS:
        raise refuse(request, 700024, now=_long_time(now), start=_long_time(start), end=_long_time(end))


def _is_signed(made: str, key: Any) -> bool:
    try:
        jwt.PyJWS().decode(made, key, algorithms=["RS256"])
    except jwt.InvalidTokenError:
        return False
    return True


def _named(header: Mapping[str, Any], application: Application) -> SelfSignedCertificate | None:
    for certificate in application.certificates:
        for name, thumbprint in (("x5t#S256", certificate.sha256), ("x5t", certificate.sha1)):
            # Microsoft's own library pads what RFC 7515 writes without padding.
            if str(header.get(name)).rstrip("=") == base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode():
                return certificate
    return None


def _check_claims(
    request: IncomingRequest, tenant: EntraTenant, application: Application, held: Mapping[str, Any]
) -> None:
    now, start, end = time.time(), _moment(held.get("nbf", 0)), _moment(held.get("exp"))
    if not start - _CLOCKS_DIFFER_SECONDS <= now <= end + _CLOCKS_DIFFER_SECONDS:
        raise refuse(request, 700024, now=_long_time(now), start=_long_time(start), end=_long_time(end))
    if {str(held.get(name)).lower() for name in ("iss", "sub")} != {application.client_id}:
        raise refuse(request, 700021)
    hosts = (request.headers.get("host"), CLOUDS[GLOBAL].login)
    names = (tenant.tenant_id, tenant.domain)
    if held.get("aud") not in [f"https://{host}/{name}/oauth2/v2.0/token" for host in hosts for name in names]:
        raise refuse(request, 700023)


def _moment(stated: Any) -> float:
    """Seconds since 1970; what is none is long ago, and so is what no calendar has."""
    is_number = isinstance(stated, int | float) and not isinstance(stated, bool)
    return float(stated) if is_number and 0 <= stated < 1e11 else 0.0


def _long_time(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
