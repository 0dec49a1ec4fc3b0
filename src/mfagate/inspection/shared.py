"""One credential in two environments: what breaks in one breaks in the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from mfagate.config.model import Environment
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding, some
from mfagate.inspection.settings import InspectedSettings
from mfagate.secrets.fingerprint import fingerprint


def shared_credentials(subjects: Sequence[InspectedSettings]) -> Mapping[str, list[Finding]]:
    """Return findings by integration name, over all integrations of a file."""
    holders: dict[str, dict[Environment, list[tuple[InspectedSettings, str]]]] = defaultdict(lambda: defaultdict(list))
    for subject in subjects:
        for field in subject.declared.fields():
            value = subject.values.get(field.name)
            if field.secret and value is not None and isinstance(value.value, str) and value.value.strip():
                same = holders[fingerprint(value.value.strip())]
                same[subject.integration.environment].append((subject, field.name))
    findings: dict[str, list[Finding]] = defaultdict(list)
    for print_, held in holders.items():
        for environment, mine in held.items() if len(held) > 1 else ():
            elsewhere = [place for other, theirs in held.items() if other != environment for place in theirs]
            others = some([_place(*place) for place in elsewhere])
            for subject, name in mine:
                finding = Finding(
                    CauseId.CONFIG_SHARED_CREDENTIAL,
                    f"settings.{name} is the same credential as {others}",
                    {"fingerprint": print_, "environment": str(environment)},
                    subject.values[name].change_here,
                )
                findings[subject.integration.name].append(finding)
    return findings


def _place(subject: InspectedSettings, name: str) -> str:
    return f"{subject.integration.name}.settings.{name} ({subject.integration.environment})"
