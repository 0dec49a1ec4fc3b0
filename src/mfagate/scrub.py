"""What a recording keeps of an exchange: nothing secret, nothing that changes by itself.

Deny by default: request headers beyond a few are dropped, response headers are
kept only where the provider names them, and fields are blanked by name at any
depth of query, form and JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from mfagate.exchange import Exchange, Headers, Request, Response
from mfagate.foreign.parsing import raw

SCRUBBED = "scrubbed"

_KEPT_REQUEST_HEADERS = frozenset({"accept", "content-type"})

_ALWAYS_SECRET = frozenset(
    {"accesstoken", "apikey", "authorization", "clientassertion", "clientsecret", "code", "idtoken", "otp",
     "pass", "passcode", "password", "pin", "refreshtoken", "secret", "token"}
)  # fmt: skip
"""Field names that hold secrets at every provider, however they write them (``access_token``, ``accessToken``)."""


@dataclass(frozen=True, slots=True)
class Scrubbing:
    """What a recording must not keep, by field name at any depth.

    ``secret_fields`` are blanked out in query, form and JSON. ``volatile_fields``
    differ on each recording of an unchanged provider; each is replaced by a
    fixed value of the same shape, so that a new recording is byte-identical
    and still satisfies the contract. ``public_fields`` are kept although their
    names are those of secrets elsewhere. ``kept_headers`` are response headers
    worth keeping; all others are dropped.
    """

    secret_fields: frozenset[str] = frozenset()
    volatile_fields: Mapping[str, Any] = field(default_factory=dict)
    kept_headers: frozenset[str] = frozenset({"content-type"})
    public_fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Scrubs the exchanges of one provider. ``host`` stands in for the host that was asked."""

    rules: Scrubbing
    host: str

    def scrub(self, exchange: Exchange) -> tuple[Request, Response]:
        """Request and answer as they may be kept.

        Raises:
            ValueError: There is no answer to keep, or one that cannot be searched for secrets.
        """
        request, response = exchange.request, exchange.response
        if response is None:
            raise ValueError("an exchange without an answer cannot be kept")
        kept_request = Request(
            request.method,
            self.url(request.url),
            _keep(request.headers, _KEPT_REQUEST_HEADERS),
            self._body(request.body, raw(request.headers.get("content-type")) or ""),
        )
        kept_response = Response(
            response.status,
            response.reason,
            _keep(response.headers, self.rules.kept_headers),
            self._body(response.body, raw(response.headers.get("content-type")) or ""),
        )
        return kept_request, kept_response

    def url(self, url: str) -> str:
        """The address as it may be kept.

        Raises:
            ValueError: It is none.
        """
        parts = urlsplit(url)
        query = urlencode([(name, self._value(name, value)) for name, value in parse_qsl(parts.query, True)])
        return urlunsplit(("https", self.host, parts.path, query, ""))

    def _body(self, body: bytes, content_type: str) -> bytes:
        if "form-urlencoded" in content_type.lower():
            fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
            return urlencode([(name, self._value(name, value)) for name, value in fields], quote_via=quote).encode()
        try:
            document = self.tree(json.loads(body))
        except ValueError:
            return body
        except RecursionError:
            raise ValueError("JSON nested so deeply cannot be searched for secrets") from None
        try:
            # Unescaped, so that a secret that slipped through is found by the scan in its plain form too.
            return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        except UnicodeEncodeError:  # half a surrogate pair can only stand escaped
            return json.dumps(document, separators=(",", ":")).encode()

    def tree(self, node: Any) -> Any:
        """JSON as it may be kept."""
        if isinstance(node, Mapping):
            # Beside a message a code is that of an error, and no one-time password.
            plain = {"code"} if isinstance(node.get("message"), str) else set()
            return {
                name: self.tree(value) if name in plain else self._value(name, value) for name, value in node.items()
            }
        if isinstance(node, list):
            return [self.tree(item) for item in node]
        return node

    def _value(self, name: str, value: Any) -> Any:
        if value is None:
            return None
        if name in self.rules.volatile_fields:
            return self.rules.volatile_fields[name]
        usual = name.lower().replace("_", "").replace("-", "")
        if name in self.rules.public_fields:
            return self.tree(value)
        if usual in _ALWAYS_SECRET or name in self.rules.secret_fields:
            # The ``code`` of an error is a number.
            return _blank(value, numbers=usual != "code")
        return self.tree(value)


def showable(rules: Scrubbing, document: Any) -> Any:
    """JSON as a report may show it: as it is, but for texts that are secret, or that name somebody or something."""
    texts = {name for name, value in rules.volatile_fields.items() if not isinstance(value, int | float)}
    shown = replace(rules, secret_fields=rules.secret_fields | texts, volatile_fields={})
    return Scrubber(shown, "").tree(document)


def _blank(value: Any, *, numbers: bool) -> Any:
    """The same structure with nothing left in it; what is empty stays so."""
    if isinstance(value, Mapping):
        return {name: _blank(item, numbers=numbers) for name, item in value.items()}
    if isinstance(value, list):
        return [_blank(item, numbers=numbers) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return SCRUBBED if value else value
    return 0 if numbers else value


def _keep(headers: Headers, names: frozenset[str]) -> Headers:
    return Headers(tuple((name, value) for name, value in headers.items_in_order if name.lower() in names))
