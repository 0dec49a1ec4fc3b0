"""Recognise right values in a wrong form: base64, URL encoding, HTML entities, JSON, or written twice."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from urllib.parse import unquote

from mfagate.inspection.characters import TextCheck

_LONGEST = 20_000
"""Longest value to decode, in characters; a PEM key in base64 twice is shorter."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEXADECIMAL = re.compile(r"(0x)?([0-9a-fA-F]{2}){8,}")


def wrapped(value: str, *, right: TextCheck, encoded_by_store: bool = False) -> tuple[str, str] | None:
    """Return how a right value was transformed, and how to undo it, or None.

    Args:
        value: The text of the setting.
        right: Returns whether a text would be right as the value.
        encoded_by_store: Whether the store encodes as well, as a Kubernetes Secret does.
    """
    if len(value) > _LONGEST:
        return None
    return _base64(value, right, encoded_by_store=encoded_by_store) or _escaped(value, right)


def _base64(value: str, right: TextCheck, *, encoded_by_store: bool) -> tuple[str, str] | None:
    text = value
    for times in range(1, 4):
        decoded = decoded_base64(text)
        if decoded is None:
            return None
        text = decoded
        if right(text.strip()):
            return _named_base64(times, encoded_by_store=encoded_by_store)
    return None


def _named_base64(times: int, *, encoded_by_store: bool) -> tuple[str, str]:
    if encoded_by_store:
        step = (
            "Kubernetes encodes data itself: put the plain value under stringData, or its base64, made once, under data"
        )
        return "is base64 twice: the value was encoded before it was put into the Secret", step
    if times > 1:
        return (
            "is base64 twice" if times == 2 else "is base64 three times",
            "store the decoded value (`base64 -d`, twice)",
        )
    return "is the value in base64, which was not decoded", "store the decoded value (`base64 -d`)"


def decoded_base64(text: str) -> str | None:
    """Return the decoded text, or None if it is not base64 of text."""
    compact = re.sub(r"^(base64|b64)[:,]", "", "".join(text.split()), flags=re.IGNORECASE)
    if _BASE64.fullmatch(compact) is None:
        return None
    padded = compact.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    try:
        return base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def twice(value: str, *, right: TextCheck) -> tuple[str, str] | None:
    """Return what is wrong with a value that is a right value written twice, or None; no random value is."""
    for separator in ("", " ", "\n", ",", ";"):
        length, odd = divmod(len(value) - len(separator), 2)
        half = value[:length]
        if not odd and length > 3 and f"{half}{separator}{half}" == value and right(half):
            return "contains the same value twice in a row", "store it once"
    return None


def _escaped(value: str, right: TextCheck) -> tuple[str, str] | None:
    for what, undo in (("URL-encoded (% and two digits)", unquote), ("HTML-encoded (& and ;)", html.unescape)):
        once = undo(value)
        if once != value and (right(once) or right(undo(once))):
            return f"is {what}; the client encodes it itself where that is needed", "store it as the provider shows it"
    if _HEXADECIMAL.fullmatch(value):
        text = bytes.fromhex(value.removeprefix("0x")).decode("latin-1")
        if right(text.strip()):
            return "is the value in hexadecimal", "store the value itself"
    return None


def document(value: str) -> tuple[str, str] | None:
    """Return which kind of whole document a value is, and what to do, or None."""
    if value.startswith("<?xml"):
        step = """get the one value out of it in the job (xmllint --xpath), and point at the result: env:NAME"""
        return "is a whole XML document, not one value", step
    if not value.startswith("{") or not value.endswith("}"):
        return None
    try:
        members = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if not isinstance(members, dict) or not members or members.keys() & {"kty", "keys"}:
        return None  # Keys in JSON (RFC 7517) are judged by the shape of the setting.
    return "is a whole JSON document, not one value", "save it as a file, and point at its member: json:FILE#KEY"
