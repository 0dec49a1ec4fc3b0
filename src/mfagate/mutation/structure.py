"""Edits beyond the text of one value: swapped values, keys, references, types, other tables."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mfagate.core.causes import CauseId
from mfagate.core.toml_lines import KeyPath
from mfagate.mutation.copy import Copy, quoted
from mfagate.mutation.layout import MutatedProject, targets_in
from mfagate.mutation.model import REFUSED, Class, EditOperator, EditTarget
from mfagate.mutation.values import redrawn
from mfagate.providers import registry
from mfagate.secrets.reference import Reference

_UNRESOLVED = frozenset({CauseId.CONFIG_REFERENCE_UNRESOLVED})
_UNKNOWN = frozenset({CauseId.CONFIG_UNKNOWN_SETTING, CauseId.CONFIG_SETTING_MISSING})
_MISSING = frozenset({CauseId.CONFIG_SETTING_MISSING})
_TYPE = frozenset({CauseId.CONFIG_MALFORMED_VALUE, CauseId.CONFIG_REFERENCE_UNRESOLVED, REFUSED})
_MIXED_UP = frozenset(
    {
        CauseId.CONFIG_VALUES_SWAPPED, CauseId.CONFIG_SECRET_ID_NOT_SECRET, CauseId.CONFIG_WRONG_KIND,
        CauseId.CONFIG_SHARED_CREDENTIAL,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edited:
    """One edited copy. ``setting`` is a dotted name below the integration."""

    operator: EditOperator
    target: EditTarget
    copy: Copy
    setting: str | None = None


def _wrong(name: str, sentence: str) -> EditOperator:
    return EditOperator(name, Class.WRONG_VALUE, sentence, _MIXED_UP, wrong_value=True)


SWAPPED = _wrong("swapped", "two settings hold each other's values")
COPIED = _wrong("copied", "this setting has the value of another setting")
OTHER_PROVIDER = _wrong("other-provider", "the value of another provider's setting")


def mixed_up(project: MutatedProject, target: EditTarget) -> Iterator[Edited]:
    """Yield copies with another setting's value in this setting."""
    siblings = [other for other in targets_in(project.targets, target.integration) if other != target]
    copy = project.original
    for other in siblings:
        if other.value == target.value:
            continue
        once = copy.with_value(target.keys, target.reference, other.value)
        yield Edited(COPIED, target, once)
        if other.field.name > target.field.name:
            both = once.with_value(other.keys, other.reference, target.value)
            yield Edited(SWAPPED, target, both)
    provider = project.integrations[target.integration].provider
    for other in project.targets:
        foreign = project.integrations[other.integration].provider != provider
        if foreign and other.field.secret == target.field.secret:
            value = copy.with_value(target.keys, target.reference, other.value)
            yield Edited(OTHER_PROVIDER, target, value)


_STALE = {
    "expired": frozenset({CauseId.CONFIG_EXPIRED, CauseId.CREDENTIAL_EXPIRED, CauseId.CREDENTIAL_REJECTED}),
    "revoked": frozenset({CauseId.CREDENTIAL_REVOKED, CauseId.CREDENTIAL_UNKNOWN_KEY, CauseId.CREDENTIAL_REJECTED}),
}

_WITHOUT_PERMISSION = frozenset(
    {CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, CauseId.ACCOUNT_FEATURE_DISABLED, CauseId.CREDENTIAL_WRONG_KIND}
)

_OTHER = _WITHOUT_PERMISSION | {
    CauseId.CREDENTIAL_WRONG_ACCOUNT, CauseId.CREDENTIAL_UNKNOWN_KEY, CauseId.CREDENTIAL_REJECTED,
    CauseId.ACCOUNT_RESOURCE_MISSING, CauseId.CONFIG_WRONG_KIND, CauseId.ACCOUNT_SUSPENDED,
}  # fmt: skip

_STOPPED = frozenset({CauseId.ACCOUNT_SUSPENDED, CauseId.CREDENTIAL_REVOKED})

