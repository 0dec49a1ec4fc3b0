"""Check the tables beside the settings: ``expect``, ``test_data`` and ``client``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from mfagate.config.model import Integration
from mfagate.config.resolved import Value
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding
from mfagate.inspection.telephone import doubt_about
from mfagate.inspection.values import fault_of_free_text


def inspect_table(
    integration: Integration, table: str, values: Mapping[str, Value], secrets: Collection[str] = ()
) -> Iterator[Finding]:
    """Yield findings about the values of one table, at most one for each value."""
    for name, value in values.items():
        if value.deferred:
            continue
        label = f"{table}.{name}"
        if value.error is not None:
            message = f"{label} cannot be read: {value.error}"
            yield Finding(CauseId.CONFIG_REFERENCE_UNRESOLVED, message, {}, value.key_location)
        elif isinstance(value.value, str):
            yield from _inspect_text(integration, label, value, value.value, secret=name in secrets)


def _inspect_text(integration: Integration, label: str, value: Value, text: str, *, secret: bool) -> Iterator[Finding]:
    fault = fault_of_free_text(text, value, secret=secret)
    if fault is not None:
        evidence = {"read from": value.read_from}
        yield Finding(fault.cause, f"{label} {fault.message}", evidence, value.change_here, fault.next_step)
    elif label.startswith("test_data.") and label.endswith("phone") and not integration.uses_sandbox:
        yield from _telephone(label, value, text)


def _telephone(label: str, value: Value, text: str) -> Iterator[Finding]:
    doubt = doubt_about(text)
    if doubt is not None:
        what = "is not a possible telephone number" if doubt.certain else "may not be a telephone number"
        yield Finding(
            CauseId.CONFIG_MALFORMED_VALUE,
            f"{label} {what}: {doubt.reason}",
            {"read from": value.read_from},
            value.change_here,
            f"Write a number that you own at {value.change_here}, with + and its country code.",
            outcome=None if doubt.certain else Outcome.WARN,
        )
