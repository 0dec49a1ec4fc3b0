"""The answer that a contract expects, and matching of actual answers with it.

Pass or fail is Pact's: rules, bodies and ruled headers are judged by its core, the
little that remains (a status or header without a rule, which media types compare)
follows its sources, and the tests hold the result against Pact's Verifier. What is
added is a cause for every mismatch.
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
from mfagate.core.foreign import quoted
from mfagate.core.foreign.parsing import raw

_MOST_MISMATCHES = 1000
"""An answer of 1 MiB can have 200,000, which would take seconds to describe, and nobody reads them."""

# https://www.rfc-editor.org/rfc/rfc9745 and https://www.rfc-editor.org/rfc/rfc8594
_RETIREMENT_HEADERS = ("sunset", "deprecation")


@dataclass(frozen=True)
class ExpectedResponse:
    """A response of the pact.

    ``body`` is its text; None says nothing about the body, an empty text demands an
    empty one. ``header_rules`` and ``body_rules`` are the categories of the pact's
    ``matchingRules`` (header names in lower case), ``status_rule`` is the one of the
    status. ``where`` names file and interaction in error messages.
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
        """How an answer differs from this one, the most telling difference first.

        An empty list is a match. Further fields and headers are allowed. ``showable`` makes of
        the answer's JSON what the messages may quote; without it they quote what there is.

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
            return [found.body_unreadable("holds a NUL character")]
        if not self._compares_with(answer, text):
            return [self._other_type(answer, text)]
        broken = self._body_expectation.mismatches(text)[:_MOST_MISMATCHES]
        if self._is_json:
            quotes = found.Quotes(text, showable)
            return [mismatch for each in broken for mismatch in found.in_json(each, text, quotes)]
        return [mismatch for each in broken for mismatch in found.in_text(each, showable)]

    def _no_body(self, answer: Response) -> list[Mismatch]:
        if not answer.body or not self._compares_with(answer, raw(answer.text)):
            return []
        return [found.body_not_empty(raw(answer.text))]

    def _compares_with(self, answer: Response, text: str) -> bool:
        """Whether Pact compares the bodies at all, by their types."""
        if self.media_type is None:
            return True
        named = answer.headers.all("content-type")  # of several, Pact reads the first
        actual = (media_type.parse(raw(named[0])) if named else None) or media_type.detect(text)
        if self.media_type.accepts(actual):
            return True
        return self._content_type is not None and self._content_type.allows(str(actual))

    def _other_type(self, answer: Response, text: str) -> Mismatch:
        if self._is_json and not _holds_json(answer):
            return found.not_json(text)
        return found.header_changed("Content-Type", str(self.media_type), raw(answer.headers.get("content-type")))

    def _retired(self, answer: Response, mismatches: list[Mismatch]) -> list[Mismatch]:
        """Names the retirement of the endpoint where that explains the mismatches.

        A 410 says so, and so does a 404 unless its body is a JSON object that shares a
        field with the contract's body: then the API knows the endpoint and misses a
        resource. ``Deprecation`` and ``Sunset`` say so on any answer that differs.
        """
        changed = next((each for each in mismatches if each.path == "status"), None)
        if changed is not None and (answer.status == 410 or (answer.status == 404 and not self._is_familiar(answer))):
            message = f"The status is {answer.status} and not {self.status}: the endpoint is gone."
            retired = found.endpoint_retired(message, "status", answer.status)
            return [retired, *(each for each in mismatches if each is not changed)]
        for name in _RETIREMENT_HEADERS:
            if (value := answer.headers.get(name)) is not None:
                message = f"The provider announces the end of this endpoint in its {name.title()} header."
                retired = found.endpoint_retired(message, f"header {name.title()}", quoted(value, found.LONGEST_VALUE))
                return [retired, *mismatches]
        return mismatches

    def _is_familiar(self, answer: Response) -> bool:
        if not _holds_json(answer) or not isinstance(body := answer.json(), dict):
            return False
        example = json.loads(self.body) if self.body and self._is_json else None
        return not isinstance(example, dict) or not body.keys().isdisjoint(example)

    @property
    def _is_json(self) -> bool:
        return self.media_type is not None and self.media_type.is_json

    # Compiled on first use: an interaction that is only read costs nothing. Two threads
    # may compile the same one; the second result replaces the first, and both are right.

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
        return next((each for each in self._expected_headers if each.name.lower() == "content-type"), None)

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
