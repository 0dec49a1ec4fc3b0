"""``@contract_strength``: make a pytest test from a client's call, which proves a contract."""

from __future__ import annotations

from typing import Any

from mfagate.fail_closed.decorator import Decorator, proving

FIXTURE = "contract_strength"


def contract_strength(**claim: Any) -> Decorator:
    """Make a test from a function that takes the endpoint as its first parameter and returns the client's result.

    The keywords are those of :class:`~mfagate.contract_strength.StrengthClaim`. Further parameters of the function are
    fixtures, or come from ``pytest.mark.parametrize``.
    """
    return proving(FIXTURE, claim)
