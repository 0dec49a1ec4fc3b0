"""Check the configuration without any network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from mfagate.checks.context import CheckContext
from mfagate.checks.results import passed
from mfagate.config.environments import KEY as ENVIRONMENTS
from mfagate.config.jwt import expiry
from mfagate.config.nearest import nearest_to
from mfagate.config.resolved import Value
from mfagate.config.shapes import BaseUrl
from mfagate.core import check_ids
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding, some
from mfagate.core.foreign import quoted
from mfagate.core.result import Check
from mfagate.inspection.client import inspect_client
from mfagate.inspection.identity import inspect_identity
from mfagate.inspection.settings import cross_checks, inspect_settings, sends_in_the_clear
from mfagate.inspection.tables import inspect_table
from mfagate.inspection.values import fault_of_free_text


def run(context: CheckContext) -> Iterator[Check]:
    """Report the faults of the values; if there are none, make the typed settings and check them."""
    integration, tables = context.integration, context.tables
    findings = [*_tables(context), *inspect_table(integration, "expect", tables.expect)]
    findings += inspect_table(integration, "test_data", tables.test_data, context.provider.test_secrets)
    findings += [*_endpoint(context), *_ca_bundle(context), *_plan(context)]
    findings += inspect_settings(tables.settings, horizon=context.horizon)
    if tables.control is not None:
        findings += inspect_settings(tables.control, horizon=context.horizon, partial=True)
    findings += _misread(context)
    findings += inspect_client(integration, tables.client)
    findings += inspect_identity(integration, tables.client_certificate, context.horizon)
    findings += context.shared
    checks = [_check(finding) for finding in findings]
    if not any(map(context.waivers.stops, checks)):
        checks += map(_check, _typed(context))
    yield from sorted(checks, key=lambda check: not check.outcome.is_red)
    if not any(map(context.waivers.stops, checks)):
        read = sum(value.value is not None for value in tables.settings.values.values())
        later = f", {tables.deferred} cannot be read here" if tables.deferred else ""
        check = passed(
            check_ids.CONFIGURATION, f"{read} {'setting is' if read == 1 else 'settings are'} well-formed{later}"
        )
        until = _first_expiry(context, findings)
        yield check.until(until) if until else check


def _first_expiry(context: CheckContext, findings: Sequence[Finding]) -> datetime | None:
    """Return the earliest expiry that a token states, except those that are findings already."""
    renewed = [value.name for value in context.tables.renewed]
    values = [value.value for name, value in context.tables.settings.values.items() if name not in renewed]
    texts = [value for value in values if isinstance(value, str)]
    reported = {finding.expires for finding in findings}
    moments = [moment for text in texts if (moment := expiry(text.strip())) is not None and moment not in reported]
    return min(moments, default=None)


def _check(finding: Finding) -> Check:
    return Check.from_finding(check_ids.CONFIGURATION, finding, subject=_subject_of(finding))


def _subject_of(finding: Finding) -> str | None:
    setting = finding.evidence.get("setting")
    # From the end: the name of an integration may contain dots, that of a setting cannot.
    return str(setting).rpartition(".")[2] if setting and "." in setting else None


def _tables(context: CheckContext) -> Iterator[Finding]:
    """Report misspelt keys of the integration's own tables."""
    integration = context.integration
    for keys in integration.unknown_keys:
        model = type(integration)
        inner = len(keys) > 1
        own = [*(type(getattr(integration, keys[0])).model_fields if inner else (*model.model_fields, ENVIRONMENTS))]
        message = f"{'.'.join(keys)} is not a key of an integration{nearest_to(keys[-1], own)}"
        evidence = {"known keys": ", ".join(own)}
        yield Finding(CauseId.CONFIG_UNKNOWN_SETTING, message, evidence, integration.locate(*keys))
    for table, known in (("expect", context.provider.expectations), ("test_data", context.provider.test_data)):
        for name in getattr(integration, table):
            if name not in known:
                message = f"{table}.{name} is not a key of {context.provider.title}{nearest_to(name, known)}"
                evidence = {"known keys": ", ".join(known) or "none"}
                step = None if known else f"Remove the line: {context.provider.title} needs nothing in {table}."
                yield Finding(CauseId.CONFIG_UNKNOWN_SETTING, message, evidence, integration.locate(table, name), step)


