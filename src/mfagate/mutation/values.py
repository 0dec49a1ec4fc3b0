"""Mistakes in one value, as people, editors, shells and tools make them.

Each function takes the value and a random number generator. It returns the edited value, or None if it does not apply.
A result equal to the value is dropped later.
"""

from __future__ import annotations

import base64
import html
import json
import re
import string
from collections.abc import Callable, Iterator
from random import Random
from urllib.parse import quote

from mfagate.core.causes import CauseId
from mfagate.mutation.model import Class, EditOperator, EditTarget

Edit = Callable[[str, Random], str | None]

_STRAY = frozenset({CauseId.CONFIG_STRAY_CHARACTERS})
_KIND = frozenset({CauseId.CONFIG_WRONG_KIND})
_EMPTY = frozenset({CauseId.CONFIG_SETTING_MISSING})
_LEFT = frozenset({CauseId.CONFIG_PLACEHOLDER_LEFT})
_UNRESOLVED = frozenset({CauseId.CONFIG_REFERENCE_UNRESOLVED})

_KINDS = ("0123456789", "abcdef", "ABCDEF", string.ascii_lowercase, string.ascii_uppercase)


def _another(character: str, rng: Random) -> str:
    """Return another character of the same kind, so that the format stays valid (hexadecimal stays hexadecimal)."""
    kind = next((kind for kind in _KINDS if character in kind), "")
    return rng.choice([c for c in kind if c != character]) if kind else character


def _positions(value: str) -> list[int]:
    """Return indexes in the middle: some bits of the last base64 characters mean nothing."""
    start = value.find("\n") + 1 if value.startswith("-----") else 0
    indexes = [n for n in range(start, len(value)) if value[n].isascii() and value[n].isalnum()]
    cut = len(indexes) // 5
    return indexes[cut : len(indexes) - cut] or indexes


def _mistyped(value: str, rng: Random) -> str | None:
    indexes = _positions(value)
    if not indexes:
        return None
    at = rng.choice(indexes)
    return value[:at] + _another(value[at], rng) + value[at + 1 :]


def _transposed(value: str, rng: Random) -> str | None:
    pairs = [n for n in _positions(value)[:-1] if value[n + 1].isalnum() and value[n] != value[n + 1]]
    if not pairs:
        return None
    at = rng.choice(pairs)
    return value[:at] + value[at + 1] + value[at] + value[at + 2 :]


def _dropped(value: str, rng: Random) -> str | None:
    indexes = _positions(value)
    at = rng.choice(indexes) if indexes else 0
    return value[:at] + value[at + 1 :]


def _doubled(value: str, rng: Random) -> str | None:
    indexes = _positions(value)
    at = rng.choice(indexes) if indexes else 0
    return value[: at + 1] + value[at:]


def redrawn(value: str, rng: Random) -> str | None:
    """Return a value of the same format, like that of another account, or of the same account after a rotation."""
    if value.startswith("-----"):
        return _mistyped(value, rng)
    head, mark, tail = value.rpartition(".")
    if value.startswith("eyJ") and mark:  # a JWT: another signature
        return head + mark + _redrawn(tail[:-2], rng) + tail[-2:]
    if re.fullmatch(r"[0-9A-Fa-f-]{36}", value):
        return _redrawn(value, rng)
    if host := re.fullmatch(r"((?:https?://)?)([a-z][\w-]*)(\.[\w.-]+)", value):  # another tenant of the same provider
        return host[1] + host[2][:4] + _redrawn(host[2][4:], rng) + host[3]
    return value[:4] + _redrawn(value[4:], rng) if len(value) > 8 else None


def _redrawn(text: str, rng: Random) -> str:
    return "".join(_another(character, rng) for character in text)


def _case(change: Callable[[str], str]) -> Edit:
    def edit(value: str, _: Random) -> str | None:
        # The case of a GUID or a fingerprint has no meaning.
        if value.startswith("-----") or re.fullmatch(r"[0-9A-Fa-f-]{36}|[0-9A-F]{40}|[0-9A-F]{64}", value):
            return None
        return change(value)

    return edit


