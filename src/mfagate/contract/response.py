"""Match actual answers with the answer that a contract expects.

Pact decides whether an answer matches. Its core compares rules, bodies, and headers with a rule. The remaining parts (a
status or header without a rule, and which media types are comparable) follow its sources, and the tests compare the
result with Pact's Verifier. This module adds a cause to every mismatch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mfagate.contract import media_type
from mfagate.contract import mismatch as found
from mfagate.contract.core import CompiledExpectation
from mfagate.contract.headers import ExpectedHeader
from mfagate.contract.media_type import MediaType
from mfagate.contract.mismatch import Mismatch, Showable
from mfagate.core.exchange import Response
from mfagate.core.foreign.parsing import raw

_MOST_MISMATCHES = 1000
"""An answer of 1 MiB can have 200,000 mismatches, which would take seconds to describe."""

# https://www.rfc-editor.org/rfc/rfc9745 and https://www.rfc-editor.org/rfc/rfc8594
_RETIREMENT_HEADERS = ("sunset", "deprecation")


@dataclass(frozen=True)
class ExpectedResponse:
    """A response of the pact.

    ``body`` is its text: None allows any body, and an empty text requires an empty body. ``header_rules`` and
    ``body_rules`` are categories of the pact's ``matchingRules`` (header names in lower case), ``status_rule`` is the
    rule of the status. ``where`` names file and interaction in error messages.
    """

    status: int = 200
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: str | None = None
    media_type: MediaType | None = None
    status_rule: Mapping[str, Any] | None = None
    header_rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    body_rules: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""

    def match(self, answer: Response, showable: Showable | None = None) -> list[Mismatch]:
        """Return how an answer differs from this one, the most informative difference first.

        An empty list is a match. Further fields and headers are allowed. ``showable`` removes secrets from the answer's
        JSON before messages quote it; without ``showable``, they quote all values.

        Raises:
            ContractError: Pact's core does not understand a matching rule.
        """
        mismatches = [*self._status(answer), *self._headers(answer), *self._body(answer, showable)]
        return sorted(self._retired(answer, mismatches), key=found.rank) if mismatches else mismatches

    def _status(self, answer: Response) -> Iterator[Mismatch]:
        if self._status_expectation is None:
            if answer.status != self.status:
                yield found.status_changed(self.status, answer.status)
            return
        if broken := self._status_expectation.mismatches(str(answer.status)):
            yield found.status_changed(self.status, answer.status, broken[0]["mismatch"])

    def _headers(self, answer: Response) -> Iterator[Mismatch]:
        for header in self._expected_headers:
            broken = header.mismatch(answer.headers)
            if broken is not None:
                yield broken

    def _body(self, answer: Response, showable: Showable | None) -> list[Mismatch]:
        if self.body is None:
            return []
        if answer.truncated:
            return [found.body_unreadable("is longer than the limit and was cut off")]
        if answer.undecodable is not None:
            return [found.body_unreadable(f"is not in {answer.undecodable.quoted(80)}, as the header claims")]
        if not self.body:
            return self._no_body(answer)
        if not answer.body:
            return [found.body_unreadable("is empty")]
        try:
            text = answer.body.decode()
        except UnicodeDecodeError:
            return [found.body_unreadable("is not UTF-8")]
        if "\0" in text:
            return [found.body_unreadable("contains a NUL character")]
        if not self._compares_with(answer, text):
            return [self._other_type(answer, text)]
        broken = self._body_expectation.mismatches(text)[:_MOST_MISMATCHES]
        if not self._is_json:
            return [found.in_text(pact_mismatch, showable) for pact_mismatch in broken]
        quotes = found.Quotes(text, showable)
        return [mismatch for pact_mismatch in broken for mismatch in found.in_json(pact_mismatch, text, quotes)]

    def _no_body(self, answer: Response) -> list[Mismatch]:
        if not answer.body or not self._compares_with(answer, raw(answer.text)):
            return []
        return [found.body_not_empty()]

    def _compares_with(self, answer: Response, text: str) -> bool:
        """Return whether Pact compares the bodies, by their types."""
        if self.media_type is None:
            return True
        named = answer.headers.all("content-type")  # Pact reads the first header of this name.
        actual = (media_type.parse(raw(named[0])) if named else None) or media_type.detect(text)
        if self.media_type.accepts(actual):
            return True
        return self._content_type is not None and self._content_type.allows(str(actual))

    def _other_type(self, answer: Response, text: str) -> Mismatch:
        if self._is_json and not _holds_json(answer):
            return found.not_json(text)
        return found.header_changed("Content-Type", str(self.media_type), raw(answer.headers.get("content-type")))

    def _retired(self, answer: Response, mismatches: list[Mismatch]) -> list[Mismatch]:
        """Add the retirement of the endpoint if it explains the mismatches.

        It does for a 410, and for a 404 unless its body is a JSON object that shares a field with the contract's body:
        then the endpoint exists, and a resource is missing. ``Deprecation`` and ``Sunset`` explain any mismatch.
        """
        changed = next((mismatch for mismatch in mismatches if mismatch.path == "status"), None)
        if changed is not None and (answer.status == 410 or (answer.status == 404 and not self._is_familiar(answer))):
            message = f"The status is {answer.status} and not {self.status}: the endpoint is gone."
            others = [mismatch for mismatch in mismatches if mismatch is not changed]
            return [found.endpoint_retired(message, "status"), *others]
        for name in _RETIREMENT_HEADERS:
            if answer.headers.get(name) is not None:
                message = f"The provider announces the end of this endpoint in its {name.title()} header."
                return [found.endpoint_retired(message, f"header {name.title()}"), *mismatches]
        return mismatches

    def _is_familiar(self, answer: Response) -> bool:
        if not _holds_json(answer) or not isinstance(body := answer.json(), dict):
            return False
        example = json.loads(self.body) if self.body and self._is_json else None
        return not isinstance(example, dict) or not body.keys().isdisjoint(example)

    @property
    def _is_json(self) -> bool:
        return self.media_type is not None and self.media_type.is_json

    # Compiled on first use, so that reading an interaction takes no time. If two threads compile the same expectation,
    # the second result replaces the first, and both are correct.

    @cached_property
    def _status_expectation(self) -> CompiledExpectation | None:
        if self.status_rule is None:
            return None
        return CompiledExpectation("text/plain", str(self.status), {"$": self.status_rule}, self.where)

    @cached_property
    def _expected_headers(self) -> tuple[ExpectedHeader, ...]:
        return tuple(
            ExpectedHeader(name, values, self.header_rules.get(name.lower()), self.where)
            for name, values in self.headers.items()
        )

    @cached_property
    def _content_type(self) -> ExpectedHeader | None:
        return next((header for header in self._expected_headers if header.name.lower() == "content-type"), None)

    @cached_property
    def _body_expectation(self) -> CompiledExpectation:
        assert self.body
        return CompiledExpectation(str(self.media_type), self.body, self.body_rules, self.where)


def _holds_json(answer: Response) -> bool:
    try:
        answer.json()
    except ValueError:
        return False
    return True
