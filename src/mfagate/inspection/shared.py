"""One credential in two environments: what breaks in one breaks in the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from mfagate.causes import CauseId
from mfagate.config.model import Environment
from mfagate.inspection.settings import Subject
from mfagate.result import Finding, some
from mfagate.secrets.fingerprint import fingerprint


def shared_credentials(subjects: Sequence[Subject]) -> Mapping[str, list[Finding]]:
    """Findings by integration name, over all integrations of a file."""
    holders: dict[str, list[tuple[Subject, str]]] = defaultdict(list)
    for subject in subjects:
        for field in subject.declared.fields():
            value = subject.values.get(field.name)
            if field.secret and value is not None and isinstance(value.value, str) and value.value.strip():
                holders[fingerprint(value.value.strip())].append((subject, field.name))
    findings: dict[str, list[Finding]] = defaultdict(list)
    for print_, held in holders.items():
        if len({subject.integration.environment for subject, _ in held}) < 2:
            continue
        elsewhere = _elsewhere(held)
        for subject, name in held:
            others = elsewhere[subject.integration.environment]
            findings[subject.integration.name].append(
                Finding(
                    CauseId.CONFIG_SHARED_CREDENTIAL,
                    f"settings.{name} is the same credential as {some(others)}",
                    {"fingerprint": print_, "environment": str(subject.integration.environment)},
                    subject.values[name].change_here,
                )
            )
    return findings


def _elsewhere(held: Sequence[tuple[Subject, str]]) -> Mapping[Environment, list[str]]:
    """For each environment the holders in the others, made once for all who hold the credential."""
    places = [(one.integration.environment, f"{one.integration.name}.settings.{name}") for one, name in held]
    environments = {environment for environment, _ in places}
    return {
        environment: [f"{place} ({other})" for other, place in places if other != environment]
        for environment in environments
    }
