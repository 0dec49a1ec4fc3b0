"""Find the public parts of a secret: they occur in public documents, and masking them protects nothing.

Thousands of JSON Web Tokens have the same header, and thousands of private keys begin alike. The
lines around a key only name its type. The host of a URL is not a credential.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from mfagate.secrets.decoding import from_base64


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a secret. The ranges in ``public`` are secret only together with what surrounds them."""

    text: str
    public: Sequence[tuple[int, int]] = ()

    def own(self) -> list[int]:
        """Return the number of characters that are not public before each position, and before the end."""
        public = bytearray(len(self.text))
        for start, end in self.public:
            public[start:end] = b"\1" * (end - start)
        return [0, *accumulate(1 - is_public for is_public in public)]


def secret_parts(value: str) -> Iterator[Part]:
    """Yield the parts of a secret, each with its public ranges; leave out parts that are wholly public."""
    if _ARMOUR.search(value):
        for body in _armoured(value):
            yield Part(body, _of_key(body))
    elif (members := _private_members(value)) is not None:
        for member in members:
            yield from secret_parts(member)
    elif variable := _VARIABLE.fullmatch(value.strip(" \"'")):
        if default := variable["default"]:
            yield Part(default, words_in(default))
    elif address := _ADDRESS.match(value):
        user, _, password = (address["user"] or "").partition(":")
        yield Part(password or user)
        rest = value[address.end() :]
        # If the URL has a password, its path is not secret. Otherwise it may be the path of a webhook.
        yield Part(rest if not user and len(rest) >= 12 else rest.partition("?")[2])
    else:
        yield Part(value, _of_token(value) or _of_key(value) or words_in(value))


_ARMOUR = re.compile(r"-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----")

_ATTRIBUTE = re.compile(r"(?<![^\n])[ \t]*+(?:Bag Attributes|Key Attributes|[\w.-][\w .-]{0,60}[:=]).*")
"""Lines that ``openssl pkcs12`` writes before a block: the certificate and its issuer."""

_JWK_SECRETS = ("d", "p", "q", "dp", "dq", "qi", "k")
"""RFC 7518, sections 6.2.2, 6.3.2 and 6.4."""


def _armoured(value: str) -> Iterator[str]:
    """Yield the text inside and around the blocks of a PEM file, without certificates and attributes."""
    texts = _ARMOUR.split(value)
    yield _ATTRIBUTE.sub("", texts[0]) if texts[1] == "BEGIN" else texts[0]
    for kind, label, text in zip(texts[1::3], texts[2::3], texts[3::3], strict=True):
        if kind == "END":
            yield _ATTRIBUTE.sub("", text)
        elif label != "CERTIFICATE":
            yield text


_VARIABLE = re.compile(
    r"\$\{(?:(?:env|ENV)[:.])?[A-Za-z_][\w.]{0,100}(?:\}|(?::?[?][A-Za-z ]{0,40})\}|:?[-=+]?(?P<default>[^{}]*)\})"
    r"|\$\{\{ ?[A-Za-z_][\w.-]{0,100} ?\}\}|\{\{-? ?\.?[A-Za-z_][\w.]{0,100}(?: ?\| ?[A-Za-z0-9_]{1,20}){0,4} ?-?\}\}"
    r"|%[A-Z_][A-Z0-9_]{0,100}%|\$[A-Z][A-Z0-9]{0,40}(?:_[A-Z0-9]{1,40}){1,8}"
)
"""A variable that was not replaced: ``${NAME}``, ``${NAME:-default}``, ``${{ secrets.NAME }}``, ``{{ name }}``,
``$MY_NAME``."""

_PUBLIC_MEMBER = re.compile(r"(?i)(?:id|ids|host|hostname|domain|audience|issuer|email|name|type|realm|region|cloud)\Z")


def _private_members(value: str) -> list[str] | None:
    """Return the secret members of a JSON Web Key or of a document of credentials; None for any other text.

    The other members of a key are public. In a document, everything except names, identifiers and addresses is secret.
    """
    if not value.lstrip().startswith("{"):
        return None
    try:
        members = json.loads(value)
        if not isinstance(members, dict) or not members:
            return None
        if "kty" in members:
            return [text for name in _JWK_SECRETS if isinstance(text := members.get(name), str)]
        return list(_leaves(members))
    except (ValueError, RecursionError):
        return None


_SMALLEST_SECRET = 10_000_000
"""Smaller numbers in a document are ports, times and limits."""


def _leaves(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if not (isinstance(value, str) and _PUBLIC_MEMBER.search(name)):
                yield from _leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value)
    elif isinstance(node, str):
        yield node
    elif type(node) is int and abs(node) >= _SMALLEST_SECRET:
        yield str(node)


