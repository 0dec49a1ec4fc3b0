"""The client fails closed: see mfagate's docs/how-to/fail-closed.md."""

from __future__ import annotations

from mfagate_vonage.client import VonageClient
from mfagate_vonage.settings import VonageSettings
from pydantic import SecretStr

from mfagate.fail_closed import WAITS, LoopbackUrl, MutationKind, fail_closed
from mfagate.providers.second_factor import Challenge, Decision, Factor

CONTRACT = "contracts/vonage/auth-service-vonage.json"
SECRET = "c4n4ryC4n4ry"
SETTINGS = VonageSettings(api_key="0a1b2c3d", api_secret=SecretStr(SECRET))
STARTED = Challenge("447700900000", Factor.SMS, "c11236f4-00bf-4b89-84ba-88b25df97315")


def verify(endpoint: LoopbackUrl, seconds: float) -> Decision:
    return VonageClient(SETTINGS, endpoint=endpoint, timeout_seconds=seconds).verify(STARTED, "1234")


@fail_closed(contract=CONTRACT, interaction="code accepted", secrets=[SECRET], tolerate=WAITS)
def test_a_code_is_accepted(endpoint: LoopbackUrl) -> Decision:
    return verify(endpoint, 4.0)


@fail_closed(contract=CONTRACT, interaction="wrong code", expect=Decision.DENY, tolerate=WAITS)
def test_a_wrong_code_is_refused(endpoint: LoopbackUrl) -> Decision:
    return verify(endpoint, 4.0)


@fail_closed(contract=CONTRACT, interaction="code accepted", tolerate=set(MutationKind) - WAITS, examples=1)
def test_no_answer_is_waited_for_for_ever(endpoint: LoopbackUrl) -> Decision:
    return verify(endpoint, 0.5)
