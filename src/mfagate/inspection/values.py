"""What is wrong with one value, judged by its characters first, and by the form of its setting last."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mfagate.config.jwt import Jwt
from mfagate.config.resolved import Value
from mfagate.config.settings import SettingField
from mfagate.config.shapes import BaseUrl, Host, Lookalike, Misfit, is_recognised
from mfagate.core.causes import CauseId, Outcome
from mfagate.inspection.characters import foreign_characters, stray_characters
from mfagate.inspection.encodings import decoded_base64, document, twice, wrapped
from mfagate.inspection.placeholders import placeholder, words
from mfagate.inspection.syntaxes import Syntax, SyntaxKind, foreign_syntax, likely_syntax


@dataclass(frozen=True, slots=True)
class ValueFault:
    """What is wrong with a value. The message follows the name of the setting."""

    cause: CauseId
    message: str
    next_step: str | None = None
    outcome: Outcome | None = None
    """None for the usual outcome of the cause."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value of text, with its setting. ``twin`` is another setting with the same value, where that is right."""

    field: SettingField
    value: Value
    text: str
    twin: str | None = None

    @property
    def chosen(self) -> bool:
        """Whether a person chose it, such as a password: then any character may be right."""
        return self.field.secret and self.field.setting.shape is None

    @property
    def of_any_form(self) -> bool:
        """Whether right values of no known form exist: those of scripts hold quotes, too.

        https://github.com/kubernetes-sigs/cluster-api-provider-azure/issues/672
        """
        return self.chosen or (self.field.secret and hasattr(self.field.setting.shape, "recognises"))

    @property
    def address(self) -> bool:
        """Whether it is a URL or the name of a host."""
        return isinstance(self.field.setting.shape, BaseUrl | Host)

    @property
    def is_list(self) -> bool:
        """Whether the setting takes several words, such as scopes: its form alone says what is wrong between them."""
        return " " in str(self.field.setting.example)

    @property
    def place(self) -> str:
        """Where a person changes it."""
        return str(self.value.change_here) if self.value.location else self.value.read_from

    def fits(self, text: str) -> bool:
        """Whether a text has a form that the setting may have."""
        return _fits(self.field, text)

    def right(self, text: str) -> bool:
        """Whether a text is recognised as a value of the setting."""
        setting = self.field.setting
        return (
            is_recognised(setting.shape, text)
            and not any(lookalike.fits(text) for lookalike in setting.lookalikes)
            and placeholder(text, secret=self.field.secret) is None
        )


def fault_of(candidate: Candidate) -> ValueFault | None:
    """Return the first fault that makes the look at the value's form pointless."""
    return next((fault for judge in _JUDGES if (fault := judge(candidate)) is not None), None)


def fault_of_free_text(text: str, value: Value, *, secret: bool) -> ValueFault | None:
    """Return what is wrong with a text that has no declared form, such as one of ``expect`` or ``test_data``."""
    place = str(value.change_here)
    syntax = foreign_syntax(text, secret=False, literal=value.reference is None)
    if syntax is not None:
        step = _resolve(syntax, value.name, literal=value.reference is None, place=place)
        return ValueFault(_CAUSES[syntax.kind], syntax.description, step)
    reason = placeholder(text, secret=False, chosen=secret)
    if reason is None:
        return None
    return ValueFault(
        CauseId.CONFIG_PLACEHOLDER_LEFT, f"was never filled in: {reason}", f"Put the real value at {place}."
    )


_CAUSES = {
    SyntaxKind.REFERENCE: CauseId.CONFIG_REFERENCE_UNRESOLVED,
    SyntaxKind.CIPHERTEXT: CauseId.CONFIG_REFERENCE_UNRESOLVED,
    SyntaxKind.VARIABLE: CauseId.CONFIG_REFERENCE_UNRESOLVED,
    SyntaxKind.HASH: CauseId.CONFIG_WRONG_KIND,
    SyntaxKind.STORE_TOKEN: CauseId.CONFIG_WRONG_KIND,
}


