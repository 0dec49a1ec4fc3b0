"""Trust certificate authorities: one SSL context per bundle for the whole process.

certifi's bundle takes 15 ms to load, so it is loaded once.
"""

from __future__ import annotations

import os
import ssl
import threading
from functools import cache
from pathlib import Path

from mfagate.core.files import require_appendable, require_regular
from mfagate.core.resources import shortage_of
from mfagate.transport.identity import ClientIdentity

# The first two as requests reads them, the third as OpenSSL does.
BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")

_KEY_LOG = "SSLKEYLOGFILE"


class CaBundleError(ValueError):
    """A file of certificate authorities, or a log of session keys, that cannot be used."""

    def __init__(self, path: Path, origin: str, reason: str, *, what: str = "CA bundle") -> None:
        super().__init__(f"{what} {path} ({origin}): {reason}")
        self.path = path


_contexts: dict[Path, ssl.SSLContext] = {}
_loading = threading.Lock()


def trusting(ca_bundle: Path | None, trust_env: bool) -> tuple[Path, ssl.SSLContext]:
    """Return the bundle in force and the verifying context for it, shared by all callers.

    Raises:
        CaBundleError: The file is missing, unreadable or holds no certificate.
    """
    path, origin = _bundle_in_force(ca_bundle, trust_env)
    with _loading:
        if path not in _contexts:
            _contexts[path] = _load(path, origin)
        return path, _contexts[path]


def presenting(ca_bundle: Path | None, trust_env: bool, identity: ClientIdentity) -> tuple[Path, ssl.SSLContext]:
    """Return the bundle in force and a new verifying context, which presents a client certificate.

    Raises:
        CaBundleError: As in :func:`trusting`.
        ssl.SSLError: The certificate and the key are not a pair.
    """
    path, origin = _bundle_in_force(ca_bundle, trust_env)
    context = _load(path, origin)
    identity.present_in(context)
    return path, context


def check_bundle(path: Path) -> None:
    """Check, without the network, that a file of certificate authorities can be used.

    Raises:
        CaBundleError: It is missing, unreadable or holds no certificate.
    """
    trusting(path, trust_env=False)


@cache
def unverified() -> ssl.SSLContext:
    """Return a context that accepts any certificate, to read one that was refused."""
    return _as_requests_would(ssl.CERT_NONE)


def _bundle_in_force(ca_bundle: Path | None, trust_env: bool) -> tuple[Path, str]:
    if ca_bundle is not None:
        return ca_bundle.absolute(), "as configured"
    if trust_env:
        for variable in BUNDLE_VARIABLES:
            if value := os.environ.get(variable):
                return Path(value).absolute(), f"from {variable}"
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    return Path(DEFAULT_CA_BUNDLE_PATH), "from certifi"


def _load(path: Path, origin: str) -> ssl.SSLContext:
    _check_key_log()
    context = _as_requests_would(ssl.CERT_REQUIRED)
    try:
        if path.is_dir():
            # OpenSSL opens these files during a handshake and would wait for a pipe.
            strange = [entry.name for entry in path.glob("[0-9a-f]*.[0-9]*") if entry.exists() and not entry.is_file()]
            if strange:
                raise CaBundleError(path, origin, f"holds {strange[0]}, which is not a regular file")
            if not any(path.glob("[0-9a-f]*.[0-9]*")):
                reason = "is a folder without certificates under hashed names (openssl rehash): use a file in PEM"
                raise CaBundleError(path, origin, reason)
            context.load_verify_locations(capath=path)
        else:
            require_regular(path)
            context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise CaBundleError(path, origin, "contains no readable certificate (PEM is expected)") from None
    except OSError as error:
        if shortage_of(error) is not None:
            raise
        raise CaBundleError(path, origin, str(error.strerror)) from None
    return context


def _check_key_log() -> None:
    """Check that OpenSSL can append session keys to the file that urllib3 passes to it."""
    if log := os.environ.get(_KEY_LOG):
        path = Path(log).absolute()
        try:
            require_appendable(path)
        except OSError as error:
            if shortage_of(error) is not None:
                raise
            reason = f"cannot be written: {error.strerror}"
            raise CaBundleError(path, f"from {_KEY_LOG}", reason, what="log of session keys") from None


def _as_requests_would(verify_mode: ssl.VerifyMode) -> ssl.SSLContext:
    # Versions, ciphers and verification flags of every client written with requests:
    # the gate must not refuse, or accept, what such a login service would not.
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context(cert_reqs=verify_mode)
    context.set_alpn_protocols(["http/1.1"])
    return context
