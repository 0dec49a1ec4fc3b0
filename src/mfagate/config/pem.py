"""Private keys and certificates in PEM (RFC 7468), and private keys as JSON Web Keys (RFC 7517, RFC 7518 section 6).

A file often contains more than the key: its certificate and the chain, the attributes that ``openssl pkcs12`` writes
before each block, and the parameters of a curve. Programs find the block of the key in any order.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mfagate.config.shapes import Misfit
from mfagate.core.causes import CauseId

_MARK = re.compile(r"-----(BEGIN|END) ([A-Z0-9 ]+)-----")
"""OpenSSL needs each mark on its own line and ignores other lines (RFC 7468)."""

_KEYS = ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")
CERTIFICATES = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")

_ENCRYPTED = "it is encrypted with a passphrase"
_DECRYPT = "Store it without a passphrase, as the login service reads it: openssl pkey -in OLD -out NEW."
_EXTRACT = "Store the key in PEM: openssl pkcs12 -in FILE -nodes -nocerts -out NEW."

_OTHERS: Mapping[str, tuple[str, CauseId] | tuple[str, CauseId, str]] = {
    "PUBLIC KEY": ("it is the public half of a key", CauseId.CONFIG_WRONG_KIND),
    "CERTIFICATE": ("it is a certificate, not the key that belongs to it", CauseId.CONFIG_WRONG_KIND),
    "CERTIFICATE REQUEST": ("it is a certificate request, not a key", CauseId.CONFIG_WRONG_KIND),
    "OPENSSH PRIVATE KEY": (
        "it is a key in OpenSSH's own format",
        CauseId.CONFIG_MALFORMED_VALUE,
        "Convert it: ssh-keygen -p -m PKCS8 -f COPY, which changes the file in place.",
    ),
    "ENCRYPTED PRIVATE KEY": (_ENCRYPTED, CauseId.CONFIG_MALFORMED_VALUE, _DECRYPT),
    "EC PARAMETERS": ("it holds the parameters of a curve without the key", CauseId.CONFIG_MALFORMED_VALUE),
}

_PEM = "a private key in PEM, from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a PEM file: its label, and the text between its marks."""

    label: str
    content: str

    @property
    def text(self) -> str:
        """The block alone."""
        return f"-----BEGIN {self.label}-----\n{self.content}\n-----END {self.label}-----\n"

    @property
    def is_key(self) -> bool:
        """Whether it is a private key of any kind, encrypted or not."""
        return self.label.endswith("PRIVATE KEY")


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key in PEM, alone or among other blocks, or as a JSON Web Key.

    ``pkcs8_only`` is for providers' clients that accept only PKCS #8 in PEM (RFC 5208).
    """

    pkcs8_only: bool = False

    @property
    def expected(self) -> str:
        """The accepted forms."""
        return _PEM if self.pkcs8_only else f"{_PEM}, or a JSON Web Key"

    def misfit(self, value: str) -> Misfit | None:
        """Return what else it is, or where it is damaged."""
        if value.lstrip().startswith("{"):
            if self.pkcs8_only:
                return Misfit("it is a key in JSON (JWK), but PEM is needed")
            return _jwk_misfit(value)
        found = blocks(value)
        keys = {block for block in found if block.is_key}
        if not found:
            return _without_marks(value) or Misfit(_incomplete(value))
        if len(keys) > 1:
            step = "Keep the key that is in use, and remove the other one from the file."
            return Misfit(f"it holds {len(keys)} different private keys, and programs use the first", step=step)
        return self._key_misfit(*keys) if keys else _no_key(found)

    def _key_misfit(self, key: Block) -> Misfit | None:
        if key.label in _OTHERS:
            return Misfit(*_OTHERS[key.label])
        if key.label not in _KEYS:
            return Misfit(f"it is a block of the kind {key.label}")
        if "Proc-Type:" in key.content:
            return Misfit(_ENCRYPTED, step=_DECRYPT)
        if self.pkcs8_only and key.label != "PRIVATE KEY":
            how = "convert it with: openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW"
            return Misfit(f"it is in the older form PKCS #1 (BEGIN {key.label}), but PKCS #8 is needed; {how}")
        return None if _is_whole(key.content) else Misfit("its content is damaged (truncated, or lines are missing)")


def _no_key(found: Sequence[Block]) -> Misfit:
    labels = dict.fromkeys(block.label for block in found)
    if len(found) == 1 and found[0].label in _OTHERS:
        return Misfit(*_OTHERS[found[0].label])
    kinds = ", ".join(labels)
    return Misfit(f"it holds no private key, only: {kinds}", CauseId.CONFIG_WRONG_KIND)


def blocks(value: str) -> Sequence[Block]:
    """Return the blocks that have an end, in one pass over the lines."""
    lines = [line.strip(" \t\r") for line in value.split("\n")]
    found, begun, label = [], -1, ""
    for number, line in enumerate(lines):
        mark = _MARK.fullmatch(line)
        if mark is None:
            continue
        if mark[1] == "BEGIN":
            begun, label = number, mark[2]
        elif begun >= 0 and mark[2] == label:
            found.append(Block(label, "\n".join(lines[begun + 1 : number])))
            begun = -1
    return found


def load_private_key(value: str) -> Any:
    """Return the private key of a PEM file or of a JWK, as an object of ``cryptography``.

    Raises:
        ValueError: There is no key, or it is encrypted or unreadable.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if (jwk := read_jwk(value)) is not None:
        return _load_jwk(jwk)
    key = next((block for block in blocks(value) if block.is_key), None)
    try:
        return load_pem_private_key((key.text if key else value).encode(), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("the key is encrypted, or of a kind that cannot be read") from error


def certificates(value: str) -> Iterator[Any]:
    """Yield the certificates of a PEM file, as objects of ``cryptography``; skip unreadable ones."""
    from cryptography.x509 import load_pem_x509_certificate

    for block in blocks(value):
        if block.label in CERTIFICATES:
            try:
                yield load_pem_x509_certificate(Block("CERTIFICATE", block.content).text.encode())
            except ValueError:
                continue


def read_jwk(value: str) -> Mapping[str, Any] | None:
    """Return the members of a JSON Web Key, or None for any other text."""
    if not value.lstrip().startswith("{"):
        return None
    try:
        members = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) and isinstance(members.get("kty"), str) else None