def _syntax(candidate: Candidate) -> ValueFault | None:
    literal, secret = candidate.value.reference is None, candidate.field.secret
    formless = candidate.field.setting.shape is not None and not candidate.fits(candidate.text)
    syntax = foreign_syntax(candidate.text, secret=secret, literal=literal, formless=formless)
    if syntax is None and (decoded := decoded_base64(candidate.text)) is not None:
        # Helm's b64enc encodes what nothing resolved: https://github.com/helmfile/vals/issues/148
        syntax = foreign_syntax(decoded, secret=secret, literal=False)
    if syntax is not None and candidate.right(candidate.text.partition(":")[2].strip()):
        return None  # a name and a colon in front of the value itself
    # A random secret may begin like a ciphertext; no address does.
    if syntax is None or (not candidate.address and is_recognised(candidate.field.setting.shape, candidate.text)):
        return None
    if syntax.kind is SyntaxKind.HASH:
        return ValueFault(CauseId.CONFIG_WRONG_KIND, syntax.description, syntax.remedy)
    if not syntax.remedy:
        step = f"Put the value of this setting at {candidate.place}. Where to find it: {candidate.field.setting.where}"
        return ValueFault(CauseId.CONFIG_WRONG_KIND, syntax.description, step)
    step = _resolve(syntax, candidate.field.name, literal=literal, place=candidate.place)
    return ValueFault(_CAUSES[syntax.kind], syntax.description, step)


_VERBS = {
    SyntaxKind.REFERENCE: "resolve",
    SyntaxKind.CIPHERTEXT: "decrypt",
    SyntaxKind.VARIABLE: "replace",
    SyntaxKind.STORE_TOKEN: "read",
}


def _resolve(syntax: Syntax, name: str, *, literal: bool, place: str = "") -> str:
    """Return the next step. It says where the form is, and how mfagate gets to see the value."""
    if syntax.sentence:
        return syntax.remedy if literal else f"{syntax.remedy} It is at {place}."
    return (
        f"Let the job {_VERBS[syntax.kind]} it before mfagate starts, as the deployment does: {syntax.remedy}. Then "
        f'refer to the result: {name} = "env:VARIABLE" or "file:PATH".'
    )


_OPENING = "<{(["


def _brackets(candidate: Candidate) -> ValueFault | None:
    """Return the real value inside brackets that look like those of a placeholder."""
    text = candidate.text.strip()
    inner = text[1:-1].strip()
    real = text[:1] in _OPENING and any(c.isdigit() or c in ".:" for c in inner) and candidate.right(inner)
    return _characters(candidate) if text and real else None


def _placeholder(candidate: Candidate) -> ValueFault | None:
    reason = placeholder(candidate.text, secret=candidate.field.secret, chosen=candidate.chosen)
    if reason is None:
        return None
    step = _of_variable(candidate) or (
        f"Put the real value at {candidate.place}, or run the step that fills it in before the check. "
        f"Where to find it: {candidate.field.setting.where}"
    )
    return ValueFault(CauseId.CONFIG_PLACEHOLDER_LEFT, f"was never filled in: {reason}", step)


_ONE_VARIABLE = re.compile(
    r"\$\{(?:(?:env|ENV)[:.])?(?P<braces>[A-Za-z_]\w*)(?::?[-?=+][^{}]*|:(?!\w+[.:(])[^{}]*)?\}"
    r"|\$(?P<bare>[A-Za-z_]\w*)|%(?P<percent>[A-Za-z_]\w*)%"
)
_OTHER_SOURCES = frozenset(
    {"self", "opt", "param", "cf", "sls", "custom", "aws", "sys", "ctx", "file", "secret", "secrets", "env"}
)
"""Words before the colon in ``${self:custom.key}``, as the Serverless Framework and similar tools write it."""


