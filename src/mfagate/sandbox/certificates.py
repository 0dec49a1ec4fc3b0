"""Certificates of local servers: a valid one, one for each defect, and self-signed ones."""

from __future__ import annotations

import ssl
import warnings
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import trustme
    from cryptography import x509


class Authority:
    """A certificate authority for one run.

    Args:
        folder: Where the certificate of the authority is written; ``bundle`` is the file.
        hosts: Names of the server, in addition to those of this machine.
    """

    def __init__(self, folder: Path, hosts: Sequence[str] = ()) -> None:
        import trustme

        self._authority = trustme.CA(organization_name="mfagate sandbox")
        self._hosts = ("127.0.0.1", "::1", "localhost", *hosts)
        self.bundle = folder / "sandbox-ca.pem"
        self._authority.cert_pem.write_to_path(str(self.bundle))

    def context(self, fault: str = "", argument: str = "") -> ssl.SSLContext:
        """Return a server's context, valid or with a fault of the TLS layer."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        self._certificate(fault, argument).configure_cert(context)
        if fault == "tls-old":
            _allow_old_versions_only(context)
        elif fault == "tls-client-certificate":
            context.verify_mode = ssl.CERT_REQUIRED
            self._authority.configure_trust(context)
        return context

    def _certificate(self, fault: str, argument: str) -> trustme.LeafCert:
        import trustme

        match fault:
            case "tls-expired":
                return self._authority.issue_cert(*self._hosts, not_before=_days(-90), not_after=_days(-1))
            case "tls-expiring":
                # One hour more, so that the whole number of days left equals the argument.
                end = _days(float(argument) + 1 / 24)
                return self._authority.issue_cert(*self._hosts, not_before=_days(-90), not_after=end)
            case "tls-other-name":
                return self._authority.issue_cert("another-host.example.org")
            case "tls-unknown-ca":
                return trustme.CA(organization_name="an untrusted authority").issue_cert(*self._hosts)
            case "tls-self-signed":
                return _self_signed_leaf()
        return self._authority.issue_cert(*self._hosts)


def self_signed(key: Any, name: str, start: datetime, end: datetime) -> x509.Certificate:
    """Return a certificate with this common name, signed by its own private key."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
    return builder.sign(key, SHA256())


def _days(number: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=number)


def _self_signed_leaf() -> trustme.LeafCert:
    import trustme
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    certificate = self_signed(key, "localhost", _days(-1), _days(365))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return trustme.LeafCert(private, certificate.public_bytes(Encoding.PEM), [])


def _allow_old_versions_only(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
