"""``@contract_strength``: a call of a client becomes a test of pytest that proves a contract with it."""

from __future__ import annotations

from typing import Any

from mfagate.fail_closed.decorator import Decorator, proving

FIXTURE = "contract_strength"


def contract_strength(**claim: Any) -> Decorator:
    """Make a test of a function whose first parameter is the endpoint, and which returns what the client hands on.

    The keywords are those of :class:`~mfagate.contract_strength.Claim`. Further parameters of the
    function are fixtures, or come from ``pytest.mark.parametrize``.
    """
    return proving(FIXTURE, claim)
