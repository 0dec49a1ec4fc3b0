"""Check the settings of the login service's own client, which decide what an outage does to users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mfagate.config.model import Integration
from mfagate.config.nearest import nearest_to
from mfagate.config.resolved import Value
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding
from mfagate.inspection.values import fault_of_free_text

_FAIL_OPEN = {"allow", "open", "safe", "bypass", "true", "yes"}
_FAIL_CLOSED = {"deny", "closed", "secure", "block", "false", "no"}
"""Words of ``when_unavailable``. Duo's clients call fail-open ``safe`` and fail-closed ``secure``
(https://duo.com/docs/authproxy-reference, option ``failmode``)."""

_SECONDS = "a number of seconds without a unit, such as"
_NUMBERS = {
    "timeout_seconds": f"{_SECONDS} 3",
    "retries": "a number, such as 1",
    "backoff_seconds": f"{_SECONDS} 0.5",
    "login_budget_seconds": f"{_SECONDS} 10",
}
"""The form of each value."""

_WORD = "deny if the login service then lets nobody in, or allow if it lets users in"


def inspect_client(integration: Integration, values: Mapping[str, Value]) -> Iterator[Finding]:
    """Yield findings about ``[integrations.NAME.client]``."""
    numbers: dict[str, float] = {}
    for name, value in values.items():
        if value.deferred:
            continue
        if value.error is not None:
            yield _finding(
                CauseId.CONFIG_REFERENCE_UNRESOLVED, value, f"cannot be read: {value.error}", value.next_step
            )
        elif fault := fault_of_free_text(str(value.value), value, secret=False):
            yield _finding(fault.cause, value, fault.message, fault.next_step)
        elif name in _NUMBERS:
            number = _number(value.value)
            if number is None:
                message, step = "is not a number of zero or more", _step_to_correct(_NUMBERS[name])
                yield _finding(CauseId.CONFIG_MALFORMED_VALUE, value, message, step)
            else:
                numbers[name] = number
        else:
            yield from _when_unavailable(integration, value)
    yield from _timeout_budget(values, numbers)


def _finding(cause: CauseId, value: Value, message: str, next_step: str | None = None) -> Finding:
    evidence = {"read from": value.read_from}
    return Finding(cause, f"client.{value.name} {message}", evidence, value.change_here, next_step)


def login_budget(values: Mapping[str, Value]) -> float | None:
    """Return the seconds that a whole login may take, if the file states them."""
    stated = values.get("login_budget_seconds")
    return _number(stated.value) if stated is not None and stated.error is None else None


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _when_unavailable(integration: Integration, value: Value) -> Iterator[Finding]:
    word = str(value.value).strip().lower()
    if word in _FAIL_OPEN:
        if integration.environment.is_production:
            yield _finding(
                CauseId.CONFIG_FAILS_OPEN, value, "lets users in without a second factor when the provider is down"
            )
    elif word not in _FAIL_CLOSED:
        known = ", ".join(sorted(_FAIL_CLOSED | _FAIL_OPEN))
        message = f"is neither deny nor allow{nearest_to(word, _FAIL_CLOSED | _FAIL_OPEN)}; known words: {known}"
        yield _finding(CauseId.CONFIG_MALFORMED_VALUE, value, message, _step_to_correct(_WORD))


def _step_to_correct(right: str) -> str:
    """Return the next step for a wrong value, which no provider's console shows."""
    return f"At the line in the report, write the value that the login service uses: {right}."


def _timeout_budget(values: Mapping[str, Value], numbers: Mapping[str, float]) -> Iterator[Finding]:
    if not {"timeout_seconds", "login_budget_seconds"} <= numbers.keys():
        return
    timeout, budget = numbers["timeout_seconds"], numbers["login_budget_seconds"]
    retries, backoff = numbers.get("retries", 0), numbers.get("backoff_seconds", 0)
    worst = timeout * (retries + 1) + backoff * retries
    if worst > budget:
        yield Finding(
            CauseId.CONFIG_TIMEOUT_BUDGET,
            f"a login may wait {worst:g} s for the provider, but its budget is {budget:g} s",
            {
                "timeout_seconds": timeout,
                "retries": retries,
                "backoff_seconds": backoff,
                "worst case": f"{timeout:g} s × {retries + 1:g} attempts + {backoff:g} s × {retries:g} pauses",
            },
            values["timeout_seconds"].change_here,
        )
