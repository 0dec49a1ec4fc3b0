"""What is wrong with one integration's settings, as far as the values themselves tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mfagate.causes import CauseId
from mfagate.config.dates import in_words
from mfagate.config.jwt import expiry
from mfagate.config.model import Environment, Integration
from mfagate.config.nearest import nearest_to
from mfagate.config.resolved import Value
from mfagate.config.settings import Field, ProviderSettings
from mfagate.config.shapes import BaseUrl, Misfit, is_loopback
from mfagate.inspection.characters import stray_characters
from mfagate.inspection.placeholders import placeholder
from mfagate.result import Finding
from mfagate.secrets.fingerprint import fingerprint


@dataclass(frozen=True, slots=True)
class Subject:
    """The settings under inspection. ``table`` is ``settings`` or ``control``."""

    integration: Integration
    declared: type[ProviderSettings]
    values: Mapping[str, Value]
    table: str = "settings"

    def label(self, field: Field) -> str:
        """How messages name the setting."""
        return f"{self.table}.{field.name}"

    def finding(self, cause: CauseId, field: Field, message: str, **more: Any) -> Finding:
        """A finding about one setting, with what may be known of its value."""
        value = self.values.get(field.name)
        evidence: dict[str, Any] = {"setting": f"{self.integration.name}.{self.label(field)}"}
        if value is not None:
            evidence["read from"] = value.read_from
            if isinstance(value.value, str) and value.value:
                evidence["characters"] = len(value.value)
            if field.secret and isinstance(value.value, str):
                evidence["fingerprint"] = fingerprint(value.value)
        location = value.change_here if value else self.integration.locate(self.table, field.name)
        return Finding(cause, message, {**evidence, **more.pop("evidence", {})}, location, **more)


def inspect_settings(subject: Subject, *, horizon: timedelta, partial: bool = False) -> list[Finding]:
    """All findings, one a setting at most but for its expiry; ``partial`` allows gaps."""
    findings = list(_unknown(subject))
    if not partial:
        findings += _missing(subject)
    misfits: dict[str, Misfit] = {}
    for field in subject.declared.fields():
        value = subject.values.get(field.name)
        if value is None or value.deferred or _is_empty(value):
            continue
        found = _inspect_value(subject, field, value)
        if found is not None:
            findings.append(found)
        elif field.setting.shape and (misfit := field.setting.shape.misfit(value.value)):
            misfits[field.name] = misfit
        else:
            findings += _environment(subject, field, value.value)
        if isinstance(value.value, str):
            findings += _expiry(subject, field, value.value, horizon)
    return findings + list(_misfits(subject, misfits))


def _is_empty(value: Value) -> bool:
    return value.error is None and isinstance(value.value, str) and not value.value.strip()


def _unknown(subject: Subject) -> Iterator[Finding]:
    known = [field.name for field in subject.declared.fields()]
    for name, value in subject.values.items():
        if name not in known:
            yield Finding(
                CauseId.CONFIG_UNKNOWN_SETTING,
                f"{subject.table}.{name} is no setting of {subject.integration.provider}{nearest_to(name, known)}",
                {"known settings": ", ".join(known)},
                value.key_location,
            )


def _missing(subject: Subject) -> Iterator[Finding]:
    fields = {field.name: field for field in subject.declared.fields()}
    present = [name for name, value in subject.values.items() if not _is_empty(value)]
    for field in fields.values():
        value = subject.values.get(field.name)
        if value is not None and _is_empty(value):
            yield subject.finding(
                CauseId.CONFIG_SETTING_MISSING,
                field,
                f"{subject.label(field)} is empty ({value.read_from})",
                next_step=f"Give {value.read_from} a value. Where to find it: {field.setting.where}",
            )
        elif value is None and field.required:
            yield subject.finding(
                CauseId.CONFIG_SETTING_MISSING,
                field,
                f"{subject.label(field)} is not set",
                next_step=f"Set {field.name} in [integrations.{subject.integration.name}.{subject.table}], "
                f"for example {field.name} = {field.setting.example!r}. Where to find it: {field.setting.where}",
            )
    one_of = subject.declared.any_of
    if one_of and not any(name in present for name in one_of) and not any(n in subject.values for n in one_of):
        first = fields[one_of[0]]
        yield subject.finding(
            CauseId.CONFIG_SETTING_MISSING,
            first,
            f"none of {', '.join(one_of)} is set: there is no credential to check",
            next_step=f"Set {first.name} = {first.setting.example!r}. Where to find it: {first.setting.where}",
        )


def _inspect_value(subject: Subject, field: Field, value: Value) -> Finding | None:
    """The first fault that makes the look at the value's shape pointless."""
    label, setting = subject.label(field), field.setting
    if value.error is not None:
        message = f"{label} cannot be read: {value.error}"
        return subject.finding(CauseId.CONFIG_REFERENCE_UNRESOLVED, field, message, next_step=value.next_step)
    if not isinstance(value.value, str):
        kind = _KINDS.get(type(value.value).__name__, "something else")
        message = f"{label} is {kind} in {value.read_from}, not text: put it in quotes there"
        return subject.finding(CauseId.CONFIG_MALFORMED_VALUE, field, message)
    if reason := placeholder(value.value, secret=field.secret):
        return subject.finding(CauseId.CONFIG_PLACEHOLDER_LEFT, field, f"{label} was never filled in: {reason}")
    if field.secret and value.reference is None:
        return subject.finding(
            CauseId.CONFIG_LITERAL_SECRET,
            field,
            f"{label} stands in {value.key_location.file.name} as plain text",
            next_step=f'Move it into a secret store, write a reference here ({field.name} = "env:NAME"), and rotate '
            "the credential: whoever can read the file or its history has it.",
        )
    if not setting.multiline and "-----BEGIN " in value.value:
        return subject.finding(
            CauseId.CONFIG_WRONG_KIND,
            field,
            f"{label} holds a key or certificate in PEM, and no such thing is due",
            next_step=f"Put the right value there. Where to find it: {setting.where}",
        )
    if stray := stray_characters(value.value, prefixes=setting.foreign_prefixes, multiline=setting.multiline):
        return subject.finding(
            CauseId.CONFIG_STRAY_CHARACTERS, field, f"{label} {stray}", next_step=_remove_stray(value, stray)
        )
    for lookalike in setting.lookalikes:
        if lookalike.fits(value.value):
            return subject.finding(
                lookalike.cause, field, f"{label} holds {lookalike.message}", next_step=lookalike.next_step
            )
    return None


