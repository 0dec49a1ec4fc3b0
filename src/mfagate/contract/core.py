"""The only module that talks to Pact's Rust core (the ``pact_ffi`` package).

The core has one entry point that matches in process: the response of a synchronous
message. It runs the content matchers that the Verifier runs, so a JSON body, and a
header or status as ``text/plain``, are judged by the same code in both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from mfagate.contract.errors import ContractError

_BAD_EXPRESSION = "is not a valid regular expression"
# The core panics, and says so on standard error, where a regular expression backtracks too far.
GAVE_UP = "a regular expression takes too many steps"


class CompiledExpectation:
    """An example text and its matching rules, compiled once.

    One instance may be used by several threads at once: matching does not change it,
    and the core releases the GIL meanwhile.
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
        # The core reports usage over the network unless told not to before it is loaded.
        os.environ["PACT_DO_NOT_TRACK"] = "true"
        import pact_ffi

        self._arguments = (content_type, example, rules, where)
        self._match = pact_ffi.sync_message_match_response_contents
        # Dropping the pact frees its interactions, so it has to live as long as they do.
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
        """Pickle the text alone: a handle of the core is valid in one process only."""
        return CompiledExpectation, self._arguments

    def mismatches(self, actual: str) -> list[dict[str, Any]]:
        """Pact's mismatches, as the core words them; an empty list is a match.

        Each has ``path``, ``expected``, ``actual`` (texts, JSON where the content is)
        and ``mismatch``, a sentence. ``actual`` must not hold NUL: it goes to a C string.

        Raises:
            ContractError: A regular expression of the rules is not one.
        """
        try:
            mismatches = self._match(self._interaction, 0, None, actual)
        except RuntimeError:
            return [{"path": "$", "expected": actual, "actual": actual, "mismatch": GAVE_UP}]
        for mismatch in mismatches:
            if _BAD_EXPRESSION in mismatch["mismatch"]:
                raise ContractError(f"{self._arguments[-1]}: {mismatch['path']}: {mismatch['mismatch']}")
        return mismatches
