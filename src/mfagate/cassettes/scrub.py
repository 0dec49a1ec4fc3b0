"""Remove from an exchange what a recording must not keep: secrets, and values that always change.

The default is to remove: only a few request headers are kept, and only the response headers that the provider names.
Fields are blanked by name at any depth of query, form and JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from mfagate.core.exchange import Exchange, Headers, Request, Response
from mfagate.core.foreign.parsing import raw
from mfagate.secrets.shapes import COMMON, SecretShape, replaced

SCRUBBED = "scrubbed"

_KEPT_REQUEST_HEADERS = frozenset({"accept", "content-type"})

_ALWAYS_SECRET = frozenset(
    {"clientassertion", "code", "otp", "pass", "passcode", "passphrase", "pin", "privatekey", "pwd", "skey"}
)  # fmt: skip
"""Names of secret fields at every provider, in any spelling (``privateKey``, ``private_key``)."""

_SECRET_ENDINGS = ("accesskey", "apikey", "authorization", "password", "secret", "secretkey", "sessionid", "token")
"""Endings of the names of secret fields: ``sessionToken``, ``X-Access-Token``."""

_PLACES_IN_LISTS = ("continuationtoken", "nexttoken", "pagetoken", "skiptoken", "synctoken")
"""Names of fields with the position of the next page of a list."""


def names_secret(name: str) -> bool:
    """Return whether a field, parameter or header of this name contains a secret at any provider."""
    usual = _usual(name)
    return usual in _ALWAYS_SECRET or (usual.endswith(_SECRET_ENDINGS) and not usual.endswith(_PLACES_IN_LISTS))


def _usual(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


@dataclass(frozen=True, slots=True)
class Scrubbing:
    """What a recording must not keep, by field name at any depth.

    ``secret_fields`` are blanked in query, form and JSON. ``volatile_fields`` differ in each recording of an unchanged
    provider; each is replaced with a fixed value of the same format, so that a new recording is identical and satisfies
    the contract. ``public_fields`` are kept, although fields of these names are secret at other providers.
    ``kept_headers`` are the response headers to keep; all others are dropped.
    """

    secret_fields: frozenset[str] = frozenset()
    volatile_fields: Mapping[str, Any] = field(default_factory=dict)
    kept_headers: frozenset[str] = frozenset({"content-type"})
    public_fields: frozenset[str] = frozenset()


_FORM = re.compile(r"[^\s=&<>{}\"]{1,100}=[^\s&<>{}\"]*+(?:&[^\s=&<>{}\"]{1,100}=[^\s&<>{}\"]*+)*+\s*+")
"""A form without the header that declares it."""

_OPENING = re.compile(r"\{(?=\s*+[\"}])|\[(?=\s*+[\"{\[\]0-9tfn-])")
_DECODER = json.JSONDecoder()
_MOST_WASTED = 1000
"""How often the length of a text may be read in vain before the search ends."""

_FIELD = re.compile(r"""(?P<before>["'](?P<name>[\w-]{2,40})["']\s*+:\s*+["'])(?P<value>(?:[^"'\\]|\\.)*+)""")


_ELEMENT = re.compile(
    r"(?P<before><(?:\w{1,40}:)?(?P<name>[\w-]{2,40})(?:\s[^<>]{0,2000})?>)(?P<value>[^<>]{1,20000}+)(?=</)"
)
_PART = re.compile(
    r'(?P<before>\bname="(?P<name>[^"\r\n]{1,100})"[^\r\n]{0,200}\r?\n(?:[\w-]{1,40}:[^\r\n]{0,200}\r?\n){0,5}\r?\n)'
    r"(?P<value>[^\r\n]{1,20000}+)"
)
"""An element of XML with a text, and a part of a form in several parts: https://www.rfc-editor.org/rfc/rfc7578"""


def _written(document: Any) -> bytes:
    try:
        # Not escaped, so that the scan also finds a remaining secret in plain text.
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # Half a surrogate pair can only be written escaped.
        return json.dumps(document, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Scrubs the exchanges of one provider.

    Args:
        rules: What the provider declares.
        host: Replaces the host of the request.
        shapes: Secrets that are recognised by their format, under any name.
        notice: Called for each removed secret with the name of the field or the kind of secret, and the value of the
            field.
    """

    rules: Scrubbing
    host: str
    shapes: Sequence[SecretShape] = COMMON
    notice: Callable[[str | None, str, Any], None] = lambda _name, _what, _value: None

    def scrub(self, exchange: Exchange) -> tuple[Request, Response]:
        """Return the request and the answer as they may be kept.

        Raises:
            ValueError: There is no answer, or it cannot be searched for secrets.
        """
        request, response = exchange.request, exchange.response
        if response is None:
            raise ValueError("an exchange without an answer cannot be kept")
        kept_request = Request(
            request.method,
            self.url(request.url),
            self._keep(request.headers, _KEPT_REQUEST_HEADERS),
            self.body(request.body, raw(request.headers.get("content-type")) or ""),
        )
        kept_response = Response(
            response.status,
            response.reason,
            self._keep(response.headers, self.rules.kept_headers),
            self.body(response.body, raw(response.headers.get("content-type")) or ""),
        )
        return kept_request, kept_response

    def url(self, url: str) -> str:
        """Return the address as it may be kept.

        Raises:
            ValueError: It is not a URL.
        """
        parts = urlsplit(url)
        query = urlencode([(name, self._value(name, value)) for name, value in parse_qsl(parts.query, True)])
        return urlunsplit(("https", self.host, self.text(parts.path), query, ""))

    def body(self, body: bytes, content_type: str) -> bytes:
        """Return the body as it may be kept.

        Raises:
            ValueError: It cannot be searched for secrets.
        """
        if "form-urlencoded" in content_type.lower():
            return self.form(body.decode("utf-8", "replace")).encode()
        try:
            return _written(self.tree(json.loads(body)))
        except ValueError:
            return self._other(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        except RecursionError:
            raise ValueError("JSON nested so deeply cannot be searched for secrets") from None

    def text(self, text: str) -> str:
        """Return a text without the secrets that are recognised by their format."""
        kept, found = replaced(text, self.shapes, SCRUBBED)
        for what in found:
            self.notice(None, what, None)
        return kept

    def form(self, text: str) -> str:
        """Return a form, or the parameters of an address, as it may be kept."""
        fields = parse_qsl(text, keep_blank_values=True)
        return urlencode([(name, self._value(name, value)) for name, value in fields], quote_via=quote)

    def _other(self, text: str) -> str:
        """Return a body of another kind without its secrets."""
        if _FORM.fullmatch(text):
            fields = parse_qsl(text, keep_blank_values=True)
            same = all(self._value(name, value) == value for name, value in fields)
            return text if same else self.form(text)
        marked = _ELEMENT.sub(self._enclosed, text) if "</" in text else text
        return self.text(self._with_json(_PART.sub(self._enclosed, marked) if 'name="' in marked else marked))

    def _enclosed(self, found: re.Match[str]) -> str:
        """Scrub an element of XML, or a part of a form in several parts."""
        # A code is an HTML element.
        return found[0] if _usual(found["name"]) == "code" else self._field(found)

    def _with_json(self, text: str) -> str:
        """Scrub every JSON document in a text, and fields of incomplete JSON.

        A byte order mark, a guard such as ``)]}'`` or a name may precede JSON, and any text may follow it.
        """
        pieces, at, searched, wasted = [], 0, 0, 0
        while found := _OPENING.search(text, searched):
            try:
                document, end = _DECODER.raw_decode(text, found.start())
            except ValueError as error:
                searched = found.end()
                read_to = getattr(error, "pos", searched)
                # The error counts lines from the start of the text, which is faster than parsing.
                wasted += 20 * (read_to - found.start()) + read_to
                if wasted > _MOST_WASTED * (len(text) + 1):
                    raise ValueError("text with so many fragments of JSON cannot be searched for secrets") from None
                continue
            kept = self.tree(document)
            pieces += [
                _FIELD.sub(self._field, text[at : found.start()]),
                text[found.start() : end] if kept == document else _written(kept).decode(),
            ]
            at = searched = end
        return "".join([*pieces, _FIELD.sub(self._field, text[at:])])

    def _field(self, field: re.Match[str]) -> str:
        value = self._value(field["name"], field["value"])
        return field[0] if value == field["value"] else f"{field['before']}{value}"

    def tree(self, node: Any) -> Any:
        """Return JSON as it may be kept."""
        if isinstance(node, Mapping):
            # A code beside a message is an error code, not a one-time password.
            plain = {"code"} if isinstance(node.get("message"), str) else set()
            return {
                name: self.tree(value) if name in plain else self._value(_name_in(node, name), value)
                for name, value in node.items()
            }
        if isinstance(node, list):
            return [self.tree(item) for item in node]
        if isinstance(node, str):
            return self._json_in_text(node) if node.startswith(("{", "[")) else self.text(node)
        return node

    def _json_in_text(self, text: str) -> str:
        """Return a text inside JSON as it may be kept; the text may be JSON itself."""
        try:
            document = json.loads(text)
            kept = self.tree(document)
        except (ValueError, RecursionError):
            return self.text(text)
        return text if kept == document else _written(kept).decode()

    def _value(self, name: str, value: Any) -> Any:
        if value is None:
            return None
        if name in self.rules.volatile_fields:
            return self.rules.volatile_fields[name]
        if name in self.rules.public_fields:
            return self.tree(value)
        if names_secret(name) or name in self.rules.secret_fields:
            # A ``code`` that is a number is an error code.
            blanked = _blank(value, numbers=_usual(name) != "code")
            if blanked != value:
                self.notice(name, "", value)
            return blanked
        return self.tree(value)

    def _keep(self, headers: Headers, names: frozenset[str]) -> Headers:
        kept = ((name, value) for name, value in headers.items_in_order if name.lower() in names)
        return Headers(tuple((name, self.text(value)) for name, value in kept))


def _name_in(node: Mapping[str, Any], name: str) -> str:
    """Return the name of a member; the value of ``{"name": "password", "value": "…"}`` is named ``password``."""
    label = node.get("name", node.get("key")) if name == "value" else None
    return label if isinstance(label, str) else name


def secrets_sent(rules: Scrubbing, authorization: str, body: bytes) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each secret in a request, such as a new signed assertion.

    Args:
        rules: What the provider declares.
        authorization: The ``Authorization`` header. A Basic header contains only settings, or a signature.
        body: JSON or a form.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer":
        yield "access token", token
    waiting: list[tuple[str, Any]]
    try:
        waiting = [("", json.loads(body))]
    except (ValueError, RecursionError):
        waiting = [*parse_qsl(body.decode("utf-8", "replace"))]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [
                (name or (key if names_secret(key) or key in rules.secret_fields else ""), item)
                for key, item in value.items()
            ]
        elif isinstance(value, list):
            waiting += [(name, item) for item in value]
        elif isinstance(value, str) and (names_secret(name) or name in rules.secret_fields):
            yield name, value


def showable(rules: Scrubbing, document: Any) -> Any:
    """Return JSON for a report: without secret texts, and without texts that name a user or an object."""
    texts = {name for name, value in rules.volatile_fields.items() if not isinstance(value, int | float)}
    shown = replace(rules, secret_fields=rules.secret_fields | texts, volatile_fields={})
    return Scrubber(shown, "").tree(document)


def _blank(value: Any, *, numbers: bool) -> Any:
    """Return the same structure with all values blanked; empty values are kept."""
    if isinstance(value, Mapping):
        return {name: _blank(item, numbers=numbers) for name, item in value.items()}
    if isinstance(value, list):
        return [_blank(item, numbers=numbers) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return SCRUBBED if value else value
    return 0 if numbers else value