_KINDS = {
    "bool": "true or false",
    "bytes": "binary data",
    "date": "a date",
    "datetime": "a date",
    "float": "a number",
    "int": "a number",
    "time": "a time",
}


def _remove_stray(value: Value, stray: str) -> str:
    scheme = value.reference.scheme if value.reference else ""
    how = "store the value without it"
    if "newline" in stray or "carriage return" in stray:
        # Nearly always echo, a here-string or an editor's last line.
        how = {
            "file": 'write the file without it: printf %s "$VALUE" > FILE',
            "k8s-secret": 'encode again without it: printf %s "$VALUE" | base64 -w0',
        }.get(scheme, f"{how} (`echo` and here-strings add a newline, `printf %s` does not)")
    return f"At {value.change_here if value.location else value.read_from}, {how}."


def _misfits(subject: Subject, misfits: Mapping[str, Misfit]) -> Iterator[Finding]:
    fields = {field.name: field for field in subject.declared.fields()}
    swapped = _swapped_pair(subject, fields, misfits)
    if swapped:
        first, second = swapped
        yield subject.finding(
            CauseId.CONFIG_VALUES_SWAPPED,
            first,
            f"{subject.label(first)} and {subject.label(second)} hold each other's value",
            next_step=f"Exchange what {first.name} and {second.name} read.",
        )
    for name, misfit in misfits.items():
        if swapped and fields[name] in swapped:
            continue
        field = fields[name]
        assert field.setting.shape is not None
        what = "Use one of the right kind" if misfit.cause is CauseId.CONFIG_WRONG_KIND else "Copy the value again"
        yield subject.finding(
            misfit.cause,
            field,
            f"{subject.label(field)} cannot be right: {misfit.reason}",
            next_step=misfit.step
            or f"{what}. Expected: {field.setting.shape.expected}. Where to find it: {field.setting.where}",
        )


def _swapped_pair(
    subject: Subject, fields: Mapping[str, Field], misfits: Mapping[str, Misfit]
) -> tuple[Field, Field] | None:
    names = list(misfits)
    for index, first in enumerate(names):
        for second in names[index + 1 :]:
            if _fits(fields[first], subject.values[second]) and _fits(fields[second], subject.values[first]):
                return fields[first], fields[second]
    return None


def _fits(field: Field, value: Value) -> bool:
    return field.setting.shape is not None and field.setting.shape.misfit(value.value) is None


def _environment(subject: Subject, field: Field, value: str) -> Iterator[Finding]:
    environment = subject.integration.environment
    for mark in field.setting.environments:
        if mark.production != environment.is_production and mark.fits(value):
            yield subject.finding(
                CauseId.CONFIG_WRONG_ENVIRONMENT,
                field,
                f"{subject.label(field)} {mark.message}, but the integration's environment is {environment}",
            )
    if isinstance(field.setting.shape, BaseUrl) and sends_in_the_clear(value, environment):
        yield subject.finding(
            CauseId.CONFIG_MALFORMED_URL,
            field,
            f"{subject.label(field)} is http, so credentials would cross the network unencrypted",
            next_step="Write https:// in front of the host, and check that the server offers it.",
        )


def sends_in_the_clear(url: str, environment: Environment) -> bool:
    """Whether credentials that matter would cross a network unencrypted."""
    matters = environment in (Environment.PRODUCTION, Environment.STAGING)
    return matters and url.lower().startswith("http://") and not is_loopback(url)


def _expiry(subject: Subject, field: Field, value: str, horizon: timedelta) -> Iterator[Finding]:
    expires = expiry(value.strip())
    if expires is None:
        return
    left = expires - datetime.now(UTC)
    date = f"{expires:%Y-%m-%d %H:%M} UTC"
    evidence = {"expires": date, "known from": "the token's own exp claim"}
    if left <= timedelta(0):
        yield subject.finding(
            CauseId.CONFIG_EXPIRED,
            field,
            f"{subject.label(field)} expired on {date}",
            evidence=evidence,
            expires=expires,
            next_step=f"Issue a new one. Where: {field.setting.where}",
        )
    elif left <= horizon and not field.setting.renewed:
        yield subject.finding(
            CauseId.CONFIG_EXPIRING_SOON,
            field,
            f"{subject.label(field)} expires on {date}, in {in_words(left)}",
            evidence=evidence,
            expires=expires,
            next_step=f"Issue a new one before then. Where: {field.setting.where}",
        )


def cross_checks(subject: Subject, found: Sequence[tuple[str, Finding]]) -> Iterator[Finding]:
    """A provider's own findings, each placed at the setting it is about."""
    fields = {field.name: field for field in subject.declared.fields()}
    for name, finding in found:
        yield subject.finding(
            finding.cause,
            fields[name],
            finding.message,
            evidence=dict(finding.evidence),
            next_step=finding.next_step,
            outcome=finding.outcome,
        )
