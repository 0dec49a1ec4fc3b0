"""``@fail_closed``: a call of a client becomes a test of pytest that proves it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from mfagate.fail_closed.loopback import LoopbackUrl

FIXTURE = "fail_closed"

Decorator = Callable[[Callable[..., Any]], Callable[..., None]]


def fail_closed(**claim: Any) -> Decorator:
    """Make a test of a function whose first parameter is the endpoint, and which returns the decision.

    The keywords are those of :class:`~mfagate.fail_closed.Claim`. Further parameters of the
    function are fixtures, or come from ``pytest.mark.parametrize``.
    """
    return proving(FIXTURE, claim)


def proving(fixture: str, claim: dict[str, Any]) -> Decorator:
    """Return a decorator that makes a test of a call: the fixture of this name proves the claim about it."""

    def decorate(call: Callable[..., Any]) -> Callable[..., None]:
        @wraps(call)
        def test(**fixtures: Any) -> None:
            prove = fixtures[fixture] if fixture in wanted else fixtures.pop(fixture)

            def asked(endpoint: LoopbackUrl) -> Any:
                return call(endpoint, **fixtures)

            prove(asked, **claim)

        _, *further = inspect.signature(call).parameters.values()
        wanted = [each.name for each in further]
        # pytest reads from its signature what a test wants: the endpoint is none of it, the fixture is.
        own = inspect.Parameter(fixture, inspect.Parameter.KEYWORD_ONLY)
        signature = inspect.Signature([*further] if fixture in wanted else [*further, own])
        test.__signature__ = signature  # type: ignore[attr-defined]
        return test

    return decorate
