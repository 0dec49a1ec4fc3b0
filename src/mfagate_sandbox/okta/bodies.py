"""Reading what clients send: types, lengths and formats, refused as Okta refuses them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mfagate.sandbox.emulator import IncomingRequest
from mfagate_sandbox.okta.answers import invalid, refused

_BLANK = "The field cannot be left blank"

_LONGEST = {
    "city": 128, "countryCode": 2, "email": 100, "firstName": 50, "lastName": 50, "login": 100, "mobilePhone": 100,
    "postalAddress": 4096, "primaryPhone": 100, "secondEmail": 100, "state": 128, "streetAddress": 1024, "zipCode": 50,
}  # fmt: skip
_TEXTS = (
    "costCenter", "department", "displayName", "division", "employeeNumber", "honorificPrefix", "honorificSuffix",
    "locale", "manager", "managerId", "middleName", "nickName", "organization", "preferredLanguage", "profileUrl",
    "timezone", "title", "userType",
)  # fmt: skip
"""Of any length."""

_SHORTEST = {"email": 5, "firstName": 1, "lastName": 1, "login": 5}
_MOST_GROUPS = 20
_SHORTEST_PASSWORD = 8


def body_of(request: IncomingRequest) -> dict[str, Any]:
    """The JSON object of a body; an empty body is an empty object, whatever its type is said to be."""
    return request.json() if request.body.strip() else {}


def flag(request: IncomingRequest, name: str, default: bool) -> bool:
    """A query parameter that is true or false."""
    value = request.query.get(name, [str(default).lower()])[-1]
    if value not in ("true", "false"):
        raise invalid(name, "The value must be true or false")
    return value == "true"


def number(request: IncomingRequest, name: str, default: int, most: int) -> int:
    """A query parameter that is a number from 1."""
    value = request.query.get(name, [str(default)])[-1]
    if not re.fullmatch(r"[0-9]{1,9}", value) or not 1 <= int(value) <= most:
        raise invalid(name, f"The value must be a number from 1 to {most}")
    return int(value)


def text(fields: Mapping[str, Any], name: str) -> str:
    """A field that has to be there and hold text."""
    value = optional_text(fields, name)
    if not value:
        raise invalid(name, _BLANK)
    return value


def optional_text(fields: Mapping[str, Any], name: str) -> str | None:
    """A field that holds text, where it is there."""
    value: str | None = _typed(fields, name, str)
    return value


def object_in(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object in an object; empty where it is not there."""
    return _typed(fields, name, dict) or {}


def is_true(fields: Mapping[str, Any], name: str) -> bool:
    """A field that holds true or false; false where it is not there."""
    return bool(_typed(fields, name, bool))


def _typed(fields: Mapping[str, Any], name: str, kind: type) -> Any:
    value = fields.get(name)
    if value is not None and type(value) is not kind:
        raise refused("E0000003")
    return value


def profile_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The profile of a user to be."""
    profile = object_in(fields, "profile")
    if not profile:
        raise invalid("profile", _BLANK)
    for name in ("login", "email"):
        text(profile, name)
    for name in _TEXTS:
        optional_text(profile, name)
    for name, longest in _LONGEST.items():
        value = optional_text(profile, name)
        if value is not None and not _SHORTEST.get(name, 0) <= len(value) <= longest:
            raise invalid(name, f"String is of the wrong length; {_SHORTEST.get(name, 0)} to {longest} are allowed")
    for name in ("login", "email"):
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", profile[name]):
            raise invalid(name, "must be in the form of an email address")
    return profile


def password_of(fields: Mapping[str, Any]) -> str | None:
    """The password of a user to be."""
    password = optional_text(object_in(object_in(fields, "credentials"), "password"), "value")
    if password is not None and len(password) < _SHORTEST_PASSWORD:
        raise invalid("password", "Password requirements were not met.")
    return password


def require_sound(fields: Mapping[str, Any]) -> None:
    """What else a new user may have: a realm, a type, and not too many groups."""
    optional_text(fields, "realmId")
    optional_text(object_in(fields, "type"), "id")
    groups = _typed(fields, "groupIds", list) or []
    if any(type(group) is not str for group in groups):
        raise refused("E0000003")
    if len(groups) > _MOST_GROUPS:
        raise refused("E0000093")
