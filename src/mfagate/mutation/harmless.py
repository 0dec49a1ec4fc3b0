"""Edits that change nothing about the integration, so that the gate must stay green."""

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
ORDER = _harmless("order", "the tables are in another order")
BLANKS = _harmless("blanks-around-equals", "the spaces around the equals signs are different")
WINDOWS = _harmless("windows-lines", "the file has Windows line endings")
DOCUMENTATION = _harmless("documentation", "another team owns the integration")
SINGLE_QUOTES = _harmless("quoting", "the value is in single quotes")
HOST_CASE = _harmless("host-case", "the host name is in upper case")
EQUIVALENT = _harmless("equivalent-reference", "the same value is read from another kind of store")


def of_file(project: MutatedProject, target: EditTarget) -> Iterator[Edited]:
    """Yield edits of the whole ``integrations.toml``, reported for one integration."""
    copy = project.original
    yield Edited(COMMENT, target, replace(copy, toml=f"# reviewed\n{copy.toml}"), "")
    yield Edited(ORDER, target, replace(copy, toml=_reversed_tables(copy.toml)), setting="")
    yield Edited(WINDOWS, target, replace(copy, toml=copy.toml.replace("\n", "\r\n")), setting="")
    yield Edited(BLANKS, target, _respaced(copy, target.integration), setting="")
    path = ("integrations", target.integration, "documentation", "owner")
    if copy.has(path):
        yield Edited(DOCUMENTATION, target, copy.with_toml_value(path, '"another-team"'), setting="documentation.owner")


def of_target(project: MutatedProject, target: EditTarget) -> Iterator[Edited]:
    """Yield edits of one setting."""
    copy = project.original
    span = spans(copy.toml)[target.keys]
    written = copy.toml.encode()[span.value : span.value_end].decode()
    if "{" not in copy.toml.encode()[: span.key].decode().rpartition("\n")[2]:
        yield Edited(COMMENT, target, copy.with_toml_value(target.keys, f"{written}   # checked"))
    plain = written.strip("\"'")
    if re.fullmatch(r"[\w:/#.@+=-]+", plain, re.ASCII):
        yield Edited(SINGLE_QUOTES, target, copy.with_toml_value(target.keys, f"'{plain}'"))
    if target.address and "://" not in target.value:  # A URL may be part of the signature.
        capitals = re.sub(r"^(https?://)?([^/]+)", lambda m: (m[1] or "") + m[2].upper(), target.value)
        yield Edited(HOST_CASE, target, copy.with_value(target.keys, target.reference, capitals))
    if target.reference is not None:
        for scheme in ("dotenv", "json", "yaml", "toml", "tfvars", "k8s-secret", "env", "file"):
            if scheme != target.reference.scheme:
                yield Edited(EQUIVALENT, target, _moved(copy, target, scheme))


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


def _moved(copy: Copy, target: EditTarget, scheme: str) -> Copy:
    reference = Reference(scheme, _LOCATORS[scheme])
    return copy.with_entry(reference, SourceValue(target.value)).with_toml_value(target.keys, quoted(str(reference)))


def _reversed_tables(text: str) -> str:
    """Return the tables from last to first; leave arrays of tables unchanged, because their order matters."""
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