def _plan(context: CheckContext) -> Iterator[Finding]:
    """Report a plan for which the provider publishes no limits."""
    integration, known = context.integration, context.provider.api.limits
    if integration.plan is not None and integration.plan not in known:
        message = f"plan = {quoted(integration.plan, 40)!r} is not known of {context.provider.title}"
        step = f"Write {' or '.join(known)}, or remove the line: without it, the limits of a paid plan apply."
        evidence = {"setting": f"{integration.name}.plan", "known plans": ", ".join(known)}
        yield Finding(CauseId.CONFIG_MALFORMED_VALUE, message, evidence, integration.locate("plan"), step)


def _misread(context: CheckContext) -> Iterator[Finding]:
    """Warn if another program would read another value from the same file: one finding per file."""
    files: dict[Path, list[tuple[str, Value]]] = {}
    for inspected in filter(None, (context.tables.settings, context.tables.control)):
        for name, value in inspected.values.items():
            if value.misread and value.location is not None:
                files.setdefault(value.location.file, []).append((f"{inspected.table}.{name}", value))
    for file, values in files.items():
        names = some([name for name, _ in values])
        message = f"another program would read {names} from {file.name} differently"
        details = [f"{name} ({value.change_here}): {'; '.join(value.misread)}" for name, value in values]
        yield Finding(CauseId.CONFIG_READ_DIFFERENTLY, message, {"differences": details}, values[0][1].change_here)


def _ca_bundle(context: CheckContext) -> Iterator[Finding]:
    bundle = context.integration.ca_bundle
    if bundle is not None:
        from mfagate.transport import CaBundleError, check_bundle

        try:
            check_bundle(context.integration.base / bundle)
        except CaBundleError as error:
            evidence = {"setting": f"{context.integration.name}.ca_bundle"}
            location = context.integration.locate("ca_bundle")
            step = (
                "Put a PEM file with the authorities' certificates there, or correct the path (relative to the folder "
                "of the configuration file). Without ca_bundle, the system's authorities are trusted."
            )
            yield Finding(CauseId.CONFIG_REFERENCE_UNRESOLVED, str(error), evidence, location, step)


def _endpoint(context: CheckContext) -> Iterator[Finding]:
    integration = context.integration
    endpoint = integration.endpoint
    if endpoint is None or integration.uses_sandbox:
        return
    location, evidence = integration.locate("endpoint"), {"setting": "endpoint"}
    fault = fault_of_free_text(endpoint, Value("endpoint", location, endpoint), secret=False)
    misfit = BaseUrl().misfit(endpoint)
    if fault is not None:
        yield Finding(fault.cause, f"endpoint {fault.message}", evidence, location, fault.next_step)
    elif misfit is not None:
        message = f"endpoint cannot be right: {misfit.reason}"
        step = 'Write scheme, host and port only, for example endpoint = "https://127.0.0.1:8443", or "sandbox".'
        yield Finding(misfit.cause, message, evidence, location, step)
    elif sends_in_the_clear(endpoint, integration.environment):
        message = "endpoint is http, so credentials would cross the network unencrypted; use https"
        step = "Write https:// in endpoint, and check that the server offers it."
        yield Finding(CauseId.CONFIG_MALFORMED_URL, message, evidence, location, step)


def _typed(context: CheckContext) -> Iterator[Finding]:
    """Make the typed settings, and report what the provider finds in them."""
    try:
        typed = context.tables.typed
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False):
            name = ".".join(map(str, item["loc"]))
            location = context.integration.locate("settings", name)
            yield Finding(CauseId.CONFIG_MALFORMED_VALUE, f"settings.{name}: {item['msg']}", {}, location)
        return
    if typed is not None:
        yield from cross_checks(context.tables.settings, context.provider.inspect(typed.settings))
