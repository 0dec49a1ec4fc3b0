"""Point a finding at the setting to change."""

from __future__ import annotations

from dataclasses import replace

from mfagate.core.causes import CauseFamily, CauseId
from mfagate.core.finding import Finding
from mfagate.inspection.settings import InspectedSettings
from mfagate.secrets.fingerprint import fingerprint

_WRONG_VALUES = frozenset(
    {
        CauseId.CREDENTIAL_REJECTED, CauseId.CREDENTIAL_UNKNOWN_KEY, CauseId.CREDENTIAL_EXPIRED,
        CauseId.CREDENTIAL_REVOKED, CauseId.CREDENTIAL_WRONG_KIND, CauseId.CREDENTIAL_WRONG_ACCOUNT,
        CauseId.CREDENTIAL_WRONG_REGION, CauseId.ACCOUNT_RESOURCE_MISSING, CauseId.CONFIG_MALFORMED_VALUE,
        CauseId.CONFIG_MALFORMED_URL, CauseId.CONFIG_WRONG_KIND, CauseId.CONFIG_SETTING_MISSING,
    }
)  # fmt: skip
"""Causes that another value of the setting removes. No value removes a missing permission or a suspension."""


def locate(settings: InspectedSettings, finding: Finding, probed: str | None = None) -> Finding:
    """Add the setting, the line to change and, if the value is wrong, where to find the right one.

    Args:
        settings: The settings of the integration.
        finding: What was found. It may name the setting itself.
        probed: The credential that was used; it is the setting if the cause is a credential.
    """
    accused = finding.cause.family is CauseFamily.CREDENTIAL and finding.cause is not CauseId.CREDENTIAL_NOT_PROVABLE
    name = finding.setting or (probed if accused else None)
    value = settings.values.get(name) if name else None
    if value is None:
        return finding
    field = next(field for field in settings.declared.fields() if field.name == name)
    shown = {"fingerprint": fingerprint(str(value.value))} if field.secret else {"value": value.value}
    evidence = {
        "setting": f"{settings.integration.name}.settings.{name}",
        "read from": value.read_from,
        **shown,
        **finding.evidence,
    }
    step = f"Put the right value in {value.read_from}. Where to find it: {field.setting.where}."
    return replace(
        finding,
        message=f"{name}: {finding.message}",
        evidence=evidence,
        location=finding.location or value.change_here,
        next_step=finding.next_step or (step if finding.cause in _WRONG_VALUES else None),
    )
