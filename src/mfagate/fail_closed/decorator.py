"""``@fail_closed``: turn a call of a client into a pytest test that proves a claim about it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from mfagate.fail_closed.loopback import LoopbackUrl

FIXTURE = "fail_closed"

Decorator = Callable[[Callable[..., Any]], Callable[..., None]]


def fail_closed(**claim: Any) -> Decorator:
    """Turn a function into a test. Its first parameter is the endpoint, and it returns the decision.

    The keywords are those of :class:`~mfagate.fail_closed.FailClosedClaim`. Other parameters of the
    function are fixtures, or come from ``pytest.mark.parametrize``.
    """
    return proving(FIXTURE, claim)


def proving(fixture: str, claim: dict[str, Any]) -> Decorator:
    """Return a decorator that turns a call into a test: the fixture of this name proves the claim about it."""

    def decorate(call: Callable[..., Any]) -> Callable[..., None]:
        @wraps(call)
        def test(**fixtures: Any) -> None:
            prove = fixtures[fixture] if fixture in wanted else fixtures.pop(fixture)

            def call_at(endpoint: LoopbackUrl) -> Any:
                return call(endpoint, **fixtures)

            prove(call_at, **claim)

        _, *further = inspect.signature(call).parameters.values()
        wanted = [parameter.name for parameter in further]
        # pytest reads the fixtures of a test from its signature, which must contain the fixture and not the endpoint.
        own = inspect.Parameter(fixture, inspect.Parameter.KEYWORD_ONLY)
        signature = inspect.Signature([*further] if fixture in wanted else [*further, own])
        test.__signature__ = signature  # type: ignore[attr-defined]
        return test

    return decorate
