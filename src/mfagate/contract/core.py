"""Call Pact's Rust core (the ``pact_ffi`` package). No other module does.

The core has one function that matches in process: for the response of a synchronous message. It runs the content
matchers of the Verifier, so both compare a JSON body, and a header or status as ``text/plain``, with the same code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from mfagate.contract.errors import ContractError

_BAD_EXPRESSION = "is not a valid regular expression"
# The core panics, with a message on standard error, if a regular expression backtracks too far.
GAVE_UP = "a regular expression takes too many steps"


class CompiledExpectation:
    """An example text and its matching rules, compiled once.

    Several threads may use one instance at once: matching does not change it, and the core releases the GIL.
    """

    __slots__ = ("_arguments", "_interaction", "_match", "_pact")

    def __init__(self, content_type: str, example: str, rules: Mapping[str, Any], where: str) -> None:
        """Compile an expectation.

        Args:
            content_type: Decides how the core reads both texts.
            example: The expected text, not empty.
            rules: The ``body`` category of the pact's ``matchingRules``, by path.
            where: The file and the part of it, for error messages.

        Raises:
            ContractError: The core does not understand the rules.
        """
        # The core reports its usage over the network unless this is set before it is loaded.
        os.environ["PACT_DO_NOT_TRACK"] = "true"
        import pact_ffi

        self._arguments = (content_type, example, rules, where)
        self._match = pact_ffi.sync_message_match_response_contents
        # The pact owns its interactions, so it must live as long as they do.
        self._pact = pact_ffi.new_pact("mfagate", "mfagate")
        pact_ffi.with_specification(self._pact, pact_ffi.PactSpecification.V4)
        self._interaction = pact_ffi.new_sync_message_interaction(self._pact, "answer")
        part = pact_ffi.InteractionPart.RESPONSE
        try:
            pact_ffi.with_body(self._interaction, part, content_type, example)
            pact_ffi.with_matching_rules(self._interaction, part, json.dumps({"body": rules}))
        except RuntimeError as error:
            raise ContractError(f"{where}: Pact cannot read the matching rules of {', '.join(rules)}") from error

    def __reduce__(self) -> tuple[type[CompiledExpectation], tuple[Any, ...]]:
        """Pickle only the arguments, because a handle of the core is valid in one process only."""
        return CompiledExpectation, self._arguments

    def mismatches(self, actual: str) -> list[dict[str, Any]]:
        """Return Pact's mismatches in the core's words; an empty list is a match.

        Each has ``path``, ``expected``, ``actual`` (texts, or JSON if the content is JSON) and ``mismatch``, a
        sentence. ``actual`` must not contain NUL, because it is passed as a C string.

        Raises:
            ContractError: A regular expression of the rules is not valid.
        """
        try:
            mismatches = self._match(self._interaction, 0, None, actual)
        except RuntimeError:
            return [{"path": "$", "expected": actual, "actual": actual, "mismatch": GAVE_UP}]
        for mismatch in mismatches:
            if _BAD_EXPRESSION in mismatch["mismatch"]:
                raise ContractError(f"{self._arguments[-1]}: {mismatch['path']}: {mismatch['mismatch']}")
        return mismatches