_LOOKALIKES = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")
"""Latin letters, and the Cyrillic ones that look the same."""


def _cyrillic(value: str) -> str:
    at = next((n for n, character in enumerate(value) if ord(character) in _LOOKALIKES), None)
    return value if at is None else value[:at] + value[at].translate(_LOOKALIKES) + value[at + 1 :]


def _pem(change: Callable[[str], str]) -> Edit:
    return lambda value, _: change(value) if value.startswith("-----BEGIN") else None


def _one_line(change: Callable[[str], str]) -> Edit:
    """Leave PEM out: its line breaks are part of it, and changes at its ends are tolerated."""
    return lambda value, _: change(value) if not value.startswith("-----BEGIN") else None


def _always(change: Callable[[str], str]) -> Edit:
    """Apply a change to any value. Text after a PEM block is appended to its last line: a new line would be ignored."""
    return lambda value, _: change(value.rstrip("\n") if value.startswith("-----BEGIN") else value)


def _inside(text: str) -> Edit:
    return _one_line(lambda value: f"{value[: len(value) // 2]}{text}{value[len(value) // 2 :]}")


def _b64(value: str) -> str:
    return base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()


def _typo(name: str, sentence: str, edit: Edit) -> tuple[EditOperator, Edit]:
    return EditOperator(name, Class.TYPO, sentence, wrong_value=True), edit


def _stray(name: str, sentence: str, edit: Edit, *, sure: bool = True) -> tuple[EditOperator, Edit]:
    return EditOperator(name, Class.STRAY, sentence, _STRAY, wrong_value=not sure), edit


def _encoding(
    name: str, sentence: str, edit: Edit, causes: frozenset[CauseId] = frozenset()
) -> tuple[EditOperator, Edit]:
    return EditOperator(name, Class.ENCODING, sentence, causes, wrong_value=True), edit


def _unresolved(name: str, whose: str, text: str) -> tuple[EditOperator, Edit]:
    sentence = f"a reference or ciphertext of {whose} was never resolved"
    return EditOperator(name, Class.REFERENCE, sentence, _UNRESOLVED), _always(lambda value: text)


def _left(name: str, text: str) -> tuple[EditOperator, Edit]:
    return EditOperator(name, Class.MISSING, f"{text} was never replaced", _LEFT), _always(lambda value: text)


