"""Check one answer to a question of ``mfagate init`` by the rules of ``mfagate check``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mfagate.config.load import ConfigError, read
from mfagate.config.resolved import resolve_table
from mfagate.config.settings import SettingField
from mfagate.core.causes import CauseId
from mfagate.core.finding import Finding
from mfagate.core.toml_lines import string
from mfagate.inspection.settings import InspectedSettings, inspect_settings
from mfagate.providers.provider import InstalledProvider
from mfagate.scaffold.project import CONFIGURATION
from mfagate.secrets.reference import SCHEMES, Reference
from mfagate.secrets.stores import StoreContext, Stores


@dataclass(frozen=True, slots=True)
class AnswerCheck:
    """The result for one answer. ``only_missing`` is set if the reference is well-formed but has no value here."""

    error: str | None = None
    only_missing: bool = False


_PLAIN = ("env", "file", "sandbox")


def _is_complete(answer: str) -> bool:
    """Return whether a reference is well-formed. Its value may be on another machine, as with secrets."""
    reference = Reference.parse(answer)
    if reference is None or reference.scheme not in SCHEMES:
        return False
    path, _, fragment = reference.locator.partition("#")
    return bool(path.strip()) and (reference.scheme in _PLAIN or bool(fragment.strip()))


_PLACE = re.compile(rf"^At {re.escape(str(CONFIGURATION))}:\d+[,:] ")


def _step(finding: Finding) -> str:
    """Return the next step of a finding, without the location of a line that is not written yet."""
    if not finding.next_step:
        return ""
    step = _PLACE.sub("", finding.next_step)
    return f". {step[0].upper()}{step[1:]}"


def check_answer(
    folder: Path,
    provider: InstalledProvider,
    environment: str,
    field: SettingField,
    answer: str,
    given: Mapping[str, str],
) -> AnswerCheck:
    """Check an answer together with the earlier answers (``given``)."""
    settings = {**given, field.name: answer}
    lines = [f"[integrations.{string(provider.name)}]", f"provider = {string(provider.name)}"]
    lines += [f'environment = "{environment}"', f"[integrations.{string(provider.name)}.settings]"]
    lines += [f"{name} = {string(value)}" for name, value in settings.items()]
    try:
        configuration = read(folder / CONFIGURATION, "\n".join(lines), [provider.name])
    except ConfigError as error:
        return AnswerCheck(error.problems[0].message)
    (integration,) = configuration.integrations.values()
    values = resolve_table(
        integration, "settings", Stores(StoreContext(folder, os.environ)), sandbox_running=not integration.uses_sandbox
    )
    own = values[field.name]
    if own.error is not None:
        return AnswerCheck(own.error, only_missing=_is_complete(answer))
    known = {name: value for name, value in values.items() if value.error is None}
    subject = InspectedSettings(integration, provider.settings, known)
    findings = inspect_settings(subject, horizon=timedelta(0), partial=True)
    if not isinstance(own.value, str) or not own.value.strip():
        return AnswerCheck(f"{field.name} is empty")
    for finding in findings:
        mine = str(finding.evidence.get("setting", "")).endswith(f".{field.name}")
        if (mine or finding.cause is CauseId.CONFIG_VALUES_SWAPPED) and finding.effective_outcome.is_red:
            if finding.cause is CauseId.CONFIG_LITERAL_SECRET:
                return AnswerCheck(
                    f"{field.name} is a secret, but {CONFIGURATION} is committed: write where it is read from, such as "
                    f"{field.setting.example}"
                )
            return AnswerCheck(f"{finding.message}{_step(finding)}")
    return AnswerCheck()
