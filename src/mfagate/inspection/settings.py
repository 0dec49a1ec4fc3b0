"""Check one integration's settings by their values alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mfagate.config.dates import in_words
from mfagate.config.jwt import expiry
from mfagate.config.model import Environment, Integration
from mfagate.config.nearest import nearest_to
from mfagate.config.resolved import Value
from mfagate.config.settings import ProviderSettings, SettingField
from mfagate.config.shapes import BaseUrl, Misfit, is_loopback
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.inspection.other_names import Exists, elsewhere, meant_by
from mfagate.inspection.values import Candidate, exchanged, fault_of, twins
from mfagate.secrets.fingerprint import fingerprint


@dataclass(frozen=True, slots=True)
class InspectedSettings:
    """The settings under inspection.

    ``table`` is ``settings`` or ``control``. ``exists`` returns whether another reference can be resolved.
    """

    integration: Integration
    declared: type[ProviderSettings]
    values: Mapping[str, Value]
    table: str = "settings"
    exists: Exists = lambda reference: False

    def label(self, field: SettingField) -> str:
        """Return the name of the setting in messages."""
        return f"{self.table}.{field.name}"

    def finding(self, cause: CauseId, field: SettingField, message: str, **more: Any) -> Finding:
        """Return a finding about one setting, with the public facts about its value."""
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


def inspect_settings(subject: InspectedSettings, *, horizon: timedelta, partial: bool = False) -> list[Finding]:
    """Return all findings: at most one for each setting, apart from its expiry. ``partial`` allows missing settings."""
    findings = list(_unknown(subject))
    if not partial:
        findings += _missing(subject)
    misfits: dict[str, Misfit] = {}
    fields = {field.name: field for field in subject.declared.fields()}
    same = twins(fields, subject.values, subject.table)
    pairs = exchanged(fields, subject.values)
    findings += [_swapped(subject, *pair) for pair in pairs]
    done = {field.name for pair in pairs for field in pair}
    for field in fields.values():
        value = subject.values.get(field.name)
        if value is None or value.deferred or _is_empty(value):
            continue
        if field.name not in done:
            findings += _check_value(subject, field, value, same.get(field.name), misfits)
        if isinstance(value.value, str):
            findings += _expiry(subject, field, value.value, horizon)
    return findings + list(_misfits(subject, misfits))


def _check_value(
    subject: InspectedSettings, field: SettingField, value: Value, twin: str | None, misfits: dict[str, Misfit]
) -> Iterator[Finding]:
    """Yield findings about one value; store a misfit in ``misfits``, which are reported last."""
    found = _inspect_value(subject, field, value, twin)
    if found is not None:
        yield found
        return
    misfit = field.setting.shape.misfit(value.value) if field.setting.shape else None
    if misfit is not None:
        misfits[field.name] = misfit
    if misfit is None or not misfit.documented:
        yield from _environment(subject, field, value.value)


def _is_empty(value: Value) -> bool:
    return value.error is None and isinstance(value.value, str) and not value.value.strip()


def _unknown(subject: InspectedSettings) -> Iterator[Finding]:
    known = [field.name for field in subject.declared.fields()]
    for name, value in subject.values.items():
        if name in known:
            continue
        message, step = f"{subject.table}.{name} is not a setting of {subject.integration.provider}", None
        meant = meant_by(name, subject.declared)
        if meant is None:
            message += nearest_to(name, known)
        elif subject.values.get(meant.field) is None:
            message += f"; it is called {meant.field} here ({name} is its name in {meant.source.whose})"
            step = f"Rename {name} to {meant.field}.{meant.note}"
        else:
            message += f"; {meant.field}, its name here, is set as well"
            step = f"Remove {name}, or rename it to {meant.field} if it is the right value.{meant.note}"
        evidence = {"known settings": ", ".join(known)}
        yield Finding(CauseId.CONFIG_UNKNOWN_SETTING, message, evidence, value.key_location, step)


def _meant_elsewhere(subject: InspectedSettings) -> set[str]:
    """Return the settings that are set under another name, and so are not missing."""
    known = subject.declared.model_fields
    found = (meant_by(name, subject.declared) for name in subject.values if name not in known)
    return {meant.field for meant in found if meant is not None}


def _missing(subject: InspectedSettings) -> Iterator[Finding]:
    fields = {field.name: field for field in subject.declared.fields()}
    present = [name for name, value in subject.values.items() if not _is_empty(value)]
    renamed = _meant_elsewhere(subject)
    for field in fields.values():
        value = subject.values.get(field.name)
        if value is not None and _is_empty(value):
            yield subject.finding(
                CauseId.CONFIG_SETTING_MISSING,
                field,
                f"{subject.label(field)} is empty ({value.read_from})",
                next_step=f"Give {value.read_from} a value. Where to find it: {field.setting.where}",
            )
        elif value is None and field.required and field.name not in renamed:
            yield subject.finding(
                CauseId.CONFIG_SETTING_MISSING,
                field,
                f"{subject.label(field)} is not set",
                next_step=f"Set {field.name} in {subject.integration.heads(subject.table)}, "
                f"for example {field.name} = {field.setting.example!r}. Where to find it: {field.setting.where}",
            )
    one_of = subject.declared.any_of
    given = {*present, *subject.values, *renamed}
    if one_of and given.isdisjoint(one_of):
        first = fields[one_of[0]]
        yield subject.finding(
            CauseId.CONFIG_SETTING_MISSING,
            first,
            f"none of {', '.join(one_of)} is set: there is no credential to check",
            next_step=f"Set {first.name} = {first.setting.example!r}. Where to find it: {first.setting.where}",
        )


def _inspect_value(subject: InspectedSettings, field: SettingField, value: Value, twin: str | None) -> Finding | None:
    """Return the first fault that makes a check of the value's shape useless."""
    label = subject.label(field)
    if value.error is not None:
        message, step = _unreadable(subject, field, value)
        return subject.finding(CauseId.CONFIG_REFERENCE_UNRESOLVED, field, message, next_step=step)
    if not isinstance(value.value, str):
        kind = _KINDS.get(type(value.value).__name__, "something else")
        message = f"{label} is {kind} in {value.read_from}, not text: put it in quotes there"
        return subject.finding(CauseId.CONFIG_MALFORMED_VALUE, field, message)
    fault = fault_of(Candidate(field, value, value.value, twin))
    if fault is None:
        return None
    return subject.finding(
        fault.cause, field, f"{label} {fault.message}", next_step=fault.next_step, outcome=fault.outcome
    )


