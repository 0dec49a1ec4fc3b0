"""Start TLS over any stream, and explain a failed handshake.

The handshake runs over memory buffers (``ssl.SSLObject``) so that every byte
passes through a :class:`~mfagate.transport.stream.Stream`: the stream keeps the
deadline, counts the bytes, shows whether the peer speaks TLS at all, and lets
one TLS connection run inside another (an https:// proxy).
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from mfagate.core.causes import CauseId
from mfagate.core.exchange import Phase
from mfagate.core.foreign import quoted
from mfagate.transport import certificates, trust
from mfagate.transport.connection_attempt import ConnectionAttempt, Deadline
from mfagate.transport.failures import TransportError, first_line, interrupted
from mfagate.transport.identity import ClientIdentity
from mfagate.transport.stream import Stream

T = TypeVar("T")

# The other side closed the connection, with or without a close_notify.
ENDED = (ssl.SSLZeroReturnError, ssl.SSLEOFError)

LARGEST_READ = 1 << 16

# The time limit for reading a refused certificate.
EVIDENCE_SECONDS = 2.0

# RFC 8446 section 5.1: change_cipher_spec, alert, handshake, application_data.
RECORD_TYPES = range(0x14, 0x18)

# RFC 8446 section 6.2, as OpenSSL names them. If we presented no certificate, these alerts demand one.
CLIENT_CERTIFICATE_ALERTS = (
    "ALERT_CERTIFICATE_REQUIRED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_UNKNOWN_CA",
    "ALERT_ACCESS_DENIED",
)
# The same alerts if we presented a certificate, and those about its dates.
REFUSALS = {
    "ALERT_UNKNOWN_CA": "it does not trust the issuer",
    "ALERT_CERTIFICATE_EXPIRED": "it considers it expired",
    "ALERT_CERTIFICATE_REVOKED": "it considers it revoked",
    "ALERT_CERTIFICATE_REQUIRED": "it demands one and received none",
    "ALERT_ACCESS_DENIED": "it does not allow this client",
    "ALERT_UNSUPPORTED_CERTIFICATE": "it does not accept this kind",
    "ALERT_BAD_CERTIFICATE": "it cannot read or verify it",
    "ALERT_CERTIFICATE_UNKNOWN": "it gives no reason",
    "ALERT_DECRYPT_ERROR": "it cannot verify the signature that proves the key",
}
# Ends of OpenSSL's names for other errors, most of them alerts of the server.
EXPLANATIONS = {
    "PROTOCOL_VERSION": "no TLS version in common (1.2 and 1.3 are offered)",
    "UNSUPPORTED_PROTOCOL": "no TLS version in common (1.2 and 1.3 are offered)",
    "WRONG_SSL_VERSION": "no TLS version in common (1.2 and 1.3 are offered)",
    "WRONG_VERSION_NUMBER": "no TLS version in common (1.2 and 1.3 are offered)",
    "HANDSHAKE_FAILURE": "no cipher suite in common",
    "INSUFFICIENT_SECURITY": "no cipher suite in common",
    "UNRECOGNIZED_NAME": "the server does not know this host name",
}


class TlsStream(Stream):
    """The client's side of a TLS connection."""

    def __init__(
        self, lower: Stream, context: ssl.SSLContext, server_name: str, *, shows_certificate: bool = False
    ) -> None:
        super().__init__()
        self._shows_certificate = shows_certificate
        self.lower = lower
        self._server_name = server_name
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    def handshake(self, deadline: Deadline) -> None:
        """Agree on keys and verify the certificate.

        Raises:
            ssl.SSLCertVerificationError: It is refused.
            TransportError: The handshake fails for any other reason.
        """
        try:
            self._run(self._tls.do_handshake)
        except ssl.SSLCertVerificationError:
            raise
        except ENDED as error:
            raise self._not_tls() or self._lost(ConnectionResetError(), deadline) from error
        except ssl.SSLError as error:
            raise self._not_tls() or self._explained(error) from error
        except OSError as error:
            raise self._not_tls() or self._lost(error, deadline) from error

    @property
    def peer(self) -> dict[str, Any]:
        """The verified certificate as ``ssl`` decodes it."""
        return self._tls.getpeercert() or {}

    @property
    def sent_chain(self) -> list[bytes]:
        """The certificates in DER as the server sent them, its own first, verified or not."""
        if sys.version_info >= (3, 13):
            return [bytes(one) for one in self._tls.get_unverified_chain()]
        # Python 3.10 to 3.12 have the method on the inner object alone (https://github.com/python/cpython/issues/109109).
        inner: Any = self._tls
        chain = inner._sslobj.get_unverified_chain() or ()
        return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in chain]

    def renew(self, deadline: Deadline) -> None:
        """Begin another exchange, with its own deadline."""
        self.forget_received()
        self.lower.renew(deadline)

    @property
    def has_unread(self) -> bool:
        """Whether a record after the last one that was read has arrived."""
        return bool(self._tls.pending() or self._incoming.pending) or self.lower.has_unread

    def _send(self, data: memoryview) -> int:
        return self._run(self._tls.write, data)

    def _receive(self, size: int) -> bytes:
        try:
            return self._run(self._tls.read, size)
        except ENDED:
            return b""  # with or without a close_notify: HTTP's framing shows whether it is too early
        except ssl.SSLError as error:
            raise self._explained(error) from error

    def _run(self, operation: Callable[..., T], *arguments: object) -> T:
        """Carry bytes back and forth until the operation is complete."""
        while True:
            try:
                result = operation(*arguments)
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            except ssl.SSLError:
                with suppress(OSError):
                    self._flush()  # the alert that gives the server the reason
                raise
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        if self._outgoing.pending:
            self.lower.send(self._outgoing.read())

    def _feed(self) -> None:
        data = self.lower.receive(LARGEST_READ)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _lost(self, error: OSError, deadline: Deadline) -> TransportError:
        return interrupted(error, f"shaking hands with {self._server_name} (TLS)", self.lower, deadline)

    def _not_tls(self) -> TransportError | None:
        received = self.lower.prefix
        if not received or (received[0] in RECORD_TYPES and received[1:2] in (b"", b"\x03")):
            return None
        what = "plain HTTP, not TLS" if received.startswith(b"HTTP/") else "something other than TLS"
        return TransportError(
            CauseId.NETWORK_TLS_HANDSHAKE,
            f"that port of {self._server_name} speaks {what}",
            {"host": self._server_name, "received": first_line(received)},
        )

    def _explained(self, error: ssl.SSLError) -> TransportError:
        agreed = self._tls.cipher() is not None
        return explained(error, self._server_name, agreed=agreed, shown=self._shows_certificate)


