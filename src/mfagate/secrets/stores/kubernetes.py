"""``k8s-secret:PATH#name/key`` and ``#namespace/name/key``: a value of a Kubernetes Secret manifest, base64 decoded.

``data`` is base64; ``stringData`` is plain text and overrides ``data``
(https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data).
A file may contain several documents and ``List`` objects. Objects that a Secret is made from, such as a SealedSecret,
are described in :mod:`mfagate.secrets.stores.manifests`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mfagate.core.finding import Location, some
from mfagate.core.foreign import quoted
from mfagate.core.yaml_text import YamlError, could_be_deep, documents, loader
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Resolved, StoreContext, full_path, read_file
from mfagate.secrets.stores.manifests import makes_secrets

_EXAMPLES = "k8s-secret:secret.yaml#mfa/token, or with a namespace k8s-secret:secret.yaml#production/mfa/token"

_SECTIONS = ("stringData", "data")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The Secret and the key that a reference names."""

    reference: Reference
    path: str
    file: Path
    namespace: str | None
    name: str
    key: str

    def instead(self, secret: _Manifest, key: str | None = None) -> str:
        """Return the reference to this or another key of a Secret in the file."""
        return f"k8s-secret:{self.path}#{secret.title}/{quoted(key or self.key, 80)}"

    def miss(self, message: str, next_step: str | None = None, line: int | None = None) -> Unresolved:
        """Return the error for this reference, at a line of the file."""
        location = None if line is None else Location(self.file, line)
        return Unresolved(f"{self.reference}: {message}", next_step=next_step, location=location)


@dataclass(frozen=True, slots=True)
class _Manifest:
    """One object of a file."""

    content: _LineMap = field(repr=False)

    @property
    def kind(self) -> str:
        """The kind; kustomize may omit its own."""
        return str(self.content.get("kind") or ("Kustomization" if "secretGenerator" in self.content else ""))

    @property
    def name(self) -> str | None:
        """The name in the metadata."""
        name = self._metadata.get("name")
        return None if name is None else str(name)

    @property
    def namespace(self) -> str | None:
        """The namespace in the metadata, if any."""
        namespace = self._metadata.get("namespace")
        return None if namespace is None else str(namespace)

    @property
    def line(self) -> int:
        """The line of the kind."""
        return self.content.line_of("kind") or self.content.line_of("metadata") or 1

    @property
    def title(self) -> str:
        """Namespace and name, as in a reference."""
        name = quoted(self.name, 80)
        return name if self.namespace is None else f"{quoted(self.namespace, 80)}/{name}"

    def has(self, key: str) -> bool:
        """Return whether there is a value for the key."""
        return any(isinstance(values := self.content.get(name), dict) and key in values for name in _SECTIONS)

    @property
    def _metadata(self) -> dict[str, Any]:
        metadata = self.content.get("metadata")
        return metadata if isinstance(metadata, dict) else {}


def resolve(context: StoreContext, reference: Reference) -> Resolved:
    """Return the decoded value, with its line in the manifest."""
    path, fragment = reference.path_and_fragment("k8s-secret:secret.yaml#mfa/token")
    *namespace, name, key = fragment.split("/") if fragment.count("/") in (1, 2) else ("", "")
    if not all((*namespace, name, key)):
        message = f"{reference} is incomplete: write it like {_EXAMPLES}"
        raise Unresolved(message, next_step=f"Write the name of the Secret and its key, like {_EXAMPLES}.")
    file = full_path(context.base, path, reference)
    wanted = _Wanted(reference, path, file, namespace[0] if namespace else None, name, key)
    return _value(_chosen(_manifests(read_file(file, reference), wanted), wanted), wanted)


