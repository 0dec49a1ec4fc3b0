"""Edits of more than one value's text: exchanged values, keys, references, types, other tables."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mfagate.core.causes import CauseId
from mfagate.core.toml_lines import KeyPath
from mfagate.mutation.copy import Copy, quoted
from mfagate.mutation.layout import MutatedProject, places_in
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
        CauseId.CONFIG_VALUES_SWAPPED,
        CauseId.CONFIG_SECRET_ID_NOT_SECRET,
        CauseId.CONFIG_WRONG_KIND,
        CauseId.CONFIG_SHARED_CREDENTIAL,
    }
)


@dataclass(frozen=True, slots=True)
class Edited:
    """One edited copy. ``setting`` is a dotted name below the integration."""

    operator: EditOperator
    place: EditTarget
    copy: Copy
    detail: str = ""
    setting: str | None = None


def _wrong(name: str, sentence: str) -> EditOperator:
    return EditOperator(name, Class.WRONG_VALUE, sentence, _MIXED_UP, wrong_value=True)


SWAPPED = _wrong("swapped", "two settings hold each other's values")
COPIED = _wrong("copied", "this setting has the value of another setting")
OTHER_PROVIDER = _wrong("other-provider", "the value of another provider's setting")


def mixed_up(project: MutatedProject, place: EditTarget) -> Iterator[Edited]:
    """Values of other settings in this one."""
    siblings = [other for other in places_in(project.places, place.integration) if other != place]
    copy = project.original
    for other in siblings:
        if other.value == place.value:
            continue
        once = copy.with_value(place.keys, place.reference, other.value)
        yield Edited(COPIED, place, once, other.field.name)
        if other.field.name > place.field.name:
            both = once.with_value(other.keys, other.reference, place.value)
            yield Edited(SWAPPED, place, both, other.field.name)
    provider = project.integrations[place.integration].provider
    for other in project.places:
        foreign = project.integrations[other.integration].provider != provider
        if foreign and other.field.secret == place.field.secret:
            value = copy.with_value(place.keys, place.reference, other.value)
            yield Edited(OTHER_PROVIDER, place, value, f"{other.integration}.{other.field.name}")


_STALE = {
    "expired": frozenset({CauseId.CONFIG_EXPIRED, CauseId.CREDENTIAL_EXPIRED, CauseId.CREDENTIAL_REJECTED}),
    "revoked": frozenset({CauseId.CREDENTIAL_REVOKED, CauseId.CREDENTIAL_UNKNOWN_KEY, CauseId.CREDENTIAL_REJECTED}),
}

_RIGHTLESS = frozenset(
    {
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        CauseId.ACCOUNT_FEATURE_DISABLED,
        CauseId.CREDENTIAL_WRONG_KIND,
    }
)

_OTHER = frozenset(
    {
        CauseId.CREDENTIAL_WRONG_ACCOUNT,
        CauseId.CREDENTIAL_WRONG_KIND,
        CauseId.CREDENTIAL_UNKNOWN_KEY,
        CauseId.CREDENTIAL_REJECTED,
        CauseId.ACCOUNT_RESOURCE_MISSING,
        CauseId.CONFIG_WRONG_KIND,
        CauseId.ACCOUNT_SUSPENDED,
        CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION,
        CauseId.ACCOUNT_FEATURE_DISABLED,
    }
)

_STOPPED = frozenset({CauseId.ACCOUNT_SUSPENDED, CauseId.CREDENTIAL_REVOKED})

_VARIANTS = (
    *((EditOperator(name, Class.STALE, f"the credential is {name}", causes), name) for name, causes in _STALE.items()),
    *(
        (EditOperator(name, Class.PERMISSION, "a credential without the right", _RIGHTLESS), name)
        for name in ("unprivileged", "ungranted", "roleless", "read_only", "restricted", "narrow")
    ),
    (
        EditOperator("disabled", Class.STALE, "the application is disabled", _STOPPED),
        "disabled",
    ),
    (
        EditOperator("suspended", Class.STALE, "the account is suspended", _STOPPED),
        "suspended",
    ),
    (EditOperator("test-account", Class.WRONG_VALUE, "the account's test credential", _OTHER), "test"),
    (EditOperator("other-account", Class.WRONG_VALUE, "another account's value", _OTHER), "other"),
    (EditOperator("administrators", Class.WRONG_VALUE, "the administrator's credential", _OTHER), "admin"),
    (EditOperator("spare-credential", Class.HARMLESS, "another valid credential of the same kind"), "main"),
    (
        EditOperator("modest-credential", Class.HARMLESS, "another valid credential with all rights that are needed"),
        "modest",
    ),
)
"""Credentials that sandboxes hand out beside the good one, by the first word of their names."""


def variants(project: MutatedProject, integration: str) -> Iterator[Edited]:
    """Credentials of the sandbox that differ from the good one: all their parts are put in at once.

    What is wrong with them must show, and not that they are others: where ``expect`` names the good one, it names
    them instead, but for the credentials of another account.
    """
    values = project.running[integration].values
    for operator, word in _VARIANTS:
        copy, edited, now = project.original, [], {}
        for place in places_in(project.places, integration):
            value = values.get(f"{word}_{place.field.name}")
            if value is not None and value != place.value:
                copy = copy.with_value(place.keys, place.reference, value)
                edited.append(place)
                now[place.value] = value
        for path, value in _expected(project, integration):
            if value in now and operator.kind is not Class.WRONG_VALUE:
                copy = copy.with_toml_value(path, quoted(now[value]))
        # A bare administrator's token can do all that the service's own can, and more.
        if word == "admin" and len(edited) < 2:
            continue
        if any(place.field.secret for place in edited):
            yield Edited(operator, next(place for place in edited if place.field.secret), copy)


KEY_MISSING = EditOperator("key-missing", Class.MISSING, "the setting is not in the file", _MISSING)
KEY_MISSPELT = EditOperator("key-misspelt", Class.MISSING, "the setting's name is misspelt", _UNKNOWN)
KEY_TWICE = EditOperator("key-twice", Class.MISSING, "the setting stands twice in its table", frozenset({REFUSED}))
SOURCE_MISSING = EditOperator("source-key-missing", Class.MISSING, "the key is not in the source", _UNRESOLVED)


def keys(project: MutatedProject, place: EditTarget, rng: random.Random) -> Iterator[Edited]:
    """Return the setting's key in ``integrations.toml``, and that of its value in the source."""
    copy, name = project.original, place.field.name
    if _is_needed(project, place):
        yield Edited(KEY_MISSING, place, copy.without_toml_key(place.keys))
    at = rng.randrange(1, len(name))
    yield Edited(KEY_MISSPELT, place, copy.with_toml_key(place.keys, name[:at] + name[at + 1 :]), "a letter")
    yield Edited(KEY_MISSPELT, place, copy.with_toml_key(place.keys, name.upper()), "capitals")
    yield Edited(KEY_MISSPELT, place, copy.with_toml_key(place.keys, name.replace("_", "-") + "-"), "dashes")
    yield Edited(KEY_TWICE, place, copy.with_toml_sibling(place.keys, name, '"x"'))
    if place.reference is not None:
        yield Edited(SOURCE_MISSING, place, copy.without_entry(place.reference))


