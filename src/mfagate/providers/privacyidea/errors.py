"""privacyIDEA's error codes and what is behind them.

The envelope is ``{"result": {"status": false, "error": {"code", "message"}}}``.
Codes as a privacyIDEA 3.14 server was seen to answer them, named in
https://privacyidea.readthedocs.io/en/latest/modules/lib/error.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mfagate.causes import CauseId
from mfagate.exchange import Response
from mfagate.providers.base import Meaning

UNKNOWN_USER = 904
INTERNAL = -500

_NOT_ISSUED_HERE = "the server refuses the key: another server issued it, or this one's SECRET_KEY has changed"
"""What remains for a key of the right shape; damaged ones are found before they are sent."""

MEANINGS: Mapping[str | int, Meaning] = {
    4031: Meaning(CauseId.CREDENTIAL_REJECTED, "the server does not accept the credential"),
    4033: Meaning(CauseId.CREDENTIAL_REJECTED, "the server saw no key in the request"),
    4304: Meaning(CauseId.CREDENTIAL_REJECTED, _NOT_ISSUED_HERE),
    4305: Meaning(CauseId.CREDENTIAL_EXPIRED, "the server says that the key has expired"),
    4306: Meaning(CauseId.CREDENTIAL_WRONG_KIND, "the key has the wrong role for this endpoint"),
}

POLICY_CODE = 303
"""One code for everything a policy forbids; only the message tells what it was."""

POLICY_MESSAGES: tuple[tuple[str, Meaning], ...] = (
    ("No valid API key was passed", Meaning(CauseId.CREDENTIAL_REJECTED, _NOT_ISSUED_HERE)),
    ("it was no API key", Meaning(CauseId.CREDENTIAL_WRONG_KIND, "the key is valid, but of the wrong role")),
    (
        "is not allowed",
        Meaning(CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION, "a policy of the server withholds the right"),
    ),
)


def result_of(response: Response) -> dict[str, Any]:
    """The ``result`` object of an answer, empty if there is none."""
    try:
        body = response.json()
    except ValueError:
        return {}
    result = body.get("result") if isinstance(body, dict) else None
    return result if isinstance(result, dict) else {}


def error_of(response: Response) -> tuple[int, str] | None:
    """Code and message of an error answer."""
    error = result_of(response).get("error")
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        return None
    return error["code"], str(error.get("message", ""))
