"""A fault that changes the type of secrets in live answers, and records them."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from mfagate.cassettes.scrub import SCRUBBED, Scrubber, Scrubbing
from mfagate.sandbox.faulty_proxy import Handler


class Wrapping:
    """Wraps the strings of the fields ``names`` in an object, if a recording would omit them.

    ``seen`` has all strings that a recording would omit, by the names of their fields.
    """

    def __init__(self, scrubbing: Scrubbing, names: frozenset[str] = frozenset()) -> None:
        self._scrubber, self._names = Scrubber(scrubbing, ""), names
        self.seen: defaultdict[str, set[str]] = defaultdict(set)

    def __call__(self, handler: Handler) -> bool:
        """Forward the request, and relay the changed answer."""
        status, body, headers = handler.ask()
        try:
            document = json.loads(body)
        except ValueError:
            pass
        else:
            body = json.dumps(self._wrapped(document, self._scrubber.tree(document), "")).encode()
        return handler.relay(status, body, headers, headers["Content-Type"])

    def _wrapped(self, node: Any, scrubbed: Any, name: str) -> Any:
        if isinstance(node, dict) and isinstance(scrubbed, dict):
            return {key: self._wrapped(value, scrubbed[key], key) for key, value in node.items()}
        if isinstance(node, list) and isinstance(scrubbed, list):
            return [self._wrapped(item, kept, name) for item, kept in zip(node, scrubbed, strict=True)]
        if isinstance(node, str) and scrubbed == SCRUBBED:
            self.seen[name].add(node)
            return {"value": node} if name in self._names else node
        return node