def _of_variable(candidate: Candidate) -> str | None:
    """Return the next step for a variable in a file that another program fills in, which may stay there."""
    reference, text = candidate.value.reference, candidate.text.strip().strip("\"'")
    if reference is None or reference.scheme == "env":
        return None
    field, where = candidate.field.name, candidate.field.setting.where
    if text.startswith("$("):
        name = reference.locator.partition("#")[2] if reference.scheme == "dotenv" else "NAME"
        return (
            f"A shell makes the value of {candidate.place}: let it read the file in this job before mfagate starts "
            f'(set -a; . FILE), and write {field} = "env:{name}".'
        )
    found = _ONE_VARIABLE.fullmatch(text)
    name = found["braces"] or found["bare"] or found["percent"] if found else ""
    if name and name not in _OTHER_SOURCES:
        return (
            f"If the login service replaces {candidate.place} by the variable, set {name} in this job as it is set "
            f'there, and write {field} = "env:{name}". If it does not, put the real value there. Where to find it: '
            f"{where}"
        )
    if not name and "{{" not in text and "${" not in text:
        return None
    return (
        f"Let the job fill {candidate.place} in before mfagate starts, as the deployment does, and point {field} at "
        'the result: the file that is written, or "env:NAME".'
    )


def _literal(candidate: Candidate) -> ValueFault | None:
    field, value = candidate.field, candidate.value
    if not field.secret or value.reference is not None:
        return None
    rotate = (
        f'Move it into a secret store, write a reference here ({field.name} = "env:NAME"), and rotate the credential'
    )
    if field.setting.shape is not None and not candidate.fits(candidate.text):
        rotate = f'Write a reference here ({field.name} = "env:NAME"). If this is the credential itself, rotate it'
    return ValueFault(
        CauseId.CONFIG_LITERAL_SECRET,
        f"stands in {value.key_location.file.name} as plain text",
        f"{rotate}: whoever can read the file or its history has it.",
    )


def _pem(candidate: Candidate) -> ValueFault | None:
    setting = candidate.field.setting
    if setting.multiline or "-----BEGIN " not in candidate.text:
        return None
    return ValueFault(
        CauseId.CONFIG_WRONG_KIND,
        "holds a key or certificate in PEM, and no such thing is due",
        f"Put the right value there. Where to find it: {setting.where}",
    )


_ASSIGNED = re.compile(r"[ \t]*+(?:export )?[A-Za-z_][\w.-]{0,80}+[ \t]*+[:=][ \t]*+\S")


def _whole_file(candidate: Candidate) -> ValueFault | None:
    """Return a file of names and values, as a Secret has it that is mounted as ``config.yaml`` or ``.env``."""
    setting = candidate.field.setting
    if not setting.multiline and not candidate.chosen and (found := document(candidate.text.strip())) is not None:
        return ValueFault(CauseId.CONFIG_MALFORMED_VALUE, found[0], f"At {candidate.place}: {found[1]}.")
    assigned = sum(_ASSIGNED.match(line) is not None for line in candidate.text.splitlines())
    if setting.multiline or candidate.chosen or assigned < _FEWEST_LINES:
        return None
    return ValueFault(
        CauseId.CONFIG_MALFORMED_VALUE,
        "is a whole file of names and values, not one value",
        f"Save what is at {candidate.place} as a file in this job, as the deployment mounts it, and point at its "
        f'member: {candidate.field.name} = "yaml:FILE#KEY", "dotenv:FILE#NAME" or "ini:FILE#SECTION.NAME".',
    )


_FEWEST_LINES = 2


def _stray(candidate: Candidate) -> ValueFault | None:
    setting = candidate.field.setting
    stray = stray_characters(
        candidate.text, prefixes=setting.foreign_prefixes, multiline=setting.multiline, chosen=candidate.of_any_form
    )
    return _stray_fault(candidate, stray) if stray else None