_VARIANTS = (
    *((EditOperator(name, Class.STALE, f"the credential is {name}", causes), name) for name, causes in _STALE.items()),
    *(
        (EditOperator(name, Class.PERMISSION, "a credential without the permission", _WITHOUT_PERMISSION), name)
        for name in ("unprivileged", "ungranted", "roleless", "read_only", "restricted", "narrow")
    ),
    (EditOperator("disabled", Class.STALE, "the application is disabled", _STOPPED), "disabled"),
    (EditOperator("suspended", Class.STALE, "the account is suspended", _STOPPED), "suspended"),
    (EditOperator("test-account", Class.WRONG_VALUE, "the account's test credential", _OTHER), "test"),
    (EditOperator("other-account", Class.WRONG_VALUE, "another account's value", _OTHER), "other"),
    (EditOperator("administrators", Class.WRONG_VALUE, "the administrator's credential", _OTHER), "admin"),
    (EditOperator("spare-credential", Class.HARMLESS, "another valid credential of the same kind"), "main"),
    (EditOperator("modest-credential", Class.HARMLESS, "another credential with all needed permissions"), "modest"),
)
"""Further credentials that sandboxes provide, by the first word of their names."""


def variants(project: MutatedProject, integration: str) -> Iterator[Edited]:
    """Yield copies with another credential of the sandbox; all its parts are replaced at once.

    The gate must find the credential's fault, not just the difference. So where ``expect`` names the good credential,
    it is changed as well, except for the credentials of another account.
    """
    values = project.running[integration].values
    for operator, word in _VARIANTS:
        copy, edited, now = project.original, [], {}
        for target in targets_in(project.targets, integration):
            value = values.get(f"{word}_{target.field.name}")
            if value is not None and value != target.value:
                copy = copy.with_value(target.keys, target.reference, value)
                edited.append(target)
                now[target.value] = value
        for path, value in _expected(project, integration):
            if value in now and operator.kind is not Class.WRONG_VALUE:
                copy = copy.with_toml_value(path, quoted(now[value]))
        # An administrator's token alone has all permissions of the service's own token, and more.
        if word == "admin" and len(edited) < 2:
            continue
        if any(target.field.secret for target in edited):
            yield Edited(operator, next(target for target in edited if target.field.secret), copy)


KEY_MISSING = EditOperator("key-missing", Class.MISSING, "the setting is not in the file", _MISSING)
KEY_MISSPELT = EditOperator("key-misspelt", Class.MISSING, "the setting's name is misspelt", _UNKNOWN)
KEY_TWICE = EditOperator("key-twice", Class.MISSING, "the setting is in its table twice", frozenset({REFUSED}))
SOURCE_MISSING = EditOperator("source-key-missing", Class.MISSING, "the key is not in the source", _UNRESOLVED)


def keys(project: MutatedProject, target: EditTarget, rng: random.Random) -> Iterator[Edited]:
    """Yield edits of the setting's key in ``integrations.toml``, and of its value's key in the source."""
    copy, name = project.original, target.field.name
    if _is_needed(project, target):
        yield Edited(KEY_MISSING, target, copy.without_toml_key(target.keys))
    at = rng.randrange(1, len(name))
    yield Edited(KEY_MISSPELT, target, copy.with_toml_key(target.keys, name[:at] + name[at + 1 :]))
    yield Edited(KEY_MISSPELT, target, copy.with_toml_key(target.keys, name.upper()))
    yield Edited(KEY_MISSPELT, target, copy.with_toml_key(target.keys, name.replace("_", "-") + "-"))
    yield Edited(KEY_TWICE, target, copy.with_toml_sibling(target.keys, name, '"x"'))
    if target.reference is not None:
        yield Edited(SOURCE_MISSING, target, copy.without_entry(target.reference))


def _is_needed(project: MutatedProject, target: EditTarget) -> bool:
    """Return whether the integration needs the setting: it is required, or is the only one given of a group."""
    group = registry.get(project.integrations[target.integration].provider).settings.any_of
    names = [other.field.name for other in targets_in(project.targets, target.integration)]
    return target.field.required or [name for name in names if name in group] == [target.field.name]


_TYPED = ("json", "yaml", "toml")
_WRITTEN = {"number": "12345", "boolean": "true", "list": '["value"]'}
NULL = EditOperator("null", Class.TYPE, "the value is null", _UNRESOLVED)


def types(project: MutatedProject, target: EditTarget) -> Iterator[Edited]:
    """Yield copies with a value that is not a string, in the formats that have types."""
    copy, reference = project.original, target.reference
    for what, text in _WRITTEN.items():
        operator = EditOperator(f"type-{what}", Class.TYPE, f"the value is a {what}, without quotes", _TYPE)
        if reference is None:
            yield Edited(operator, target, copy.with_toml_value(target.keys, text))
        elif reference.scheme in _TYPED:
            entry = replace(copy.entries[reference], written=text)
            yield Edited(operator, target, copy.with_entry(reference, entry))
    if reference is not None and reference.scheme in ("json", "yaml"):
        yield Edited(NULL, target, copy.with_entry(reference, replace(copy.entries[reference], written="null")))