def _is_needed(project: MutatedProject, place: EditTarget) -> bool:
    """Whether the integration must have it. Without a spare setting, no more is claimed, so no less is checked."""
    one_of = registry.get(project.integrations[place.integration].provider).settings.any_of
    given = [other.field.name for other in places_in(project.places, place.integration) if other.field.name in one_of]
    return place.field.required or given == [place.field.name]


_TYPED = ("json", "yaml", "toml")
_WRITTEN = {"number": "12345", "boolean": "true", "list": '["value"]'}
NULL = EditOperator("null", Class.TYPE, "null stands there", _UNRESOLVED)


def types(project: MutatedProject, place: EditTarget) -> Iterator[Edited]:
    """No text where text is due, in the formats that know types."""
    copy, reference = project.original, place.reference
    for what, text in _WRITTEN.items():
        operator = EditOperator(f"type-{what}", Class.TYPE, f"a {what} without quotes stands there", _TYPE)
        if reference is None:
            yield Edited(operator, place, copy.with_toml_value(place.keys, text))
        elif reference.scheme in _TYPED:
            entry = replace(copy.entries[reference], written=text)
            yield Edited(operator, place, copy.with_entry(reference, entry))
    if reference is not None and reference.scheme in ("json", "yaml"):
        yield Edited(NULL, place, copy.with_entry(reference, replace(copy.entries[reference], written="null")))