_ADDRESS = re.compile(
    r"(?:https?|wss?|socks[45]h?|ftp|postgres(?:ql)?(?:\+\w+)?|mysql|redis|amqps?|smtps?|mailtos?)://"
    r"(?:(?P<user>\S*)@)?[^\s/?#@]*",
    re.IGNORECASE,
)
"""Schemes whose host names a machine. With other schemes, such as ``tgram://``, the host is the token.

Everything before the last ``@`` counts as user and password, because a slash in a password is not always encoded.
"""

_TOKEN = re.compile(r"(eyJ[A-Za-z0-9_-]*)\.(?:(eyJ[A-Za-z0-9_-]*))?")
_CLAIM = re.compile(
    rb'["\]}]{0,8}+[{,]\s*+"[\w.:/-]{1,64}"\s*+:\s*+[\["{]*+(?:https?://[\w.-]{0,64}/?|[a-z_]{1,16}(?=["\],}])"?)?'
)
"""The name of a claim, and the beginning of its value if that is a word or a host."""


def _of_token(value: str) -> list[tuple[int, int]]:
    """Return the ranges of a JWT that other tokens share: the header, and claim names and issuers in the payload."""
    found = _TOKEN.match(value)
    if found is None or not _is_header(found[1]):
        return []
    public = [(0, found.end(1) + 1)]
    for claim in _CLAIM.finditer(from_base64(found[2] or "")):
        start, end = found.start(2) + claim.start() * 8 // 6, found.start(2) - (-claim.end() * 8 // 6)
        if start <= public[-1][1]:
            start = public.pop()[0]
        public.append((start, end))
    return public


def _is_header(digits: str) -> bool:
    try:
        header = json.loads(from_base64(digits))
    except (ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header


_WORDS = re.compile(
    r"(?i)(?<![a-z0-9])(?:access|account|admin|api|app|application|auth|change|client|example|here|host|id|integration"
    r"|key|me|my|name|password|private|public|secret|the|token|url|user|value|your)(?![a-z0-9])"
)
"""Words in names of settings and in placeholders, which are frequent in documentation and recordings."""


def words_in(value: str) -> list[tuple[int, int]]:
    """Return where a value such as ``YOUR_CLIENT_SECRET`` repeats the name of a setting."""
    return [found.span() for found in _WORDS.finditer(value)]


_DER_BASE64 = re.compile(r"(?:\s|\\[nr])*M[A-P](?:[A-Za-z0-9+/=\s]|\\[nr]){18,}")
"""The beginning of a DER sequence in base64; line breaks may be written as escapes."""


def _of_key(body: str) -> list[tuple[int, int]]:
    """Return the ranges of a private key that are the same in every key of its type."""
    if not _DER_BASE64.match(body):
        return []
    digits = [at for at, character in enumerate(body) if character.isalnum() or character in "+/"]
    digits = [at for at in digits if at == 0 or body[at - 1] != "\\"]
    try:
        der = base64.b64decode("".join(body[at] for at in digits) + "=" * (-len(digits) % 4))
    except ValueError:
        return []
    if not _is_key(der):
        return []
    digits = [-1, *digits, len(body)]
    # The ranges include the line breaks around them.
    return [
        (digits[start * 8 // 6] + 1, digits[min(-(-end * 8 // 6) + 1, len(digits) - 1)])
        for start, end in _shared_der(der)
    ]


def _is_key(der: bytes) -> bool:
    """Return whether the bytes are one sequence of exactly its stated length that begins with a version."""
    if len(der) < 4 or der[0] != 0x30:
        return False
    size, start = der[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(der[2:start], "big")
    return start + size == len(der) and der[start : start + 2] == b"\x02\x01"


_PADDING = {2: re.compile(rb"\0?"), 3: re.compile(rb"\0?\x04?")}
"""The zero before a number whose first bit is set, and the marker of an uncompressed point of a curve."""


def _shared_der(der: bytes) -> list[tuple[int, int]]:
    """Return the headers, versions, algorithms and exponents in DER (RFC 5958, RFC 8017 appendix A.1.2, RFC 5915)."""
    shared, begun, at = [], 0, 0
    while at + 2 < len(der):
        tag, size, start = der[at], der[at + 1], at + 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(der[at + 2 : start], "big")
        if tag in (0x30, 0xA0, 0xA1) or (tag == 4 and _holds_der(der[start : start + size])):
            at = start
        elif tag in (5, 6) or (tag == 2 and size <= 4):
            at = start + size
        else:
            padding = _PADDING[tag].match(der, start) if tag in _PADDING else None
            shared.append((begun, padding.end() if padding else start))
            begun = at = start + size
    return [*shared, (begun, at)] if at <= len(der) and at > begun else shared


def _holds_der(content: bytes) -> bool:
    return content[:1] in (b"\x30", b"\x04") and len(content) > 2 and content[1] & 0x7F < len(content) != 32