def _unreadable(subject: InspectedSettings, field: SettingField, value: Value) -> tuple[str, str | None]:
    """Return why a value cannot be read, and a similar name that exists."""
    message = f"{subject.label(field)} cannot be read: {value.error}"
    found = None
    if value.reference is not None:
        found = elsewhere(field.name, value.reference, subject.declared, subject.exists)
    if found is None:
        return message, value.next_step or _to_fill(field, value)
    name = re.split(r"[#.:]", str(found))[-1]
    meant = meant_by(name, subject.declared)
    return (
        message if f"did you mean {name!r}" in message else f"{message}; {found} is there",
        f'Write {field.name} = "{found}", if that is meant.{meant.note if meant else ""}',
    )


def _to_fill(field: SettingField, value: Value) -> str | None:
    """Say where to store the value that a reference does not find, and where to get it."""
    if value.reference is None:
        return None
    name = value.reference.locator
    match value.reference.scheme:
        case "env":
            fill = f"Set the environment variable {name} where this command runs (in CI, as a variable of the job)"
        case "file":
            fill = f"Put the value into the file {name}; the path is relative to the folder of the configuration file"
        case "sandbox":
            return None
        case _:
            fill = f"Put the value where {value.reference} reads it"
    return (
        f"{fill}. Where to find it: {field.setting.where}. If the value is stored elsewhere, correct the "
        "reference. On a "
        "machine that should not have the secrets, run `mfagate check --without-secrets`."
    )


_KINDS = {
    "bool": "true or false",
    "bytes": "binary data",
    "date": "a date",
    "datetime": "a date",
    "float": "a number",
    "int": "a number",
    "time": "a time",
}


def _swapped(subject: InspectedSettings, first: SettingField, second: SettingField) -> Finding:
    return subject.finding(
        CauseId.CONFIG_VALUES_SWAPPED,
        first,
        f"{subject.label(first)} and {subject.label(second)} hold each other's values",
        next_step=f"Exchange what {first.name} and {second.name} read.",
    )


def _misfits(subject: InspectedSettings, misfits: Mapping[str, Misfit]) -> Iterator[Finding]:
    for field in subject.declared.fields():
        misfit = misfits.get(field.name)
        if misfit is None or field.setting.shape is None:
            continue
        yield _misfit(subject, field, misfit)


def _misfit(subject: InspectedSettings, field: SettingField, misfit: Misfit) -> Finding:
    label, shape = subject.label(field), field.setting.shape
    assert shape is not None
    expected = f"Expected: {shape.expected}. Where to find it: {field.setting.where}"
    if not misfit.documented:
        return subject.finding(
            misfit.cause,
            field,
            f"{label} does not have the usual form: {misfit.reason}; the provider does not document the form, so it "
            "may be right",
            next_step=f"Compare it with its source; if it is the same there, change nothing. {expected}",
            outcome=Outcome.WARN,
        )
    what = "Use one of the right kind" if misfit.cause is CauseId.CONFIG_WRONG_KIND else "Copy the value again"
    return subject.finding(
        misfit.cause, field, f"{label} cannot be right: {misfit.reason}", next_step=misfit.step or f"{what}. {expected}"
    )


def _environment(subject: InspectedSettings, field: SettingField, value: str) -> Iterator[Finding]:
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
    """Return whether important credentials would cross a network unencrypted."""
    matters = environment in (Environment.PRODUCTION, Environment.STAGING)
    return matters and url.lower().startswith("http://") and not is_loopback(url)


def _expiry(subject: InspectedSettings, field: SettingField, value: str, horizon: timedelta) -> Iterator[Finding]:
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


def cross_checks(subject: InspectedSettings, found: Sequence[tuple[str, Finding]]) -> Iterator[Finding]:
    """Yield a provider's own findings, each at the line of its setting."""
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