def _likely(candidate: Candidate) -> ValueFault | None:
    """Return what a value without the form of its setting seems to be: a note, a call, a path."""
    setting, text = candidate.field.setting, candidate.text
    if setting.shape is None or setting.multiline or candidate.is_list or is_recognised(setting.shape, text):
        return None
    if candidate.address and any(c in text for c in ".:/"):
        return _of_documentation(candidate)
    reason = words(text)
    if reason is not None:
        step = f"Put the real value at {candidate.place}. Where to find it: {setting.where}"
        return ValueFault(CauseId.CONFIG_PLACEHOLDER_LEFT, f"was never filled in: {reason}", step)
    syntax = likely_syntax(text)
    if syntax is None or any(lookalike.fits(text) for lookalike in setting.lookalikes):
        return None
    step = _resolve(syntax, candidate.field.name, literal=candidate.value.reference is None, place=candidate.place)
    return ValueFault(CauseId.CONFIG_REFERENCE_UNRESOLVED, syntax.description, step)


_RESERVED = tuple(f".{name}" for name in ("example", "invalid", "example.com", "example.org", "example.net"))
"""Names that belong to nobody: RFC 2606."""


def _of_documentation(candidate: Candidate) -> ValueFault | None:
    address = candidate.text.lower().partition("://")[2] or candidate.text.lower()
    if not f".{re.split('[/:]', address)[0]}".endswith(_RESERVED):
        return None
    step = f"Put the real value at {candidate.place}. Where to find it: {candidate.field.setting.where}"
    message = "was never filled in: it is an address of documentation, which belongs to nobody"
    return ValueFault(CauseId.CONFIG_PLACEHOLDER_LEFT, message, step)


def _characters(candidate: Candidate) -> ValueFault | None:
    """Characters that a provider never puts into such a value, with what else was pasted along."""
    shape, text = candidate.field.setting.shape, candidate.text
    if shape is None or candidate.field.setting.multiline or candidate.is_list or is_recognised(shape, text):
        return None
    stray = foreign_characters(text, right=candidate.right, fits=candidate.fits(text), address=candidate.address)
    return _stray_fault(candidate, stray) if stray else None


def _stray_fault(candidate: Candidate, stray: str) -> ValueFault:
    return ValueFault(CauseId.CONFIG_STRAY_CHARACTERS, stray, _remove_stray(candidate, stray))


def _remove_stray(candidate: Candidate, stray: str) -> str:
    scheme = candidate.value.reference.scheme if candidate.value.reference else ""
    how = "store the value without it"
    if "escape" in stray and candidate.field.setting.multiline:
        how = 'store it with line breaks in the place of the escapes: printf %b "$VALUE" > FILE, and file:FILE'
    elif "newline" in stray or "carriage return" in stray:
        # Nearly always echo, a here-string or an editor's last line.
        how = {
            "file": 'write the file without it: printf %s "$VALUE" > FILE',
            "k8s-secret": 'encode again without it: printf %s "$VALUE" | base64 -w0; or, under stringData, write it in '
            "one line, or |- in the place of |",
            "yaml": "write it in one line, or |- in the place of |",
        }.get(scheme, f"{how} (`echo` and here-strings add a newline, `printf %s` does not)")
    return f"At {candidate.place}, {how}."


def _wrapping(candidate: Candidate) -> ValueFault | None:
    shape, reference = candidate.field.setting.shape, candidate.value.reference
    if shape is None:
        return None
    found = twice(candidate.text, right=candidate.right)
    if found is None and not is_recognised(shape, candidate.text):
        by_store = reference is not None and reference.scheme == "k8s-secret"
        found = wrapped(candidate.text, right=candidate.right, encoded_by_store=by_store)
    if found is None:
        return None
    cause = CauseId.CONFIG_MALFORMED_URL if candidate.address else CauseId.CONFIG_MALFORMED_VALUE
    message, step = found
    return ValueFault(cause, message, f"At {candidate.place}: {step}.")


def _twin(candidate: Candidate) -> ValueFault | None:
    if candidate.twin is None:
        return None
    message = f"holds the same value as {candidate.twin}, where it is right"
    step = f"Copy the value of this setting to {candidate.place}. Where to find it: {candidate.field.setting.where}"
    return ValueFault(CauseId.CONFIG_MALFORMED_VALUE, message, step)


def _lookalike(candidate: Candidate) -> ValueFault | None:
    found = next((one for one in candidate.field.setting.lookalikes if one.fits(candidate.text)), None)
    if found is None:
        return None
    return ValueFault(
        found.cause, f"holds {found.message}", found.next_step, None if found.documented else Outcome.WARN
    )