def _chosen(manifests: Sequence[_Manifest], wanted: _Wanted) -> _Manifest:
    secrets = [manifest for manifest in manifests if manifest.kind == "Secret" and manifest.name is not None]
    named = [secret for secret in secrets if secret.name == wanted.name]
    fitting = [secret for secret in named if wanted.namespace in (None, secret.namespace)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise _ambiguous(fitting, wanted)
    if named:
        raise wanted.miss(
            f"{wanted.path} has no Secret {wanted.name} in the namespace {wanted.namespace}; "
            f"it has {some([secret.title for secret in named])}",
            f"Write the namespace that the manifest states, or no namespace if it states none, as in "
            f"{wanted.instead(named[0])}.",
        )
    if any("{{" in str(secret.name) for secret in secrets):
        message = f"{wanted.path} has no Secret named {wanted.name}; it is a template that has not been rendered"
        raise wanted.miss(message, _RENDER, secrets[0].line)
    if (instead := _makes_instead(manifests, wanted)) is not None:
        raise instead
    message = f"{wanted.path} has no Secret named {wanted.name}"
    if not secrets:
        raise wanted.miss(f"{message}; it contains no Secret", "Point at the manifest of the Secret.")
    raise wanted.miss(
        f"{message}; it has {some([secret.title for secret in secrets])}",
        f"Write the name of the Secret, with its namespace if necessary, as in {wanted.instead(secrets[0])}.",
    )


def _ambiguous(fitting: Sequence[_Manifest], wanted: _Wanted) -> Unresolved:
    places = " and ".join(f"{one.title} (line {one.line})" for one in fitting)
    message = f"{wanted.path} has {len(fitting)} Secrets named {wanted.name}: {places}"
    if len({one.title for one in fitting}) < len(fitting):
        step = "Remove one of them from the file, or point at the file that is deployed."
        return wanted.miss(f"{message}; the last one applied counts", step, fitting[-1].line)
    qualified = sorted((one for one in fitting if one.namespace is not None), key=lambda one: not one.has(wanted.key))
    return wanted.miss(message, f"Write the namespace of the Secret, as in {wanted.instead(qualified[0])}.")


def _makes_instead(manifests: Sequence[_Manifest], wanted: _Wanted) -> Unresolved | None:
    """Return the error if another object makes the Secret or has its name."""
    made = [(one, makes_secrets(one.kind, one.content, wanted.path, (wanted.name, wanted.key))) for one in manifests]
    makers = [(one, maker) for one, maker in made if maker is not None]
    for one, maker in makers:
        if wanted.name in (one.name, *maker.names):
            return wanted.miss(f"{wanted.path} has no Secret {wanted.name}, but {maker.what}", maker.step, one.line)
    for one in manifests:
        if one.kind == "ConfigMap" and one.name == wanted.name:
            example = f"yaml:{wanted.path}#[ConfigMap/{wanted.name}].data.{wanted.key}"
            return wanted.miss(f"{wanted.name} is a ConfigMap, not a Secret", f"Write {example}.", one.line)
    if not makers or any(one.kind == "Secret" for one in manifests):
        return None
    return wanted.miss(f"{wanted.path} has no Secret named {wanted.name}, but {makers[0][1].what}", makers[0][1].step)


def _value(secret: _Manifest, wanted: _Wanted) -> Resolved:
    keys: list[str] = []
    for section in _SECTIONS:
        values = secret.content.get(section)
        if not isinstance(values, dict):
            continue
        keys += map(str, values)
        if wanted.key in values:
            line = values.line_of(wanted.key) if isinstance(values, _LineMap) else None
            location, value = Location(wanted.file, line), values[wanted.key]
            if value is None:
                raise wanted.miss(f"the Secret names {wanted.key!r} without a value ({location})", line=line)
            return Resolved(value if section == "stringData" else _decode(value, wanted, line), location)
    listed = some([quoted(key, 80) for key in dict.fromkeys(keys)]) or "no keys"
    near = get_close_matches(wanted.key, keys, n=1, cutoff=0) if keys else []
    step = f"Write one of its keys, as in {wanted.instead(secret, near[0])}." if near else None
    raise wanted.miss(f"the Secret has no key {wanted.key!r}; it has {listed}", step, secret.line)


class _LineMap(dict[str, Any]):
    """A mapping with the line of each key."""

    lines: dict[str, int]

    def line_of(self, key: str) -> int | None:
        """Return the line of a key, counted from 1."""
        return self.lines.get(key)


def _manifests(text: str, wanted: _Wanted) -> Sequence[_Manifest]:
    base: Any = loader(could_be_deep(text))

    class LineLoader(base):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            mapping = _LineMap(super().construct_mapping(node, deep=True))
            mapping.lines = {k.value: k.start_mark.line + 1 for k, _ in node.value if isinstance(k.value, str)}
            return mapping

    LineLoader.add_constructor("tag:yaml.org,2002:map", lambda loader, node: loader.construct_mapping(node))
    try:
        return list(_objects(documents(text, LineLoader)))
    except YamlError as error:
        where = f" (line {error.line})" if error.line else ""
        message = f"{wanted.path} is not valid YAML{where}"
        if "{{" in text:
            message += "; it contains {{ … }}: the template has not been rendered"
            raise wanted.miss(message, _RENDER, error.line) from None
        raise wanted.miss(message, line=error.line) from None


_RENDER = (
    "Render it in the job before the gate runs, with the values of this environment (helm template … > OUT, "
    "kustomize build … > OUT), and point the reference at OUT."
)


def _objects(found: Sequence[Any]) -> Iterator[_Manifest]:
    waiting = deque(found)
    seen: set[int] = set()
    while waiting:
        document = waiting.popleft()
        # Through aliases, one object may occur in very many places.
        if not isinstance(document, _LineMap) or id(document) in seen:
            continue
        seen.add(id(document))
        if isinstance(document.get("items"), list):
            waiting.extend(document["items"])
        yield _Manifest(document)


_SPACE_INSIDE = "the value under data is base64 with a space or tab in it, which Kubernetes refuses"
_IN_ONE_LINE = "Write it on one line: base64 -w0. In YAML, > and continued lines without | join lines with a space."
"""Go's decoder ignores only line breaks: https://pkg.go.dev/encoding/base64#Encoding.DecodeString,
https://github.com/rackerlabs/genestack/issues/340."""


_TEMPLATE = re.compile(r"\{\{.*|\$\{.*|\$\(.*|<[^>]*>.*|[%#@]\{.*", re.DOTALL)
"""Placeholders of Helm, Flux and envsubst, kustomize, argocd-vault-plugin, and others."""


def _decode(value: Any, wanted: _Wanted, line: int | None) -> str:
    if not isinstance(value, str):
        raise wanted.miss("the value under data must be a base64 string", line=line)
    if _TEMPLATE.match(value.strip()):
        raise wanted.miss("the value under data is a template that has not been rendered", _RENDER, line)
    if value.startswith("ENC["):
        return value  # :class:`Stores` names the tool that encrypted it.
    try:
        return base64.b64decode(re.sub(r"[\r\n]", "", value), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        if re.search(r"[ \t]", value):
            raise wanted.miss(_SPACE_INSIDE, _IN_ONE_LINE, line) from None
        raise wanted.miss(
            "the value under data is not text in base64; plain text belongs under stringData",
            "Move the plain value from data to stringData, or put its base64 under data: "
            'printf %s "$VALUE" | base64 -w0.',
            line,
        ) from None