PLAIN_IN_DATA = EditOperator(
    "plain-in-data", Class.ENCODING, "plain text under data, which is base64", _UNRESOLVED, wrong_value=True
)
BASE64_IN_STRINGDATA = EditOperator(
    "base64-in-stringdata", Class.ENCODING, "base64 under stringData, which is plain", wrong_value=True
)
BASE64_CUT = EditOperator("base64-cut", Class.ENCODING, "the base64 is cut", _UNRESOLVED, wrong_value=True)
BASE64_LINES = EditOperator(
    "base64-lines", Class.HARMLESS, "the base64 is wrapped into lines, as by base64 without -w0"
)
STRINGDATA = EditOperator("stringdata", Class.HARMLESS, "the value stands plainly under stringData")


def kubernetes(project: MutatedProject, place: EditTarget) -> Iterator[Edited]:
    """Confuse the two sections of a Kubernetes Secret."""
    reference = place.reference
    if reference is None or reference.scheme != "k8s-secret":
        return
    copy = project.original
    entry = copy.entries[reference]
    encoded = base64.b64encode(place.value.encode()).decode()
    yield Edited(PLAIN_IN_DATA, place, copy.with_entry(reference, replace(entry, written=quoted(place.value))))
    inside = replace(entry, section="stringData", value=encoded)
    yield Edited(BASE64_IN_STRINGDATA, place, copy.with_entry(reference, inside))
    yield Edited(
        BASE64_CUT, place, copy.with_entry(reference, replace(entry, written=encoded[: len(encoded) // 2 - 1]))
    )
    lines = quoted(encoded[: len(encoded) // 2] + "\n" + encoded[len(encoded) // 2 :])
    yield Edited(BASE64_LINES, place, copy.with_entry(reference, replace(entry, written=lines)))
    yield Edited(STRINGDATA, place, copy.with_entry(reference, replace(entry, section="stringData")))


NOWHERE = EditOperator(
    "points-nowhere", Class.REFERENCE, "the reference names a file or variable that is not there", _UNRESOLVED
)
MISSPELT_SCHEME = EditOperator("scheme-misspelt", Class.REFERENCE, "the reference's scheme is misspelt", _UNRESOLVED)
UNKNOWN_SCHEME = EditOperator(
    "scheme-unknown",
    Class.REFERENCE,
    "the scheme is one that another tool knows",
    _UNRESOLVED | {CauseId.CONFIG_PLACEHOLDER_LEFT},
)
OTHER_KEY = EditOperator(
    "points-at-neighbour",
    Class.REFERENCE,
    "the reference points at the key of another setting",
    _MIXED_UP,
    wrong_value=True,
)
OTHER_INTEGRATION = EditOperator(
    "points-at-other-integration",
    Class.REFERENCE,
    "the reference was copied from another integration",
    _MIXED_UP,
    wrong_value=True,
)
AS_VALUE = EditOperator(
    "reference-as-value",
    Class.REFERENCE,
    "the source holds the reference itself",
    _UNRESOLVED,
)
LITERAL = EditOperator(
    "literal-secret",
    Class.REFERENCE,
    "the secret itself is in integrations.toml",
    frozenset({CauseId.CONFIG_LITERAL_SECRET}),
)


def references(project: MutatedProject, place: EditTarget) -> Iterator[Edited]:
    """Mistakes in the reference itself."""
    reference, copy = place.reference, project.original
    if reference is None:
        return

    def pointing(text: str) -> Copy:
        return copy.with_toml_value(place.keys, quoted(text))

    path, mark, fragment = reference.locator.partition("#")
    yield Edited(NOWHERE, place, pointing(f"{reference.scheme}:{path}.old{mark}{fragment}"), "the file")
    if mark:
        yield Edited(NOWHERE, place, pointing(f"{reference.scheme}:{path}{mark}{fragment[:-1]}"), "the key")
        yield Edited(NOWHERE, place, pointing(f"{reference.scheme}:{path}"), "no key")
    scheme = reference.scheme
    yield Edited(MISSPELT_SCHEME, place, pointing(f"{scheme[0]}{scheme[2]}{scheme[1]}{scheme[3:]}:{reference.locator}"))
    for foreign in (f"vault:{reference.locator}", f"op://{path}/value", f"${{{scheme}:{path}}}"):
        yield Edited(UNKNOWN_SCHEME, place, pointing(foreign), foreign.partition(":")[0])
    for other in project.places:
        if other.reference is None or other == place or other.value == place.value:
            continue
        operator = OTHER_KEY if other.integration == place.integration else OTHER_INTEGRATION
        yield Edited(operator, place, pointing(str(other.reference)), other.name)
    yield Edited(AS_VALUE, place, copy.with_value(place.keys, reference, str(reference)))
    if place.field.secret:
        yield Edited(LITERAL, place, pointing(place.value))


_EXPECTED = frozenset({CauseId.CREDENTIAL_WRONG_ACCOUNT, CauseId.CREDENTIAL_WRONG_REGION})
OTHER_EXPECTED = EditOperator("expects-another", Class.EXPECTATION, "expect names another account", _EXPECTED)
EXPECT_MISSPELT = EditOperator("expect-key-misspelt", Class.EXPECTATION, "a key of expect is misspelt", _UNKNOWN)
EXPECT_NOWHERE = EditOperator("expect-nowhere", Class.EXPECTATION, "expect refers to what is not there", _UNRESOLVED)


def _expected(project: MutatedProject, integration: str) -> Iterator[tuple[KeyPath, str]]:
    """Return the keys of ``expect`` in the copy, and the values that they stand for."""
    values = project.running[integration].values
    for name, raw in project.integrations[integration].expect.items():
        path = ("integrations", integration, "expect", name)
        reference = Reference.parse(raw)
        borrowed = reference.locator if reference is not None and reference.scheme == "sandbox" else name
        if project.original.has(path):
            yield path, values.get(borrowed, raw if reference is None else "")


def expectations(project: MutatedProject, place: EditTarget, rng: random.Random) -> Iterator[Edited]:
    """Return the table ``expect``."""
    for path, value in _expected(project, place.integration):
        name = path[-1]
        another = redrawn(value, rng) or f"{value}9"
        where = f"expect.{name}"
        edited = project.original.with_toml_value(path, quoted(another))
        yield Edited(OTHER_EXPECTED, place, edited, name, where)
        yield Edited(EXPECT_MISSPELT, place, project.original.with_toml_key(path, name[:-1]), name, where)
        nowhere = project.original.with_toml_value(path, '"env:MFAGATE_NOT_SET"')
        yield Edited(EXPECT_NOWHERE, place, nowhere, name, where)


_BUDGET = frozenset({CauseId.CONFIG_TIMEOUT_BUDGET})
TOO_PATIENT = EditOperator("over-the-budget", Class.CLIENT, "the client waits longer than a login may take", _BUDGET)
FAILS_OPEN = EditOperator(
    "fails-open",
    Class.CLIENT,
    'when_unavailable = "allow" in production lets everybody in',
    frozenset({CauseId.CONFIG_FAILS_OPEN}),
)
CLIENT_WORD = EditOperator("client-word", Class.CLIENT, "a word or number that means nothing", _TYPE)
CLIENT_KEY = EditOperator("client-key-misspelt", Class.CLIENT, "a key of client is misspelt", _UNKNOWN)


def client(project: MutatedProject, place: EditTarget) -> Iterator[Edited]:
    """Return the table ``client``."""
    integration, copy = project.integrations[place.integration], project.original
    for name, raw in integration.client:
        path = ("integrations", place.integration, "client", name)
        if raw is None or not copy.has(path):
            continue
        where = f"client.{name}"
        yield Edited(CLIENT_KEY, place, copy.with_toml_key(path, name[:-1]), name, where)
        if name == "when_unavailable":
            yield Edited(CLIENT_WORD, place, copy.with_toml_value(path, '"denny"'), name, where)
            if integration.environment.is_production:
                yield Edited(FAILS_OPEN, place, copy.with_toml_value(path, '"allow"'), name, where)
        else:
            yield Edited(CLIENT_WORD, place, copy.with_toml_value(path, '"soon"'), name, where)
            yield Edited(CLIENT_WORD, place, copy.with_toml_value(path, "-1"), "negative", where)
        budget = integration.client.login_budget_seconds
        if isinstance(budget, int | float) and name == "timeout_seconds":
            yield Edited(TOO_PATIENT, place, copy.with_toml_value(path, f"{budget + 1:g}"), name, where)


REFUSED_TABLES = EditOperator(
    "table-word", Class.TYPE, "a word that the file does not allow there", frozenset({REFUSED})
)


def table(project: MutatedProject, place: EditTarget) -> Iterator[Edited]:
    """Return the integration's own keys."""
    copy, path = project.original, ("integrations", place.integration)
    name = project.integrations[place.integration].provider
    yield Edited(
        REFUSED_TABLES, place, copy.with_toml_value((*path, "provider"), quoted(name[:-1])), "provider", "provider"
    )
    environment = copy.with_toml_value((*path, "environment"), '"prod"')
    yield Edited(REFUSED_TABLES, place, environment, "environment", "environment")