def _load_jwk(members: Mapping[str, Any]) -> Any:
    from jwt.algorithms import ECAlgorithm, RSAAlgorithm
    from jwt.exceptions import InvalidKeyError

    kinds: Mapping[str, Any] = {"RSA": RSAAlgorithm, "EC": ECAlgorithm}
    if members["kty"] not in kinds:
        raise ValueError(f"keys of the type {members['kty']!r} cannot be used")
    try:
        return kinds[members["kty"]].from_jwk(dict(members))
    except (InvalidKeyError, TypeError, AttributeError, KeyError) as error:
        raise ValueError("the members of the JWK do not make a key") from error


_PRIVATE_MEMBERS = {"RSA": ("n", "e", "d"), "EC": ("crv", "x", "y", "d")}
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


def _jwk_misfit(value: str) -> Misfit | None:
    members = read_jwk(value)
    if members is None:
        if '"keys"' in value:
            step = "Refer to one of its keys, as in json:PATH#keys.0, or store that key alone."
            return Misfit("it is a set of keys (JWKS), but one key is needed", step=step)
        return Misfit("it begins like JSON but is not a JSON Web Key (damaged, or another document)")
    kind = members["kty"]
    needed = _PRIVATE_MEMBERS.get(kind)
    if needed is None:
        return Misfit("it is a JWK of a type other than RSA and EC", CauseId.CONFIG_WRONG_KIND)
    if "d" not in members:
        return Misfit("it is the public half of a key: the JWK has no member d", CauseId.CONFIG_WRONG_KIND)
    missing = [name for name in needed if name not in members]
    if missing:
        return Misfit(f"the JWK has no member {missing[0]}")
    damaged = [name for name in needed if name != "crv" and not _BASE64URL.fullmatch(str(members[name]).rstrip("="))]
    return Misfit(f"the member {damaged[0]} of the JWK is not base64url") if damaged else None


def _incomplete(value: str) -> str:
    if "-----BEGIN" not in value:
        return "it has no line -----BEGIN …-----: it may be the path or the id of a key"
    if re.search(r"[^\s-][ \t]*-----BEGIN |-----END [A-Z0-9 ]+-----[ \t]*[^\s-]", value):
        return "there is other text on the line of -----BEGIN …----- or -----END …-----, or its line breaks are lost"
    return "its line breaks are lost, or its last line -----END …----- is missing"


def _without_marks(value: str) -> Misfit | None:
    """Recognise DER in base64: a key without its marks, or the archive that Azure Key Vault returns for a certificate.

    An archive begins with version 3 (RFC 7292, section 4), a key in PKCS #8 with version 0 or 1 (RFC 5958).
    """
    if _in_base64(value).startswith(b"-----BEGIN "):
        return Misfit(
            "it is a PEM file that was encoded in base64 once more", step="Store it decoded: base64 -d OLD > NEW."
        )
    if not _is_whole(value):
        return None
    der = base64.b64decode("".join(value.split()))
    head = 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)
    if der[head : head + 3] == b"\x02\x01\x03":
        return Misfit("it is a PKCS #12 archive (.pfx) in base64", step=f"{_EXTRACT} (After: base64 -d OLD > FILE)")
    return Misfit("it is base64 without the lines -----BEGIN …----- and -----END …----- around it")


def _in_base64(value: str) -> bytes:
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_whole(content: str) -> bool:
    """Return whether the base64 decodes to one complete DER sequence."""
    der = _in_base64(content)
    if len(der) < 2 or der[0] != 0x30:
        return False
    if der[1] < 0x80:
        return len(der) == 2 + der[1]
    size = der[1] & 0x7F
    return len(der) == 2 + size + int.from_bytes(der[2 : 2 + size], "big")
