"""Apply waivers to checks, and report expired and unused waivers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from mfagate.config.model import GateOptions, Integration
from mfagate.config.waivers import Waiver
from mfagate.core import check_ids
from mfagate.core.causes import CauseId, Outcome
from mfagate.core.finding import Finding, Location
from mfagate.core.result import Check, ReportLocation, Verdict, Waived


@dataclass(slots=True)
class Waivers:
    """The waivers of one integration during one run. ``today`` is in UTC."""

    integration: Integration
    options: GateOptions
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    _covered: dict[int, list[Check]] = field(default_factory=lambda: defaultdict(list))

    def stops(self, check: Check) -> bool:
        """Return whether a check is red and not accepted."""
        return check.outcome.is_red and self._fitting(check, valid=True) is None

    def applied(self, check: Check) -> Check:
        """Return the check, accepted by a waiver or with a note on an expired one."""
        number = self._fitting(check, valid=True)
        if number is not None:
            self._covered[number].append(check)
            waiver = self.integration.waivers[number]
            waived = Waived(
                reason=waiver.reason,
                owner=waiver.owner,
                until=waiver.until,
                instead_of=check.outcome,
                location=ReportLocation.of(self._location(number)),
            )
            return check.model_copy(update={"outcome": Outcome.INFO, "waiver": waived})
        number = self._fitting(check, valid=False)
        if number is not None:
            self._covered[number].append(check)
            ended = f"ended on {self.integration.waivers[number].until} ({self._location(number)})"
            return check.model_copy(update={"evidence": {**check.evidence, "waiver": ended}})
        return check

    def review(self, checks: Sequence[Check]) -> Iterator[Check]:
        """Yield findings about the waivers themselves, after all checks of the run."""
        for number, waiver in enumerate(self.integration.waivers):
            finding = self._review(number, waiver, checks)
            if finding is not None:
                yield Check.from_finding(check_ids.WAIVER, finding, subject=_of(waiver))

    def _review(self, number: int, waiver: Waiver, checks: Sequence[Check]) -> Finding | None:
        covered, left = self._covered.get(number, []), waiver.days_left(self.today)
        if not covered and (why := _found_nothing(waiver, checks)):
            ended = f"; it ended on {waiver.until}" if left < 0 else ""
            return self._finding(number, CauseId.WAIVER_UNUSED, f"{why}{ended}")
        if left < 0:
            worst = Verdict.of(check.outcome for check in covered)
            outcome = Outcome.WARN if worst is Verdict.PASS else Outcome(worst.value)
            again = f", so {_number(covered)} again" if covered else ""
            message = f"the waiver for {_of(waiver)} ended on {waiver.until}{again}"
            return self._finding(number, CauseId.WAIVER_EXPIRED, message, outcome, covers=_titles(covered))
        if left <= self.options.waiver_expiring_soon_days:
            end = waiver.until + timedelta(days=1)
            message = f"the waiver for {_of(waiver)} ends on {waiver.until}; from {end} on its finding counts again"
            return self._finding(number, CauseId.WAIVER_EXPIRING_SOON, message, covers=_titles(covered))
        return None

    def _finding(
        self, number: int, cause: CauseId, message: str, outcome: Outcome | None = None, covers: list[str] | None = None
    ) -> Finding:
        waiver = self.integration.waivers[number]
        evidence = {
            "waived for": waiver.reason,
            "waived by": waiver.owner,
            "waived until": str(waiver.until),
            **({"covers": covers} if covers else {}),
        }
        return Finding(cause, message, evidence, self._location(number), outcome=outcome)

    def _fitting(self, check: Check, *, valid: bool) -> int | None:
        """Return the number of the first waiver that matches, among the valid or the expired ones."""
        if not check.outcome.is_red and check.outcome is not Outcome.WARN:
            return None
        fitting = (
            number
            for number, waiver in enumerate(self.integration.waivers)
            if (waiver.days_left(self.today) >= 0) is valid
            and waiver.cause is check.cause
            and check.id in waiver.checks
            and waiver.concerns(check.subject)
        )
        return next(fitting, None)

    def _location(self, number: int) -> Location:
        return self.integration.locate("waivers", str(number))


def _found_nothing(waiver: Waiver, checks: Sequence[Check]) -> str:
    """Return why the waiver is not needed; empty if this run does not show it.

    A check that was skipped, or has another red finding, does not show that the waived problem is gone.
    """
    same = [check for check in checks if check.id in waiver.checks]
    ran = [check for check in same if check.outcome is not Outcome.SKIPPED]
    if not ran or any(check.outcome.is_red for check in ran):
        return ""
    # A check without a subject covers all subjects.
    meant = [check for check in same if check.subject is None or waiver.concerns(check.subject)]
    if not meant:
        return f"the waiver for {_of(waiver)} matches no check: none has this subject"
    if all(check.outcome is Outcome.SKIPPED for check in meant):
        return ""
    if any(check.cause is waiver.cause and check.subject is None for check in meant):
        return f"the waiver for {_of(waiver)} matches no check: the finding has no subject"
    return f"the waiver for {_of(waiver)} was not needed: its cause was not found"


def _of(waiver: Waiver) -> str:
    return f"{waiver.cause} of {waiver.subject}" if waiver.subject else str(waiver.cause)


def _number(covered: Sequence[Check]) -> str:
    return "its finding counts" if len(covered) == 1 else f"its {len(covered)} findings count"


def _titles(covered: Sequence[Check]) -> list[str]:
    return [check.title for check in covered]
