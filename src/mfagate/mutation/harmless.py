"""Edits that change nothing about the integration, and must stay green."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from mfagate.mutation.copy import Copy, SourceValue, quoted, spans
from mfagate.mutation.layout import MutatedProject
from mfagate.mutation.model import Class, EditOperator, EditTarget
from mfagate.mutation.structure import Edited
from mfagate.secrets.reference import Reference


def _harmless(name: str, sentence: str) -> EditOperator:
    return EditOperator(name, Class.HARMLESS, sentence)


COMMENT = _harmless("comment", "a comment is added")
ORDER = _harmless("order", "the tables stand in another order")
BLANKS = _harmless("blanks-around-equals", "there are other blanks around the equals signs")
WINDOWS = _harmless("windows-lines", "the file has Windows line endings")
DOCUMENTATION = _harmless("documentation", "another team owns the integration")
SINGLE_QUOTES = _harmless("quoting", "the value is in single quotes")
HOST_CASE = _harmless("host-case", "the host name is in capitals")
EQUIVALENT = _harmless("equivalent-reference", "the same value is read from a store of another kind")


def of_file(project: MutatedProject, place: EditTarget) -> Iterator[Edited]:
    """Edits of the whole ``integrations.toml``, on behalf of one integration."""
    copy = project.original
    yield Edited(COMMENT, place, replace(copy, toml=f"# reviewed\n{copy.toml}"), "on top", "")
    yield Edited(ORDER, place, replace(copy, toml=_reversed_tables(copy.toml)), setting="")
    yield Edited(WINDOWS, place, replace(copy, toml=copy.toml.replace("\n", "\r\n")), setting="")
    yield Edited(BLANKS, place, _respaced(copy, place.integration), setting="")
    path = ("integrations", place.integration, "documentation", "owner")
    if copy.has(path):
        yield Edited(DOCUMENTATION, place, copy.with_toml_value(path, '"another-team"'), setting="documentation.owner")


def of_place(project: MutatedProject, place: EditTarget) -> Iterator[Edited]:
    """Edits of one setting."""
    copy = project.original
    span = spans(copy.toml)[place.keys]
    written = copy.toml.encode()[span.value : span.value_end].decode()
    if "{" not in copy.toml.encode()[: span.key].decode().rpartition("\n")[2]:
        yield Edited(COMMENT, place, copy.with_toml_value(place.keys, f"{written}   # checked"), "behind the value")
    plain = written.strip("\"'")
    if re.fullmatch(r"[\w:/#.@+=-]+", plain, re.ASCII):
        yield Edited(SINGLE_QUOTES, place, copy.with_toml_value(place.keys, f"'{plain}'"))
    if place.address and "://" not in place.value:  # a URL may be a part of what is signed
        capitals = re.sub(r"^(https?://)?([^/]+)", lambda m: (m[1] or "") + m[2].upper(), place.value)
        yield Edited(HOST_CASE, place, copy.with_value(place.keys, place.reference, capitals))
    if place.reference is not None:
        for scheme in ("dotenv", "json", "yaml", "toml", "tfvars", "k8s-secret", "env", "file"):
            if scheme != place.reference.scheme:
                yield Edited(EQUIVALENT, place, _moved(copy, place, scheme), scheme)


_LOCATORS = {
    "dotenv": "moved/values.env#VALUE",
    "json": "moved/values.json#mfa.value",
    "yaml": "moved/values.yaml#mfa.value",
    "toml": "moved/values.toml#mfa.value",
    "tfvars": "moved/values.tfvars#mfa.value",
    "k8s-secret": "moved/secret.yaml#mfa/value",
    "env": "MFAGATE_MOVED_VALUE",
    "file": "moved/value",
}


def _moved(copy: Copy, place: EditTarget, scheme: str) -> Copy:
    reference = Reference(scheme, _LOCATORS[scheme])
    return copy.with_entry(reference, SourceValue(place.value)).with_toml_value(place.keys, quoted(str(reference)))


def _reversed_tables(text: str) -> str:
    """Return the tables from last to first; arrays of tables, whose order means something, are left as they are."""
    top, *tables = re.split(r"(?m)^(?=\[)", text)
    if "\n[[" in text or '"""' in text or "'''" in text:
        return text
    return top + "\n".join(reversed([f"{table.rstrip()}\n" for table in tables]))


def _respaced(copy: Copy, integration: str) -> Copy:
    data = copy.toml.encode()
    for path, span in reversed(list(spans(copy.toml).items())):
        if path[:2] == ("integrations", integration):
            data = data[: span.key_end] + b"   =\t" + data[span.value :]
    return replace(copy, toml=data.decode())
