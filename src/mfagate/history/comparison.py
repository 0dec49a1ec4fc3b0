"""Determine whether a value has changed since an integration last passed.

Values are never stored: two runs are compared by the keyed fingerprints of the values that they read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import some
from mfagate.core.result import Check, IntegrationReport
from mfagate.history.prior_runs import LastPass
from mfagate.secrets.fingerprint import KEY_VARIABLE

LABEL = "compared"
"""The name of the evidence. It comes first in a problem."""

NO_HISTORY = (
    "no earlier run is stored here; `mfagate nightly` or `mfagate gate --history PATH` stores runs to compare with"
)

_ABOUT_A_CREDENTIAL = ("credential.", "account.", "provider.auth-outage", "provider.refusal-unrecognised")
"""Prefixes of causes that always say whether a value has changed, or how to find out."""

_CONCLUSIONS: Mapping[str, str] = {
    CauseId.CREDENTIAL_EXPIRED: ": it has expired since",
    CauseId.CONFIG_EXPIRED: ": it has expired since",
    CauseId.CREDENTIAL_EXPIRING_SOON: ": it has not been replaced since",
    CauseId.CONFIG_EXPIRING_SOON: ": it has not been replaced since",
    CauseId.CREDENTIAL_NETWORK_RESTRICTED: ": this machine has another address, or the provider's list of "
    "addresses has changed",
}
"""What follows if all values are the same. The default for a credential is that the change was at the provider."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Adds the comparison with the last run that passed to the problems of a run.

    Args:
        today: The day of the run (UTC).
        key: The identifier of its fingerprint key; None if no other run has the same key.
        why_no_key: Why it has no such key.
    """

    today: date
    key: str | None
    why_no_key: str = f"set {KEY_VARIABLE} to the same secret in each run"

    def added(self, report: IntegrationReport, last_pass: Callable[[str], LastPass]) -> IntegrationReport:
        """Add the comparison as the first evidence of each problem that a value may explain.

        ``last_pass`` is only called if there is such a problem.
        """
        concerned = [check for check in report.checks if _may_be_a_value(check, report)]
        if not concerned or report.faults or not report.fingerprints:
            return report
        last = last_pass(report.name)
        checks = [self._with(check, report, last) if check in concerned else check for check in report.checks]
        return report.model_copy(update={"checks": checks})

    def _with(self, check: Check, report: IntegrationReport, last: LastPass) -> Check:
        why_not = self._why_not(last)
        if why_not is None:
            text = _compared(check, report.fingerprints, last, _moment(last, self.today))
        elif _is_about_a_credential(check):
            text = why_not
        else:
            return check
        return check.model_copy(update={"evidence": {LABEL: text, **check.evidence}})

    def _why_not(self, last: LastPass) -> str | None:
        if last.unknown is not None:
            return last.unknown
        if self.key is None:
            return self.why_no_key
        moment = _moment(last, self.today)
        if last.key is None or not last.fingerprints:
            return f"{moment} stored no fingerprints; the next run that passes will store them"
        if last.key != self.key:
            return (
                f"{moment} used another fingerprint key ({last.key}, now {self.key}); use the same key in each run: "
                f"the file beside the history, or {KEY_VARIABLE}"
            )
        return None


def _is_about_a_credential(check: Check) -> bool:
    return str(check.cause).startswith(_ABOUT_A_CREDENTIAL)


def _may_be_a_value(check: Check, report: IntegrationReport) -> bool:
    """Return whether a value may explain a problem. Values from a sandbox do not count: they differ in each run."""
    counts = check.outcome.is_red or check.outcome is Outcome.WARN or check.waiver is not None
    setting = _setting(check)
    return counts and (setting in report.fingerprints if setting is not None else _is_about_a_credential(check))


def _setting(check: Check) -> str | None:
    """Return the setting that a problem is about, by its name in the fingerprints."""
    named = str(check.evidence.get("setting", ""))
    # The name of an integration may contain dots; a table and a setting may not.
    table, _, setting = named.rpartition(".")
    if named == "endpoint":
        return named
    table = table.rpartition(".")[2]
    return setting if table == "settings" else f"{table}.{setting}" if table else None


def _moment(last: LastPass, today: date) -> str:
    """Return the words for the run, with the time of day only if it was today."""
    assert last.started is not None, "a known run has a start time"
    form = "%Y-%m-%d %H:%M UTC" if last.started.date() == today else "%Y-%m-%d"
    commit, _, dirty = (last.commit or "").partition("-")
    short = f", commit {commit[:7]}{'-' if dirty else ''}{dirty}" if commit else ""
    passed = "that passed except for its documentation" if last.undocumented else "that passed"
    return f"the last run {passed} ({last.started:{form}}{short})"


def _compared(check: Check, now: Mapping[str, str], last: LastPass, moment: str) -> str:
    setting, then = _setting(check), last.fingerprints
    if setting is not None and setting in now and setting not in then:
        return f"{moment} did not read this setting"
    others = [name for name in _changed(now, then) if name != setting and _counts(name, check)]
    if setting is not None and setting in now and now[setting] != then[setting]:
        also = f"; {some(others)} differed, too" if others else ""
        return f"this value was different in {moment}{also}"
    same = "the same value as" if setting in now else "the same values as"
    if others and setting in now:
        return f"{same} in {moment}, but {some(others)} differed"
    if others:
        return f"{some(others)} differed in {moment}"
    return f"{same} in {moment}{_conclusion(check)}"


def _changed(now: Mapping[str, str], then: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys([*now, *then]):
        if now.get(name) != then.get(name):
            yield name


def _counts(name: str, check: Check) -> bool:
    """Return whether the value of a setting can explain a problem."""
    table = name.rpartition(".")[0]
    if table == "expect":
        return check.cause is CauseId.CREDENTIAL_WRONG_ACCOUNT
    if table == "control":
        return check.cause is CauseId.PROVIDER_AUTH_OUTAGE
    return _is_about_a_credential(check)


def _conclusion(check: Check) -> str:
    default = ": the change was made at the provider" if _is_about_a_credential(check) else ""
    return _CONCLUSIONS.get(str(check.cause), default)
