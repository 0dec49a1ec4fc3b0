"""The central value: one request as sent, and one answer or transport failure.

Probes, contract interactions, recordings and drift all speak :class:`Exchange`.
The phase names are those of Prometheus blackbox_exporter's
``probe_http_duration_seconds``
(https://github.com/prometheus/blackbox_exporter/blob/master/prober/http.go).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlsplit

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.foreign import ForeignText, quoted
from mfagate.core.foreign.parsing import raw

ConnectionUse = Literal["new", "kept", "renewed"]


class Phase(StrEnum):
    """The phases of an exchange, in order."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    PROCESSING = "processing"
    TRANSFER = "transfer"


class Headers(Mapping[str, ForeignText]):
    """Hold header fields in wire order; look-ups ignore case and join repeated fields with commas.

    ``items_in_order`` are the plain texts, for code that sends, stores or searches them.
    """

    def __init__(self, items: tuple[tuple[str, str], ...] = ()) -> None:
        self.items_in_order = items
        self._by_name: dict[str, list[str]] = {}
        for name, value in items:
            self._by_name.setdefault(name.lower(), []).append(value)

    def __getitem__(self, name: str) -> ForeignText:
        return ForeignText(", ".join(self._by_name[name.lower()]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._by_name == other._by_name

    def __hash__(self) -> int:
        return hash(self.items_in_order)

    def __repr__(self) -> str:
        # Names only: a header value may be a credential.
        return f"Headers({sorted(self._by_name)})"

    def all(self, name: str) -> tuple[ForeignText, ...]:
        """Return each value of a repeated field, in wire order."""
        return tuple(map(ForeignText, self._by_name.get(name.lower(), ())))


@dataclass(frozen=True, slots=True)
class Request:
    """A request exactly as it was sent, after signing."""

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = field(default=b"", repr=False)


class NotJson(ValueError):
    """A body that is not JSON in UTF-8."""


_LONGEST_TYPE = 80


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. ``truncated`` says that the body was longer than the cap.

    ``undecodable`` is the content coding that the header claims and the body does not have.
    """

    status: int
    reason: ForeignText = field(default=ForeignText(""))
    headers: Headers = field(default_factory=Headers)
    body: bytes = field(default=b"", repr=False)
    truncated: bool = False
    undecodable: ForeignText | None = None
    _parsed: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)
    """The parsed body, or the error of parsing it, kept because parsing 1 MiB takes time."""

    @property
    def media_type(self) -> ForeignText:
        """The content type without its parameters, in lower case."""
        named = raw(self.headers.get("content-type")) or ""
        return ForeignText(named.partition(";")[0].strip().lower())

    @property
    def shown_type(self) -> str:
        """The content type without its parameters, ready to show; empty if there is none.

        It is quoted before it is cut or changed to lower case, so that a key in it is recognised.
        """
        named = self.headers.get("content-type")
        return quoted(named.quoted().partition(";")[0], _LONGEST_TYPE) if named is not None else ""

    @property
    def text(self) -> ForeignText:
        """The body as text, with U+FFFD for what is not UTF-8."""
        return ForeignText(self.body.decode("utf-8", "replace"))

    def json(self) -> Any:
        """Return the body as JSON, parsed once: every caller gets the same value, so do not change it.

        Raises:
            ValueError: The body is not JSON in UTF-8.
        """
        if not self._parsed:
            try:
                self._parsed[:] = [self._read()]
            except ValueError as error:
                self._parsed[:] = [NotJson(str(error))]
        if isinstance(self._parsed[0], NotJson):
            raise NotJson(*self._parsed[0].args)
        return self._parsed[0]

    def _read(self) -> Any:
        if self.undecodable is not None:
            raise ValueError(
                f"the body is not in {self.undecodable.quoted(_LONGEST_TYPE)}, although its header says so"
            )
        try:
            # Given bytes, the decoder would accept UTF-16 as well, which few clients do.
            return json.loads(self.body.decode("utf-8-sig"))
        except RecursionError as error:
            raise ValueError("JSON nested too deeply") from error


def host_of(url: str) -> str:
    """Return the host of a URL, in lower case and without a final dot; an empty text for a URL without a host."""
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""


LEADS_TO = "leads to"
"""Key of a failure's evidence that the name of a host leads to this machine or to no server."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why no answer arrived, as precisely as the operating system reports it. Foreign texts in it are quoted.

    ``outcome`` is set if the cause alone does not decide it: a name that
    does not exist is a failure, a resolver that does not answer is inconclusive.
    ``next_step`` is set if more is known than the cause page says. ``setting`` names a setting whose value
    is the reason.
    """

    cause: CauseId
    phase: Phase
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome | None = None
    next_step: str | None = None
    setting: str | None = None


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """The verified certificate of the server."""

    subject: ForeignText
    issuer: ForeignText
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with its answer or failure, and the duration of each phase.

    Exactly one of ``response`` and ``failure`` is set. ``phases`` holds seconds
    for the phases that took place. ``started`` is in UTC. ``stalled`` is how many of these seconds this
    machine kept us waiting for a processor, as far as that is measured. ``connection`` says whether the
    request opened a connection or used a kept one, which spares the first phases. If it is ``renewed``, the kept one
    had been closed, and the request was sent again on a new one.
    """

    request: Request
    started: datetime
    response: Response | None = None
    failure: Failure | None = None
    phases: Mapping[Phase, float] = field(default_factory=dict)
    certificate: ServerCertificate | None = None
    address: str | None = None
    proxy: str | None = None
    stalled: float = 0.0
    connection: ConnectionUse = "new"

    @property
    def seconds(self) -> float:
        """Duration of all phases together."""
        return sum(self.phases.values())

    @property
    def phases_without_stalls(self) -> Mapping[Phase, float]:
        """The phases, of which the longest is shorter by the time that this machine kept us waiting."""
        longest = max(self.phases, key=lambda phase: self.phases[phase], default=None)
        if longest is None:
            return {}
        return {**self.phases, longest: max(self.phases[longest] - self.stalled, 0.0)}
