"""The parameters of a request, validated as Twilio documents them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from mfagate.sandbox.emulator import IncomingRequest
from mfagate_sandbox.twilio.answers import invalid, refused

_FORM = "application/x-www-form-urlencoded"
_ANYTHING = "(?s).*"


class Form:
    """The fields of a form. Twilio reads only forms, so any other body has no fields.

    ``code`` is the error of an invalid value. An empty field counts as missing.
    """

    def __init__(self, request: IncomingRequest, code: int) -> None:
        self._code = code
        if request.content_type != _FORM:
            self._fields: dict[str, list[str]] = {}
            return
        try:
            self._fields = parse_qs(request.body.decode(), errors="strict")
        except ValueError:
            raise refused(20001, "The post body is not a form") from None

    def required(self, name: str, pattern: str = _ANYTHING) -> str:
        """Return a required field."""
        value = self.text(name, pattern)
        if value is None:
            raise refused(20001, f"Missing required parameter {name} in the post body")
        return value

    def text(self, name: str, pattern: str = _ANYTHING) -> str | None:
        """Return a field whose whole value must match ``pattern``."""
        values = self._fields.get(name)
        if values is None:
            return None
        if not re.fullmatch(pattern, values[-1]):
            raise invalid(self._code, name, values[-1])
        return values[-1]

    def all(self, name: str) -> Sequence[str]:
        """Return all values of a field that may be repeated."""
        return self._fields.get(name, [])

    def whole(self, name: str, least: int, most: int, default: int) -> int:
        """Return a number from ``least`` to ``most``."""
        value = self.text(name, "[0-9]{1,9}")
        if value is None:
            return default
        if not least <= int(value) <= most:
            raise invalid(self._code, name)
        return int(value)

    def flag(self, name: str, default: bool) -> bool:
        """Return a boolean field."""
        value = self.text(name, "(?i)true|false")
        return default if value is None else value.lower() == "true"

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        """Return one of several words."""
        return self.text(name, "|".join(map(re.escape, choices))) or default

    def document(self, name: str, longest: int) -> Any:
        """Return the JSON in a field of at most ``longest`` characters."""
        value = self.text(name, f"(?s).{{0,{longest}}}")
        if value is None:
            return None
        try:
            document = json.loads(value)
            json.dumps(document, allow_nan=False)  # Python also reads NaN, which is not JSON
        except (ValueError, RecursionError):
            raise invalid(self._code, name) from None
        return document
