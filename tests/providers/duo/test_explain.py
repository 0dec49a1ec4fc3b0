"""Duo's error codes lead to causes."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.providers.duo.provider import PROVIDER
from mfagate.providers.duo.settings import DuoSettings
from mfagate.testing import explained

SETTINGS = DuoSettings(
    host="api-0a1b2c3d.duosecurity.com", integration_key="DIABCDEFGHIJ01234567", secret_key=SecretStr("k" * 40)
)


def finding(code: int, message: str = "a sentence", detail: str | None = None) -> Finding:
    body = {"stat": "FAIL", "code": code, "message": message, "message_detail": detail}
    return explained(PROVIDER, SETTINGS, code // 100, body)


@pytest.mark.parametrize(
    ("code", "detail", "cause"),
    [
        (40101, None, CauseId.CREDENTIAL_REJECTED),
        (40102, None, CauseId.CREDENTIAL_UNKNOWN_KEY),
        (40103, None, CauseId.CREDENTIAL_REJECTED),
        (40104, None, CauseId.CREDENTIAL_REJECTED),
        (40105, None, CauseId.CLOCK_SKEW),
        (40301, "Wrong integration type for this API.", CauseId.CREDENTIAL_WRONG_KIND),
        (40301, None, CauseId.CREDENTIAL_INSUFFICIENT_PERMISSION),
        (42901, None, CauseId.PROVIDER_RATE_LIMITED),
        (50001, None, CauseId.PROVIDER_OUTAGE),
        (50300, None, CauseId.PROVIDER_OUTAGE),
        (40199, None, CauseId.PROVIDER_REFUSAL_UNRECOGNISED),
        (40399, None, CauseId.PROVIDER_REFUSAL_UNRECOGNISED),
        (40401, None, CauseId.CONTRACT_ENDPOINT_RETIRED),
        (40001, "username", CauseId.CONTRACT_STATUS_CHANGED),
    ],
)
def test_codes(code: int, detail: str | None, cause: CauseId) -> None:
    found = finding(code, detail=detail)
    assert found.cause is cause
    assert found.evidence["provider code"] == code


def test_a_wrong_kind_does_not_clear_the_secret() -> None:
    found = finding(40301, "Access forbidden", "Wrong integration type for this API.")
    assert "may also be wrong" in found.message
    assert found.evidence["provider message"] == "Access forbidden: Wrong integration type for this API."
    assert found.setting == "integration_key"


def test_a_bare_access_forbidden_says_where_to_look() -> None:
    """Its next step named "the permission in the report", and there was none.

    https://github.com/duosecurity/duo_client_python/issues/203, https://github.com/JohnDuprey/DuoSecurity/issues/38
    """
    found = finding(40301, "Access forbidden")
    assert found.setting == "integration_key"
    assert len(found.evidence["possible causes"]) == 3
    assert "Do not change the secret key" in str(found.next_step)


def test_an_unknown_key_names_every_reason_and_leaves_the_secret_alone() -> None:
    """40102 with the wording since 2024: https://github.com/duosecurity/duo_api_csharp/issues/36."""
    found = finding(40102, "Invalid identity in request credentials")
    assert any("another type of application" in cause for cause in found.evidence["possible causes"])
    assert "Do not change the secret key" in str(found.next_step)


def test_an_outage_is_nobodys_misconfiguration() -> None:
    assert finding(50001).effective_outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("body", [{"stat": "OK"}, {"stat": "FAIL", "code": "40103"}, [], "x", None])
def test_what_is_no_error_of_duo(body: object) -> None:
    assert "provider code" not in explained(PROVIDER, SETTINGS, 401, body).evidence