OPERATORS: tuple[tuple[EditOperator, Edit], ...] = (
    _typo("mistyped", "one character is wrong", _mistyped),
    _typo("transposed", "two adjacent characters are swapped", _transposed),
    _typo("dropped", "one character is missing", _dropped),
    _typo("doubled", "one character is doubled", _doubled),
    _typo("first-cut", "the first character was not copied", _always(lambda value: value[1:])),
    _typo("last-cut", "the last character was not copied", _one_line(lambda value: value[:-1])),
    _typo("half", "only the first half was copied", _always(lambda value: value[: len(value) // 2])),
    _typo("upper-case", "it was changed to upper case", _case(str.upper)),
    _typo("lower-case", "it was changed to lower case", _case(str.lower)),
    _stray("leading-blank", "a leading space", _always(lambda value: f" {value}")),
    _stray("trailing-blank", "a trailing space", _always(lambda value: f"{value} ")),
    _stray("trailing-newline", "a trailing newline, as echo writes it", _one_line(lambda value: f"{value}\n")),
    _stray("trailing-crlf", "a trailing Windows line ending", _one_line(lambda value: f"{value}\r\n")),
    _stray("trailing-tab", "a trailing tab", _always(lambda value: f"{value}\t")),
    _stray("double-quotes", "double quotes became part of it", _always(lambda value: f'"{value}"')),
    _stray("single-quotes", "single quotes became part of it", _always(lambda value: f"'{value}'")),
    _stray("curly-quotes", "a word processor's curly quotes around it", _always(lambda value: f"“{value}”")),
    _stray("non-breaking-space", "a trailing non-breaking space", _always(lambda value: f"{value}\u00a0")),
    _stray("zero-width-space", "a trailing invisible space", _always(lambda value: f"{value}\u200b")),
    _stray("zero-width-inside", "an invisible space inside", _inside("\u200b")),
    _stray("byte-order-mark", "a leading byte order mark", _always(lambda value: f"\ufeff{value}")),
    _stray("bearer-prefix", "the value begins with the header's Bearer", _always(lambda value: f"Bearer {value}")),
    _stray("basic-prefix", "the value begins with the header's Basic", _always(lambda value: f"Basic {value}")),
    _stray("ssws-prefix", "the value begins with SSWS", _always(lambda value: f"SSWS {value}"), sure=False),
    _stray("trailing-comma", "a trailing comma, as in a list", _always(lambda value: f"{value},"), sure=False),
    _stray("trailing-semicolon", "a trailing semicolon", _always(lambda value: f"{value};"), sure=False),
    _stray("trailing-backslash", "a trailing backslash, as in a continued line", _one_line(lambda value: f"{value}\\")),
    _stray("in-angle-brackets", "the value is in angle brackets", _one_line(lambda value: f"<{value}>")),
    _stray("inner-blank", "a space inside", _inside(" "), sure=False),
    _stray("cyrillic", "one letter is a Cyrillic letter that looks the same", _one_line(_cyrillic), sure=False),
    _stray("comment", "a comment became part of it", _always(lambda value: f"{value} # rotated"), sure=False),
    _stray("name-in-front", "the value begins with KEY=", _always(lambda value: f"KEY={value}"), sure=False),
    _encoding("base64", "it is the value in base64", _always(_b64)),
    _encoding("base64-twice", "it is the value in base64, twice", _always(lambda value: _b64(_b64(value)))),
    _encoding("url-encoded", "it was URL-encoded", _always(lambda value: quote(value, safe=""))),
    _encoding("url-encoded-twice", "it was URL-encoded twice", _always(lambda v: quote(quote(v, safe=""), safe=""))),
    _encoding("html", "& < > \" ' are HTML entities", _always(html.escape)),
    _encoding("json-string", "it is a JSON string, escapes included", _always(json.dumps), _STRAY),
    _encoding("bytes-literal", "it is printed as Python bytes", _always(lambda value: f"b{value!r}"), _STRAY),
    _encoding("latin-1", "one character was read in another encoding", _always(lambda v: f"{v[:-1]}Ã©"), _STRAY),
    _encoding("twice", "the value was pasted twice", _one_line(lambda value: value * 2)),
    _encoding("pem-escapes", "line breaks are the two characters \\n", _pem(lambda v: v.replace("\n", "\\n")), _STRAY),
    _encoding("pem-one-line", "the line breaks were removed", _pem(lambda value: value.replace("\n", ""))),
    _encoding("pem-blanks", "the line breaks became spaces", _pem(lambda value: value.strip().replace("\n", " "))),
    _encoding("pem-cut", "the last line is missing", _pem(lambda v: v.rstrip().rpartition("\n")[0])),
    _encoding("pem-label", "it has another label", _pem(lambda v: v.replace("PRIVATE KEY", "PUBLIC KEY")), _KIND),
    (EditOperator("redrawn", Class.STALE, "another account's value, or a rotated one", wrong_value=True), redrawn),
    _left("changeme", "changeme"),
    _left("todo", "TODO"),
    _left("variable", "${MFA_VALUE}"),
    _left("template", "{{ .Values.mfa }}"),
    _left("angle-brackets", "<value>"),
    _left("crosses", "XXXXXXXXXXXX"),
    _left("example", "example"),
    _left("replace-tokens", "#{mfa_value}#"),
    _left("your-company", "your-company"),
    _unresolved(
        "key-vault", "Azure Key Vault", "@Microsoft.KeyVault(SecretUri=https://mfa.vault.azure.net/secrets/mfa)"
    ),
    _unresolved("one-password", "1Password", "op://production/mfa/value"),
    _unresolved("vault", "Vault", "vault:kv/data/mfa#value"),
    _unresolved("vals", "vals", "ref+awssecrets://mfa/value"),
    _unresolved("secrets-manager", "AWS Secrets Manager", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mfa"),
    _unresolved("secret-manager", "Google Secret Manager", "projects/mfa/secrets/value/versions/latest"),
    _unresolved("sops", "SOPS", "ENC[AES256_GCM,data:bWZhLWdhdGU=,iv:bWZhLWdhdGU=,tag:bWZhLWdhdGU=,type:str]"),
    _unresolved("jasypt", "jasypt", "ENC(bWZhLWdhdGUtbWZhLWdhdGU=)"),
    _unresolved("config-server", "Spring Cloud Config", "{cipher}6d66612d676174652d6d66612d67617465"),
    _unresolved("actions", "GitHub Actions", "${{ secrets.MFA_VALUE }}"),
    _unresolved("pipelines", "Azure Pipelines", "$(MFA_VALUE)"),
    _unresolved("octopus", "Octopus Deploy", "#{Mfa.Value}"),
    (EditOperator("empty", Class.MISSING, "the value is empty", _EMPTY), _always(lambda value: "")),
    (EditOperator("blank", Class.MISSING, "the value is only a space", _EMPTY), _always(lambda value: " ")),
)


_CASES = ("upper-case", "lower-case")


def edits(target: EditTarget, rng: Random) -> Iterator[tuple[EditOperator, str]]:
    """Yield each mistake in the setting's value."""
    for operator, edit in OPERATORS:
        if operator.name in _CASES and target.address:
            continue  # The case of a host name has no meaning.
        value = edit(target.value, rng)
        if value is not None and not _same(target, value):
            yield operator, value


def _same(target: EditTarget, value: str) -> bool:
    """Return whether the values are equal; newlines after a value of several lines do not count."""
    if target.field.setting.multiline:
        return value.rstrip("\n") == target.value.rstrip("\n")
    return value == target.value


_URL = frozenset({CauseId.CONFIG_MALFORMED_URL})


def _address(name: str, sentence: str, edit: Callable[[str], str]) -> tuple[EditOperator, Callable[[str], str]]:
    return EditOperator(name, Class.ADDRESS, sentence, _URL, wrong_value=True), edit


def _scheme(value: str) -> str:
    if value.startswith("https://"):
        return value.replace("https://", "http://", 1)
    return f"https://{value.removeprefix('http://')}"


def _in_host(change: Callable[[str], str]) -> Callable[[str], str]:
    def edit(value: str) -> str:
        match = re.match(r"(https?://)?([^/:]+)", value)
        return f"{match[1] or ''}{change(match[2])}{value[match.end() :]}" if match else value

    return edit


def _admin(host: str) -> str:
    first, _, rest = host.partition(".")
    return f"admin-{first[4:]}.{rest}" if first.startswith("api-") else f"{first}-admin.{rest}"


def _other_port(value: str) -> str:
    return re.sub(r"^((?:https?://)?[^/:]+)(:\d+)?", lambda m: f"{m[1]}:1", value)


ADDRESS_OPERATORS = (
    _address("other-scheme", "http instead of https, or a scheme before a bare host", _scheme),
    _address("no-scheme", "the scheme is missing", lambda value: value.partition("://")[2] or value),
    _address("one-slash", "one slash of the scheme is missing", lambda value: value.replace("://", ":/")),
    _address("trailing-slash", "a trailing slash", lambda value: f"{value}/"),
    _address("path-added", "an API path is appended", lambda value: f"{value}/api/v1"),
    _address("port", "another port", _other_port),
    _address("dotless", "a dot of the host is missing", lambda value: value.replace(".", "", 1)),
    _address(
        "other-domain", "the host is in another top-level domain", _in_host(lambda h: re.sub(r"\.\w+$", ".co", h))
    ),
    _address("www", "www before the host", _in_host(lambda host: f"www.{host}")),
    _address("console-host", "the host of the administrators' console", _in_host(_admin)),
)


def address_edits(target: EditTarget) -> Iterator[tuple[EditOperator, str]]:
    """Yield each mistake that only an address can have."""
    if target.address:
        for operator, edit in ADDRESS_OPERATORS:
            value = edit(target.value)
            if value != target.value:
                yield operator, value
