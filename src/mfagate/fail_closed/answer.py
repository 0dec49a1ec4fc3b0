"""An answer as bytes on a connection, which a mutation changes and the contract evaluates."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from mfagate.contract import Interaction
from mfagate.core.exchange import Headers, Response
from mfagate.core.foreign import ForeignText, quoted
from mfagate.core.foreign.parsing import raw
from mfagate.transport.content import Undecodable, decode

_LONGEST_SHOWN = 300
_LIMIT = 1 << 20


class Ending(StrEnum):
    """What happens to the answer on its way to the client; only ``WHOLE`` delivers all of it."""

    WHOLE = "is whole"
    SHORT = "has a shorter body than its Content-Length"
    UNENDED = "has no last chunk"
    CUT = "ends in the middle of the body, by a close"
    RESET = "ends in the middle of the body, by a reset"
    CLOSED = "never begins: the connection is closed"
    REFUSED = "never begins: no server listens"
    FOREIGN = "comes with a certificate of an untrusted authority"
    MISNAMED = "comes with a certificate for another host name"
    EXPIRED = "comes with an expired certificate"
    UNACCEPTED = "never begins: the connection is not accepted"
    SILENT = "never begins: no byte is sent"
    SILENT_MIDWAY = "stops in the middle of the body, and the connection stays open"
    DRIPPING = "never ends: its body continues byte by byte"
    DRIPPING_HEAD = "never ends: a header continues byte by byte"


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """One answer. Content-Length is added when it is sent, unless the headers contain one."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    ending: Ending = Ending.WHOLE

    @classmethod
    def example(cls, interaction: Interaction) -> ProviderAnswer:
        """Return the example of an interaction."""
        expected = interaction.response
        headers = tuple((name, ", ".join(values)) for name, values in expected.headers.items())
        return cls(expected.status, headers, (expected.body or "").encode())

    @property
    def response(self) -> Response:
        """The answer as the contract evaluates it."""
        headers = Headers(self.headers)
        body, truncated, undecodable = self.body, self.ending is not Ending.WHOLE, False
        coding = raw(headers.get("content-encoding")) or ""
        try:
            decoded = decode(body, coding, _LIMIT, complete=True)
        except Undecodable:
            undecodable = True
        else:
            body = body if decoded is None else decoded[0]
        named = ForeignText(coding) if undecodable else None
        return Response(self.status, headers=headers, body=body, truncated=truncated, undecodable=named)

    def conforms_to(self, interaction: Interaction) -> bool:
        """Return whether the interaction allows this answer, according to the contract's own matcher."""
        return self.ending is Ending.WHOLE and not interaction.match(self.response)

    def document(self) -> Any:
        """Return the body as JSON.

        Raises:
            ValueError: It is not JSON.
        """
        return json.loads(self.body)

    def with_document(self, document: Any) -> ProviderAnswer:
        """Return the same answer with another JSON body."""
        return replace(self, body=json.dumps(document).encode("utf-8", "surrogatepass"))

    def with_header(self, name: str, value: str | None) -> ProviderAnswer:
        """Return the same answer with another value of a header, or without it."""
        kept = tuple(each for each in self.headers if each[0].lower() != name.lower())
        return replace(self, headers=kept if value is None else (*kept, (name, value)))

    def head(self) -> bytes:
        """Return the status line and the headers as they are sent."""
        names = {name.lower() for name, _ in self.headers}
        length = () if names & {"content-length", "transfer-encoding"} else (("Content-Length", str(len(self.body))),)
        sent = (*self.headers, *length, ("Connection", "close"))
        lines = [f"HTTP/1.1 {self.status} ", *(f"{name}: {value}" for name, value in sent)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def __str__(self) -> str:
        """Return the answer in one line."""
        kind = Headers(self.headers).get("content-type")
        shown = quoted(self.body.decode("utf-8", "backslashreplace"), _LONGEST_SHOWN)
        return f"{self.status}, {kind.quoted() if kind is not None else 'no content type'}: {shown or '(empty)'}"
