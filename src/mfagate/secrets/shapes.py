"""Recognise secrets by their format alone, under any name."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SecretShape:
    """The format of a secret.

    Args:
        what: The name of the secret in messages.
        pattern: A pattern that matches in linear time.
        sure: Returns whether a text that matches is such a secret.
        alone: Whether matches inside a longer text in base64, such as a certificate, are ignored.
    """

    what: str
    pattern: re.Pattern[str]
    sure: Callable[[str], bool] = lambda _: True
    alone: bool = False

    def found_in(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the ranges of a text that have this format."""
        for found in self.pattern.finditer(text):
            if self.sure(found[0]) and not (self.alone and _is_part_of_base64(text, *found.span())):
                yield found.span()


_MORE_BASE64 = re.compile(r"[/+][A-Za-z0-9+/]{16}")
_BASE64_LINES = re.compile(r"[A-Za-z0-9+/=\s]*+")
_LOOKED_BACK = 4096


def _is_part_of_base64(text: str, start: int, end: int) -> bool:
    """Return whether base64 continues before or after a range, or lines of base64 lead back to the beginning of DER.

    A certificate in base64 begins with MII: https://www.rfc-editor.org/rfc/rfc5280#section-4.1
    """
    backwards = text[max(0, start - _LOOKED_BACK) : start][::-1]
    if _MORE_BASE64.match(backwards) or _MORE_BASE64.match(text, end):
        return True
    lines = _BASE64_LINES.match(backwards)
    return text.startswith("MII", start) or (lines is not None and "IIM" in lines[0])


def of_provider(what: str, regex: str, *, own: bool) -> SecretShape:
    """Return the format of a provider's secret. Outside its ``own`` recordings, it must have digits and both cases."""
    pattern = re.compile(rf"(?<![A-Za-z0-9_~=+-])(?:{regex})(?![A-Za-z0-9_~+-])")
    return SecretShape(what, pattern, _has_digits if own else _is_mixed, alone=not own)


def _has_digits(text: str) -> bool:
    return re.search("[0-9]", text) is not None and re.search("[A-Za-z]", text) is not None


def _is_mixed(text: str) -> bool:
    return all(re.search(kind, text) for kind in ("[0-9]", "[a-z]", "[A-Z]"))


def _is_basic(text: str) -> bool:
    digits = text.split()[1].rstrip("=")
    try:
        return b":" in base64.b64decode(digits + "=" * (-len(digits) % 4))
    except binascii.Error:
        return False


def _has_seed(text: str) -> bool:
    return re.search(r"[?&]secret=[A-Za-z2-7]{8}", text) is not None


COMMON: Sequence[SecretShape] = (
    SecretShape(
        "a private key in PEM",
        re.compile(
            "-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----(?:[^-]|-(?!----))*+"
            "(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----)?"
        ),
        lambda text: len(text) > 100,
    ),
    SecretShape(
        "a JSON Web Token",
        re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}+\.eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{16,}+"),
    ),
    SecretShape("a Basic header", re.compile(r"\bBasic +[A-Za-z0-9+/]{8,}+={0,2}"), _is_basic),
    SecretShape("a seed of one-time passwords", re.compile(r"otpauth://[^\s\"'<>]{1,600}+"), _has_seed),
    SecretShape("a Bearer token", re.compile(r"\b(?:Bearer|SSWS) +[A-Za-z0-9._~+/-]{20,}+=*+(?![\"'=])")),
)
"""A private key (RFC 7468), a signed token (RFC 7515), the headers of RFC 7617 and RFC 6750, and
https://github.com/google/google-authenticator/wiki/Key-Uri-Format."""


def replaced(text: str, shapes: Sequence[SecretShape], word: str) -> tuple[str, list[str]]:
    """Replace every secret of these formats by a word. Return the text, and the names of what was replaced."""
    names = []
    for shape in shapes:
        pieces, at = [], 0
        for start, end in shape.found_in(text):
            pieces += [text[at:start], word]
            at = end
        if at:
            names.append(shape.what)
            text = "".join([*pieces, text[at:]])
    return text, names
