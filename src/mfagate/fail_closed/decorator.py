"""``@fail_closed``: a call of a client becomes a test that proves it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from mfagate.fail_closed.loopback import Endpoint
from mfagate.fail_closed.proof import prove


def fail_closed(**claim: Any) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Make a test of a function whose first parameter is the endpoint, and which returns the decision.

    The keywords are those of :class:`~mfagate.fail_closed.Claim`. Further parameters of the
    function are fixtures of pytest.
    """

    def decorate(call: Callable[..., Any]) -> Callable[..., None]:
        @wraps(call)
        def test(**fixtures: Any) -> None:
            __tracebackhide__ = True

            def asked(endpoint: Endpoint) -> Any:
                return call(endpoint, **fixtures)

            prove(asked, **claim).require()

        _, *further = inspect.signature(call).parameters.values()
        # pytest reads which fixtures a test wants from its signature; the endpoint is none of them.
        test.__signature__ = inspect.Signature(further)  # type: ignore[attr-defined]
        return test

    return decorate
