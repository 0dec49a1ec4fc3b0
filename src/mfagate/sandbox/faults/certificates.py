"""Certificates of a faulty server: a valid one, and one for each defect."""

from __future__ import annotations

import datetime
import ssl
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import trustme


class Authority:
    """A certificate authority of this run; ``bundle`` is the file that clients are to trust."""

    def __init__(self, folder: Path) -> None:
        import trustme

        self._authority = trustme.CA(organization_name="mfagate faults")
        self.bundle = folder / "faults-ca.pem"
        self._authority.cert_pem.write_to_path(str(self.bundle))

    def context(self, kind: str | None = None, argument: str = "") -> ssl.SSLContext:
        """A server's context, good or with a fault of the layer TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        make = _CERTIFICATES.get(kind or "", _good)
        make(self._authority, argument).configure_cert(context)
        if kind == "tls-old":
            _only_old(context)
        elif kind == "tls-client-certificate":
            context.verify_mode = ssl.CERT_REQUIRED
            self._authority.configure_trust(context)
        return context


_HERE = ("127.0.0.1", "localhost")


def _good(authority: trustme.CA, argument: str) -> trustme.LeafCert:
    return authority.issue_cert(*_HERE)


def _days(number: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=number)


def _expired(authority: trustme.CA, argument: str) -> trustme.LeafCert:
    return authority.issue_cert(*_HERE, not_before=_days(-90), not_after=_days(-1))


def _expiring(authority: trustme.CA, argument: str) -> trustme.LeafCert:
    # An hour more, so that the whole number of days left is the one asked for.
    return authority.issue_cert(*_HERE, not_before=_days(-90), not_after=_days(float(argument) + 1 / 24))


def _other_name(authority: trustme.CA, argument: str) -> trustme.LeafCert:
    return authority.issue_cert("another-host.example.org")


def _unknown(authority: trustme.CA, argument: str) -> trustme.LeafCert:
    import trustme

    return trustme.CA(organization_name="an authority that nobody trusts").issue_cert(*_HERE)


def _self_signed(authority: trustme.CA, argument: str) -> trustme.LeafCert:
    """A leaf without an authority above it, in the shape that trustme hands to a context."""
    import trustme
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_days(-1))
        .not_valid_after(_days(365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return trustme.LeafCert(private, certificate.public_bytes(serialization.Encoding.PEM), [])


def _only_old(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")


_CERTIFICATES: dict[str, Callable[[trustme.CA, str], trustme.LeafCert]] = {
    "tls-expired": _expired,
    "tls-expiring": _expiring,
    "tls-other-name": _other_name,
    "tls-unknown-ca": _unknown,
    "tls-self-signed": _self_signed,
}
