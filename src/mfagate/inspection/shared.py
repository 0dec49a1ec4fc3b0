"""Find one credential in two environments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from mfagate.config.model import Environment
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding, Location, some
from mfagate.inspection.settings import InspectedSettings
from mfagate.secrets.fingerprint import fingerprint


def shared_credentials(subjects: Sequence[InspectedSettings]) -> Mapping[str, list[Finding]]:
    """Return findings by integration name, over all integrations of a file.

    The most trusted environment keeps the credential; the line to change is in another one.
    """
    holders: dict[str, dict[Environment, list[tuple[InspectedSettings, str]]]] = defaultdict(lambda: defaultdict(list))
    for subject in subjects:
        for field in subject.declared.fields():
            value = subject.values.get(field.name)
            if field.secret and value is not None and isinstance(value.value, str) and value.value.strip():
                same = holders[fingerprint(value.value.strip())]
                same[subject.integration.environment].append((subject, field.name))
    findings: dict[str, list[Finding]] = defaultdict(list)
    for print_, held in holders.items():
        # From the most trusted environment to the least trusted one.
        trusted = [held[environment][0] for environment in Environment if environment in held]
        for environment, mine in held.items() if len(held) > 1 else ():
            others = some(
                [_place(*holder) for other, theirs in held.items() if other != environment for holder in theirs]
            )
            for subject, name in mine:
                replaced = trusted[-1] if environment == trusted[0][0].integration.environment else (subject, name)
                finding = Finding(
                    CauseId.CONFIG_SHARED_CREDENTIAL,
                    f"settings.{name} is the same credential as {others}",
                    {"fingerprint": print_, "environment": str(environment)},
                    _location(*replaced),
                    _next_step(replaced, trusted[0]),
                )
                findings[subject.integration.name].append(finding)
    return findings


def _next_step(replaced: tuple[InspectedSettings, str], kept: tuple[InspectedSettings, str]) -> str:
    """Return the next step. A line that both environments read can hold only one of the two credentials."""
    head = replaced[0].integration.head("settings")
    place = f"write {replaced[1]} of its own in {head}" if _location(*replaced) == _location(*kept) else "put it there"
    (new, _), (old, _) = replaced, kept
    return (
        f"Create a separate credential for {new.integration.name}, and {place}. {old.integration.name} keeps this one."
    )


def _location(subject: InspectedSettings, name: str) -> Location:
    return subject.values[name].change_here


def _place(subject: InspectedSettings, name: str) -> str:
    return f"{subject.integration.name}.settings.{name} ({subject.integration.environment})"
