"""``json:``, ``yaml:``, ``toml:``, ``ini:`` and ``tfvars:PATH#a.b``: one value inside a structured file.

:mod:`mfagate.secrets.stores.path` and :mod:`mfagate.secrets.stores.walk` explain how a value is addressed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from mfagate.core.finding import Location, some
from mfagate.core.foreign import quoted
from mfagate.core.toml_lines import parse as parse_toml
from mfagate.core.yaml_text import could_be_deep, documents, loader
from mfagate.secrets.reference import Reference, Unresolved
from mfagate.secrets.stores import Resolved, StoreContext, full_path, ini, is_xml, read_file, tfvars, xml_instead
from mfagate.secrets.stores.json_comments import without_comments
from mfagate.secrets.stores.lines import LineOf, json_lines, toml_lines, yaml_lines
from mfagate.secrets.stores.manifests import makes_secrets
from mfagate.secrets.stores.path import MalformedPath, ValuePath, to_write
from mfagate.secrets.stores.walk import Missing, Tagged, follow


@dataclass(frozen=True, slots=True)
class _Document:
    """One document of a file: its number in the file, and the title by which a reference may select it."""

    number: int
    title: str
    content: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class _ParsedDocument:
    text: str = field(repr=False)
    documents: Sequence[_Document]


def resolve(context: StoreContext, reference: Reference) -> Resolved:
    """Return the scalar at the path."""
    scheme = reference.scheme
    name, fragment = reference.path_and_fragment(f"{scheme}:deploy.{scheme}#mfa.key")
    try:
        path = ValuePath.parse(fragment)
    except MalformedPath:
        raise Unresolved(f'{reference}: a quote is missing or misplaced; write a step like "a.b"') from None
    full = full_path(context.base, name, reference)
    file = context.once(scheme, full, lambda: _read(reference, name, full))
    document, value, keys = _Lookup(reference, name, file).find(path)
    lines = context.once(f"lines of {scheme} {document}", full, lambda: _LINES[scheme](file.text, document))
    return Resolved(value, Location(full, lines(keys)))


def _read(reference: Reference, name: str, path: Path) -> _ParsedDocument:
    text = read_file(path, reference)
    if is_xml(text):
        raise xml_instead(reference, name, Location(path, 1))
    try:
        return _PARSERS[reference.scheme](text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        # Parsers quote the text at fault, which may be a secret: keep only the line.
        other = _other_scheme(reference, name, text)
        line: int | None = getattr(error, "lineno", None) or getattr(error, "line", None)
        position = f" (line {line})" if line else ""
        raise Unresolved(
            f"{reference}: {name} is not valid {reference.scheme}{position}{_hint(text)}",
            next_step=f"Write {other} instead of {reference}." if other else _OTHER_STEPS.get(reference.scheme),
            location=Location(path, line),
        ) from None


@dataclass(frozen=True, slots=True)
class _Lookup:
    """The lookup of one reference in one file."""

    reference: Reference
    name: str
    file: _ParsedDocument

    def find(self, path: ValuePath) -> tuple[int, Any, Sequence[str]]:
        """Return the number of the document, the value, and its keys.

        Raises:
            Unresolved: No document has it, or more than one.
        """
        documents = self._chosen(path)
        if len(documents) == 1:
            return self._within(documents[0], path)
        found = []
        for document in documents:
            try:
                found.append((document.number, *follow(document.content, path.steps)))
            except Missing:
                continue
        if len(found) == 1:
            chosen = next(document for document in documents if document.number == found[0][0])
            self._refuse_encoded(chosen.content, path.steps)
            return found[0]
        raise self._which(path, [number for number, _, _ in found])

    def _chosen(self, path: ValuePath) -> Sequence[_Document]:
        every = self.file.documents or [_Document(0, "0", None)]
        if path.document is None:
            return every
        chosen = [document for document in every if path.document in (document.title, str(document.number))]
        if not chosen:
            titles = some([quoted(document.title, 80) for document in every])
            raise Unresolved(f"{self.reference}: {self.name} has no document [{path.document}]; it has {titles}")
        return chosen

    def _within(self, document: _Document, path: ValuePath) -> tuple[int, Any, Sequence[str]]:
        try:
            found = (document.number, *follow(document.content, path.steps))
            self._refuse_encoded(document.content, path.steps)
            return found
        except Missing as missing:
            meant = missing.reference
            if instead := missing.instead or self._other_notation(document, path):
                meant = self._written(replace(path, steps=instead))
            elif isinstance(document.content, str):
                meant = _other_scheme(self.reference, self.name, self.file.text)
            hint = f"; write {meant}" if meant else ""
            step = f"If this is what you mean, write {meant} instead of {self.reference}." if meant else missing.step
            step = step or self._one_inside(path, missing.inside)
            raise Unresolved(f"{self.reference}: {missing}{hint}", next_step=step) from None

    def _one_inside(self, path: ValuePath, names: Sequence[str]) -> str | None:
        whole = [self._written(replace(path, steps=[*path.steps, name])) for name in names]
        return f"Write one of these: {some(whole)}." if whole else None

    def _refuse_encoded(self, content: Any, steps: Sequence[str]) -> None:
        """Refuse base64 and ciphertexts of manifests, because a program gets the decoded value.

        Raises:
            Unresolved: The value is under ``data`` of a Secret, or in a manifest that a Secret is made from.
        """
        kind = content.get("kind") if isinstance(content, dict) else None
        if not isinstance(kind, str) or not isinstance(metadata := content.get("metadata"), dict):
            return
        name = quoted(metadata.get("name"), 80)
        if kind == "Secret" and steps[0] == "data":
            title = f"{quoted(metadata['namespace'], 80)}/{name}" if "namespace" in metadata else name
            instead = f"k8s-secret:{self.name}#{title}/{'.'.join(steps[1:])}"
            message = f"{self.reference}: data of a Secret is base64, and a program gets it decoded; write {instead}"
            raise Unresolved(message, next_step=f"Write {instead} instead of {self.reference}.")
        if kind == "Kustomization":
            return  # Its literals are the values themselves.
        maker = makes_secrets(kind, content, self.name, (name, steps[-1]))
        if maker is not None:
            raise Unresolved(f"{self.reference}: {self.name} holds {maker.what}", next_step=maker.step)

    def _other_notation(self, document: _Document, path: ValuePath) -> Sequence[str]:
        """Return the steps of a path that was written as JSONPath (``$.a[0]``) or as a JSON Pointer (``/a/0``)."""
        steps = [step for step in re.split(r"[./\[\]'\"]+", ".".join(path.steps).removeprefix("$")) if step]
        try:
            return steps if steps and follow(document.content, steps) else ()
        except Missing:
            return ()

    def _which(self, path: ValuePath, having: Sequence[int]) -> Unresolved:
        documents = [document for document in self.file.documents if not having or document.number in having]
        titles = some([quoted(document.title, 80) for document in documents])
        example = self._written(replace(path, document=documents[0].title))
        how = f"{'several' if having else 'none'} of its {len(self.file.documents)} documents"
        return Unresolved(
            f"{self.reference}: {how} in {self.name} {'have' if having else 'has'} {quoted(path, 120)} ({titles}); "
            f"name the document, as in {example}",
            next_step=f"Name the document, as in {example}.",
        )

    def _written(self, path: ValuePath) -> str:
        return quoted(to_write(self.reference.scheme, self.name, path))


_SCHEME_OF = {
    **dict.fromkeys((".env", ".properties", ".ini", ".conf"), "dotenv"),
    **dict.fromkeys((".tfvars", ".hcl", ".tf"), "tfvars"),
    **dict.fromkeys((".yaml", ".yml"), "yaml"),
    ".json": "json",
    ".toml": "toml",
}
_ASSIGNMENTS = re.compile(r"(?:[ \t\r]*(?:[#;!\[].*)?\n)*+[ \t]*[\w.-]+[ \t]*=")


def _other_scheme(reference: Reference, path: str, text: str) -> str | None:
    """Return the reference with the scheme that reads the file, by its name or because it consists of assignments."""
    scheme = _SCHEME_OF.get(PurePath(path).suffix) or ("dotenv" if _ASSIGNMENTS.match(text) else None)
    if scheme is None or scheme == reference.scheme:
        return None
    fragment = reference.locator.partition("#")[2]
    key = fragment if scheme != "dotenv" or fragment in text else fragment.rpartition(".")[2]
    return quoted(f"{scheme}:{path}#{key}")


_OTHER_STEPS = {
    "tfvars": "Terraform blocks are not read: point at the *.tfvars file that sets the value, or write env:NAME for "
    "the variable of this job.",
}
"""What to do if a file is not valid in its scheme, and no other scheme reads it."""


def _hint(text: str) -> str:
    if "\u201c" in text or "\u201d" in text:
        return '; it has typographic quotation marks (U+201C, U+201D), as word processors write them: write " instead'
    if "\u00a0" in text:
        return "; it has no-break spaces (U+00A0), as in text copied from a web page: write plain spaces instead"
    return "; it contains {{ … }}: render the template first" if "{{" in text else ""


def _parse_json(text: str) -> _ParsedDocument:
    try:
        return _single(text, json.loads(text))
    except ValueError:
        plain = without_comments(text)
        if plain == text:
            raise
        return _single(plain, json.loads(plain))


def _parse_yaml(text: str) -> _ParsedDocument:
    found = enumerate(documents(text, _loader(could_be_deep(text))))
    filled = [_Document(number, _title(number, content), content) for number, content in found if content is not None]
    titles = Counter(document.title for document in filled)
    # Two documents of one kind and name are distinguished by their numbers.
    return _ParsedDocument(
        text, [doc if titles[doc.title] == 1 else replace(doc, title=str(doc.number)) for doc in filled]
    )


def _loader(deep: bool) -> Any:
    base: Any = loader(deep)

    class TaggedLoader(base):  # type: ignore[misc]
        """Reads values with tags of other programs as :class:`Tagged`."""

    # Ansible: a text in which no template is rendered.
    # https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_advanced_syntax.html
    TaggedLoader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
    TaggedLoader.add_multi_constructor("!", lambda _, suffix, node: Tagged(f"!{suffix}"))
    return TaggedLoader


def _title(number: int, content: Any) -> str:
    """Return the kind and name of a Kubernetes manifest, or else the number."""
    metadata = content.get("metadata") if isinstance(content, dict) else None
    if isinstance(metadata, dict) and isinstance(metadata.get("name"), str) and isinstance(content.get("kind"), str):
        return f"{content['kind']}/{metadata['name']}"
    return str(number)


def _single(text: str, content: Any) -> _ParsedDocument:
    return _ParsedDocument(text, [_Document(0, "0", content)])


_PARSERS: dict[str, Callable[[str], _ParsedDocument]] = {
    "json": _parse_json,
    "yaml": _parse_yaml,
    "toml": lambda text: _single(text, parse_toml(text)),
    "ini": lambda text: _single(text, ini.parse(text)),
    "tfvars": lambda text: _single(text, tfvars.parse(text)),
}

_LINES: dict[str, Callable[[str, int], LineOf]] = {
    "json": lambda text, _: json_lines(text),
    "yaml": yaml_lines,
    "toml": lambda text, _: toml_lines(text),
    "ini": lambda text, _: ini.lines(text),
    "tfvars": lambda text, _: tfvars.lines(text),
}
