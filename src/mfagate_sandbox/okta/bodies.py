"""Read and validate what clients send: types, lengths and formats, with Okta's errors."""

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
"""Fields of any length."""

_SHORTEST = {"email": 5, "firstName": 1, "lastName": 1, "login": 5}
_MOST_GROUPS = 20
_SHORTEST_PASSWORD = 8


def body_of(request: IncomingRequest) -> dict[str, Any]:
    """Return the JSON object of a body; an empty body of any content type is an empty object."""
    return request.json() if request.body.strip() else {}


def flag(request: IncomingRequest, name: str, default: bool) -> bool:
    """Return a boolean query parameter."""
    value = request.parameter(name, str(default).lower())
    if value not in ("true", "false"):
        raise invalid(name, "The value must be true or false")
    return value == "true"


def number(request: IncomingRequest, name: str, default: int, most: int) -> int:
    """Return a query parameter that is a number from 1 to ``most``."""
    value = request.parameter(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", value) or not 1 <= int(value) <= most:
        raise invalid(name, f"The value must be a number from 1 to {most}")
    return int(value)


def text(fields: Mapping[str, Any], name: str) -> str:
    """Return a required string field."""
    value = optional_text(fields, name)
    if not value:
        raise invalid(name, _BLANK)
    return value


def optional_text(fields: Mapping[str, Any], name: str) -> str | None:
    """Return an optional string field."""
    value: str | None = _typed(fields, name, str)
    return value


def object_in(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an object field, or an empty object."""
    return _typed(fields, name, dict) or {}


def is_true(fields: Mapping[str, Any], name: str) -> bool:
    """Return a boolean field, by default False."""
    return bool(_typed(fields, name, bool))


def _typed(fields: Mapping[str, Any], name: str, kind: type) -> Any:
    value = fields.get(name)
    if value is not None and type(value) is not kind:
        raise refused("E0000003")
    return value


def profile_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the profile of a new user."""
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
    """Return the password of a new user."""
    password = optional_text(object_in(object_in(fields, "credentials"), "password"), "value")
    if password is not None and len(password) < _SHORTEST_PASSWORD:
        raise invalid("password", "Password requirements were not met.")
    return password


def require_sound(fields: Mapping[str, Any]) -> None:
    """Validate the other fields of a new user: realm, type and groups."""
    optional_text(fields, "realmId")
    optional_text(object_in(fields, "type"), "id")
    groups = _typed(fields, "groupIds", list) or []
    if any(type(group) is not str for group in groups):
        raise refused("E0000003")
    if len(groups) > _MOST_GROUPS:
        raise refused("E0000093")