_JUDGES: tuple[Callable[[Candidate], ValueFault | None], ...] = (
    _brackets,
    _twin,
    _syntax,
    _placeholder,
    _literal,
    _pem,
    _whole_file,
    _stray,
    _likely,
    _wrapping,
    _characters,
    _lookalike,
)


def twins(fields: Mapping[str, SettingField], values: Mapping[str, Value], table: str) -> Mapping[str, str]:
    """Return the settings that hold the value of another setting, each with that other one.

    A setting is named only where the value does not belong into it, and where nothing better is known of it.
    """
    holders: dict[str, list[SettingField]] = {}
    for field, text in _shaped(fields, values):
        holders.setdefault(text, []).append(field)
    found = {}
    for text, held in holders.items():
        owner = next((field for field in held if _belongs(field, text)), None)
        for field in held if owner is not None and len(held) > 1 else ():
            if owner is not None and not _belongs(field, text) and not _has_name_of_its_own(field, text):
                found[field.name] = f"{table}.{owner.name}"
    return found


def public_ones(fields: Mapping[str, SettingField], values: Mapping[str, Value]) -> frozenset[str]:
    """Return the secret settings that hold a public id in place of a secret: their own, or another setting's.

    Nothing is lost where such a value is in a file.
    """
    shaped = list(_shaped(fields, values))
    public = {text for field, text in shaped if not field.secret and _belongs(field, text)}
    return frozenset(
        field.name
        for field, text in shaped
        if field.secret and not _belongs(field, text) and (text in public or _is_an_id(field, text))
    )


def exchanged(
    fields: Mapping[str, SettingField], values: Mapping[str, Value]
) -> Sequence[tuple[SettingField, SettingField]]:
    """Return the pairs of settings that hold each other's value. A secret in plain text is a finding of its own."""
    wrong = [
        (field, text)
        for field, text in _shaped(fields, values)
        if not _belongs(field, text) and not (field.secret and values[field.name].reference is None)
    ]
    pairs: list[tuple[SettingField, SettingField]] = []
    for number, (first, one) in enumerate(wrong):
        for second, other in wrong[number + 1 :]:
            if _fits(first, other) and _fits(second, one):
                pairs.append((first, second))
    return pairs[:1]


def _fits(field: SettingField, text: str) -> bool:
    return field.setting.shape is not None and field.setting.shape.misfit(text) is None


def _shaped(fields: Mapping[str, SettingField], values: Mapping[str, Value]) -> Iterator[tuple[SettingField, str]]:
    for name, value in values.items():
        field = fields.get(name)
        if field is not None and field.setting.shape is not None and isinstance(value.value, str):
            text = value.value.strip()
            if text:
                yield field, text


def _belongs(field: SettingField, text: str) -> bool:
    return is_recognised(field.setting.shape, text) and not any(one.fits(text) for one in field.setting.lookalikes)


def _is_an_id(field: SettingField, text: str) -> bool:
    """Return whether a value is the public id of the secret beyond doubt: a mere resemblance may be a real secret."""
    return any(one.documented and one.cause is CauseId.CONFIG_SECRET_ID_NOT_SECRET for one in _objections(field, text))


def _objections(field: SettingField, text: str) -> list[Misfit | Lookalike]:
    """Return why a value cannot be that of a setting: its form, and what else it looks like."""
    misfit = field.setting.shape.misfit(text) if field.setting.shape else None
    lookalike = next((one for one in field.setting.lookalikes if one.fits(text)), None)
    return [one for one in (misfit, lookalike) if one is not None]


def _has_name_of_its_own(field: SettingField, text: str) -> bool:
    """Whether more is known than whose the value is: it is the secret's public id, or a token of another role."""
    causes = [one.cause for one in _objections(field, text)]
    other_role = isinstance(field.setting.shape, Jwt) and CauseId.CONFIG_WRONG_KIND in causes
    return other_role or CauseId.CONFIG_SECRET_ID_NOT_SECRET in causes
