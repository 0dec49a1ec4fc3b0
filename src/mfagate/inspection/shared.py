"""One credential in two environments: what breaks in one breaks in the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from mfagate.causes import CauseId
from mfagate.inspection.settings import Subject
from mfagate.result import Finding
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
        for subject, name in held:
            others = [
                f"{other.integration.name}.settings.{theirs} ({other.integration.environment})"
                for other, theirs in held
                if other.integration.environment != subject.integration.environment
            ]
            findings[subject.integration.name].append(
                Finding(
                    CauseId.CONFIG_SHARED_CREDENTIAL,
                    f"settings.{name} is the same credential as {', '.join(others)}",
                    {"fingerprint": print_, "environment": str(subject.integration.environment)},
                    subject.values[name].change_here,
                )
            )
    return findings