def explained(error: ssl.SSLError, server_name: str, *, agreed: bool, shown: bool = False) -> TransportError:
    """Explain a TLS failure that the server's certificate did not cause.

    Args:
        error: OpenSSL's error.
        server_name: The host.
        agreed: Whether a cipher was agreed before.
        shown: Whether a client certificate was presented, so that the server objects to it.
    """
    reason = quoted(error.reason or "unknown")
    evidence = {"host": server_name, "openssl": reason}
    # Once a cipher is agreed, the only thing left for a TLS 1.2 server to object to is that
    # we answered its CertificateRequest with an empty list (RFC 5246 section 7.4.6).
    if shown and reason.endswith(tuple(REFUSALS)):
        why = next(why for end, why in REFUSALS.items() if reason.endswith(end))
        message = f"{server_name} refuses the client certificate: {why}"
        return TransportError(CauseId.NETWORK_TLS_CLIENT_CERTIFICATE, message, evidence)
    if reason.endswith(CLIENT_CERTIFICATE_ALERTS) or (agreed and reason.endswith("ALERT_HANDSHAKE_FAILURE")):
        return TransportError(
            CauseId.NETWORK_TLS_CLIENT_CERTIFICATE, f"{server_name} demands a client certificate", evidence
        )
    why = next((why for end, why in EXPLANATIONS.items() if reason.endswith(end)), reason)
    return TransportError(CauseId.NETWORK_TLS_HANDSHAKE, f"TLS with {server_name} failed: {why}", evidence)


class Verifier:
    """Open TLS connections to servers with a certificate that a CA bundle trusts."""

    def __init__(self, ca_bundle: Path | None, trust_env: bool, identity: ClientIdentity | None = None) -> None:
        self.shows_certificate = identity is not None
        self._identity = identity
        if identity is None:
            self.bundle, self.context = trust.trusting(ca_bundle, trust_env)
        else:
            self.bundle, self.context = trust.presenting(ca_bundle, trust_env, identity)

    @property
    def trust(self) -> tuple[Path, str | None]:
        """The CA bundle and the client certificate: connections with another pair are different connections."""
        return self.bundle, self._identity.digest if self._identity is not None else None

    def secure(
        self, lower: Stream, server_name: str, attempt: ConnectionAttempt, reopen: Callable[[ConnectionAttempt], Stream]
    ) -> TlsStream:
        """Start TLS over ``lower``. ``reopen`` opens a second such stream, to read a refused certificate."""
        stream = TlsStream(lower, self.context, server_name, shows_certificate=self.shows_certificate)
        with attempt.during(Phase.TLS):
            try:
                stream.handshake(attempt.deadline)
                return stream
            except ssl.SSLCertVerificationError as error:
                refusal = error
        evidence = _look_at(server_name, attempt, reopen)
        raise certificates.refused(refusal, server_name, self.bundle, evidence)


def _look_at(
    server_name: str, attempt: ConnectionAttempt, reopen: Callable[[ConnectionAttempt], Stream]
) -> dict[str, Any]:
    """Describe the server's certificate after a mere handshake; empty if that fails."""
    # An error here must not hide the refusal.
    with suppress(Exception), ConnectionAttempt(min(EVIDENCE_SECONDS, attempt.deadline.remaining())) as second:
        stream = TlsStream(reopen(second), trust.unverified(), server_name)
        stream.handshake(second.deadline)
        own, *others = stream.sent_chain
        return certificates.describe(own, others)
    return {}