PLAIN_IN_DATA = EditOperator(
    "plain-in-data", Class.ENCODING, "plain text under data, which must be base64", _UNRESOLVED, wrong_value=True
)
BASE64_IN_STRINGDATA = EditOperator(
    "base64-in-stringdata", Class.ENCODING, "base64 under stringData, which must be plain text", wrong_value=True
)
BASE64_CUT = EditOperator("base64-cut", Class.ENCODING, "the base64 is cut off", _UNRESOLVED, wrong_value=True)
BASE64_LINES = EditOperator("base64-lines", Class.HARMLESS, "the base64 is wrapped, as by base64 without -w0")
STRINGDATA = EditOperator("stringdata", Class.HARMLESS, "the value is plain text under stringData")


def kubernetes(project: MutatedProject, target: EditTarget) -> Iterator[Edited]:
    """Yield copies that confuse the two sections of a Kubernetes Secret."""
    reference = target.reference
    if reference is None or reference.scheme != "k8s-secret":
        return
    copy = project.original
    entry = copy.entries[reference]
    encoded = base64.b64encode(target.value.encode()).decode()
    yield Edited(PLAIN_IN_DATA, target, copy.with_entry(reference, replace(entry, written=quoted(target.value))))
    inside = replace(entry, section="stringData", value=encoded)
    yield Edited(BASE64_IN_STRINGDATA, target, copy.with_entry(reference, inside))
    yield Edited(
        BASE64_CUT, target, copy.with_entry(reference, replace(entry, written=encoded[: len(encoded) // 2 - 1]))
    )
    lines = quoted(encoded[: len(encoded) // 2] + "\n" + encoded[len(encoded) // 2 :])
    yield Edited(BASE64_LINES, target, copy.with_entry(reference, replace(entry, written=lines)))
    yield Edited(STRINGDATA, target, copy.with_entry(reference, replace(entry, section="stringData")))


NOWHERE = EditOperator("points-nowhere", Class.REFERENCE, "the reference names a missing file or variable", _UNRESOLVED)
MISSPELT_SCHEME = EditOperator("scheme-misspelt", Class.REFERENCE, "the reference's scheme is misspelt", _UNRESOLVED)
UNKNOWN_SCHEME = EditOperator(
    "scheme-unknown",
    Class.REFERENCE,
    "the scheme belongs to another tool",
    _UNRESOLVED | {CauseId.CONFIG_PLACEHOLDER_LEFT},
)
OTHER_KEY = EditOperator(
    "points-at-neighbour", Class.REFERENCE, "the reference points to another setting's key", _MIXED_UP, wrong_value=True
)
OTHER_INTEGRATION = EditOperator(
    "points-at-other-integration", Class.REFERENCE, "a reference of another integration", _MIXED_UP, wrong_value=True
)
AS_VALUE = EditOperator("reference-as-value", Class.REFERENCE, "the source contains the reference itself", _UNRESOLVED)
_LITERAL = frozenset({CauseId.CONFIG_LITERAL_SECRET})
LITERAL = EditOperator("literal-secret", Class.REFERENCE, "the secret itself is in integrations.toml", _LITERAL)


def references(project: MutatedProject, target: EditTarget) -> Iterator[Edited]:
    """Yield copies with a mistake in the reference itself."""
    reference, copy = target.reference, project.original
    if reference is None:
        return

    def pointing(text: str) -> Copy:
        return copy.with_toml_value(target.keys, quoted(text))

    path, mark, fragment = reference.locator.partition("#")
    yield Edited(NOWHERE, target, pointing(f"{reference.scheme}:{path}.old{mark}{fragment}"))
    if mark:
        yield Edited(NOWHERE, target, pointing(f"{reference.scheme}:{path}{mark}{fragment[:-1]}"))
        yield Edited(NOWHERE, target, pointing(f"{reference.scheme}:{path}"))
    scheme = reference.scheme
    misspelt = f"{scheme[0]}{scheme[2]}{scheme[1]}{scheme[3:]}"
    yield Edited(MISSPELT_SCHEME, target, pointing(f"{misspelt}:{reference.locator}"))
    for foreign in (f"vault:{reference.locator}", f"op://{path}/value", f"${{{scheme}:{path}}}"):
        yield Edited(UNKNOWN_SCHEME, target, pointing(foreign))
    for other in project.targets:
        if other.reference is None or other == target or other.value == target.value:
            continue
        operator = OTHER_KEY if other.integration == target.integration else OTHER_INTEGRATION
        yield Edited(operator, target, pointing(str(other.reference)))
    yield Edited(AS_VALUE, target, copy.with_value(target.keys, reference, str(reference)))
    if target.field.secret:
        yield Edited(LITERAL, target, pointing(target.value))


_EXPECTED = frozenset({CauseId.CREDENTIAL_WRONG_ACCOUNT, CauseId.CREDENTIAL_WRONG_REGION})
OTHER_EXPECTED = EditOperator("expects-another", Class.EXPECTATION, "expect names another account", _EXPECTED)
EXPECT_MISSPELT = EditOperator("expect-key-misspelt", Class.EXPECTATION, "a key of expect is misspelt", _UNKNOWN)
EXPECT_NOWHERE = EditOperator("expect-nowhere", Class.EXPECTATION, "expect refers to a missing variable", _UNRESOLVED)


def _expected(project: MutatedProject, integration: str) -> Iterator[tuple[KeyPath, str]]:
    """Yield the keys of ``expect`` in the copy, and their values."""
    values = project.running[integration].values
    for name, raw in project.integrations[integration].expect.items():
        path = ("integrations", integration, "expect", name)
        reference = Reference.parse(raw)
        borrowed = reference.locator if reference is not None and reference.scheme == "sandbox" else name
        if project.original.has(path):
            yield path, values.get(borrowed, raw if reference is None else "")


def expectations(project: MutatedProject, target: EditTarget, rng: random.Random) -> Iterator[Edited]:
    """Yield edits of the table ``expect``."""
    for path, value in _expected(project, target.integration):
        name = path[-1]
        another = redrawn(value, rng) or f"{value}9"
        where = f"expect.{name}"
        edited = project.original.with_toml_value(path, quoted(another))
        yield Edited(OTHER_EXPECTED, target, edited, where)
        yield Edited(EXPECT_MISSPELT, target, project.original.with_toml_key(path, name[:-1]), where)
        nowhere = project.original.with_toml_value(path, '"env:MFAGATE_NOT_SET"')
        yield Edited(EXPECT_NOWHERE, target, nowhere, where)


_BUDGET = frozenset({CauseId.CONFIG_TIMEOUT_BUDGET})
TOO_PATIENT = EditOperator("over-the-budget", Class.CLIENT, "the client waits longer than a login may take", _BUDGET)
_OPEN = frozenset({CauseId.CONFIG_FAILS_OPEN})
FAILS_OPEN = EditOperator("fails-open", Class.CLIENT, 'when_unavailable is "allow" in production', _OPEN)
CLIENT_WORD = EditOperator("client-word", Class.CLIENT, "a meaningless word or number", _TYPE)
CLIENT_KEY = EditOperator("client-key-misspelt", Class.CLIENT, "a key of client is misspelt", _UNKNOWN)


def client(project: MutatedProject, target: EditTarget) -> Iterator[Edited]:
    """Yield edits of the table ``client``."""
    integration, copy = project.integrations[target.integration], project.original
    for name, raw in integration.client:
        path = ("integrations", target.integration, "client", name)
        if raw is None or not copy.has(path):
            continue
        where = f"client.{name}"
        yield Edited(CLIENT_KEY, target, copy.with_toml_key(path, name[:-1]), where)
        if name == "when_unavailable":
            yield Edited(CLIENT_WORD, target, copy.with_toml_value(path, '"denny"'), where)
            if integration.environment.is_production:
                yield Edited(FAILS_OPEN, target, copy.with_toml_value(path, '"allow"'), where)
        else:
            yield Edited(CLIENT_WORD, target, copy.with_toml_value(path, '"soon"'), where)
            yield Edited(CLIENT_WORD, target, copy.with_toml_value(path, "-1"), where)
        budget = integration.client.login_budget_seconds
        if isinstance(budget, int | float) and name == "timeout_seconds":
            yield Edited(TOO_PATIENT, target, copy.with_toml_value(path, f"{budget + 1:g}"), where)


REFUSED_TABLES = EditOperator("table-word", Class.TYPE, "a word that is not allowed there", frozenset({REFUSED}))


def table(project: MutatedProject, target: EditTarget) -> Iterator[Edited]:
    """Yield edits of the integration's own keys."""
    copy, path = project.original, ("integrations", target.integration)
    name = project.integrations[target.integration].provider
    yield Edited(REFUSED_TABLES, target, copy.with_toml_value((*path, "provider"), quoted(name[:-1])), "provider")
    environment = copy.with_toml_value((*path, "environment"), '"prod"')
    yield Edited(REFUSED_TABLES, target, environment, "environment")
