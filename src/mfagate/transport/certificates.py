"""Read a server's certificate, and explain why it was refused."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfagate.core.causes import CauseId
from mfagate.core.exchange import ServerCertificate
from mfagate.core.finding import some
from mfagate.core.foreign import ForeignText, quoted
from mfagate.transport.failures import TransportError

if TYPE_CHECKING:
    from cryptography import x509

# X509_V_ERR_* of OpenSSL's x509_vfy.h; every other code means that no chain of trust was found.
NOT_YET_VALID, EXPIRED, HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH = 9, 10, 62, 64
NO_ISSUER = (2, 20, 21)

# RFC 4514 section 3.
SHORT_NAMES = {
    "commonName": "CN",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "domainComponent": "DC",
}


def verified(peer: dict[str, Any]) -> ServerCertificate:
    """Return the certificate of a finished, verified handshake, from ``SSLObject.getpeercert()``."""
    return ServerCertificate(
        subject=ForeignText(_distinguished_name(peer["subject"])),
        issuer=ForeignText(_distinguished_name(peer["issuer"])),
        not_after=datetime.fromtimestamp(ssl.cert_time_to_seconds(peer["notAfter"]), UTC),
    )


def _distinguished_name(rdns: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    """Write the name in the order of RFC 4514 (most specific first), as ``cryptography`` does."""
    return ",".join("+".join(f"{SHORT_NAMES.get(key, key)}={value}" for key, value in rdn) for rdn in reversed(rdns))


def describe(der: bytes, sent_with_it: Sequence[bytes] = ()) -> dict[str, Any]:
    """Return evidence about an unverified certificate: names, dates, SHA-256 fingerprint in hex.

    The names are quoted, because the server chose them.

    Args:
        der: The server's certificate.
        sent_with_it: The other certificates that the server sent.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    certificate = x509.load_der_x509_certificate(der)
    others = [x509.load_der_x509_certificate(one) for one in sent_with_it]
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = x509.SubjectAlternativeName([])
    return {
        "subject": quoted(certificate.subject.rfc4514_string()),
        "issuer": quoted(certificate.issuer.rfc4514_string()),
        "names": [
            *map(quoted, names.get_values_for_type(x509.DNSName)),
            *map(quoted, names.get_values_for_type(x509.IPAddress)),
        ],
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "sha256": certificate.fingerprint(SHA256()).hex(),
        CERTIFICATES_SENT: 1 + len(others),
        **_issuer_not_sent(certificate, others),
    }


CERTIFICATES_SENT, ISSUER_NOT_SENT = "certificates sent", "issuer not sent"


def _issuer_not_sent(top: x509.Certificate, others: Sequence[x509.Certificate]) -> dict[str, str]:
    """Name the issuer of the last certificate in the chain, unless that is a root, which issues itself."""
    rest = list(others)
    while top.issuer != top.subject:
        above = next((one for one in rest if one.subject == top.issuer), None)
        if above is None:
            return {ISSUER_NOT_SENT: quoted(top.issuer.rfc4514_string())}
        rest.remove(above)
        top = above
    return {}


def refused(
    error: ssl.SSLCertVerificationError, host: str, bundle: Path, certificate: dict[str, Any]
) -> TransportError:
    """Explain why verification failed. ``certificate`` is the result of :func:`describe`, or empty."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    verification = quoted(error.verify_message)
    evidence = {"host": host, "verification": verification} | certificate
    if error.verify_code in (EXPIRED, NOT_YET_VALID):
        return TransportError(
            CauseId.NETWORK_TLS_EXPIRED,
            f"{_out_of_date(error.verify_code, host, certificate, now)}. "
            f"This machine's clock says {now}: if that is wrong, the certificate may be valid",
            evidence | {"our_clock": now},
        )
    if error.verify_code in (HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH):
        names: list[str] = certificate.get("names") or [certificate.get("subject", "another name")]
        return TransportError(
            CauseId.NETWORK_TLS_HOSTNAME_MISMATCH,
            f"the certificate presented for {host} is for {some(names)}",
            evidence,
        )
    issuer = f", issued by {certificate['issuer']}," if certificate else ""
    missing = certificate.get(ISSUER_NOT_SENT) if error.verify_code in NO_ISSUER else None
    return TransportError(
        CauseId.NETWORK_TLS_UNTRUSTED,
        f"the chain of certificates of {host} ends at {missing}: the server did not send that certificate, and the CA "
        "bundle does not hold it"
        if missing
        else f"the certificate of {host}{issuer} is not trusted: {verification}",
        evidence | {"ca_bundle": str(bundle)},
        next_step=_complete_the_chain(host, missing, bundle) if missing else None,
    )


def _complete_the_chain(host: str, missing: str, bundle: Path) -> str:
    """Return the next step for a chain that ends below a root (RFC 8446 section 4.4.2: only the root may be left out).

    https://github.com/certifi/python-certifi/issues/73: bundles hold roots, and clients do not fetch the rest.
    """
    return (
        f"Is {missing} an intermediate authority? Then have the owner of {host} install its certificate after the "
        "server's own (the full chain): browsers fetch a missing one, other clients do not. Is it a root of your "
        f"company, or of a device on the path that decrypts TLS? Then add it to the CA bundle in use, {bundle}, or "
        "name another one with ca_bundle."
    )


def _out_of_date(code: int, host: str, certificate: dict[str, Any], now: str) -> str:
    """Say which certificate it is; OpenSSL reports every certificate of the chain alike."""
    if code == NOT_YET_VALID:
        if certificate and certificate["not_before"] > now:
            return f"the certificate of {host} is not valid before {certificate['not_before']}"
        return f"a certificate in the chain of {host} is not valid yet"
    if certificate and certificate["not_after"] <= now:
        return f"the certificate of {host} expired at {certificate['not_after']}"
    return f"a certificate in the chain of {host} has expired"
