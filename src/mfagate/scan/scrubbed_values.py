"""Distinguish values that could be secrets from what a recorder or a person wrote in their place.

Each project has its own words for filtered values: ``REDACTED``, ``[FILTERED]``, ``<TWILIO AUTH TOKEN>``,
``SSWS myAPIToken``, ``sanitized_dpop_proof_jwt``. The name of a field is not enough either: many APIs use names for
settings, links and error codes that others use for secrets.

- https://vcrpy.readthedocs.io/en/latest/advanced.html#filter-information-from-http-requests
- https://benoittgt.github.io/vcr/#/configuration/filter_sensitive_data
- https://github.com/okta/okta-sdk-python/blob/master/tests/conftest.py
"""

from __future__ import annotations

import base64
import binascii
import re
from itertools import pairwise

from mfagate.inspection.placeholders import placeholder

_LONG_MARKS = (
    "anonymi", "changeme", "censored", "example", "filtered", "obfuscat", "placeholder", "redact", "replaceme",
    "sanitis", "sanitiz", "scrubbed", "suppressed",
)  # fmt: skip
"""Words that are too long to occur in a random value by chance."""

_SHORT_MARKS = frozenset(
    {
        "bogus", "deleted", "deleteme", "demo", "dummy", "elided", "fake", "filter", "foo", "foobar", "hidden",
        "invalid", "masked", "mock", "mocked", "obscured", "omitted", "removed", "replaced", "sample", "scrub",
        "stripped", "stub", "test", "testing", "unused",
    }
)  # fmt: skip
"""These count only as separate words."""

_SCHEME = re.compile(r"\A(?:Basic|Bearer|Digest|DPoP|GenieKey|Key|SSWS|Token|ApiKey|Api-Token)[ :=]+(?=\S)", re.I)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_VARIABLE = re.compile(r"\$[A-Za-z_]\w*|:[a-z_]+")
_WRAPPERS = (("<", ">"), ("[", "]"), ("{", "}"), ("(", ")"), ("*", "*"), ("%", "%"), ("%{", "}"), ("__", "__"))
_OWNED = re.compile(r"(?:my|your|our|some|the|an?|any)(?=[A-Z_ -])[A-Za-z_ -]{2,40}")
"""Such as ``myAPIToken`` and ``your-key``."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_ROWS = ("0123456789" * 2, "1234567890" * 2, f"{_ALPHABET}0123456789", f"0123456789{_ALPHABET}", "0123456789abcdef" * 2)
_LONGEST_LABEL = 80
_FEWEST_OF_ROW = 6
_LONG = 16


def is_scrubbed(value: str) -> bool:
    """Return whether a value is a placeholder: a word of a filter, a mask, an example or a variable."""
    bare = _SCHEME.sub("", value.strip().strip("\"'")).strip().strip("\"'")
    if not bare or _is_marked(bare) or _is_masked(bare) or placeholder(bare) is not None:
        return True
    if len(bare) <= _LONGEST_LABEL and _is_label(bare):
        return True
    if bare.count(".") == 2 and bare.startswith("eyJ"):  # a JSON Web Token without its signature
        return is_scrubbed(bare.rpartition(".")[2])
    return _is_scrubbed_pair(value)


def _is_label(text: str) -> bool:
    wrapped = any(text.startswith(left) and text.endswith(right) and len(text) > 2 for left, right in _WRAPPERS)
    return wrapped or _VARIABLE.fullmatch(text) is not None or _OWNED.fullmatch(text) is not None


def _is_marked(text: str) -> bool:
    low = text.lower()
    if any(mark in low for mark in _LONG_MARKS):
        return True
    # Split at signs; at capitals only if the text consists of words, because a random text can contain any short word.
    words = re.split(r"[^a-z0-9]+", low)
    if any(len(word) >= _LONG and not word.isalpha() for word in words):  # as in ``sk_test_…``, whose rest is random
        return False
    return any(word.rstrip("0123456789") in _SHORT_MARKS for word in words) or (
        is_words(text) and not _SHORT_MARKS.isdisjoint(word.lower() for word in _WORD.findall(text))
    )


def _is_masked(text: str) -> bool:
    """Return whether most of a text is one repeated sign, or a sequence of the alphabet or of digits."""
    if "..." in text or "…" in text:
        return True
    signs = [sign for sign in text if sign.isalnum() or sign in "*•·#"]
    if not signs:
        return True
    most = max(map(signs.count, set(signs)))
    if len(signs) >= 3 and (most == len(signs) or (most >= 4 and any(sign * 4 in text for sign in "xX*•·#"))):
        return 2 * most >= len(signs)
    low = "".join(signs).lower()
    return len(low) >= _FEWEST_OF_ROW and (
        _counts(low) or any(low in row for row in _ROWS) or (len(low) > _FEWEST_OF_ROW and len(set(low)) <= 3)
    )


def _counts(text: str) -> bool:
    """Return whether digits count upwards, possibly several times: 12345678-1234-1234."""
    return text.isdecimal() and all(after in "01" or int(after) == int(before) + 1 for before, after in pairwise(text))


def _is_scrubbed_pair(value: str) -> bool:
    """Return whether a Basic header contains no secret as its password, or as its name without a password."""
    scheme, _, encoded = value.strip().partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        pair = base64.b64decode(encoded.strip() + "=" * (-len(encoded.strip()) % 4)).decode()
    except (binascii.Error, ValueError):
        return False
    name, _, password = pair.partition(":")
    return is_scrubbed(password or name)


def is_words(text: str) -> bool:
    """Return whether a text consists of words, as sentences and names of settings do, and is not random."""
    if len(text) > _LONGEST_LABEL or re.search(r"[^A-Za-z0-9 ,.'_:/!?()-]", text):
        return False
    letters = re.sub(r"\d{1,3}$", "", text)
    if any(map(str.isdigit, letters)):
        return False
    words = _WORD.findall(letters)
    return all(len(word) < 20 for word in words) and sum(len(word) < 3 for word in words) * 2 <= len(words)
