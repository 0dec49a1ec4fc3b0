"""First rung: is the configuration in order, as far as it can be known without any network?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mfagate.checks.context import CheckContext, passed
from mfagate.config.environments import KEY as ENVIRONMENTS
from mfagate.config.jwt import expiry
from mfagate.config.nearest import nearest_to
from mfagate.config.resolved import Value
from mfagate.config.settings import ProviderSettings
from mfagate.config.shapes import BaseUrl
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding, some
from mfagate.core.result import Check
from mfagate.inspection.client import inspect_client
from mfagate.inspection.identity import client_identity, inspect_identity
from mfagate.inspection.settings import InspectedSettings, cross_checks, inspect_settings, sends_in_the_clear
from mfagate.inspection.tables import inspect_table
from mfagate.inspection.values import fault_of_free_text

ID = "configuration"


def run(climb: CheckContext) -> Iterator[Check]:
    """Every static finding; then the typed settings, for the rungs above."""
    findings = [*_tables(climb), *_other_tables(climb), *_endpoint(climb), *_ca_bundle(climb)]
    findings += inspect_settings(climb.subject, horizon=climb.horizon)
    if climb.control is not None:
        findings += inspect_settings(climb.control, horizon=climb.horizon, partial=True)
    findings += _misread(climb)
    findings += inspect_client(climb.integration, climb.client)
    findings += inspect_identity(climb.integration, climb.client_certificate, climb.horizon)
    findings += climb.shared
    checks = [_check(finding) for finding in findings]
    if not any(map(climb.waivers.stops, checks)):
        checks += map(_check, _typed(climb))
    yield from sorted(checks, key=lambda check: not check.outcome.is_red)
    if not any(map(climb.waivers.stops, checks)):
        read = sum(value.value is not None for value in climb.subject.values.values())
        deferred = sum(value.deferred for value in climb.subject.values.values())
        later = f", {deferred} cannot be read here" if deferred else ""
        check = passed(ID, f"{read} {'setting is' if read == 1 else 'settings are'} well-formed{later}")
        until = _first_expiry(climb, findings)
        yield check.until(until) if until else check


def _first_expiry(climb: CheckContext, findings: Sequence[Finding]) -> datetime | None:
    """When the first token runs out that says so itself and is not a finding already."""
    renewed = [value.name for value in _renewed(climb.subject)]
    values = [value.value for name, value in climb.subject.values.items() if name not in renewed]
    texts = [value for value in values if isinstance(value, str)]
    told = {finding.expires for finding in findings}
    moments = [moment for text in texts if (moment := expiry(text.strip())) is not None and moment not in told]
    return min(moments, default=None)


def _renewed(subject: InspectedSettings) -> list[Value]:
    """The values that are replaced at their source all the time."""
    names = [field.name for field in subject.declared.fields() if field.setting.renewed]
    return [subject.values[name] for name in names if name in subject.values]


def _check(finding: Finding) -> Check:
    return Check.from_finding(ID, finding, subject=_subject_of(finding))


def _subject_of(finding: Finding) -> str | None:
    setting = finding.evidence.get("setting")
    # From the end: the name of an integration may hold dots, that of a setting not.
    return str(setting).rpartition(".")[2] if setting and "." in setting else None


def _tables(climb: CheckContext) -> Iterator[Finding]:
    """Misspelt keys of the integration's own tables."""
    integration = climb.integration
    for keys in integration.unknown_keys:
        model = type(integration)
        own = [*model.model_fields, ENVIRONMENTS]
        known: Any = own if len(keys) == 1 else type(getattr(integration, keys[0])).model_fields
        message = f"{'.'.join(keys)} is no key of an integration{nearest_to(keys[-1], known)}"
        yield Finding(
            CauseId.CONFIG_UNKNOWN_SETTING, message, {"known keys": ", ".join(known)}, integration.locate(*keys)
        )
    for table, known in (("expect", climb.provider.expectations), ("test_data", climb.provider.test_data)):
        for name in getattr(integration, table):
            if name not in known:
                message = f"{table}.{name} means nothing to {climb.provider.title}{nearest_to(name, known)}"
                evidence = {"known keys": ", ".join(known) or "none"}
                step = None if known else f"Remove the line: {climb.provider.title} needs nothing in {table}."
                place = integration.locate(table, name)
                yield Finding(CauseId.CONFIG_UNKNOWN_SETTING, message, evidence, place, step)


