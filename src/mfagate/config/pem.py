"""Private keys in PEM, as far as their shape tells (RFC 7468)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from mfagate.causes import CauseId
from mfagate.config.shapes import Misfit

_MARK = re.compile(r"-----(BEGIN|END) ([A-Z0-9 ]+)-----")
"""Both marks are on lines of their own, or OpenSSL does not see them; other lines mean nothing (RFC 7468)."""

_OTHERS = {
    "PUBLIC KEY": ("it is the public half of a key", CauseId.CONFIG_WRONG_KIND),
    "CERTIFICATE": ("it is a certificate, not the key that belongs to it", CauseId.CONFIG_WRONG_KIND),
    "CERTIFICATE REQUEST": ("it is a certificate request, not a key", CauseId.CONFIG_WRONG_KIND),
    "OPENSSH PRIVATE KEY": ("it is a key in OpenSSH's own format", CauseId.CONFIG_MALFORMED_VALUE),
    "ENCRYPTED PRIVATE KEY": ("it is encrypted with a passphrase", CauseId.CONFIG_MALFORMED_VALUE),
    "EC PARAMETERS": ("it holds parameters of a curve before or instead of a key", CauseId.CONFIG_MALFORMED_VALUE),
}


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key in PEM. ``pkcs8_only`` is for providers' clients that take no other form (RFC 5208)."""

    expected: str = "a private key in PEM, from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----"
    pkcs8_only: bool = False

    def misfit(self, value: str) -> Misfit | None:
        """Say what else it is, or where it is damaged."""
        block = _block(value)
        if block is None:
            return Misfit(_incomplete(value))
        label, content = block
        if label in _OTHERS:
            return Misfit(*_OTHERS[label])
        if label not in ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"):
            return Misfit(f"it is a block of the kind {label}")
        if self.pkcs8_only and label != "PRIVATE KEY":
            how = "convert it with: openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW"
            return Misfit(f"it is in the older form PKCS #1 (BEGIN {label}), PKCS #8 is due; {how}")
        if "Proc-Type:" in content:
            return Misfit("it is encrypted with a passphrase")
        return None if _is_whole(content) else Misfit("its content is damaged (truncated, or lines are missing)")


def _block(value: str) -> tuple[str, str] | None:
    """Label and content of the first block that has an end, in one pass over the lines."""
    lines = [line.strip(" \t\r") for line in value.split("\n")]
    marks = [(number, found[1], found[2]) for number, line in enumerate(lines) if (found := _MARK.fullmatch(line))]
    last = {label: number for number, kind, label in marks if kind == "END"}
    for begin, kind, label in marks:
        if kind == "BEGIN" and last.get(label, -1) > begin:
            end = next(n for n, other, name in marks if n > begin and (other, name) == ("END", label))
            return label, "\n".join(lines[begin + 1 : end])
    return None


def _incomplete(value: str) -> str:
    if "-----BEGIN" not in value:
        return "it has no line -----BEGIN …-----: it may be the path or the id of a key"
    if re.search(r"[^\s-][ \t]*-----BEGIN |-----END [A-Z0-9 ]+-----[ \t]*[^\s-]", value):
        return "something stands on the line of -----BEGIN …----- or -----END …-----, or its line breaks are lost"
    return "its line breaks are lost, or its last line -----END …----- is missing"


def _is_whole(content: str) -> bool:
    """Whether the base64 decodes to one DER sequence of the length that it states."""
    try:
        der = base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(der) < 2 or der[0] != 0x30:
        return False
    if der[1] < 0x80:
        return len(der) == 2 + der[1]
    size = der[1] & 0x7F
    return len(der) == 2 + size + int.from_bytes(der[2 : 2 + size], "big")
