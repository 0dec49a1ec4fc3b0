"""``k8s-secret:PATH#name/key``: a value of a Kubernetes Secret manifest, base64 decoded.

``data`` is base64, ``stringData`` is plain and wins where both name a key
(https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data).
A file may hold several documents, and ``List`` objects.
"""

from __future__ import annotations

import base64
import binascii
from collections import deque
from collections.abc import Iterator
from typing import Any

from mfagate.result import Location
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Resolved, StoreContext, full_path, read_file
from mfagate.yaml_text import YamlError, documents, loader


class Store:
    """Reads manifests relative to the configuration file."""

    def __init__(self, context: StoreContext) -> None:
        self._base = context.base

    def resolve(self, reference: Reference) -> Resolved:
        """The decoded value, with the line in the manifest."""
        path, fragment = reference.path_and_fragment("k8s-secret:secret.yaml#mfa/token")
        name, _, key = fragment.rpartition("/")
        if not name or not key:
            raise Unresolved(f"{reference} is incomplete: write it like k8s-secret:secret.yaml#mfa/token")
        names = []
        for secret in _secrets(read_file(self._base, path, reference), reference, path):
            names.append(str(secret["metadata"]["name"]))
            if names[-1] == name:
                return self._value(secret, key, reference, path)
        found = f"it holds {', '.join(names)}" if names else "it holds no Secret"
        raise Unresolved(f"{reference}: {path} has no Secret named {name}; {found}")

    def _value(self, secret: dict[str, Any], key: str, reference: Reference, path: str) -> Resolved:
        for section in ("stringData", "data"):
            values = secret.get(section)
            if isinstance(values, dict) and key in values:
                line = values.line_of(key) if isinstance(values, _Lines) else None
                location = Location(full_path(self._base, path, reference), line)
                value = values[key]
                if value is None:
                    raise Unresolved(f"{reference}: the Secret names {key!r} without a value ({location})")
                return Resolved(value if section == "stringData" else _decode(value, reference), location)
        keys = [str(k) for s in ("stringData", "data") if isinstance(secret.get(s), dict) for k in secret[s]]
        raise Unresolved(f"{reference}: the Secret has no key {key!r}; it has {', '.join(keys) or 'none'}")


class _Lines(dict[str, Any]):
    """A mapping that knows the line of each of its keys."""

    lines: dict[str, int]

    def line_of(self, key: str) -> int | None:
        return self.lines.get(key)


def _secrets(text: str, reference: Reference, path: str) -> Iterator[dict[str, Any]]:
    base: Any = loader()

    class Loader(base):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            mapping = _Lines(super().construct_mapping(node, deep=True))
            mapping.lines = {k.value: k.start_mark.line + 1 for k, _ in node.value if isinstance(k.value, str)}
            return mapping

    Loader.add_constructor("tag:yaml.org,2002:map", lambda loader, node: loader.construct_mapping(node))
    try:
        waiting = deque(documents(text, Loader))
    except YamlError as error:
        where = f" (line {error.line})" if error.line else ""
        raise Unresolved(f"{reference}: {path} is not valid YAML{where}") from None
    seen: set[int] = set()
    while waiting:
        document = waiting.popleft()
        # By aliases one object may stand in very many places.
        if not isinstance(document, dict) or id(document) in seen:
            continue
        seen.add(id(document))
        if isinstance(document.get("items"), list):
            waiting.extend(document["items"])
        metadata = document.get("metadata")
        if document.get("kind") == "Secret" and isinstance(metadata, dict) and "name" in metadata:
            yield document


def _decode(value: Any, reference: Reference) -> str:
    if not isinstance(value, str):
        raise Unresolved(f"{reference}: the value under data must be a base64 string")
    try:
        return base64.b64decode("".join(value.split()), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise Unresolved(
            f"{reference}: the value under data is not base64 of text; plain text belongs under stringData"
        ) from None