def _other_tables(climb: CheckContext) -> Iterator[Finding]:
    """Values of the tables that are not settings."""
    yield from inspect_table(climb.integration, "expect", climb.expect)
    yield from inspect_table(climb.integration, "test_data", climb.test_data, climb.provider.test_secrets)


def _misread(climb: CheckContext) -> Iterator[Finding]:
    """Warn where another program would read another value from the same file: one finding a file."""
    files: dict[Path, list[tuple[str, Value]]] = {}
    for subject in filter(None, (climb.subject, climb.control)):
        for name, value in subject.values.items():
            if value.misread and value.location is not None:
                files.setdefault(value.location.file, []).append((f"{subject.table}.{name}", value))
    for file, values in files.items():
        names = some([name for name, _ in values])
        message = f"another program would read {names} from {file.name} differently"
        details = [f"{name} ({value.change_here}): {'; '.join(value.misread)}" for name, value in values]
        yield Finding(CauseId.CONFIG_READ_DIFFERENTLY, message, {"differences": details}, values[0][1].change_here)


def _ca_bundle(climb: CheckContext) -> Iterator[Finding]:
    bundle = climb.integration.ca_bundle
    if bundle is not None:
        from mfagate.transport import CaBundleError, check_bundle

        try:
            check_bundle(climb.integration.base / bundle)
        except CaBundleError as error:
            evidence = {"setting": f"{climb.integration.name}.ca_bundle"}
            place = climb.integration.locate("ca_bundle")
            step = (
                "Put a PEM file with the certificates of the authorities there, or correct the path, which begins at "
                "the folder of the configuration file. Without ca_bundle the system's authorities are trusted."
            )
            yield Finding(CauseId.CONFIG_REFERENCE_UNRESOLVED, str(error), evidence, place, step)


def _endpoint(climb: CheckContext) -> Iterator[Finding]:
    integration = climb.integration
    endpoint = integration.endpoint
    if endpoint is None or integration.uses_sandbox:
        return
    place = integration.locate("endpoint")
    fault = fault_of_free_text(endpoint, Value("endpoint", place, endpoint), secret=False)
    misfit = BaseUrl().misfit(endpoint)
    if fault is not None:
        yield Finding(fault.cause, f"endpoint {fault.message}", {"setting": "endpoint"}, place, fault.next_step)
    elif misfit is not None:
        message = f"endpoint cannot be right: {misfit.reason}"
        step = 'Write scheme, host and port only, for example endpoint = "https://127.0.0.1:8443", or "sandbox".'
        yield Finding(misfit.cause, message, {"setting": "endpoint"}, place, step)
    elif sends_in_the_clear(endpoint, integration.environment):
        message = "endpoint is http, so credentials would cross the network unencrypted; use https"
        cause = CauseId.CONFIG_MALFORMED_URL
        step = "Write https:// in endpoint, and check that the server offers it."
        yield Finding(cause, message, {"setting": "endpoint"}, place, step)


def _typed(climb: CheckContext) -> Iterator[Finding]:
    """Turn values into settings; what a sandbox is yet to hand out is left for a live run."""
    if any(value.deferred for value in climb.subject.values.values()):
        return
    try:
        climb.settings = _settings(climb.subject)
        climb.settings.read_again({value.name: value.again for value in _renewed(climb.subject)})
        climb.identity = client_identity(climb.client_certificate)
        if climb.control is not None and climb.control.values:
            overrides = {name: value.value for name, value in climb.control.values.items()}
            plain = {name: value.value for name, value in climb.subject.values.items()}
            climb.control_settings = climb.subject.declared.model_validate({**plain, **overrides})
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False):
            name = ".".join(map(str, item["loc"]))
            location = climb.integration.locate("settings", name)
            yield Finding(CauseId.CONFIG_MALFORMED_VALUE, f"settings.{name}: {item['msg']}", {}, location)
        return
    yield from cross_checks(climb.subject, climb.provider.inspect(climb.settings))


def _settings(subject: InspectedSettings) -> ProviderSettings:
    return subject.declared.model_validate({name: value.value for name, value in subject.values.items()})
