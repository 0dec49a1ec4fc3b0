"""privacyIDEA's error codes lead to causes, the misleading ones too."""

from __future__ import annotations

import base64
import json

import pytest
from pydantic import SecretStr

from mfagate.core.causes import CauseId
from mfagate.providers.privacyidea.provider import PROVIDER
from mfagate.providers.privacyidea.settings import PrivacyIDEASettings
from mfagate.testing import explained


def key(expires: int) -> str:
    def part(content: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'HS256'})}.{part({'role': 'validate', 'exp': expires})}.{'A' * 43}"


def cause_of(status: int, code: int, message: str = "m", *, expires: int = 4_000_000_000) -> CauseId:
    body = {"result": {"status": False, "error": {"code": code, "message": message}}}
    settings = PrivacyIDEASettings(url="https://host", validate_key=SecretStr(key(expires)))
    return explained(PROVIDER, settings, status, body).cause


@pytest.mark.parametrize(
    ("status", "code", "message", "cause"),
    [
        (401, 4031, "", CauseId.CREDENTIAL_REJECTED),
        (401, 4033, "", CauseId.CREDENTIAL_REJECTED),
        (401, 4304, "", CauseId.CREDENTIAL_REJECTED),
        (401, 4305, "", CauseId.CREDENTIAL_EXPIRED),
        (401, 4306, "", CauseId.CREDENTIAL_WRONG_KIND),
        (403, 303, "No valid API key was passed.", CauseId.CREDENTIAL_REJECTED),
        (403, 303, "A correct JWT was passed, but it was no API key.", CauseId.CREDENTIAL_WRONG_KIND),
        (403, 303, "…the action triggerchallenge is not allowed!", CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (403, 303, "You are not allowed to administer the realm x", CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (403, 303, "Tokentype not allowed for authentication!", CauseId.CONTRACT_STATUS_CHANGED),
        (403, 303, "Serial is not allowed for authentication!", CauseId.CONTRACT_STATUS_CHANGED),
        (403, 303, "a policy nobody has seen", CauseId.PROVIDER_REFUSAL_UNRECOGNISED),
        (401, 9999, "a code nobody has seen", CauseId.PROVIDER_REFUSAL_UNRECOGNISED),
        (401, 403, "Authentication failed.", CauseId.CREDENTIAL_NOT_PROVABLE),
        (403, 403, "Authentication failed.", CauseId.CREDENTIAL_NOT_PROVABLE),
        (500, 403, "Authentication failed.", CauseId.CREDENTIAL_NOT_PROVABLE),
        (404, 601, "no such serial", CauseId.CONTRACT_STATUS_CHANGED),
        (404, -404, "404 Not Found", CauseId.CONTRACT_ENDPOINT_RETIRED),
        (400, 1007, "the token was revoked", CauseId.CONTRACT_STATUS_CHANGED),
        (400, 101, "No subscription for your client.", CauseId.ACCOUNT_QUOTA_EXHAUSTED),
        (400, 907, "the directory is away", CauseId.PROVIDER_OUTAGE),
        (400, 905, "missing parameter", CauseId.CONTRACT_STATUS_CHANGED),
        (500, -500, "Internal Server Error", CauseId.PROVIDER_OUTAGE),
    ],
)
def test_codes(status: int, code: int, message: str, cause: CauseId) -> None:
    assert cause_of(status, code, message) is cause


@pytest.mark.parametrize(("status", "code"), [(500, -500), (400, 707), (400, 902), (400, 903), (400, 907)])
def test_a_server_that_fails_has_a_log(status: int, code: int) -> None:
    """A server of one's own has no status page: https://github.com/privacyidea/privacyidea/issues/3293."""
    settings = PrivacyIDEASettings(url="https://host", validate_key=SecretStr(key(4_000_000_000)))
    body = {"result": {"status": False, "error": {"code": code, "message": "m"}}}
    found = explained(PROVIDER, settings, status, body)
    assert found.cause is CauseId.PROVIDER_OUTAGE
    assert "privacyidea.log" in str(found.next_step)


@pytest.mark.parametrize("code", [-500, 403])
def test_a_500_to_an_expired_key_is_the_key(code: int) -> None:
    assert cause_of(500, code, expires=1) is CauseId.CREDENTIAL_EXPIRED


@pytest.mark.parametrize("code", [303, 4304, 4305, 4306])
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_the_code_decides_at_any_status(code: int, status: int) -> None:
    assert cause_of(status, code, "No valid API key was passed.") in (
        CauseId.CREDENTIAL_REJECTED,
        CauseId.CREDENTIAL_EXPIRED,
        CauseId.CREDENTIAL_WRONG_KIND,
    )
